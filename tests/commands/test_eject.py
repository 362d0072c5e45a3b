"""What a user ejects is what they ran: source of each first spec, executed where there is no archdsl."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import PIPE

import pytest

import archdsl
from archdsl.commands._run import main

torch = pytest.importorskip("torch")

NAMES = [
    "vgg16",
    "vgg16_bn",
    "resnet50",
    "resnetv2_50",
    "preresnet50b",
    "inception_v3",
    "resnext50",
    "darknet53",
    "densenet121",
    "densenet40_k12_cifar10",
    "csresnet50",
    "cspresnet50",
    "cspdarknet53",
    "vovnet39",
    "vovnetv2_39",
    "ese_vovnet39b",
    "csp_vovnet39",
    "hybrid_preact_csp_dense",
]
QUICK = {"densenet40_k12_cifar10", "resnext50", "vovnetv2_39"}
SIZES = {"inception_v3": 107, "densenet40_k12_cifar10": 32, "hybrid_preact_csp_dense": 32}

ELSEWHERE = """
import hashlib, json, runpy, sys
sys.modules["archdsl"] = None
import torch
from torch import nn
torch.set_num_threads(1)
for line in sys.stdin:
    path, size, result = json.loads(line)
    names = runpy.run_path(path)
    network = [value for value in names.values() if isinstance(value, type) and issubclass(value, nn.Module)][-1]
    torch.manual_seed(7)
    model = network()
    image = torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(3))
    state = {name: hashlib.sha256(tensor.numpy()).hexdigest() for name, tensor in model.state_dict().items()}
    with torch.no_grad():
        torch.save({"state": state, "output": model.eval()(image)}, result)
    print("saved", flush=True)
"""


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[Callable[[Path, int, Path], None]]:
    """A process without archdsl: runs a source on an image of a size, and saves its weights' hashes and its output."""
    command = [sys.executable, "-c", ELSEWHERE]
    with subprocess.Popen(command, text=True, stdin=PIPE, stdout=PIPE, stderr=PIPE) as process:
        asked, told, failed = process.stdin, process.stdout, process.stderr
        assert asked
        assert told
        assert failed

        def ran(source: Path, size: int, result: Path) -> None:
            print(json.dumps([str(source), size, str(result)]), file=asked, flush=True)
            if told.readline() != "saved\n":
                raise AssertionError(failed.read())

        yield ran
        asked.close()


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in QUICK else pytest.mark.slow) for name in NAMES]
)
def test_ejected_source_is_the_network(
    name: str, elsewhere: Callable[[Path, int, Path], None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, result, size = tmp_path / "net.py", tmp_path / "result.pt", SIZES.get(name, 64)
    assert main(["emit", name, "-o", str(source)]) == 0
    assert "archdsl" not in "".join(line for line in source.read_text().splitlines(True) if "import" in line)
    elsewhere(source, size, result)
    theirs = torch.load(result, weights_only=True)

    torch.manual_seed(7)
    mine = archdsl.build(name)
    state = mine.state_dict()
    assert list(state) == list(theirs["state"])
    assert {key: hashlib.sha256(tensor.numpy()).hexdigest() for key, tensor in state.items()} == theirs["state"]
    image = torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(3))
    with torch.no_grad():
        assert torch.equal(mine.eval()(image), theirs["output"])
