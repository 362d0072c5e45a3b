"""Compare two networks module by module, with costs.

Stages and blocks added, removed, altered. The costs, in parameters and multiply-adds, sum up to the difference of the
two. `-o diff.svg` draws both side by side (`--color`, `--theme` and `--device` are those of `archdsl draw`). Needs no
torch.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from archdsl.analyses.diff import Change, Difference, difference
from archdsl.commands._formats import json_text
from archdsl.commands._images import SCENE_FORMS, add_image, chosen_color, chosen_form, write_scene
from archdsl.commands._options import add_device, add_format, add_params, chosen_input, chosen_load, chosen_params
from archdsl.commands._output import check_output
from archdsl.commands._tables import Cell, Row, Table
from archdsl.diagnostics import plural
from archdsl.diagnostics.characters import on_one_line
from archdsl.driver import compile, load

GROUP = "inspect"
EXAMPLES = ("archdsl diff resnet50 resnext50", "archdsl diff net.yaml net.yaml -p width=64")
SIGNS = {"added": "+", "removed": "-", "altered": "~"}


def arguments(parser: argparse.ArgumentParser) -> None:
    """BEFORE, AFTER, `-p`, `--input`, `--format`, `-o`, `--color`, `--theme`, and the device."""
    parser.add_argument("before", metavar="BEFORE", help="a spec, as for `archdsl show`")
    parser.add_argument("after", metavar="AFTER", help="another one")
    add_params(parser, "AFTER")
    add_format(parser, "markdown")
    add_image(parser, SCENE_FORMS)
    add_device(parser)


def run(options: argparse.Namespace) -> int:
    """Print or draw the changes. The exit code is 0 whether there are any or not."""
    form = chosen_form(options.output, SCENE_FORMS)
    specs = load(options.before), load(options.after)
    path = Path(options.output) if options.output else None
    if path:
        check_output(path, specs)
    setting = chosen_load(options)
    size = chosen_input(options)
    before = compile(specs[0], input=size)
    after = compile(specs[1], params=chosen_params(options), input=size)
    if path:
        from archdsl.driver.pictures import difference as picture

        write_scene(path, picture(before, after, chosen_color(options), setting), form, options.theme)
        print(f"wrote {on_one_line(options.output)}")
        return 0
    print(as_text(difference(before, after), options.format))
    return 0


def as_text(found: Difference, form: str) -> str:
    """Changes in a format."""
    if form == "json":
        return json_text(found.as_json())
    title = f"{found.before.name} -> {found.after.name}"
    heads = ("", "module", "change", "parameters", "multiply-adds")
    table = Table(heads, [row(change) for change in found.changes], total(found), (0, 1, 2), long=2)
    if form == "markdown":
        return f"**{title}**\n\n{table.markdown()}"
    if not found.changes:
        return f"{found.before.name} and {found.after.name} are the same network"
    return f"{title}\n\n{table.text()}"


def row(change: Change) -> Row:
    """Row of a change."""
    known = change.replaced or change.path.rpartition(".")[2] == change.name
    told = " ".join(filter(None, ["" if known else change.name, ", ".join(change.details)]))
    return [SIGNS[change.kind], change.path, told, Cell(change.params, signed=True), Cell(change.macs, signed=True)]


def total(found: Difference) -> Row:
    """Row of the difference of the networks."""
    before, after = found.before.root.totals, found.after.root.totals
    pairs = ((before.params, after.params), (before.macs, after.macs))
    cells = (Cell(new - old, signed=True, behind=share_text(old, new)) for old, new in pairs)
    return ["", "total", plural(len(found.changes), "change"), *cells]


def share_text(before: int, after: int) -> str:
    """Share of a difference in the earlier figure."""
    return f" ({100 * (after - before) / before:+.1f} %)" if before and after != before else ""
