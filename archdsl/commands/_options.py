"""Options and files that several commands take, and their values."""

from __future__ import annotations

import argparse
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from archdsl.diagnostics import ArchError, Diagnostic, Source, catalog
from archdsl.diagnostics.files import STDIN, read_input, read_text
from archdsl.diagnostics.source import shown
from archdsl.resources import folder

if TYPE_CHECKING:
    from archdsl.analyses.cost import Load
    from archdsl.driver import Network
    from archdsl.graph import Graph
    from archdsl.passes.features import Features

# The command line imports only what the chosen command needs, so the imports below wait inside functions.

STANDARD_INPUT = "-"


def add_spec(parser: argparse.ArgumentParser, *, several: bool = False) -> None:
    """SPEC (or several), `-p` and `--input`."""
    parser.add_argument(
        "spec",
        metavar="SPEC",
        nargs="+" if several else None,
        help="a file (net.yaml, net.arch), one of several in a file (net.arch:name), or the name of a shipped spec",
    )
    add_params(parser)


def add_params(parser: argparse.ArgumentParser, of: str = "the spec") -> None:
    """`-p` and `--input`."""
    parser.add_argument(
        "-p", dest="params", action="append", default=[], metavar="NAME=VALUE", help=f"sets a parameter of {of}"
    )
    parser.add_argument("--input", metavar="CxHxW", help="the input's size, as 3x256x256")


def add_features(parser: argparse.ArgumentParser) -> None:
    """`--features`."""
    help = "cuts the network to the maps of sections or modules: `c3,c4,c5`; `c3=p3,c4=p4` gives them names"
    parser.add_argument("--features", metavar="PATHS", help=help)


def add_format(parser: argparse.ArgumentParser, *others: str) -> None:
    """`--format`: text, json, and others."""
    choices = ["text", "json", *others]
    parser.add_argument("--format", choices=choices, default="text", help="for people, or for programs")


def add_figures(parser: argparse.ArgumentParser) -> None:
    """`--figures`."""
    parser.add_argument(
        "--figures", metavar="NAMES", default="", help="which, as `macs,time`; see `archdsl help figures`"
    )


def words_in(text: str) -> list[str]:
    """Words of a list with commas."""
    return [word for word in text.replace(" ", "").split(",") if word]


def add_output(parser: argparse.ArgumentParser) -> None:
    """`-o` for a text, which is printed without it."""
    parser.add_argument("-o", "--output", metavar="OUT", help="the file to write; else the text is printed")


# ---- specs ---------------------------------------------------------------------------------------------------------


def chosen_params(options: argparse.Namespace) -> dict[str, Any]:
    """Values of `-p` as expressions with their spans; raises ArchError with all mistakes in them."""
    found: dict[str, Any] = {}
    findings: list[Diagnostic] = []
    for text in options.params:
        try:
            found |= [chosen_param(text)]
        except ArchError as error:
            findings += error.diagnostics
    if findings:
        raise ArchError(findings)
    return found


def chosen_param(text: str) -> tuple[str, Any]:
    """Name and value of one `-p`."""
    from archdsl.syntax.ast import CallArgument
    from archdsl.syntax.parser import parse
    from archdsl.syntax.text import LocatedText

    name, equals, value = text.partition("=")
    whole = LocatedText.of(Source("-p", text))
    if not equals or not name.strip().isidentifier() or not value.strip():
        raise catalog.USAGE.error(whole.whole, "this sets nothing", help="write `-p name=value`, as `-p classes=10`")
    expression = parse(whole.after(len(name) + 1), "expression")
    return name.strip(), CallArgument(whole.whole, False, (name.strip(),), expression)


def chosen_input(options: argparse.Namespace) -> tuple[int, ...] | None:
    """Value of `--input`."""
    if options.input is None:
        return None
    sides = options.input.lower().split("x")
    if len(sides) != 3 or not all(side.isdecimal() and len(side) <= 6 and int(side) for side in sides):
        raise catalog.USAGE.error(None, f"`--input {options.input}`", help="write it as 3x256x256")
    return tuple(map(int, sides))


def chosen_features(options: argparse.Namespace) -> Features | None:
    """Value of `--features`: one path for a tensor, several for a list, with names for a dict."""
    text: str | None = getattr(options, "features", None)
    if text is None:
        return None
    parts = [part.strip() for part in text.split(",")]
    named = [part.partition("=") for part in parts]
    if not any(equals for _, equals, _ in named):
        return parts[0] if len(parts) == 1 else parts
    if not all(equals and path.strip() and name.strip() for path, equals, name in named):
        raise catalog.USAGE.error(None, f"`--features {text[:60]}`", help="name all of them, as `c3=p3,c4=p4`, or none")
    return {path.strip(): name.strip() for path, _, name in named}


def as_declared(options: argparse.Namespace) -> bool:
    """Tell whether the spec is taken as it stands, so that its `expect` applies."""
    return not options.params and options.input is None and getattr(options, "features", None) is None


def chosen_graph(options: argparse.Namespace, spec: Network) -> Graph:
    """Graph of a spec, with the chosen parameters and input."""
    from archdsl.driver import compile

    return compile(spec, params=chosen_params(options), input=chosen_input(options), features=chosen_features(options))


def chosen_graphs(options: argparse.Namespace) -> list[Graph]:
    """Graphs of the chosen specs."""
    from archdsl.driver import compile, load
    from archdsl.driver.containers import is_container

    params, size, features = chosen_params(options), chosen_input(options), chosen_features(options)
    return [
        stored_graph(spec, params, size, features)
        if is_container(spec)
        else compile(load(spec), params=params, input=size, features=features)
        for spec in options.spec
    ]


def stored_graph(path: str, params: dict[str, Any], size: tuple[int, ...] | None, features: Features | None) -> Graph:
    """Graph of the spec that a file of weights or a program holds, as it was built unless options say otherwise."""
    from archdsl.driver.containers import read_manifest

    return read_manifest(path).graph(path, params, size, features)


# ---- devices -------------------------------------------------------------------------------------------------------


def add_precision(parser: argparse.ArgumentParser) -> None:
    """`--precision` and `--batch`."""
    parser.add_argument("--precision", default="fp32", metavar="P", help="fp32 (default), fp16, bf16, ...")
    parser.add_argument("--batch", default="1", metavar="N", help="samples at once (default: 1)")


def add_device(parser: argparse.ArgumentParser, default: str | None = None) -> None:
    """`--device`, `--precision` and `--batch`."""
    parser.add_argument(
        "--device",
        default=default,
        metavar="DEVICE",
        help="estimate the time on it: a name (v100, a100, laptop, ...), a file (mine.toml), "
        'or a line ("peak=14T, bandwidth=900G, launch=5us")',
    )
    add_precision(parser)


def chosen_load(options: argparse.Namespace) -> Load:
    """Batch, precision and device; raises ArchError for bad ones, and for a device that lacks the precision."""
    from archdsl.analyses.cost import Load

    text = str(options.batch)
    if not text.lstrip("-").isdigit() or len(text) > 12:
        raise catalog.USAGE.error(None, f"`--batch {text[:40]}`", help="a number of samples, as `--batch 8`")
    load = Load(int(text), options.precision).checked()
    if getattr(options, "device", None) is None:
        return load
    from archdsl.analyses.device import device

    return load._replace(device=device(options.device)).checked()


# ---- files ---------------------------------------------------------------------------------------------------------


class GivenFile(NamedTuple):
    """File to read; `through_folder` if only its folder was named."""

    path: str
    through_folder: bool


def files(paths: list[str]) -> Iterator[GivenFile]:
    """Each given file once, in order."""
    from archdsl.syntax.text import SUFFIXES

    named = {str(Path(text)) for text in paths}
    seen: set[str] = set()
    for text in map(shipped_file, paths):
        # A file named twice is read once, in the place of its first mention.
        inside = text not in {"", STANDARD_INPUT} and os.path.isdir(text)
        for each in sorted(specs_below(Path(text), SUFFIXES)) if inside else [GivenFile(text, False)]:
            path = str(Path(each.path)) if each.path else ""
            if path not in seen:
                seen.add(path)
                yield each._replace(through_folder=each.through_folder and path not in named)


def shipped_file(text: str) -> str:
    """File of a shipped spec, if a word is no path but its name."""
    from archdsl.syntax.text import SUFFIXES

    if not text.isidentifier() or os.path.lexists(text):
        return text
    found = (folder("specs") / f"{text}{suffix}" for suffix in SUFFIXES)
    return next((str(path) for path in found if path.is_file()), text)


def specs_below(top: Path, endings: tuple[str, ...]) -> Iterator[GivenFile]:
    """Files below a folder with one of some suffixes, without hidden folders and `node_modules`.

    A folder that cannot be read is yielded itself, so that it is reported.
    """
    closed: list[OSError] = []
    for where, folders, names in os.walk(top, onerror=closed.append):
        folders[:] = [name for name in folders if not name.startswith(".") and name != "node_modules"]
        paths = [str(Path(where, name)) for name in names if name.endswith(endings)]
        yield from (GivenFile(path, True) for path in paths if is_file(path))
    yield from (GivenFile(str(error.filename), False) for error in closed)


def is_file(path: str) -> bool:
    """Tell regular files; one without permission counts, so that it is reported."""
    try:
        return stat.S_ISREG(os.stat(path).st_mode)
    except PermissionError:
        return True
    except OSError:
        return False


def source_of(path: str) -> Source:
    """Text of a file, or of standard input."""
    if path == STANDARD_INPUT:
        return Source(STDIN, read_input())
    try:
        return Source(shown(Path(path)), read_text(Path(path)))
    except ArchError as error:
        from archdsl.driver.imports import with_suggestion

        raise with_suggestion(error, Path(path)) from None
