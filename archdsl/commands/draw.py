"""Draw a network on one page, each of its blocks opened once.

The suffix of OUT chooses the form: .svg, .png, .pdf, .html, .dot (Graphviz) or .mmd (Mermaid); without `-o` the SVG is
printed. Colors show what costs how much: multiply-adds, or the time on a device. Needs no torch.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from archdsl.commands._images import SCENE_FORMS, add_image, chosen_color, chosen_form, write_scene
from archdsl.commands._options import add_device, add_spec, chosen_graph, chosen_load
from archdsl.commands._output import check_output, write_text
from archdsl.commands._streams import print_file
from archdsl.diagnostics.characters import on_one_line
from archdsl.driver import load
from archdsl.driver.pictures import outline, picture, svg

GROUP = "inspect"
EXAMPLES = ("archdsl draw resnet50 -o resnet50.svg", "archdsl draw net.yaml --device v100 -o net.html")
FORMS = (*SCENE_FORMS, "dot", "mmd")


def arguments(parser: argparse.ArgumentParser) -> None:
    """SPEC, `-p`, `--input`, `-o`, `--color`, `--theme`, and the device."""
    add_spec(parser)
    add_image(parser, FORMS)
    add_device(parser)


def run(options: argparse.Namespace) -> int:
    """Print or write the picture."""
    form = chosen_form(options.output, FORMS)
    spec = load(options.spec)
    path = Path(options.output) if options.output else None
    if path:
        check_output(path, [spec])
    setting = chosen_load(options)
    color = chosen_color(options)
    graph = chosen_graph(options, spec)
    if path is None:
        print_file(svg(picture(graph, color, setting), options.theme))
        return 0
    if form in SCENE_FORMS:
        write_scene(path, picture(graph, color, setting), form, options.theme)
    else:
        write_text(path, outline(graph, form))
    print(f"wrote {on_one_line(options.output)}")
    return 0
