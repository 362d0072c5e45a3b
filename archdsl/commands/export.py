"""Exports the network of a spec as a program for other runtimes: ONNX, torch.export or TorchScript.

-o net.onnx, net.pt2, or net.ts (legacy: PyTorch has deprecated TorchScript). The program is run and compared with the
module before it takes its place. It holds the spec: `archdsl show net.onnx` and `archdsl.from_pretrained` need no other
file. `emit` writes source and JSON, `build -o` fresh weights.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from archdsl.commands._options import add_features, add_spec, chosen_graph
from archdsl.commands._output import check_output
from archdsl.diagnostics.characters import on_one_line
from archdsl.driver import load
from archdsl.driver.export import check_request, export
from archdsl.driver.pretrained import built

ALL = "batch,height,width"
GROUP = "build"
EXAMPLES = (
    "archdsl export resnet50 -o resnet50.onnx",
    "archdsl export net.yaml --weights net.safetensors --dynamic batch -o net.pt2",
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """SPEC, `-p`, `--input`, `--features`, `--weights`, `--dynamic`, `-o`, `--force`."""
    add_spec(parser)
    add_features(parser)
    parser.add_argument("--weights", metavar="W", help="a file or folder of weights; else they are fresh")
    dynamic = "leaves sizes of the input open: `batch`, `height`, `width` (all of them, if none is named)"
    parser.add_argument("--dynamic", metavar="AXES", nargs="?", const=ALL, default="", help=dynamic)
    parser.add_argument("-o", "--output", metavar="OUT", required=True, help="x.onnx, x.pt2 or x.ts")
    parser.add_argument("--force", action="store_true", help="replaces an existing file")


def run(options: argparse.Namespace) -> int:
    """Build, fill, export, compare."""
    output = Path(options.output)
    dynamic = [axis.strip() for axis in options.dynamic.split(",") if axis.strip()]
    check_request(output, dynamic, options.force)
    spec = load(options.spec)
    check_output(output, [spec])
    model = built(chosen_graph(options, spec))
    if options.weights:
        from archdsl.weights.loading import load_weights

        print(f"read {on_one_line(options.weights)}: {load_weights(model, options.weights)}")
    done = export(model, output, dynamic=dynamic, force=options.force, tell=tell)
    print(on_one_line(str(done)))
    if output.suffix == ".ts":
        print("TorchScript is legacy: PyTorch has deprecated it in favour of torch.export (x.pt2)")
    return 0


def tell(line: str) -> None:
    """Progress, on the error stream."""
    print(f"{line} ...", file=sys.stderr, flush=True)
