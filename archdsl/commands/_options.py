"""Options that several commands share, and what they come to."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from archdsl.diagnostics import ArchError, Diagnostic, Source, catalog

if TYPE_CHECKING:
    from archdsl.driver import Spec


def add_spec(parser: argparse.ArgumentParser, *, several: bool = False, needed: bool = True) -> None:
    """SPEC (several, or none where it is not needed), `-p` and `--input`."""
    parser.add_argument(
        "spec",
        metavar="SPEC",
        nargs=("+" if needed else "*") if several else None,
        help="a file (net.yaml, net.arch), one of several in a file (net.arch:name), or the name of a shipped spec",
    )
    parser.add_argument(
        "-p", dest="params", action="append", default=[], metavar="NAME=VALUE", help="sets a parameter of the spec"
    )
    parser.add_argument("--input", metavar="CxHxW", help="the input's size, as 3x256x256")


def chosen_params(options: argparse.Namespace) -> dict[str, Any]:
    """The parameters that `-p` sets, as expressions with their places; raises ArchError with all that is wrong."""
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
    """The name and the value that a `-p` gives."""
    from archdsl.syntax.located_text import LocatedText
    from archdsl.syntax.parser import parse

    name, equals, value = text.partition("=")
    whole = LocatedText.of(Source("-p", text))
    if not equals or not name.strip().isidentifier() or not value.strip():
        raise catalog.USAGE.error(whole.whole, "this sets nothing", help="write `-p name=value`, as `-p classes=10`")
    return name.strip(), parse(whole.after(len(name) + 1), "expression")


def chosen_input(options: argparse.Namespace) -> tuple[int, ...] | None:
    """The input size that `--input` gives."""
    if options.input is None:
        return None
    sides = options.input.lower().split("x")
    if len(sides) != 3 or not all(side.isdecimal() and len(side) <= 6 and int(side) for side in sides):
        raise catalog.USAGE.error(None, f"`--input {options.input}`", help="write it as 3x256x256")
    return tuple(map(int, sides))


def as_declared(options: argparse.Namespace) -> bool:
    """Whether the spec is taken as it stands, so that `expect` holds for it."""
    return not options.params and options.input is None


def chosen_spec(options: argparse.Namespace) -> Spec:
    """The spec that is asked for."""
    from archdsl.driver import load

    return load(options.spec)
