"""A setting: what it sets, and to what."""

from __future__ import annotations

from archdsl.errors import Span, catalog, did_you_mean
from archdsl.lang.evaluate.calls import typed_argument
from archdsl.lang.evaluate.frame import Frame
from archdsl.lang.evaluate.settings import Entry, Slot
from archdsl.lang.evaluate.table import bound, escape, evaluate, need_block
from archdsl.lang.text import syntax as ast
from archdsl.lang.text.files import DEFAULT_POLICIES, POLICIES, Clash, Definition, Routine
from archdsl.lang.text.signature import fitted, signature_of
from archdsl.lang.values.faults import Fault, ambiguous
from archdsl.lang.values.foreign import suggestion
from archdsl.lang.values.value import captures, follows_policies


def slot_of(frame: Frame, target: tuple[str, ...], span: Span) -> Slot:
    """What a setting's left side names: a policy, or a parameter of one op or block."""
    span = left_side(target, span)
    if len(target) == 1:
        if target[0] in POLICIES:
            return None, target[0]
        raise Fault(
            catalog.UNKNOWN_NAME,
            span,
            f"`{target[0]}` is not a policy; a parameter is set as `name.{target[0]} = ...`",
            did_you_mean(target[0], POLICIES),
        )
    owner, name = ".".join(target[:-1]), target[-1]
    found = frame.file.find(owner)
    if isinstance(found, Clash):
        raise ambiguous(found, span)
    if found is None or isinstance(found, Routine):
        raise Fault(
            catalog.UNKNOWN_NAME,
            span,
            f"no block or op is called `{owner}`",
            suggestion(owner, frame.file.block_names()),
        )
    signature = signature_of(found)
    if name not in signature.slots or signature.slots[name].rest:
        raise Fault(
            catalog.UNKNOWN_PARAMETER,
            span,
            f"`{owner}` has no parameter `{name}`",
            did_you_mean(name, signature.slots) or signature.hint(),
        )
    return found, name


def left_side(target: tuple[str, ...], span: Span) -> Span:
    """The place of what is set, within that of the setting."""
    text = ".".join(target)
    return Span(span.source, span.start, span.start + len(text)) if span.text.startswith(text) else span


def entry_of(frame: Frame, slot: Slot, target: tuple[str, ...], node: ast.Expression) -> Entry:
    """A setting's value, of the type that its parameter has."""
    owner, name = slot
    if owner is None:
        block = need_block(node, evaluate(frame, node))
        if follows_policies(block):
            help = f"name an op or a block: `{name} = {DEFAULT_POLICIES[name]}`"
            raise Fault(catalog.CYCLE, node.span, f"`{name}` would refer to another policy", help)
        value = bound(frame, node, block)
    else:
        parameter = signature_of(owner).slots[name]
        value = fitted(parameter, typed_argument(frame, node, parameter.type), isinstance(owner, Definition))
        if captures(value.value):
            raise escape(node, value.value)
    return Entry(value, frame.session.key("value", frame.session.value_key(value.value)), ".".join(target))
