"""Image files: pictures as SVG, as PNG and PDF by cairosvg, and as a page."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archdsl.commands._output import write_text, write_whole
from archdsl.diagnostics import catalog
from archdsl.driver.pictures import COLORS, THEMES, Color

if TYPE_CHECKING:
    from archdsl.backends.pictures.scene import Scene

SCENE_FORMS = ("svg", "png", "pdf", "html")
# Pixels per point: 180 dots per inch.
SCALE = 2.5


def add_image(parser: argparse.ArgumentParser, forms: Sequence[str]) -> None:
    """`-o`, `--color` and `--theme`."""
    parser.add_argument("-o", "--output", metavar="OUT", help=f"the file to write: .{', .'.join(forms)}")
    parser.add_argument(
        "--color", choices=COLORS, help="what colors show (default: time if there is a device, else macs)"
    )
    parser.add_argument("--theme", choices=THEMES, default="light", help="default: light")


def chosen_color(options: argparse.Namespace) -> Color:
    """Value of `--color`."""
    return options.color or ("time" if options.device else "macs")


def chosen_form(output: str | None, forms: Sequence[str]) -> str:
    """Form of an output file, by its suffix; SVG if it is printed. Raises ArchError for any other."""
    if output is None:
        return "svg"
    form = Path(output).suffix.removeprefix(".").lower()
    if form not in forms:
        names = ", ".join(f".{each}" for each in forms)
        raise catalog.USAGE.error(None, f"`-o {output[:80]}`", help=f"a name that ends in one of {names}")
    if form in {"png", "pdf"}:
        cairosvg()
    return form


def cairosvg() -> Any:
    """The package that turns SVG into other images; raises ArchError if it is missing."""
    try:
        return import_module("cairosvg")
    except ImportError:
        raise catalog.missing("cairosvg", "pictures", "; .svg and .html need nothing") from None
    except OSError:
        help = "install cairo (Debian: `apt install libcairo2`); .svg and .html need nothing"
        raise catalog.MISSING_PACKAGE.error(None, "cairosvg finds no cairo", help=help) from None


def write_scene(path: Path, scene: Scene, form: str, theme: str) -> None:
    """Write a picture, whole or not at all."""
    from archdsl.backends.pictures.svg import page, svg

    if form in {"svg", "html"}:
        write_text(path, page(scene, theme) if form == "html" else svg(scene, theme))
        return
    convert = cairosvg().svg2png if form == "png" else cairosvg().svg2pdf
    scale = {"scale": SCALE} if form == "png" else {}
    source = svg(scene, theme).encode()
    write_whole(path, lambda made: convert(bytestring=source, write_to=str(made), **scale))
