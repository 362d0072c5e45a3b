"""Write a network as PyTorch source, or for another target.

The source needs only torch, and is what `archdsl build` runs. Needs no torch itself.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from archdsl.api import emit, targets
from archdsl.commands._options import add_features, add_output, add_spec, chosen_graph
from archdsl.commands._output import check_output, write_text
from archdsl.commands._streams import print_file
from archdsl.diagnostics.characters import on_one_line
from archdsl.driver import load

GROUP = "build"
EXAMPLES = ("archdsl emit resnet50 -o resnet50.py", "archdsl emit net.yaml -p classes=10")


def arguments(parser: argparse.ArgumentParser) -> None:
    """SPEC, `-p`, `--input`, `--target`, `-o`."""
    add_spec(parser)
    add_features(parser)
    parser.add_argument("--target", default="torch", help=f"one of: {', '.join(targets())} (default: torch)")
    add_output(parser)


def run(options: argparse.Namespace) -> int:
    """Print or write the text."""
    spec = load(options.spec)
    if options.output:
        check_output(Path(options.output), [spec])
    text = emit(chosen_graph(options, spec), options.target)
    if options.output:
        write_text(Path(options.output), text)
        print(f"wrote {on_one_line(options.output)} ({text.count(chr(10)):,} lines)")
    else:
        print_file(text)
    return 0
