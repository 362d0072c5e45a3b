"""Compares two networks: stages and blocks added, removed, altered, and the cost of each change.

The costs, in parameters and multiply-adds, sum up to the difference of the two. `-o diff.svg` draws both side by side
(`--color`, `--theme` and `--device` are those of `archdsl draw`). Needs no torch.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from archdsl.analyses.diff import Change, Difference, difference
from archdsl.commands._formats import json_text, plural
from archdsl.commands._images import SCENE_FORMS, add_image, chosen_color, chosen_form, write_scene
from archdsl.commands._options import add_device, add_format, add_params, chosen_input, chosen_params, chosen_setting
from archdsl.commands._output import check_output
from archdsl.commands._tables import markdown, ruled, table
from archdsl.diagnostics.characters import on_one_line
from archdsl.driver import compile, load

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
    setting = chosen_setting(options)
    size = chosen_input(options)
    before = compile(specs[0], input=size)
    after = compile(specs[1], params=chosen_params(options), input=size)
    if path:
        from archdsl.driver.pictures import difference as picture

        write_scene(path, picture(before, after, chosen_color(options), setting), form, options.theme)
        print(f"wrote {on_one_line(options.output)}")
        return 0
    print(WRITERS[options.format](difference(before, after)))
    return 0


def as_text(found: Difference) -> str:
    """Changes for people."""
    if not found.changes:
        return f"{found.before.name} and {found.after.name} are the same network"
    lines = table([["", "", "", "parameters", "multiply-adds"], *map(row, found.changes), total(found)], {3, 4}, 2)
    return "\n".join([f"{found.before.name} -> {found.after.name}", "", *ruled(lines)])


def as_markdown(found: Difference) -> str:
    """Changes in Markdown."""
    rows = [["", "module", "change", "parameters", "multiply-adds"], *map(row, found.changes), total(found)]
    return f"**{found.before.name} -> {found.after.name}**\n\n{markdown(rows, {3, 4})}"


def row(change: Change) -> list[str]:
    """Row of a change."""
    known = change.replaced or change.path.rpartition(".")[2] == change.name
    told = " ".join(filter(None, ["" if known else change.name, ", ".join(change.details)]))
    return [SIGNS[change.kind], change.path, told, signed(change.params), signed(change.macs)]


def total(found: Difference) -> list[str]:
    """Row of the difference of the networks."""
    before, after = found.before.root.totals, found.after.root.totals
    return [
        "",
        "total",
        plural(len(found.changes), "change"),
        with_share(before.params, after.params),
        with_share(before.macs, after.macs),
    ]


def signed(number: int) -> str:
    """Difference with its sign."""
    return f"{number:+,}" if number else "0"


def with_share(before: int, after: int) -> str:
    """Difference, and its share of the earlier figure."""
    share = f" ({100 * (after - before) / before:+.1f} %)" if before and after != before else ""
    return f"{signed(after - before)}{share}"


WRITERS: dict[str, Callable[[Difference], str]] = {
    "text": as_text,
    "json": lambda found: json_text(found.as_json()),
    "markdown": as_markdown,
}
