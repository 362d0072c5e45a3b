"""Options that several commands share, and their values."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from archdsl.diagnostics import ArchError, Diagnostic, Source, catalog

if TYPE_CHECKING:
    from archdsl.analyses.roofline import RooflineSetting
    from archdsl.driver import Network
    from archdsl.graph import Graph
    from archdsl.passes.features import Features

# The command line imports only what the chosen command needs, so the imports below wait inside functions.


def add_spec(parser: argparse.ArgumentParser, *, several: bool = False, needed: bool = True) -> None:
    """SPEC (several, or none if it is not needed), `-p` and `--input`."""
    parser.add_argument(
        "spec",
        metavar="SPEC",
        nargs=("+" if needed else "*") if several else None,
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

    params, size, features = chosen_params(options), chosen_input(options), chosen_features(options)
    return [compile(load(spec), params=params, input=size, features=features) for spec in options.spec]


# ---- devices -------------------------------------------------------------------------------------------------------


def add_precision(parser: argparse.ArgumentParser) -> None:
    """`--precision` and `--batch`."""
    parser.add_argument("--precision", default="fp32", metavar="P", help="fp32 (default), fp16, bf16, ...")
    add_batch(parser)


def add_batch(parser: argparse.ArgumentParser) -> None:
    """`--batch`."""
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


def chosen_batch(options: argparse.Namespace) -> int:
    """Value of `--batch`."""
    from archdsl.analyses.roofline import check_batch

    text = str(options.batch)
    if not text.lstrip("-").isdigit() or len(text) > 12:
        raise catalog.USAGE.error(None, f"`--batch {text[:40]}`", help="a number of samples, as `--batch 8`")
    return check_batch(int(text))


def chosen_setting(options: argparse.Namespace) -> RooflineSetting | None:
    """Device with precision and batch; None without a device."""
    from archdsl.analyses.memory_access import check_precision

    precision, batch = check_precision(options.precision), chosen_batch(options)
    return None if options.device is None else roofline_setting(options.device, precision, batch)


def roofline_setting(name: str, precision: str, batch: int) -> RooflineSetting:
    """Setting of the roofline; raises ArchError for an unknown device, or a precision that it lacks."""
    from archdsl.analyses.device import device
    from archdsl.analyses.roofline import RooflineSetting

    found = device(name)
    found.peak(precision)
    return RooflineSetting(found, precision, batch)
