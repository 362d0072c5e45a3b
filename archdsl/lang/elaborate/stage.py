"""The stage rule: what `/ 2` says is held, both ways, and a stride that is left open is given to the first block."""

from __future__ import annotations

from typing import Any

from archdsl.errors import catalog
from archdsl.graph import Origin
from archdsl.lang.evaluate.session import Session
from archdsl.lang.text.document import Section
from archdsl.lang.text.signature import signature_of
from archdsl.lang.values.faults import Fault
from archdsl.lang.values.value import BlockValue, Bound, Links, Role, Row, Use, With, label
from archdsl.op import Shape, Shapes


def reduction(size: Shape, shape: Shape) -> int:
    """The effective stride of a map: input size over map size, rounded; 0 for what is no map."""
    return round(size[1] / shape[1]) if len(shape) == 3 else 0


class NoOpenStride(Fault):
    """A stage that should reduce, whose first block has no `stride` left to give."""


def is_map(shape: Shapes) -> bool:
    """Whether a shape is that of one map."""
    return len(shape) == 3 and not isinstance(shape[0], tuple)


def keeps_size(before: Shape, after: Shapes) -> bool:
    """Whether a map has the height and width of the one before."""
    return is_map(after) and after[1:] == before[1:]


def holds(section: Section, before: Shape, after: Shape) -> bool:
    """Whether a stage reduces as it says."""
    same_rank = len(before) == 3 and len(after) == 3
    return same_rank and all(
        round(big / small) == section.reduction for big, small in zip(before[1:], after[1:], strict=True)
    )


def check(section: Section, before: Shape, after: Shape) -> None:
    """Raises where a stage does not reduce as it says."""
    if len(after) != 3 or len(before) != 3:
        raise Fault(catalog.NOT_A_MAP, section.span, f"the stage `{section.name}` does not end in a feature map")
    factors = {round(big / small) for big, small in zip(before[1:], after[1:], strict=True)}
    if factors != {1 if section.reduction is None else section.reduction}:
        raise wrong(section, before, after, factors)


def wrong(section: Section, before: Shape, after: Shape, factors: set[int]) -> Fault:
    """A stage that reduces by another factor than it says."""
    text = f"{'x'.join(map(str, before[1:]))} becomes {'x'.join(map(str, after[1:]))}"
    said = "it has no `/`" if section.reduction is None else f"it says `/ {section.reduction}`"
    help = "a stage reduces the height and the width alike; a section without `stage` need not"
    if len(factors) == 1:
        factor = factors.pop()
        help = f"write `{section.name}{f' / {factor}' if factor > 1 else ''}`"
    return Fault(catalog.REDUCTION, section.span, f"{said}, but {text}", help)


def with_stride(session: Session, section: Section, block: BlockValue) -> BlockValue:
    """The block with the stage's reduction as the stride of its first block; raises where that has no open `stride`."""
    assert section.span is not None
    factor = section.reduction
    stride = Bound(factor, section.span, Origin("literal", str(factor)))
    given = give_stride(session, block, stride)
    if given is None:
        raise NoOpenStride(
            catalog.REDUCTION,
            section.span,
            f"it says `/ {factor}`, but nothing in it reduces, and its first block, `{label(first_of(block))}`, "
            "has no open `stride`",
            f"start it with a block that reduces: `maxpool({factor}) -> ...` or `cna(..., 3, {factor}) -> ...`",
        )
    return given


def first_of(block: BlockValue) -> BlockValue:
    """The block that comes first."""
    match block:
        case Links():
            return first_of(block.links[0])
        case Row():
            return first_of(block.runs[0][1])
        case With():
            return first_of(block.body)
        case _:
            return block


def give_stride(session: Session, block: BlockValue, stride: Bound) -> BlockValue | None:
    """The block with a stride for the first block in it; None where that has no open `stride`."""
    match block:
        case Use():
            slot = signature_of(block.target).slots.get("stride")
            if slot is None or "stride" in block.given or slot.rest:
                return None
            return session.use(block.target, {**block.given, "stride": stride}, block.name, block.span)
        case Links():
            first = give_stride(session, block.links[0], stride)
            return first and session.links((first, *block.links[1:]), block.span)
        case Row():
            return row_with_stride(session, block, stride)
        case With() | Role():
            body = give_stride(session, block.body, stride)
            kind: Any = ("with", block.settings.key) if isinstance(block, With) else (block.role, block.name)
            return body and block.replace(key=session.key(*kind, body.key), body=body)
        case _:
            return None


def row_with_stride(session: Session, row: Row, stride: Bound) -> Row | None:
    """A row whose first module has the stride."""
    (count, block), *rest = row.runs
    first = give_stride(session, block, stride)
    if first is None or row.gathers:
        return None
    runs = ((1, first), *(((count - 1, block),) if count > 1 else ()), *rest)
    return session.row(row.name, runs, row.gathers, row.span)
