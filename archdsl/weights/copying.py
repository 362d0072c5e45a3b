"""Copy tensors into a network: all of them, or none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from archdsl.diagnostics import ArchError, catalog
from archdsl.weights.report import some

if TYPE_CHECKING:
    from torch import Tensor

# Dtypes of weights.
FLOATS = ("float64", "float32", "float16", "bfloat16")
COUNTS = ("int64", "int32", "int16", "int8", "uint8", "uint16", "uint32", "uint64")


class Pair(NamedTuple):
    """Tensor of a network, and the tensor to copy into it."""

    target: Tensor
    source: Tensor


Test = Callable[["Tensor"], bool]
# Kind of tensor that no network can be filled from: its test, name and help.
Refused = tuple[Test, str, str]


def dtype(tensor: Tensor) -> str:
    """Name of a tensor's dtype."""
    return str(tensor.dtype).removeprefix("torch.")


def uninitialized(tensor: Tensor) -> bool:
    """Tell a lazy parameter, which has no shape yet."""
    from torch.nn.parameter import is_lazy

    return is_lazy(tensor)


def strided(tensor: Tensor) -> bool:
    """Tell a dense tensor."""
    return str(tensor.layout) == "torch.strided"


SCALED = "take the weights as they were before quantization, or scale them back: their scales are elsewhere"
LEFT_OUT = "leave them out: what is not given is counted from 0"
# Tensors that hold no plain numbers.
UNLIKE: tuple[Refused, ...] = (
    (uninitialized, "tensors without a shape yet", "run the network once, so that it gets its shapes"),
    (lambda x: x.is_meta, "tensors without numbers, on the device `meta`", "load them where they have some"),
    (lambda x: x.is_nested, "nested tensors, which have several shapes", "give tensors of one shape"),
    (lambda x: x.is_quantized, "quantized tensors", "`tensor.dequantize()` gives plain ones"),
    (lambda x: not strided(x), "sparse tensors, or a library's own", "`tensor.to_dense()` gives plain ones"),
)
# Dtypes that no weights have.
NO_FLOATS: tuple[Refused, ...] = (
    (lambda x: dtype(x) == "bool", "true and false for weights", "give floating-point numbers"),
    (lambda x: x.is_complex(), "complex numbers for weights", "give real ones: no network here has others"),
    (lambda x: dtype(x).startswith("float8"), "numbers of 8 bits (float8) for weights", SCALED),
    (lambda x: dtype(x) not in FLOATS, "integers for weights, as quantized networks have", SCALED),
)
# Values that no counter has.
NO_COUNTS: tuple[Refused, ...] = (
    (lambda x: dtype(x) not in (*FLOATS, *COUNTS), "something else than numbers for counts", LEFT_OUT),
    (lambda x: not whole(x), "numbers that are not whole for counts", LEFT_OUT),
)


def whole(tensor: Tensor) -> bool:
    """Check that all numbers are integers, within the range of int64."""
    import torch

    return bool((tensor.to(torch.int64).to(tensor.dtype) == tensor).all())


def kinds_for(counts: bool, most: int) -> tuple[Refused, ...]:
    """Kinds of tensors that cannot fill `most` numbers of a network, which may be counts."""
    blown = "tensors that repeat the few numbers that they hold", "clone them"
    return (*UNLIKE, (lambda each: blown_up(each, most), *blown), *(NO_COUNTS if counts else NO_FLOATS))


def blown_up(tensor: Tensor, most: int) -> bool:
    """Tell an expanded tensor: more elements than its memory has, and than are needed."""
    return tensor.numel() > most and tensor.nbytes > tensor.untyped_storage().nbytes()


class Given(NamedTuple):
    """Tensor of a source that is to fill `most` numbers of a network, which may be counts."""

    key: str
    tensor: Tensor
    counts: bool
    most: int


def given_tensor(key: str, source: Tensor, targets: Sequence[Tensor]) -> Given:
    """Tensor that is to fill some of the network's."""
    return Given(key, source, not targets[0].is_floating_point(), sum(each.numel() for each in targets))


def refused(tensors: Iterable[Given]) -> dict[str, str]:
    """Sentences on tensors of refused kinds, with their helps."""
    found: dict[tuple[str, str], list[str]] = {}
    for key, tensor, counts, most in tensors:
        told = next((told for known, *told in kinds_for(counts, most) if known(tensor)), None)
        if told is not None:
            found.setdefault((told[0], told[1]), []).append(key)
    return {f"the source has {label}: {some(keys)}": help for (label, help), keys in found.items()}


def check(tensors: Iterable[Given]) -> None:
    """Raise ArchError for tensors of refused kinds."""
    if found := refused(tensors):
        raise ArchError([catalog.UNFIT.at(None, label, help=help) for label, help in found.items()])


def check_network(state: Mapping[str, Any]) -> None:
    """Raise ArchError if the network cannot hold numbers."""
    import torch

    if odd := [key for key, value in state.items() if not isinstance(value, torch.Tensor)]:
        raise catalog.UNFIT.error(None, f"the network holds {some(odd)}, which is no tensor", help=PLAIN_NETWORK)
    if any(tensor.is_meta for tensor in state.values()):
        help = 'give it memory first: `model.to_empty(device="cpu")`'
        raise catalog.UNFIT.error(None, "the network is on the device `meta`, which holds no numbers", help=help)
    for known, label, _ in UNLIKE:
        if found := [key for key, tensor in state.items() if known(tensor)]:
            raise catalog.UNFIT.error(None, f"the network has {label}: {some(found)}", help=PLAIN_NETWORK)


PLAIN_NETWORK = "build it anew with archdsl.build(), and load before anything else is done to it"


# ---- all of them, or none ------------------------------------------------------------------------------------------


def write(pairs: Mapping[str, Pair]) -> dict[str, str]:
    """Copy each source into its target; return the targets that then are not finite, with a count.

    If anything is raised on the way, an interrupt by the user included, all targets are restored.
    """
    import torch

    # Targets may share memory with each other, and sources with targets.
    held = Counter(memory(pair.target) for pair in pairs.values())
    ready = {key: Pair(pair.target, unshared(key, pair, held)) for key, pair in pairs.items()}
    before: list[Pair] = []
    with torch.no_grad():
        try:
            for key, pair in ready.items():
                before.append(Pair(pair.target, pair.target.clone()))
                overwrite(key, pair)
            check_shared({key: pair for key, pair in ready.items() if held[memory(pair.target)] > 1})
            return dict(not_finite(ready))
        except BaseException:
            restore(before)
            raise


def overwrite(key: str, pair: Pair) -> None:
    """Copy into one target. Raises ArchError."""
    try:
        pair.target.copy_(pair.source)
    except (RuntimeError, TypeError, NotImplementedError) as error:
        raise uncopied(key, error) from None


def uncopied(key: str, error: Exception) -> ArchError:
    """Error of a tensor that torch does not copy."""
    said = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
    return catalog.UNFIT.error(None, f"{some([key])} cannot be copied: {said}", help="give plain tensors")


def restore(before: list[Pair]) -> None:
    """Restore targets; in reverse, as some may share memory."""
    for target, source in reversed(before):
        with suppress(RuntimeError):  # what cannot be written was not: only the last can be so
            target.copy_(source)


def memory(tensor: Tensor) -> int:
    """Address of a tensor's storage."""
    return tensor.untyped_storage().data_ptr()


def unshared(key: str, pair: Pair, held: Mapping[int, int]) -> Tensor:
    """Source as a plain tensor that does not share memory with a target. Raises ArchError."""
    import torch

    source = pair.source
    try:
        if type(source) not in (torch.Tensor, torch.nn.Parameter):
            with torch.no_grad():
                source = torch.empty(source.shape, dtype=source.dtype).copy_(source)
            if type(source) is not torch.Tensor:
                raise TypeError(f"it is of type `{type(source).__name__}`")
        return source.clone() if memory(source) in held and memory(source) else source
    except Exception as error:
        raise uncopied(key, error) from None


def check_shared(pairs: Mapping[str, Pair]) -> None:
    """Raise ArchError if targets that share memory were to get different values."""
    lost = [key for key, pair in pairs.items() if not same_bits(pair.target, pair.source)]
    if lost:
        label = f"the network has several names for the memory of {some(lost)}, and the source has different numbers"
        raise catalog.UNFIT.error(None, label, help="give equal numbers under all names of one tensor")


def same_bits(target: Tensor, source: Tensor) -> bool:
    """Compare bit for bit, so that NaN equals NaN."""
    import torch

    both = [each.reshape(-1).contiguous().view(torch.uint8) for each in (target, source.to(target))]
    return torch.equal(*both)


def not_finite(pairs: Mapping[str, Pair]) -> Iterator[tuple[str, str]]:
    """Targets with NaN or infinite values, with their number."""
    import torch

    for key, (target, _) in pairs.items():
        if not target.is_floating_point() or not target.numel():
            continue
        # The extremes take no memory, as a mask would, and are NaN where any number is.
        if not (target.min().isfinite() and target.max().isfinite()):
            finite = int(torch.isfinite(target).sum())
            yield key, f"{target.numel() - finite:,} of {target.numel():,} numbers are NaN or infinite"
