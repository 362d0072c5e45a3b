"""Answers of the package as JSON: with its memos, or, with `--forget`, without; and the functions that were called.

python -m tests.caches.answers [--forget]
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import random
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

FILES = {
    "base.arch": """
block own(n, inner: block = relu, *, stride = 1) = cna(n, 3, stride) -> inner -> with(act = gelu, cna(n))
block two(b: block) = b -> b
block lists(n) = fork(conv(n), conv(n, 3)) -> softmax_list -> add
block joined(n):
    y = x -> two(cna(n) + conv(n))
    s = share(conv(n, 3))
    return (y -> s -> s) if n > 24 else y
fn half(n) = n // 2
backbone net(w = 8, d = 2, wide = false):
    input 3 x 16 x 16
    layer = own(2 * w) if wide else cna(w)
    conv.bias = wide
    stem: cna(w, 3) -> lists(w)
    stage c1 / 2: d * own(w, stride = 2 if first else 1)
    c2: d * layer -> joined(w) -> se(half(w))
    c3: 3 * cna(w + 8 * index, 3) -> dense(2, cna(4, 3))
    output p2 if training: c2 -> conv(4)
    head: global_avgpool -> flatten -> linear(10)
backbone wide extends net(w = 32, d = 3, wide = true)
""",
    "kid.yaml": """
import: base.arch
name: kid
extends: net
set: {bn.eps: 0.01, act: silu}
stages:
  c2 : joined(32) -> two(own(8))
""",
    "wrong.arch": """
import "base.arch"
block own(n) = conv(n, groups = 3) -> hull
backbone wrong extends net:
    c2: own(8) -> joined(8)
    c3: cna(8 -> relu
backbone other:
    input 3 x 16 x 16
    stem: own(8) -> cna(w)  # archdsl: allow W201
""",
    "lower.arch": """
backbone lower:
    input 3 x 16 x 16
    conv.bias = true
    stem: cna(8, 3) -> with(act = silu, cna(8))
    pool: maxpool(3, 2) -> conv(7, 2, 2, padding = valid) -> local_response_norm(8)
""",
}
"""Texts that use what has an effect beyond the place where it stands; one of them is wrong, one is warned of."""
NETWORKS = ["base.arch:net", "base.arch:wide", "kid.yaml", "wrong.arch", "lower.arch"]
WORDS = ("show {} --depth op", "emit {}")


def command_lines() -> Iterator[list[str]]:
    """Commands on all files, alone and in company, in an order that is random and always the same."""
    lines = [words.format(name).split() for name in NETWORKS for words in WORDS]
    lines += [["show", "base.arch:net", "-p", f"w={w}", "-p", f"d={d}"] for w, d in ((8, 1), (32, 1), (32, 3))]
    lines += [["validate", "--no-cache", "--format", "json", *order] for order in (list(FILES), [*FILES][::-1])]
    lines += [[*words, name] for name in FILES for words in (["validate", "--no-cache"], ["fmt", "--diff"])]
    lines += [
        ["draw", "kid.yaml"],
        ["draw", "base.arch:net"],
        ["lint", "kid.yaml"],
        ["memory", "base.arch:net"],
        ["diff", "lower.arch", "kid.yaml"],
        ["fmt", "--to", "arch", "kid.yaml"],
    ]
    random.Random(0).shuffle(lines)
    yield from lines


def said(words: list[str]) -> str:
    """All that a command puts out."""
    from archdsl.commands._run import main

    stream = io.StringIO()
    with contextlib.redirect_stdout(stream), contextlib.redirect_stderr(stream):
        code = main(words)
    return f"{code}\n{stream.getvalue()}"


def rules() -> list[str]:
    """The rules for names of weights."""
    from archdsl.weights import rules

    return [repr(kind(project)) for kind in (rules.schemes, rules.own_schemes) for project in ("timm", "torchvision")]


class Called:
    """The functions of the package that were called, by file and name."""

    def __init__(self, package: Path) -> None:
        self.package = f"{package}{os.sep}"
        self.found: set[str] = set()

    def note(self, frame: FrameType, event: str, value: Any) -> None:
        """Note a call."""
        code = frame.f_code
        if event == "call" and code.co_filename.startswith(self.package):
            self.found.add(f"{code.co_filename.removeprefix(self.package)}: {code.co_name}")


def main() -> None:
    """Print the answers, and what was called."""
    from tests.caches.memos import PACKAGE, forget

    called = Called(PACKAGE)
    if "--forget" in sys.argv:
        forget()
        sys.setprofile(called.note)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for name, text in FILES.items():
            Path(name).write_text(text, "utf-8")
        answers = {" ".join(words): said(words) for words in command_lines()}
        os.chdir("/")
    answers["rules of weights"] = repr(rules())
    sys.setprofile(None)
    print(json.dumps({"answers": answers, "called": sorted(called.found)}))


if __name__ == "__main__":
    main()
