"""Wrong uses, one a line of `cases/misfits.txt`; whatever torch has a layer for, it refuses too."""

from __future__ import annotations

import pytest

from archdsl.diagnostics import DiagnosticKind, catalog
from archdsl.op import Misfit
from archdsl.ops import vocabulary

torch = pytest.importorskip("torch")
from tests.ops.spelled import MISFITS, Line, inputs, make, real  # noqa: E402

REFUSALS = (RuntimeError, ValueError, TypeError, IndexError, AssertionError)
RULES = {rule.code: rule for rule in vars(catalog).values() if isinstance(rule, DiagnosticKind)}


@pytest.mark.parametrize("line", MISFITS)
def test_misfit(line: Line) -> None:
    code, call, blamed, label, layer_text = line.columns
    op = make(call)
    for shape in line.shapes:
        with pytest.raises(Misfit) as caught:
            op.output(shape)
        misfit = caught.value
        found = misfit.param if misfit.index is None else f"[{misfit.index}]"
        assert (misfit.rule, found) == (RULES[code], blamed)
        assert label in f"{misfit.label}; {misfit.help}"
        assert misfit.param in op.params or misfit.param == ""
        if layer_text != "-":
            with pytest.raises(REFUSALS):
                run(layer_text, shape)


def run(text: str, shape: object) -> None:
    """Runs a torch layer on an input of some shape; a layer of no elements is as good as refused."""
    x = inputs(shape)
    found = real(text, x)
    result = found(x) if isinstance(found, torch.nn.Module) else found
    if result.numel() == 0:
        raise RuntimeError("nothing comes out")


def test_every_misfit_of_the_ops_has_a_line() -> None:
    """Ops with a shape rule of their own are particular, but for a few."""
    held = {param.values[0].columns[1].partition("(")[0] for param in MISFITS}
    particular = {name for name, op in vocabulary().items() if "output" in vars(op)}
    assert particular - held == {"flatten"}


def test_bounds_hold_what_each_parameter_allows_by_itself() -> None:
    bounds = {
        (name, each): (declared.minimum, declared.maximum, declared.above)
        for name, op in vocabulary().items()
        for each, declared in op.params.items()
    }
    assert bounds["dropout", "p"] == bounds["drop_path", "p"] == (0, 1, None)
    assert bounds["conv", "kernel"] == bounds["conv", "stride"] == bounds["conv", "groups"] == (1, None, None)
    assert bounds["maxpool", "padding"] == bounds["pad2d", "border"] == (0, None, None)
    assert bounds["upsample", "scale"][2] == bounds["celu", "alpha"][2] == bounds["softplus", "beta"][2] == 0
