"""Shows what specs come to: sections, maps, parameters, multiply-adds. Needs no torch."""

from __future__ import annotations

import argparse
import json

from archdsl.analyses.cost import cost
from archdsl.commands._options import add_spec, chosen_input, chosen_params
from archdsl.commands._table import summary
from archdsl.driver import compile, load


def arguments(parser: argparse.ArgumentParser) -> None:
    """SPEC..., `-p`, `--input`, `--format`."""
    add_spec(parser, several=True)
    parser.add_argument("--format", choices=["text", "json"], default="text", help="for people, or for programs")


def run(options: argparse.Namespace) -> int:
    """Prints the figures of each spec."""
    params, size = chosen_params(options), chosen_input(options)
    found = [cost(compile(load(spec), params=params, input=size)) for spec in options.spec]
    if options.format == "json":
        print(json.dumps([figures.as_json() for figures in found], indent=2))
    else:
        print("\n\n".join(summary(figures) for figures in found))
    return 0
