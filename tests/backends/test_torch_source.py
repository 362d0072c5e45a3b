"""What the PyTorch backend writes: text cases, its layout, its length, and that it never varies.

`UPDATE_CASES=1 pytest tests/backends` writes what is expected anew; its diff wants reading.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from archdsl.backends.torch import emit
from archdsl.diagnostics import ArchError
from tests.backends.nets import NAMES, graph, net
from tests.working import bounded

CASES = Path(__file__).parent / "cases" / "source.txt"
FREE = {"torch", "math", "collections"}
RESNEXT50 = """
backbone resnext50(classes = 1000):
    input 3 x 224 x 224
    bottleneck.groups = 32
    stem: cna(64, 7, 2) -> maxpool(3, 2)
    stage c2:     3 * bottleneck(256, 128)
    stage c3 / 2: 4 * bottleneck(512, 256)
    stage c4 / 2: 6 * bottleneck(1024, 512)
    stage c5 / 2: 3 * bottleneck(2048, 1024)
    head: global_avgpool -> flatten -> linear(classes)
"""


def cases() -> list[tuple[str, str, str]]:
    """The titles, specs and sources of the case file."""
    parts = (part.partition("\n") for part in CASES.read_text("utf-8").split("=== ")[1:])
    found = [(title, *rest.partition("---\n")[::2]) for title, _, rest in parts]
    return [(title, spec, source) for title, spec, source in found]


@pytest.fixture(scope="session", autouse=True)
def _update() -> None:
    if os.environ.get("UPDATE_CASES"):
        written = [f"=== {title}\n{spec}---\n{emit(graph(spec))}\n" for title, spec, _ in cases()]
        CASES.write_text("".join(written), "utf-8")


@pytest.mark.parametrize("title", [title for title, _, _ in cases()])
def test_source_is_as_expected(title: str) -> None:
    spec, source = next((spec, source) for each, spec, source in cases() if each == title)
    assert emit(graph(spec)).strip() == source.strip()


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sources of all test networks."""
    folder = tmp_path_factory.mktemp("sources")
    for name in NAMES:
        (folder / f"{name}.py").write_text(emit(net(name)), "utf-8")
    for number, (_, spec, _) in enumerate(cases()):
        (folder / f"case{number}.py").write_text(emit(graph(spec)), "utf-8")
    return folder


@pytest.mark.parametrize("command", [["format", "--check", "--diff", "--line-length=100"], ["check"]])
def test_source_is_laid_out_as_ruff_does(sources: Path, command: list[str]) -> None:
    pytest.importorskip("ruff")
    ruff = [sys.executable, "-m", "ruff", command[0], "--isolated", "--no-cache", *command[1:], str(sources)]
    done = subprocess.run(ruff, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", NAMES)
def test_source_imports_what_it_uses_of_torch_alone(name: str) -> None:
    tree = ast.parse(emit(net(name)))
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    modules = {alias.name for node in found if isinstance(node, ast.Import) for alias in node.names}
    modules |= {node.module or "" for node in found if isinstance(node, ast.ImportFrom)}
    assert modules <= FREE


def test_resnext50_takes_a_hundred_lines() -> None:
    assert len(emit(graph(RESNEXT50)).splitlines()) <= 100


def test_source_does_not_depend_on_hashes() -> None:
    program = "from tests.backends.nets import NAMES, net\nfrom archdsl.backends.torch import emit\n"
    program += "print(*(emit(net(name)) for name in NAMES))"
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            cwd=Path(__file__).parents[2],
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("0", "1")
    }
    assert len(outputs) == 1


def test_emission_does_not_import_torch() -> None:
    program = "import sys\nfrom tests.backends.nets import net\nfrom archdsl.backends.torch import emit\n"
    program += "emit(net('mobile'))\nassert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], cwd=Path(__file__).parents[2], check=True)


@pytest.mark.parametrize(
    ("section", "lines"),
    [
        ("333 * bottleneck(16, 8)", 120),
        ("dense(1000, nac(16) -> nac(2, 3))", 120),
        ("1000 * conv(1 + index * index % 97)", 1200),
        ("w(" * 12 + "conv(3)" + ")" * 12, 400),
    ],
)
def test_time_grows_with_what_differs(section: str, lines: int) -> None:
    built = graph(f"block w(a: block) = a + a\nbackbone net():\n    input 3 x 8 x 8\n    stem: {section}\n")
    with bounded(5_000_000):
        source = emit(built)
    assert len(source.splitlines()) < lines


def test_all_that_pytorch_lacks_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from archdsl.op import Spelling
    from archdsl.ops import vocabulary

    built = net("mobile")
    for name in ("silu", "sigmoid"):
        monkeypatch.setattr(vocabulary()[name], "torch", Spelling())
    with pytest.raises(ArchError) as caught:
        emit(built)
    told = [each.label for each in caught.value.diagnostics]
    assert told == ["`silu` has no spelling in PyTorch", "`sigmoid` has no spelling in PyTorch"]
