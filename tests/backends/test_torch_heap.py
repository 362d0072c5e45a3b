"""What is emitted does not take PyTorch where it spoils its own heap (docs/known-problems.md).

The networks train in a child process, whose heap glibc checks where it can; a signal is a failure. They do so as on a
CPU of each width of vectors, since oneDNN has other code for each.
"""

from __future__ import annotations

import ctypes.util
import json
import os
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from archdsl.backends.torch import emit  # noqa: E402
from archdsl.op import Spelling  # noqa: E402
from archdsl.ops.conv import Conv, ConvTranspose  # noqa: E402
from tests.backends.nets import graph  # noqa: E402

TOP = Path(__file__).parents[2]
CHECKS = (
    {"LD_PRELOAD": "libc_malloc_debug.so.0", "MALLOC_CHECK_": "3"} if ctypes.util.find_library("c_malloc_debug") else {}
)
WIDTHS = ("AVX2", "AVX512_CORE")
PROBLEM = re.search(
    r"^```python\n(.*?)^```", (TOP / "docs" / "known-problems.md").read_text(), re.MULTILINE | re.DOTALL
)
CSP = """
backbone csp_{width}_{size}(classes = 4):
    input 3 x {size} x {size}
    stem: cna({width}, 3)
    c1: csp(2 * cna({half}, 3), cna({width}), split(0.5))
    stage c2 / 2: csp(basic({half}), project({width}, 2), split(0.5))
    stage c3 / 2: conv({width}, 1) -> csp(identity, cna({width}, 1, 2), halves({half}))
    head: global_avgpool -> flatten -> linear(classes)
"""
WAYS = {
    "an input of few channels": "conv({out}, 1, 2)",
    "a slice": "conv(24, 3) -> slice({start}, {stop}) -> conv({out}, 1, 2)",
    "a part of a list": "conv(24, 3) -> split([{c}, {rest}]) -> head_of -> conv({out}, 1, 2)",
    "behind what does nothing": "conv({c}, 3) -> dropout(0.0) -> identity -> drop_path(0.0) -> conv({out}, 1, 2)",
    "a slice behind what does nothing": "conv(24, 3) -> slice(0, {c}) -> identity -> dropout(0.0) -> conv({out}, 1, 2)",
    "as an argument": "conv(24, 3) -> slice(0, {c}) -> around(conv({out}, 1, 2))",
    "inside another class": "conv(24, 3) -> slice(0, {c}) -> shortcut({out})",
    "in layer_norm's layout": "conv({twice}, 3) -> layer_norm -> conv({out}, 1, 2)",
    "in a permuted layout": "conv({size}, 3) -> permute([1, 2, 0]) -> conv({c}, 3) -> conv({out}, 1, 2)",
    "in one direction": "conv({c}, 3) -> conv({out}, 1, [1, 2]) -> conv({c}, 1, [2, 1])",
    "in steps of four": "conv({c}, 3) -> conv({out}, 1, 4, dilation = 2)",
    "in groups": "conv({twice}, 3) -> conv({twice}, 1, 2, groups = 2) -> conv({twice}, 1, 2, groups = {twice})",
    "transposed": "conv({out}, 3) -> conv_transpose({c}, 1, 2, output_padding = 1) -> maxpool(2)",
    "transposed, with a bias": "conv_transpose({c}, 1, 2, output_padding = 1, bias = true) -> maxpool(2)",
    "shared": "conv({c}, 3) -> 2 * share(conv({c}, 1, 2))",
}
AROUND = """
block head_of() = x[0]
block around(f: block) = f -> norm
block shortcut(out) = conv(out, 1, 2) + (conv(out, 3, 2) -> norm)
backbone net(classes = 3):
    input 3 x {size} x {size}
    stem: {chain}
    head: global_avgpool -> flatten -> linear(classes)
"""


def drawn(way: str, seed: int) -> str:
    """A network in which a strided 1x1 convolution is reached in a way, with random widths."""
    drawer = random.Random(f"{way}{seed}")
    c, size = drawer.randint(1, 17), drawer.choice([8, 16, 32, 64])
    places = {"c": c, "rest": 24 - c, "twice": 2 * c, "out": drawer.randint(1, 20), "size": size}
    start = drawer.randint(0, 24 - c)
    return AROUND.format(chain=WAYS[way].format(**places, start=start, stop=start + c), size=size)


def networks(seeds: range) -> list[tuple[str, str]]:
    """All the networks, with what tells them apart."""
    csp = [
        (f"csp {width} {size}", CSP.format(width=width, half=width // 2, size=size))
        for width, size in ((4, 16), (12, 16), (24, 64))
    ]
    return csp + [(f"{way} {seed}", drawn(way, seed)) for way in WAYS for seed in seeds]


def run(arguments: list[str], width: str) -> subprocess.CompletedProcess[str]:
    """Python in a process of its own, whose heap is checked, as on a CPU of that width."""
    settings = {"PYTHONPATH": str(TOP), "ONEDNN_MAX_CPU_ISA": width, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, *arguments]
    return subprocess.run(command, env=os.environ | CHECKS | settings, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("seeds", [range(1), pytest.param(range(1, 4), marks=pytest.mark.slow)], ids=str)
def test_networks_train_in_channels_last(tmp_path: Path, width: str, seeds: range) -> None:
    file = tmp_path / "networks.json"
    file.write_text(json.dumps(networks(seeds)), "utf-8")
    done = run([str(Path(__file__).with_name("training.py")), str(file)], width)
    title = done.stdout.splitlines()[-1:]
    assert done.returncode == 0, f"{title}: {dict(networks(seeds)).get(''.join(title))}\n{done.stderr[-2000:]}"


@pytest.mark.parametrize("width", WIDTHS)
def test_pytorch_itself_does_it(width: str) -> None:
    """Once this is skipped everywhere, `SampledConv2d` and `PaddedConvTranspose2d` can go."""
    assert PROBLEM
    if run(["-c", PROBLEM[1]], width).returncode >= 0:
        pytest.skip("this PyTorch keeps to its memory on this CPU")


@pytest.mark.skipif(not CHECKS, reason="no check of the heap here")
def test_the_networks_would_find_it(tmp_path: Path) -> None:
    """With PyTorch's own spelling they end the process, if a plain convolution does."""
    assert PROBLEM
    if run(["-c", PROBLEM[1]], "AVX2").returncode >= 0:
        pytest.skip("this PyTorch keeps to its memory on this CPU")
    file = tmp_path / "networks.json"
    file.write_text(json.dumps(networks(range(1))), "utf-8")
    plain = "from archdsl.ops.conv import Conv, ConvTranspose\nfrom tests.backends import training\n"
    plain += "Conv.spelling = ConvTranspose.spelling = lambda op, x: op.torch\n"
    program = f"{plain}training.main({str(file)!r})\n"
    assert run(["-c", program], "AVX2").returncode < 0


@pytest.mark.parametrize(
    ("op", "channels", "module"),
    [
        (Conv(out=8, stride=2), 15, "SampledConv2d"),
        (Conv(out=8, stride=(1, 2)), 1, "SampledConv2d"),
        (Conv(out=8, stride=2), 16, "nn.Conv2d"),
        (Conv(out=8), 4, "nn.Conv2d"),
        (Conv(out=8, kernel=3, stride=2), 4, "nn.Conv2d"),
        (Conv(out=8, stride=2, padding=1), 4, "nn.Conv2d"),
        (Conv(out=8, stride=2, groups=2), 4, "nn.Conv2d"),
        (ConvTranspose(out=15, stride=2, output_padding=1), 32, "PaddedConvTranspose2d"),
        (ConvTranspose(out=16, stride=2, output_padding=1), 4, "nn.ConvTranspose2d"),
        (ConvTranspose(out=4, stride=2), 4, "nn.ConvTranspose2d"),
    ],
)
def test_only_what_is_not_safe_is_spelled_otherwise(op: Conv | ConvTranspose, channels: int, module: str) -> None:
    spelt: Spelling = op.spelling((channels, 8, 8))
    assert spelt.module == module
    assert bool(spelt.helper) == (not module.startswith("nn."))


def test_it_works_with_pytorchs_tools() -> None:
    chain = "conv(4, 3) -> conv(8, 1, 2) -> conv_transpose(4, 1, 2, output_padding = 1, bias = true)"
    built = graph(AROUND.format(chain=chain, size=16))
    assert "SampledConv2d(4, 8, 1, stride=2, bias=False)" in emit(built)
    from tests.backends.test_torch_runs import prepared, same

    module = prepared(built)
    x = torch.randn(2, 3, 16, 16)
    same(torch.jit.script(module)(x), module(x))
    same(torch.jit.trace(module, x)(x), module(x))
    same(torch.fx.symbolic_trace(module)(x), module(x))
    same(torch.export.export(module, (x,)).module()(x), module(x))
