"""Loading is one transaction: whatever is wrong, or happens on the way, the network is as it was to the bit."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
safetensors = pytest.importorskip("safetensors.torch")

from torch import Tensor  # noqa: E402
from torch._subclasses import FakeTensorMode  # noqa: E402

from archdsl import ArchError  # noqa: E402
from archdsl.weights import copying, load_weights, to_reference  # noqa: E402
from archdsl.weights.copying import Pair, write  # noqa: E402
from archdsl.weights.transfer import transfer_weights  # noqa: E402
from tests.weights.nets import STAGES, before, net  # noqa: E402

KEY = "c3.0.body.cna2.conv.weight"
COUNTER = "c3.0.body.cna2.norm.num_batches_tracked"
State = dict[str, Any]


def bits(state: dict[str, Tensor]) -> dict[str, bytes]:
    """The bytes of all tensors."""
    return {name: tensor.detach().reshape(-1).view(torch.uint8).numpy().tobytes() for name, tensor in state.items()}


def fake() -> Tensor:
    """A tensor that only says that it has numbers."""
    with FakeTensorMode():
        return torch.ones(16, 16, 3, 3)


class Refusing(Tensor):
    """A tensor of a class of one's own, which cannot be copied."""

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is Tensor.copy_:
            raise LookupError("not this")
        return super().__torch_function__(func, types, args, kwargs or {})


def quietly(make: Callable[[], Tensor]) -> Callable[[], Tensor]:
    """What makes a tensor of a kind that torch warns of."""

    def made() -> Tensor:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return make()

    return made


SHAPE = (16, 16, 3, 3)
STRANGE: dict[str, tuple[str, Callable[[], Any], str, str]] = {
    "int8": (KEY, lambda: torch.ones(SHAPE, dtype=torch.int8), "integers for weights", "before quantization"),
    "uint8": (KEY, lambda: torch.ones(SHAPE, dtype=torch.uint8), "integers for weights", "before quantization"),
    "int64": (KEY, lambda: torch.ones(SHAPE, dtype=torch.int64), "integers for weights", "before quantization"),
    "uint16": (KEY, lambda: torch.ones(SHAPE, dtype=torch.uint16), "integers for weights", "before quantization"),
    "bool": (KEY, lambda: torch.ones(SHAPE, dtype=torch.bool), "true and false for weights", "floating-point"),
    "complex": (KEY, lambda: torch.ones(SHAPE, dtype=torch.complex64), "complex numbers for weights", "real ones"),
    "float8": (KEY, lambda: torch.ones(SHAPE).to(torch.float8_e4m3fn), "numbers of 8 bits (float8)", "their scales"),
    "quantized": (
        KEY,
        quietly(lambda: torch.quantize_per_tensor(torch.ones(SHAPE), 1.0, 0, torch.qint8)),
        "quantized tensors",
        "`tensor.dequantize()`",
    ),
    "meta": (KEY, lambda: torch.empty(SHAPE, device="meta"), "on the device `meta`", "load them where they have some"),
    "sparse": (KEY, lambda: torch.ones(SHAPE).to_sparse(), "sparse tensors", "`tensor.to_dense()`"),
    "a library's": (KEY, lambda: torch.ones(SHAPE).to_mkldnn(), "a library's own", "`tensor.to_dense()`"),
    "nested": (
        KEY,
        quietly(lambda: torch.nested.nested_tensor([torch.ones(2), torch.ones(3)])),
        "nested tensors",
        "tensors of one shape",
    ),
    "without a shape": (
        KEY, torch.nn.parameter.UninitializedParameter, "without a shape yet", "run the network once"
    ),
    "one number": (KEY, lambda: torch.ones(1).expand(32, *SHAPE[1:]), "repeat the few numbers", "clone them"),
    "fake": (KEY, fake, "cannot be copied: Please convert", "give plain tensors"),
    "refusing": (KEY, lambda: torch.ones(SHAPE).as_subclass(Refusing), "cannot be copied: not this", "give plain"),
    "a bool count": (COUNTER, lambda: torch.tensor(True), "something else than numbers for counts", "counted from 0"),
    "a complex count": (COUNTER, lambda: torch.tensor(1j), "something else than numbers for counts", "counted from 0"),
    "half a count": (COUNTER, lambda: torch.tensor(2.5), "numbers that are not whole for counts", "counted from 0"),
    "a count of NaN": (COUNTER, lambda: torch.tensor(float("nan")), "numbers that are not whole", "counted from 0"),
    "no end of a count": (COUNTER, lambda: torch.tensor(float("inf")), "numbers that are not whole", "counted from 0"),
    "two counts": (COUNTER, lambda: torch.tensor([1, 2]), "of another shape", ""),
}  # fmt: skip
"""A tensor that no network is filled from: its name, what makes it, what is said, and the way out."""


@pytest.mark.parametrize("case", STRANGE)
def test_what_no_network_is_filled_from(case: str) -> None:
    key, make, label, help = STRANGE[case]
    given = dict(before().state_dict()) | {key: make()}
    model = net(*STAGES.values())
    held = bits(model.state_dict())
    with pytest.raises(ArchError) as caught:
        load_weights(model, given)
    assert [each.code for each in caught.value.diagnostics] == ["E704"]
    assert label in str(caught.value)
    assert key in str(caught.value)
    assert help in str(caught.value)
    assert bits(model.state_dict()) == held


FILED = ["int8", "uint8", "int64", "bool", "complex", "float8", "quantized", "meta", "sparse", "one number"]


@pytest.mark.filterwarnings("ignore")  # what torch says when it saves such tensors
@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
@pytest.mark.parametrize("case", FILED)
def test_what_no_network_is_filled_from_in_a_file(tmp_path: Path, case: str, zipped: bool) -> None:
    key, make, label, _ = STRANGE[case]
    torch.save(dict(before().state_dict()) | {key: make()}, tmp_path / "w.pt", _use_new_zipfile_serialization=zipped)
    model = net(*STAGES.values())
    held = bits(model.state_dict())
    with pytest.raises(ArchError) as caught:
        load_weights(model, tmp_path / "w.pt")
    assert ("integers for weights" if case == "quantized" else label) in str(caught.value)
    assert key in str(caught.value)
    assert bits(model.state_dict()) == held


@pytest.mark.parametrize(
    "case", ["int8", "bool", "complex", "float8", "quantized", "meta", "sparse", "fake", "refusing"]
)
def test_transfers_and_references_are_as_strict(case: str) -> None:
    key, make, _, _ = STRANGE[case]
    source = before().state_dict()
    old, new = {**source, key: make()}, net(*STAGES.values())
    held = bits(new.state_dict())
    with pytest.raises(ArchError):
        transfer_weights(old, new)
    assert bits(new.state_dict()) == held


def test_several_kinds_are_told_at_once() -> None:
    source = before().state_dict()
    given = {**source, KEY: source[KEY].bool(), COUNTER: torch.tensor(2.5)}
    with pytest.raises(ArchError) as caught:
        load_weights(net(*STAGES.values()), given)
    assert len(caught.value.diagnostics) == 2


# ---- numbers -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16])
def test_floating_point_numbers_are_converted(dtype: Any) -> None:
    source = before().state_dict()
    given = {name: tensor.to(dtype) for name, tensor in source.items()}
    model = net(*STAGES.values())
    report = load_weights(model, given)
    assert report.not_finite == {}
    assert all(torch.equal(tensor, given[name].to(tensor)) for name, tensor in model.state_dict().items())
    assert all(tensor.dtype == source[name].dtype for name, tensor in model.state_dict().items())


def test_parameters_may_want_gradients_on_both_sides() -> None:
    source = before()
    model = net(*STAGES.values())
    load_weights(model, dict(source.named_parameters()) | dict(source.named_buffers()))
    assert all(each.requires_grad and each.is_leaf and each.grad is None for each in model.parameters())
    assert bits(model.state_dict()) == bits(source.state_dict())


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda tensor: tensor.clone().index_fill_(0, torch.tensor([1]), float("nan")), "144 of 2,304"),
        (lambda tensor: torch.full(tensor.shape, float("-inf")), "2,304 of 2,304"),
        (lambda tensor: torch.full(tensor.shape, 1e300, dtype=torch.float64), "2,304 of 2,304"),
    ],
    ids=["some", "all", "too large for the network"],
)
def test_numbers_that_are_not_finite_are_reported(make: Callable[[Tensor], Tensor], told: str) -> None:
    source = before().state_dict()
    given = {**source, KEY: make(source[KEY])}
    why = {KEY: f"{told} numbers are NaN or infinite"}
    report = load_weights(net(*STAGES.values()), given)
    assert report.not_finite == why
    assert f"warning: {KEY} is not finite: {told} numbers are NaN or infinite" in str(report)
    done = transfer_weights(given, net(*STAGES.values()))
    assert done.not_finite == why
    assert str(done).endswith(f"warning: {KEY} is not finite: {told} numbers are NaN or infinite")


# ---- all of it, or nothing -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError, RuntimeError, SystemExit])
@pytest.mark.parametrize("after", [1, 20, 77])
@pytest.mark.parametrize(
    "way", [load_weights, lambda model, source: transfer_weights(source, model)], ids=["load", "transfer"]
)
def test_whatever_happens_on_the_way(
    way: Any, after: int, error: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error, or the user's interrupt, when so many tensors were written."""
    model, source = net(*STAGES.values()), before().state_dict()
    held = bits(model.state_dict())
    overwrite, written = copying.overwrite, []

    def broken(key: str, pair: Pair) -> None:
        overwrite(key, pair)
        written.append(key)
        if len(written) == after:
            raise error("in the middle")

    monkeypatch.setattr(copying, "overwrite", broken)
    with pytest.raises(error, match="in the middle"):
        way(model, source)
    assert len(written) == after
    assert bits(model.state_dict()) == held


def test_a_network_that_cannot_be_written() -> None:
    """What was made in inference mode refuses to be written outside of it: what was written before is put back."""
    source = before().state_dict()
    with torch.inference_mode():
        bias = torch.zeros(10)
    state = {**net(*STAGES.values()).state_dict(), "head.linear.bias": bias}
    held = bits(state)
    with pytest.raises(ArchError, match="Inplace update to inference tensor"):
        load_weights(state, source)
    assert bits(state) == held


def test_a_network_of_a_strange_kind() -> None:
    model = net(*STAGES.values())
    state = {**model.state_dict(), KEY: torch.ones(SHAPE).to_sparse()}
    with pytest.raises(ArchError, match="the network has sparse tensors"):
        load_weights(state, before().state_dict())


def test_sources_that_are_the_network_itself() -> None:
    """Two tensors that change places: neither is overwritten before it is read."""
    model = before()
    one, other = "c3.0.body.cna2.norm.weight", "c3.0.body.cna2.norm.bias"
    held = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    state = dict(model.state_dict())
    state[one], state[other] = state[other], state[one]
    load_weights(model, state)
    now = model.state_dict()
    assert torch.equal(now[one], held[other])
    assert torch.equal(now[other], held[one])
    load_weights(model, model)
    assert bits(model.state_dict()) == bits(now)


def test_one_tensor_of_the_network_under_two_names() -> None:
    """It is filled from equal numbers, and from others not at all: one of them would be lost without a word."""
    model, source = net(*STAGES.values()), before().state_dict()
    one, other = "c2.0.body.norm.bias", "c2.1.body.norm.bias"
    model.get_submodule("c2.1.body.norm").bias = model.get_submodule("c2.0.body.norm").bias
    held = bits(model.state_dict())
    with pytest.raises(ArchError, match="several names for the memory of"):
        load_weights(model, source)
    assert bits(model.state_dict()) == held
    load_weights(model, {**source, one: source[other]})
    assert torch.equal(model.state_dict()[one], source[other])


def test_tensors_of_the_network_that_overlap() -> None:
    memory = torch.zeros(6)
    with pytest.raises(ArchError, match="several names for the memory of a"):
        write({"a": Pair(memory[:4], torch.ones(4)), "b": Pair(memory[2:], torch.full((4,), 2.0))})
    assert memory.tolist() == [0.0] * 6
    assert write({"a": Pair(memory[:3], torch.ones(3)), "b": Pair(memory[3:], torch.full((3,), 2.0))}) == {}
    assert memory.tolist() == [1.0] * 3 + [2.0] * 3


def test_references_of_strange_tensors() -> None:
    import archdsl

    state = archdsl.build("resnet18").state_dict()
    for key, tensor, label in (
        ("c3.0.body.conv.weight", state["c3.0.body.conv.weight"].to(torch.int8), "integers for weights"),
        ("c3.0.body.conv.weight", state["c3.0.body.conv.weight"].to("meta"), "on the device `meta`"),
        ("stem.cna.norm.num_batches_tracked", torch.tensor(0.5), "numbers that are not whole"),
    ):
        with pytest.raises(ArchError, match=label):
            to_reference({**state, key: tensor}, "torchvision")
