"""The interpreter and the emitted module: they agree; where something is wrong with one of them, it is told plainly."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

torch = pytest.importorskip("torch")

import archdsl  # noqa: E402
from archdsl.backends import interpret  # noqa: E402
from archdsl.backends.crosscheck import Deviation  # noqa: E402
from archdsl.backends.torch import module as made  # noqa: E402
from archdsl.diagnostics import ArchError  # noqa: E402
from archdsl.op import Op, Spelling  # noqa: E402
from archdsl.ops import activation  # noqa: E402
from tests.backends.nets import NAMES, graph, net  # noqa: E402

SMALL = """
backbone small(classes = 4):
    input 3 x 8 x 8
    stem: cna(8, 3) -> dropout(0.5)
    side_map: identity + (conv(8, 3) -> drop_path(0.5))
    output side if training: stem -> conv(2)
    output always: stem -> conv(3)
    head: global_avgpool -> flatten -> linear(classes)
"""


def test_it_knows_nothing_of_the_emitter_and_imports_no_torch() -> None:
    program = "import sys, archdsl.backends.interpret; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert [name for name in loaded if name.startswith(("torch", "archdsl.backends.t", "archdsl.graph.forward"))] == []


@pytest.mark.parametrize("name", NAMES)
def test_the_module_computes_what_the_graph_says(name: str) -> None:
    result = archdsl.check(net(name))
    assert result.agrees, result
    assert {each.size for each in result.deviations if each.kind != "gradients"} == {0.0}
    assert max(each.size for each in result.deviations) < 1e-12


@pytest.mark.parametrize("name", NAMES)
def test_it_holds_what_the_graph_holds(name: str) -> None:
    built = net(name)
    module = made.build(built)
    held = dict(interpret.held(built.root))
    assert {key: tuple(value.shape) for key, value in module.state_dict().items()} == {
        key: weight.shape for key, weight in held.items()
    }
    assert {key for key, _ in module.named_parameters()} == {
        key for key, weight in held.items() if weight.kind == "parameter"
    }


@pytest.mark.parametrize("training", [False, True])
def test_it_gives_what_the_module_gives(training: bool) -> None:
    built = graph(SMALL.replace("dropout(0.5)", "dropout(0)").replace("drop_path(0.5)", "drop_path(0)"))
    module: Any = made.build(built).train(training)
    state = {name: value.clone() for name, value in module.state_dict().items()}
    x = torch.randn(2, 3, 8, 8)
    found = interpret.Interpreter(torch, state, training).network(built, x)
    expected = module(x)
    assert list(found) == (["side", "always", "head"] if training else ["always", "head"])
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], expected[name]) for name in found)
    assert all(torch.equal(value, module.state_dict()[name]) for name, value in state.items())
    assert state["stem.cna.norm.num_batches_tracked"] == int(training)


def test_random_ops_draw_the_same_numbers() -> None:
    result = archdsl.check(graph(SMALL))
    assert [(each.mode, each.kind) for each in result.deviations] == [
        ("evaluation", "outputs"),
        ("evaluation", "gradients"),
        ("training", "outputs"),
        ("training", "buffers"),
        ("training", "gradients"),
    ]
    assert max(each.size for each in result.deviations) < 1e-12


@pytest.mark.parametrize(
    ("size", "rounding", "excessive"), [(1e-10, 0.0, False), (1e-8, 0.0, True), (1e-8, 1e-9, False), (0.1, 1e-9, True)]
)
def test_what_rounding_does_to_a_network_is_no_fault(size: float, rounding: float, excessive: bool) -> None:
    assert Deviation("training", "gradients", size, "head.linear.weight", rounding).excessive is excessive


# ---- a model of one's own --------------------------------------------------------------------------------------------


def test_a_model_is_left_as_it_is_and_so_are_random_numbers() -> None:
    built = graph(SMALL)
    model = made.build(built)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    torch.manual_seed(3)
    expected = torch.rand(3)
    torch.manual_seed(3)
    assert archdsl.check(built, model).agrees
    assert torch.equal(torch.rand(3), expected)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())
    assert {value.dtype for value in model.parameters()} == {torch.float32}


def changed(change: Any) -> Any:
    """The result for a module that was changed after it was built."""
    built = graph(SMALL)
    model: Any = made.build(built)
    change(model)
    return archdsl.check(built, model)


def replace_norm(model: Any) -> None:
    model.stem.cna.norm = torch.nn.BatchNorm2d(8, eps=0.1)


def forget_momentum(model: Any) -> None:
    model.stem.cna.norm.momentum = 0.3


def another_probability(model: Any) -> None:
    model.stem.dropout.p = 0.4


def another_shape(model: Any) -> None:
    model.head.linear = torch.nn.Linear(8, 5)


def a_bias(model: Any) -> None:
    model.stem.cna.conv = torch.nn.Conv2d(3, 8, 3, padding=1)


def no_parameter(model: Any) -> None:
    weight = model.head.linear.weight.detach()
    del model.head.linear.weight
    model.head.linear.register_buffer("weight", weight)


def a_failure(model: Any) -> None:
    model.stem.cna.conv.stride = (3, 3, 3)


def a_gradient_cut(model: Any) -> None:
    model.stem.cna.conv.register_forward_hook(lambda module, x, y: y.detach())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (replace_norm, "the first module whose output differs is `stem.cna.norm`"),
        (forget_momentum, "in training, buffers differ by "),
        (another_probability, "the first module whose output differs is `stem.dropout`"),
        (another_shape, "`head.linear.bias` is a parameter of shape [5], in the spec a parameter of shape [4]"),
        (a_bias, "the spec has no `stem.cna.conv.bias`"),
        (no_parameter, "`head.linear.weight` is a buffer of shape [4, 8], in the spec a parameter of shape [4, 8]"),
        (a_failure, "the module cannot be run: RuntimeError: "),
        (a_gradient_cut, "in evaluation, gradients differ in shape, or are missing"),
    ],
)
def test_a_changed_module_is_told_apart(change: Any, said: str) -> None:
    result = changed(change)
    assert not result.agrees
    assert said in "\n".join(map(str, result.findings))
    assert "does NOT compute" in str(result)


# ---- ops -------------------------------------------------------------------------------------------------------------


def test_ops_without_a_run_are_all_told_of() -> None:
    class Soft(Op):
        """An op without a `run`.

        Example: soft
        """

        name = "acme.soft"
        torch = Spelling("nn.Softplus")

    def unrunnable(scope: Any, name: str) -> Any:
        return scope.replace(op=Soft(), name="acme.soft") if scope.op is not None and scope.name == name else scope

    built = graph("backbone n:\n    input 3 x 8 x 8\n    stem: relu -> conv(4)\n")
    stem = built.root.child("stem")
    (relu, *rest), steps = stem.scope.children, stem.scope.steps
    soft = unrunnable(relu.runs[0].scope, "relu")
    inner = stem.scope.replace(
        children=(relu._replace(runs=(relu.runs[0]._replace(scope=soft),)), *rest),
        steps=(steps[0]._replace(scope=soft), *steps[1:]),
    )
    root = built.root.replace(
        children=(stem._replace(runs=(stem.runs[0]._replace(scope=inner),)),),
        steps=(built.root.steps[0]._replace(scope=inner),),
    )
    with pytest.raises(ArchError) as caught:
        archdsl.check(built.replace(root=root))
    (finding,) = caught.value.diagnostics
    assert finding.code == "E601"
    assert "`acme.soft` has no `run`" in finding.label
    assert "docs/extending.md" in finding.help


def test_numbers_beyond_all_bounds_are_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(activation.Relu, "run", lambda self, torch, x, weights, training: x / 0)
    result = archdsl.check(graph("backbone n:\n    input 3 x 8 x 8\n    stem: conv(4) -> relu\n"))
    assert result.problems == ("in evaluation, the output is not finite, so there is nothing to compare",)


# ---- weights that are shared -----------------------------------------------------------------------------------------

SHARED = """
block k() = x -> add -> conv(8)
block wide() = x -> conv(4, 3) -> cond
block cond():
    y = x -> conv(4)
    return y + y if x.height > 6 else y
block b():
    s = share({body})
    return {first} -> s -> {second} -> s -> conv(8)
backbone n():
    input 8 x 8 x 8
    stem: b
"""


@pytest.mark.parametrize(
    ("body", "first", "second", "part"),
    [
        ("pad_channels(16) -> conv(12)", "x", "identity", "pad_channels"),
        ("split(2) -> concat -> reduce_mean(channels) -> conv(4)", "x", "identity", "split"),
        ("slice(0, -1) -> reduce_max(channels) -> conv(4)", "x", "identity", "slice"),
        ("k", "fork(x, x)", "fork(identity, identity, identity)", "add"),
        ("add -> conv(8)", "fork(x, x)", "fork(identity, identity, identity)", "add"),
        ("wide -> conv(8)", "x", "avgpool(2)", "cond"),
        ("reduce_mean(spatial) -> conv(8)", "x", "upsample(2)", ""),
        ("reduce_mean(channels) -> conv(4)", "x", "identity", ""),
        ("cna(8, 3)", "x", "avgpool(2)", ""),
    ],
)
def test_a_module_is_called_on_another_shape_only_where_it_does_the_same(
    body: str, first: str, second: str, part: str
) -> None:
    built = graph(SHARED.format(body=body, first=first, second=second))
    if not part:
        assert archdsl.check(built).agrees
        return
    with pytest.raises(ArchError) as caught:
        archdsl.build(built)
    (finding,) = caught.value.diagnostics
    assert (finding.code, finding.span is not None) == ("E601", True)
    assert f"`{part}` does not do the same" in finding.label
    (validated,) = archdsl.validate("n.arch", text=SHARED.format(body=body, first=first, second=second))
    assert (validated.code, validated.label, validated.help) == (finding.code, finding.label, finding.help)
