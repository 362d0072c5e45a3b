"""Shape rules shared by several families: checks of the input, the arithmetic of sliding windows."""

from __future__ import annotations

from fractions import Fraction
from functools import partial
from math import isqrt

from archdsl.diagnostics import catalog
from archdsl.op import SAME_PLACE, Misfit, Padding, Reach, Reaches, Shape, Size, pair


def feature_map(x: Shape) -> tuple[int, int, int]:
    """(channels, height, width); raises Misfit for what is no feature map."""
    if len(x) != 3:
        raise Misfit(
            catalog.NOT_A_MAP,
            "",
            f"{shown(x)} is not a feature map (channels x height x width)",
            "put ops that need a map before `flatten`",
        )
    return x[0], x[1], x[2]


def tensors(x: tuple[Shape, ...]) -> tuple[Shape, ...]:
    """The shapes of a list that has at least one tensor; raises Misfit for an empty one."""
    if not x:
        raise Misfit(catalog.LIST_NEEDED, "", "the list is empty", "at least one tensor is needed")
    return x


def equal(x: tuple[Shape, ...], done: str) -> Shape:
    """The one shape that all tensors of a list have; raises Misfit where one differs (`done`: "added")."""
    for at, shape in enumerate(tensors(x)):
        if shape != x[0]:
            raise Misfit(
                catalog.UNEQUAL_MAPS,
                "",
                f"{shown(x[0])} and {shown(shape)} cannot be {done}",
                partial(to_one_shape, x[0], shape),
                index=at,
            )
    return x[0]


def to_one_shape(x: Shape, y: Shape) -> str:
    """Ways to bring two tensors to one shape."""
    if x[1:] == y[1:]:
        return f"equal channels are needed: project the other one, `project({max(x[0], y[0])})`"
    return TO_ONE_SIZE


TO_ONE_SIZE = "bring the maps to one size first: a stride, a pool or `upsample`"


def shown(x: Shape) -> str:
    """A shape as text: 64x56x56."""
    return "x".join(map(str, x))


def near(count: int, asked: int) -> str:
    """The help where a number does not divide another: the nearest ones below and above that do, but for 1."""
    # Divisors come in pairs around the root, so a width of billions takes no longer to explain than to refuse.
    small = [number for number in range(1, isqrt(count) + 1) if count % number == 0]
    divisors = sorted({*small, *(count // number for number in small)} - {1})
    found = [*[each for each in divisors if each < asked][-1:], *[each for each in divisors if each > asked][:1]]
    if len(found) < 2:
        return f"{count} can be divided by {found[0]}" if found else ""
    return f"the nearest numbers that divide {count} are {found[0]} and {found[1]}"


# Even kernels from here on are channels, given as PyTorch has them: `conv(3, 64, 3)`.
LARGE_KERNEL = 16


def borders(padding: Padding, kernel: Size, dilation: Size = 1) -> tuple[int, int]:
    """Zeros on each border in height and in width; raises Misfit for `same` with an even kernel."""
    if padding == "valid":
        return 0, 0
    if padding != "same":
        return pair(padding)
    (height, width), (tall, wide) = pair(kernel), pair(dilation)
    if height % 2 == 0 or width % 2 == 0:
        help = "take an odd kernel, or set the padding: `padding = valid` for none, or a number"
        if min(height, width) >= LARGE_KERNEL:
            help = "if these are the channels, leave those that come in out: `out` is the first argument"
        label = f"kernel {kernel} is even, so it has no center to pad around"
        raise Misfit(catalog.EVEN_KERNEL, "kernel", label, help)
    return tall * (height - 1) // 2, wide * (width - 1) // 2


def window(
    size: tuple[int, int],
    kernel: Size,
    stride: Size,
    pads: tuple[int, int],
    dilation: Size = 1,
    ceil_mode: bool = False,
) -> tuple[int, int]:
    """Height and width after a sliding window, as PyTorch computes them; raises Misfit where nothing is left."""
    height, width = zip(size, pair(kernel), pair(stride), pads, pair(dilation), strict=True)
    return slide(*height, ceil_mode), slide(*width, ceil_mode)


def slide(size: int, kernel: int, stride: int, pad: int, dilation: int, ceil_mode: bool) -> int:
    """One axis of `window`. In ceil mode the last window may hang over the end, but starts before it (PyTorch)."""
    reach = dilation * (kernel - 1) + 1
    room = size + 2 * pad - reach
    count = (room + stride - 1 if ceil_mode else room) // stride + 1
    # PyTorch drops a last window that would start in the padding behind the map.
    if ceil_mode and (count - 1) * stride >= size + pad:
        count -= 1
    if count < 1:
        raise Misfit(
            catalog.KERNEL_TOO_LARGE,
            "kernel",
            lambda: (
                f"a window of {reach} does not fit into a map of {size}" + (f", padded to {size + 2 * pad}" * bool(pad))
            ),
            "make the kernel smaller or the padding larger, or reduce the map less before it",
        )
    return count


def sliding(kernel: Size, stride: Size, pads: tuple[int, int], dilation: Size = 1) -> Reaches:
    """The reach of a sliding window."""
    height, width = zip(pair(kernel), pair(stride), pads, pair(dilation), strict=True)
    return slid(*height), slid(*width)


def slid(kernel: int, stride: int, pad: int, dilation: int = 1) -> Reach:
    """One axis of `sliding`."""
    return Reach(Fraction(stride), Fraction(-pad), Fraction(dilation * (kernel - 1) - pad))


def spread(factor: Fraction) -> Reach:
    """Reach along one axis where each place of the input becomes `1 / factor` places: that place.

    The lower end is that of the last of them, relative to where it would lie if places could be split.
    """
    return Reach(factor, Fraction(1, factor.denominator) - 1, Fraction(0))


def evenly(size: int, count: int) -> Reach:
    """Reach along one axis where `count` windows cover `size` places evenly, as adaptive pools do."""
    step = Fraction(size, count)
    most = 1 - Fraction(1, step.denominator)
    return Reach(step, -most, step - 1 + most)


def unless_one_place(x: Shape) -> Reaches | None:
    """The reach of what reads a whole map: nothing less, unless that is one place."""
    return SAME_PLACE if x[1:] in {(), (1, 1)} else None
