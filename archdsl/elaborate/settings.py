"""A setting: what it sets, and to what."""

from __future__ import annotations

from archdsl.diagnostics import Span, catalog, did_you_mean
from archdsl.elaborate.blame import ElaborationError, ambiguous
from archdsl.elaborate.calls import typed_argument
from archdsl.elaborate.environment import Environment
from archdsl.elaborate.evaluate import bound, escape, evaluate, need_block
from archdsl.elaborate.signature import fitted, signature_of
from archdsl.elaborate.values import SettingEntry, SettingKey, captures, follows_policies, same_key
from archdsl.syntax import ast
from archdsl.syntax.scopes import DEFAULT_POLICIES, POLICIES, Clash, Definition, UserFunction
from archdsl.syntax.synonyms import suggestion


def slot_of(environment: Environment, target: tuple[str, ...], span: Span) -> SettingKey:
    """Resolve the left side of a setting: a policy, or a parameter of one op or block."""
    span = left_side(target, span)
    if len(target) == 1:
        if target[0] in POLICIES:
            return None, target[0]
        raise ElaborationError(
            catalog.UNKNOWN_NAME,
            span,
            f"`{target[0]}` is not a policy; a parameter is set as `name.{target[0]} = ...`",
            lambda: did_you_mean(target[0], POLICIES),
        )
    owner, name = ".".join(target[:-1]), target[-1]
    found = environment.file.find(owner)
    if isinstance(found, Clash):
        raise ambiguous(found, span)
    if found is None or isinstance(found, UserFunction):
        raise ElaborationError(
            catalog.UNKNOWN_NAME,
            span,
            f"no block or op is called `{owner}`",
            lambda: suggestion(owner, environment.file.block_names()),
        )
    signature = signature_of(found)
    if name not in signature.slots or signature.slots[name].rest:
        raise ElaborationError(
            catalog.UNKNOWN_PARAMETER,
            span,
            f"`{owner}` has no parameter `{name}`",
            lambda: did_you_mean(name, signature.slots) or signature.hint(),
        )
    return found, name


def left_side(target: tuple[str, ...], span: Span) -> Span:
    """The place of what is set, within that of the setting."""
    text = ".".join(target)
    return Span(span.source, span.start, span.start + len(text)) if span.text.startswith(text) else span


def entry_of(environment: Environment, slot: SettingKey, target: tuple[str, ...], node: ast.Expression) -> SettingEntry:
    """A setting's value, of the type that its parameter has."""
    owner, name = slot
    if owner is None:
        block = need_block(node, evaluate(environment, node))
        if follows_policies(block):
            help = f"name an op or a block: `{name} = {DEFAULT_POLICIES[name]}`"
            raise ElaborationError(catalog.CYCLE, node.span, f"`{name}` would refer to another policy", help)
        value = bound(environment, node, block)
    else:
        parameter = signature_of(owner).slots[name]
        value = fitted(parameter, typed_argument(environment, node, parameter.type), isinstance(owner, Definition))
        if captures(value.value):
            raise escape(node, value.value)
    return SettingEntry(value, environment.context.key("value", same_key(value.value)), ".".join(target))
