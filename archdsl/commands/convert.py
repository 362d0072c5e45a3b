"""Convert a checkpoint to our names, or to a library's.

CHECKPOINT (.pth, .pt, .safetensors) is in the naming of any library that archdsl knows, or in ours; it has to fit the
network of --spec. Another number of classes or input channels is adapted, and reported.

With --from-spec the checkpoint is of a spec that was edited since: everything that keeps its place and shape goes into
the network of --spec, the rest of which is freshly initialized; a report lists both.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from archdsl.commands._options import add_params, chosen_input, chosen_params
from archdsl.commands._output import check_output
from archdsl.diagnostics import catalog, listed
from archdsl.diagnostics.characters import on_one_line
from archdsl.driver import Network, compile, load
from archdsl.driver.manifest import Manifest
from archdsl.driver.weight_files import SAVERS, write_weights

if TYPE_CHECKING:
    from torch import Tensor, nn

    State = Mapping[str, Tensor]

GROUP = "weights"
EXAMPLES = (
    "archdsl convert resnet50-11ad3fa6.pth --spec resnet50 -o resnet50.safetensors",
    "archdsl convert net.pt --spec resnet50 --to torchvision -o out.pth",
    "archdsl convert old.pt --from-spec old.yaml --spec new.yaml -o new.pt",
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """CHECKPOINT and its parts, `--spec`, `-p`, `--input`, `-o`, `--to`, and the spec before an edit."""
    from archdsl.weights.loading import Head
    from archdsl.weights.rules import projects

    add = parser.add_argument
    add("checkpoint", metavar="CHECKPOINT", help="x.pth, x.pt or x.safetensors")
    add("--spec", required=True, metavar="SPEC", help="a file, or the name of a shipped spec")
    add_params(parser)
    add("-o", "--output", required=True, metavar="OUT", help="x.pt, x.pth or x.safetensors")
    add("--to", choices=projects(), help="writes the weights under that project's names, not under ours")
    add("--from-spec", metavar="OLD", help="the spec that the checkpoint is of, before it was edited")
    add("--from-param", dest="from_params", action="append", default=[], metavar="NAME=VALUE", help="sets one of OLD's")
    heads = "of other classes: left fresh (adapt), refused (strict), or left fresh whatever CHECKPOINT has (optional)"
    add("--head", choices=get_args(Head), default="adapt", help=f"a classifier {heads}")
    add("--part", metavar="NAME", help="where the network is in CHECKPOINT, if several places of it fit")


def run(options: argparse.Namespace) -> int:
    """Read, convert, write; nothing is written after an error."""
    output = Path(options.output)
    if output.suffix not in SAVERS:
        help = f"choose from {listed(SAVERS)}"
        raise catalog.USAGE.error(None, f"`-o {output}`: no weights are written as `{output.suffix}`", help=help)
    if options.from_params and not options.from_spec:
        raise catalog.USAGE.error(None, "`--from-param` is for `--from-spec OLD`")
    # The request is checked as a whole before the checkpoint is read, which may take long.
    spec, params, size = load(options.spec), chosen_params(options), chosen_input(options)
    old = load(options.from_spec) if options.from_spec else None
    check_output(output, [spec, old] if old else [spec])
    model = module_of(spec, params, size)
    if old:
        given = chosen_params(argparse.Namespace(params=options.from_params))
        carry_over(options, module_of(old, given, size), model)
    else:
        fill(model, options)
    state = state_named(model, options.to)
    manifest = "" if options.to else Manifest.of(compile(spec, params=params, input=size)).to_json()
    write_weights(output, state, manifest)
    print(f"wrote {on_one_line(str(output))}: {len(state):,} tensors, named as by {options.to or 'archdsl'}")
    return 0


def module_of(spec: Network, params: dict[str, Any], size: tuple[int, ...] | None) -> nn.Module:
    """Network of a spec."""
    from archdsl.api import build

    return build(compile(spec, params=params, input=size))


# ---- what is read --------------------------------------------------------------------------------------------------


def fill(model: nn.Module, options: argparse.Namespace) -> set[str]:
    """Fill a network with the weights of a file; return the keys that do not fit and stay fresh."""
    from archdsl.weights.loading import load
    from archdsl.weights.report import Caller

    edited = "is it of the spec of `--from-spec`, with these parameters?" if options.from_spec else EDITED
    caller = Caller("--head optional", "--head adapt", "`--part {}`", edited)
    report = load(model, options.checkpoint, options.head, options.part, caller)
    print(f"read {on_one_line(options.checkpoint)}: {report}")
    return set(report.fresh)


EDITED = "if they are of another version of the spec: `--from-spec OLD`, where OLD is the spec that they fit"


def carry_over(options: argparse.Namespace, old: nn.Module, new: nn.Module) -> None:
    """Fill a network with the weights of an earlier version, as far as they fit."""
    from archdsl.weights.transfer import transfer_weights

    fresh = fill(old, options)
    # Fresh weights would pass for trained ones.
    weights = {name: tensor for name, tensor in old.state_dict().items() if name not in fresh}
    done = transfer_weights(weights, new)
    if not done.kept:
        help = "`--from-spec` is for an earlier version of `--spec`: places are followed by their names"
        raise catalog.NO_WEIGHTS.error(None, "nothing of OLD has a place in the network of --spec", help=help)
    print(done)


# ---- what is written -----------------------------------------------------------------------------------------------


def state_named(model: nn.Module, project: str | None) -> State:
    """Weights of a network under our names, or a project's."""
    from archdsl.weights import to_reference

    return to_reference(model, project) if project else model.state_dict()
