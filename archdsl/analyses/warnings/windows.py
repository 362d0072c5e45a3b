"""Windows that slide by more than one place, and stop before the end of the map."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from math import ceil
from typing import TYPE_CHECKING

from archdsl.analyses.warnings.case import Case, Told, place_of
from archdsl.errors import catalog
from archdsl.graph import Scope
from archdsl.op import Op, Reach, Shapes
from archdsl.ops.resize import Pad2d

if TYPE_CHECKING:
    from archdsl.analyses.walk import Placed

SIDES = ("row", "column")
UNMOVED = (1, (1, 1))


def rows_left_out(case: Case) -> Iterator[Told]:
    """Strided ops whose last window ends before the map does, and leaves out what was not padding."""
    strided = [scope for scope in case.ops if getattr(scope.op, "stride", 1) not in UNMOVED]
    lossy = {scope for scope in strided if any(lost(scope))}
    if not lossy:
        return
    for each in case.placed:
        if each.scope not in lossy:
            continue
        real = [max(0, rows - border) for rows, border in zip(lost(each.scope), borders(case, each), strict=True)]
        if any(real):
            yield told(each, real)


def lost(scope: Scope) -> tuple[int, ...]:
    """How many rows and columns at the end of the map no window of an op reads.

    Where windows are apart (1x1 with stride 2), rows are left out on purpose, all over the map.
    """
    return () if scope.op is None else left(scope.op, scope.inputs[0], scope.output)


@lru_cache(maxsize=1_000)
def left(op: Op, before: Shapes, after: Shapes) -> tuple[int, ...]:
    """As `lost`, of an op between such maps: networks have many in common."""
    if len(before) != 3 or len(after) != 3:
        return ()
    axes = zip(before[1:], after[1:], op.reach(before, after) or (), strict=False)
    return tuple(behind(size, count, reach) for size, count, reach in axes)  # type: ignore[arg-type]


def behind(size: int, count: int, reach: Reach) -> int:
    """How many of `size` places lie behind the last of `count` windows."""
    if reach.step <= 1 or reach.high - reach.low + 1 < reach.step:
        return 0
    last = (count - 1) * reach.step + reach.high
    return max(0, ceil(size - 1 - last))


def borders(case: Case, placed: Placed) -> tuple[int, int]:
    """How many rows and columns at the end of what an op reads are a border that `pad2d` has laid around it."""
    maker = case.makers.get(placed.reads[0])
    if maker is None or not isinstance(maker.op, Pad2d):
        return 0, 0
    _, right, _, bottom = maker.op.sides()
    return bottom, right


def told(each: Placed, real: list[int]) -> Told:
    """The finding at an op."""
    sizes = zip(real, each.inputs[0][1:], SIDES, strict=True)
    parts = [f"the last {f'{rows} ' if rows > 1 else ''}of {size} {side}s" for rows, size, side in sizes if rows]
    stride = each.op.facts(each.input)["stride"]
    label = f"no window of `{each.op.name}` with stride {stride} reads {' and '.join(parts)}"
    size = "use another padding, or an input size that the strides divide"
    help = f"`ceil_mode = true` keeps them; so does {size}" if "ceil_mode" in each.op.fields else f"{size}, keeps them"
    return Told(catalog.ROWS_LEFT_OUT, each.section, place_of(each), label, help, each.path)
