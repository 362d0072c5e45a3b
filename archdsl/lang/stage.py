"""The stage rule: what `/ 2` says is held, both ways, and a stride that is left open is given to the first block."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from archdsl.errors import catalog
from archdsl.graph import Map, Origin
from archdsl.lang.building import Builder
from archdsl.lang.document import Section
from archdsl.lang.faults import Fault
from archdsl.lang.frame import Frame
from archdsl.lang.session import Session
from archdsl.lang.settings import Settings
from archdsl.lang.signature import signature_of
from archdsl.lang.values import BlockValue, Bound, Join, Links, Role, Row, Tensor, Use, Value, With, label
from archdsl.op import Shape


def reduction(size: Shape, shape: Shape) -> int:
    """The effective stride of a map: input size over map size, rounded; 0 for what is no map."""
    return round(size[1] / shape[1]) if len(shape) == 3 else 0


class Stage:
    """A section, the tensor that it works on, and the network's input size."""

    def __init__(self, section: Section, before: Tensor, size: Shape) -> None:
        self.section = section
        self.before = before
        self.size = size
        self.asked = section.reduction or 1

    def work_out(
        self,
        session: Session,
        builder: Builder,
        block: BlockValue,
        settings: Settings,
        fresh: Callable[[], tuple[Builder, Frame]],
    ) -> tuple[Builder, Value, list[Map]]:
        """The section as written; where a stage keeps the size though it should reduce it, with the stride given."""
        value, maps = self.links(session, builder, block, settings)
        if self.section.stage and self.asked > 1 and isinstance(value, Tensor) and self.keeps_size(value.shape):
            strided = give_stride(session, block, self.stride())
            if strided is None:
                raise self.no_stride(block)
            builder, _ = fresh()
            session.applied.clear()
            value, maps = self.links(session, builder, strided, settings)
        return builder, value, maps

    def keeps_size(self, shape: Shape) -> bool:
        """Whether a map has the size of the stage's input."""
        return len(shape) == 3 and shape[1:] == self.before.shape[1:]

    def stride(self) -> Bound:
        """The stage's reduction as an argument."""
        assert self.section.span is not None
        return Bound(self.asked, self.section.span, Origin("literal", str(self.asked)))

    def links(
        self, session: Session, builder: Builder, block: BlockValue, settings: Settings
    ) -> tuple[Value, list[Map]]:
        """The links of the section's chain one by one, and the map that each gives."""
        value: Value = builder.input(0)
        maps: list[Map] = []
        for link in block.links if isinstance(block, Links) else (block,):
            value = session.apply(builder, link, value, settings)
            if isinstance(value, Tensor) and len(value.shape) == 3:
                name = f"{self.section.name}.{last_module(link)}"
                maps.append(Map(name, value.shape, reduction(self.size, value.shape)))
        return value, maps

    def check(self, shape: Shape) -> None:
        """Raises where a stage does not reduce as it says."""
        if not self.section.stage:
            return
        if len(shape) != 3 or len(self.before.shape) != 3:
            raise Fault(catalog.NOT_A_MAP, self.section.span, f"the stage `{self.section.name}` gives no feature map")
        factors = {round(before / after) for before, after in zip(self.before.shape[1:], shape[1:], strict=True)}
        if factors != {self.asked}:
            raise self.wrong(shape, factors)

    def wrong(self, shape: Shape, factors: set[int]) -> Fault:
        """A stage that reduces by another factor than it says."""
        text = f"{'x'.join(map(str, self.before.shape[1:]))} becomes {'x'.join(map(str, shape[1:]))}"
        said = f"`/ {self.asked}`" if self.section.reduction else "no `/`"
        help = "a stage without `/` keeps the size"
        if len(factors) == 1:
            factor = next(iter(factors))
            help = (
                f"write `stage {self.section.name} / {factor}:`"
                if factor > 1
                else f"write `stage {self.section.name}:`"
            )
        return Fault(catalog.REDUCTION, self.section.span, f"it says {said}, but {text}", help)

    def no_stride(self, block: BlockValue) -> Fault:
        """A stage that should reduce, whose first block takes no stride."""
        return Fault(
            catalog.REDUCTION,
            self.section.span,
            f"it says `/ {self.asked}`, but nothing in it reduces, and its first block, `{label(first_of(block))}`, "
            "has no open `stride`",
            f"start it with a block that reduces: `maxpool({self.asked}) -> ...` or `cna(..., 3, {self.asked}) -> ...`",
        )


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
            links = (first, *block.links[1:])
            return first and Links(
                key=session.key("links", *(each.key for each in links if each)), span=block.span, links=links
            )
        case Row():
            return row_with_stride(session, block, stride)
        case With() | Role():
            body = give_stride(session, block.body, stride)
            kind: Any = ("with", block.settings.key) if isinstance(block, With) else (block.role, block.name)
            return body and block.replace(key=session.key(*kind, body.key), body=body)
        case Join() | _:
            return None


def row_with_stride(session: Session, row: Row, stride: Bound) -> Row | None:
    """A row whose first module has the stride."""
    (count, block), *rest = row.runs
    first = give_stride(session, block, stride)
    if first is None or row.gathers:
        return None
    runs = ((1, first), *(((count - 1, block),) if count > 1 else ()), *rest)
    key = session.key("row", row.name, row.gathers, tuple((times, each.key) for times, each in runs))
    return row.replace(key=key, runs=runs)


def last_module(link: BlockValue) -> str:
    """The name of the module that gives a link's output."""
    match link:
        case Row():
            at = sum(count for count, _ in link.runs) - 1
            return f"{link.name}.{at}" if link.name else str(at)
        case With():
            return last_module(link.body)
        case Join():
            return link.kind
        case _:
            return getattr(link, "name", "") or label(link)
