"""Build a network in PyTorch, run it once, show its figures.

`--check` compares it with the spec, run op by op, in outputs, buffers and gradients. `-o net.py` writes its source; `-o
net.safetensors`, `net.pt` or `net.pth` its freshly initialized weights.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archdsl.analyses.expect import Outcome, check_all, text_of
from archdsl.analyses.figures import Figures, Measured, shown_shape
from archdsl.api import build, check, emit
from archdsl.commands._options import add_features, add_spec, as_declared, chosen_graph
from archdsl.commands._output import check_output, write_text
from archdsl.commands._tables import summary
from archdsl.diagnostics import ArchError, catalog, listed
from archdsl.diagnostics.characters import on_one_line
from archdsl.driver import load, memory
from archdsl.driver.manifest import Manifest
from archdsl.driver.weight_files import SAVERS, write_weights
from archdsl.graph import Graph

if TYPE_CHECKING:
    from torch import nn

GROUP = "build"
EXAMPLES = ("archdsl build resnet50 --check", "archdsl build net.yaml -p classes=10 -o net.py")


def arguments(parser: argparse.ArgumentParser) -> None:
    """SPEC, `-p`, `--input`, `--check`, `-o`."""
    add_spec(parser)
    add_features(parser)
    parser.add_argument("--check", action="store_true", help="compare the module with the spec, run op by op")
    parser.add_argument("-o", "--output", metavar="OUT", help="x.py: source; x.safetensors, x.pt, x.pth: weights")


def run(options: argparse.Namespace) -> int:
    """Build, run, print, write."""
    output = Path(options.output) if options.output else None
    if output is not None and output.suffix not in WRITERS:
        raise catalog.USAGE.error(
            None, f"`-o {output}`: nothing is written as `{output.suffix}`", help=f"choose from {listed(WRITERS)}"
        )
    spec = load(options.spec)
    if output is not None:
        check_output(output, [spec])
    graph = chosen_graph(options, spec)
    figures = Figures(Measured(graph, memory))
    # Before the module is built, which may take minutes and memory.
    outcomes = check_all(graph, spec.expect, memory) if as_declared(options) else []
    model = build(graph)
    print(summary(figures))
    if options.check:
        print(check_report(graph, model))
    print(forward_report(model, graph))
    for line in expect_report(options, outcomes, bool(spec.expect)):
        print(line)
    if failed := [outcome.finding for outcome in outcomes if outcome.finding]:
        raise ArchError(failed)
    if output is not None:
        print(WRITERS[output.suffix](output, graph, model))
    print(usage(options, output, type(model).__name__))
    return 0


def usage(options: argparse.Namespace, output: Path | None, name: str) -> str:
    """Lines that show how to use what was built, from Python."""
    given = "".join(f", params={{{', '.join(map(parameter, options.params))}}}" for _ in options.params[:1])
    given += f", input=({', '.join(options.input.lower().split('x'))})" if options.input else ""
    lines = [f"import archdsl; model = archdsl.build({options.spec!r}{given})"]
    if output is not None and output.suffix == ".py" and output.stem.isidentifier():
        lines = [f"from {output.stem} import {name}; model = {name}()"]
    elif output is not None and output.suffix in SAVERS:
        lines.append(f"archdsl.load_weights(model, {str(output)!r})")
    return on_lines("use it in Python:", lines)


def parameter(text: str) -> str:
    """Entry of a dict of parameters for one `-p`, its value as a text of the language."""
    name, _, value = text.partition("=")
    return f"{name.strip()!r}: {value.strip() if value.strip().isdecimal() else repr(value.strip())}"


def on_lines(head: str, lines: list[str]) -> str:
    """Lines of code below a heading, indented."""
    return "\n".join([head, *(f"    {on_one_line(line)}" for line in lines)])


def check_report(graph: Graph, model: nn.Module) -> str:
    """Report of a comparison that succeeded; raises ArchError for one that failed."""
    result = check(graph, model)
    if not result.agrees:
        print(result)
        raise ArchError(result.findings)
    return str(result)


def forward_report(model: nn.Module, graph: Graph) -> str:
    """Run one forward pass in inference on a random input, and report its outputs and time."""
    import torch

    held = sum(parameter.numel() for parameter in model.parameters())
    if held != graph.root.totals.params:
        label = f"the module holds {held:,} parameters, the spec has {graph.root.totals.params:,}"
        raise catalog.UNFAITHFUL.error(None, label, help="this is a bug in archdsl: please report it, with the spec")
    was_training = model.training
    model.eval()
    begin = time.perf_counter()
    with torch.no_grad():
        result: Any = model(torch.randn(1, *graph.input))
    model.train(was_training)
    seconds = time.perf_counter() - begin
    names = [each.path for each in graph.features] or ["output"]
    kind: Any = type(result)  # pyright: ignore[reportUnknownVariableType]
    named: dict[str, Any] = (
        result if kind is dict else dict(zip(names, result if kind is list else [result], strict=True))
    )
    shapes = ", ".join(f"{name} {shown_shape(tensor.shape)}" for name, tensor in named.items())
    return f"built; one forward pass: {shapes}, {seconds:.2f} s"


def expect_report(options: argparse.Namespace, outcomes: list[Outcome], has_any: bool) -> list[str]:
    """Lines on the checks under `expect`."""
    if has_any and not as_declared(options):
        return ["expect: not checked, as it is for the spec as declared"]
    return [f"expect: {text_of(each.check)}: {'FAILED' if each.finding else 'holds'}" for each in outcomes]


# ---- what is written -----------------------------------------------------------------------------------------------


def write_source(path: Path, graph: Graph, model: nn.Module) -> str:
    """Write the source that was executed."""
    text = emit(graph)
    write_text(path, text)
    return f"wrote {on_one_line(str(path))}: source, {text.count(chr(10)):,} lines"


def write_state(path: Path, graph: Graph, model: nn.Module) -> str:
    """Write the freshly initialized weights."""
    state = model.state_dict()
    write_weights(path, state, Manifest.of(graph).to_json())
    return f"wrote {on_one_line(str(path))}: {len(state):,} tensors"


WRITERS: dict[str, Callable[[Path, Graph, Any], str]] = {".py": write_source, **dict.fromkeys(SAVERS, write_state)}
