"""The built module as an object: copies, pickles, its source, its tracebacks, and what stays in memory."""

from __future__ import annotations

import copy
import gc
import inspect
import io
import linecache
import pickle
import subprocess
import sys
import traceback
import weakref
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from archdsl.backends.torch import emit  # noqa: E402
from archdsl.backends.torch import module as made  # noqa: E402
from archdsl.diagnostics import ArchError  # noqa: E402
from archdsl.graph import Graph  # noqa: E402
from tests.backends.nets import graph, net  # noqa: E402

ROOT = Path(__file__).parents[2]


def build(built: Graph) -> Any:
    """The module of a graph, whose attributes no type checker can know."""
    return made.build(built)


def small(width: int = 4) -> Any:
    """A small module."""
    return build(graph(f"backbone net():\n    input 3 x 8 x 8\n    stem: cna({width}, 3) -> split(2) -> concat\n"))


def same(a: Any, b: Any, shape: tuple[int, ...] = (3, 8, 8)) -> None:
    """Asserts that two modules do the same."""
    x = torch.randn(2, *shape)
    assert torch.equal(a.eval()(x), b.eval()(x))
    assert list(a.state_dict()) == list(b.state_dict())


def test_copies() -> None:
    module = small()
    other = copy.deepcopy(module)
    same(module, other)
    assert type(other) is type(module)
    assert not {id(each) for each in module.parameters()} & {id(each) for each in other.parameters()}


def test_pickles_of_networks_and_their_parts() -> None:
    module = build(net("aggregated"))
    same(module, pickle.loads(pickle.dumps(module)), (3, 32, 32))
    part = module.c1.csp.body
    same(part, pickle.loads(pickle.dumps(part)), (4, 8, 8))


def test_pickles_of_modified_networks() -> None:
    module = build(net("plain"))
    module.head.linear = torch.nn.Linear(8, 3)
    module.extra = "a note"
    other = pickle.loads(pickle.dumps(module))
    assert other.extra == "a note"
    same(module, other, (3, 32, 32))


def test_torch_save() -> None:
    module, file = small(), io.BytesIO()
    torch.save(module, file)
    file.seek(0)
    same(module, torch.load(file, weights_only=False))


def test_pickles_cross_processes(tmp_path: Path) -> None:
    module = build(net("units")).eval()
    x = torch.randn(2, 3, 32, 32)
    (tmp_path / "net.pickle").write_bytes(pickle.dumps((module, x, module(x).detach())))
    program = (
        "import pickle, sys, torch\n"
        "module, x, y = pickle.load(open(sys.argv[1], 'rb'))\n"
        "assert torch.equal(module(x), y)\n"
        "again = pickle.loads(pickle.dumps(module))\n"
        "assert type(again) is type(module)\n"
        "assert 'archdsl.elaborate' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path / "net.pickle")], cwd=ROOT, check=True)


def test_a_derived_class_is_left_alone() -> None:
    kind = type(small())
    derived = type("Derived", (kind,), {"__module__": __name__})
    with pytest.raises(pickle.PicklingError):
        pickle.dumps(derived())
    assert type(copy.deepcopy(derived())) is derived


def test_equal_texts_are_one() -> None:
    assert type(small()) is type(small())
    assert type(small()) is not type(small(8))


def test_the_source_can_be_seen() -> None:
    built = net("plain")
    module = build(built)
    assert inspect.getsource(type(module)) in emit(built)
    assert inspect.getsource(type(module).forward).strip() in emit(built)


def test_tracebacks_show_the_source() -> None:
    with pytest.raises(RuntimeError) as caught:
        build(net("plain"))(torch.randn(2, 5, 32, 32))
    shown = "".join(traceback.format_exception(caught.value))
    assert "x = self.stem(x)" in shown


def test_a_sweep_leaves_nothing_behind() -> None:
    before = {*linecache.cache}  # torch's compilers hold on to some of what other tests built
    first = weakref.ref(type(small(2)))
    for width in range(3, made.REMEMBERED + 6):
        small(2 * width)
    gc.collect()
    assert first() is None
    assert sum(name.startswith(made.PREFIX) for name in sys.modules) <= made.REMEMBERED
    assert sum(made.PREFIX in name for name in {*linecache.cache} - before) <= made.REMEMBERED


def test_an_old_network_outlives_the_sweep() -> None:
    module = small()
    for width in range(3, made.REMEMBERED + 6):
        small(2 * width)
    gc.collect()
    same(module, pickle.loads(pickle.dumps(module)))
    same(module, torch.jit.script(module))


def test_without_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    built = net("plain")
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ArchError, match=r"torch is not installed(.|\n)*\[torch\]"):
        build(built)
