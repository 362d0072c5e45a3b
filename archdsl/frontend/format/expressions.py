"""Expressions as layouts, with no more parentheses than the grammar, or a reader of chains, needs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import Context, Decimal, Inexact, localcontext
from fractions import Fraction
from itertools import pairwise
from typing import Any, NamedTuple

from archdsl.diagnostics import Span
from archdsl.frontend.format.doc import DocGroup, Layout, LineBreak, Nest, Spot, at
from archdsl.syntax import ast

STEP = 4
LONGEST_NUMBER = 20
MOST_PLACES = 100

# How tightly forms bind, loosest first, as in the grammar.
ANY, CHAIN, LINK, OR, AND, NOT, COMPARISON, SUM, PRODUCT, SIGNED, POWER, POSTFIX, ATOM = range(13)

SIGNS = {
    "or": OR,
    "and": AND,
    **dict.fromkeys(("==", "!=", "<=", ">=", "<", ">"), COMPARISON),
    **dict.fromkeys("+-", SUM),
    **dict.fromkeys(("*", "//", "/", "%"), PRODUCT),
    "**": POWER,
}
# The precedence that operands need, left and right; elsewhere the left needs that of the whole, the right one more.
SIDES = {COMPARISON: (SUM, SUM), POWER: (POSTFIX, SIGNED)}
JOINTS = {"+", "*"}


def names_of(variables: Sequence[ast.Name]) -> str:
    """A loop's variables."""
    return ", ".join(name.id for name in variables)


LEVELS: dict[type[ast.Expression], int] = {
    ast.Conditional: ANY,
    ast.Unpack: ANY,
    ast.Chain: CHAIN,
    ast.Named: LINK,
    ast.Call: POSTFIX,
    ast.Attribute: POSTFIX,
    ast.Index: POSTFIX,
    ast.ListSlice: POSTFIX,
}


def expression(node: ast.Expression, least: int = ANY) -> Layout:
    """An expression, in parentheses where it binds less tightly than it has to."""
    inner = FORMS[type(node)](node)
    return bracketed(inner) if level(node) < least else inner


def level(node: ast.Expression) -> int:
    """The precedence of a node."""
    if isinstance(node, ast.Binary):
        return SIGNS[node.sign]
    if isinstance(node, ast.Unary):
        return NOT if node.sign == "not" else SIGNED
    return LEVELS.get(type(node), ATOM)


def bracketed(inner: Layout) -> Layout:
    """In parentheses."""
    return ("(", inner, ")")


class ListItem(NamedTuple):
    """An item of a list: its place, whether its author began a line with it, and its layout."""

    span: Span | None
    begins: bool
    layout: Layout


def listed(opening: str, items: Sequence[ListItem], closing: str) -> Layout:
    """Items in brackets, which fill the lines from there on."""
    return (opening, Nest(None, filled(items)), closing) if items else opening + closing


def filled(items: Sequence[ListItem]) -> Layout:
    """Items that fill each line. Where they do not fit into one, the breaks that the author made are kept."""
    ends = [*[","] * (len(items) - 1), ""]
    first, *rest = ((item, (DocGroup(item.layout), end)) for item, end in zip(items, ends, strict=True))
    later = (Spot(at(item.span), DocGroup(on_line(part), item.begins)) for item, part in rest)
    return DocGroup((Spot(at(first[0].span), first[1]), *later))


def on_line(part: Layout) -> Layout:
    """A part with a place to break before it."""
    return (LineBreak(), part)


def begins_line(before: ast.Node, after: ast.Node) -> bool:
    """Check for a line end between two parts in the source."""
    last = before.default if isinstance(before, ast.Parameter) and before.default else before
    same = before.span.source is after.span.source
    return same and "\n" in before.span.source.text[last.span.end : after.span.start]


def parted(nodes: Sequence[ast.Node], layouts: Iterable[Layout]) -> list[ListItem]:
    """Nodes with their layouts as items."""
    begun = [begins_line(before, after) for before, after in pairwise(nodes)]
    begins = [False, *begun][: len(nodes)]
    return [ListItem(*each) for each in zip((node.span for node in nodes), begins, layouts, strict=True)]


# ---- one function for each form --------------------------------------------------------------------------------------


def number(node: ast.Number) -> Layout:
    """A number as it was written, or, if nobody wrote it, in digits."""
    # A number keeps its spelling, such as `1_000`, unless a program has changed its value.
    if node.text and Fraction(node.text.replace("_", "")) == node.value:
        return node.text
    return str(node.value) if isinstance(node.value, int) else decimal(node.value)


def decimal(value: Fraction) -> str:
    """A decimal literal; raises for what has none, and so cannot come from a text."""
    try:
        with localcontext(Context(MOST_PLACES, traps=[Inexact])):
            number = (Decimal(value.numerator) / value.denominator).normalize()
    except Inexact:
        raise ValueError(f"{value} cannot be written as a decimal number") from None
    text = f"{number:f}" if len(f"{number:f}") <= LONGEST_NUMBER else f"{number:e}"
    return text if "." in text or "e" in text else f"{text}.0"


def call(node: ast.Call) -> Layout:
    """A call; broken, it has each argument on a line of its own."""
    callee = expression(node.callee, POSTFIX)
    return (callee, *arguments(node.arguments))


def arguments(given: tuple[ast.CallArgument, ...]) -> tuple[Layout, ...]:
    """Arguments in parentheses: behind them, or all on the next line, or each on a line of its own.

    The last it is where they do not all fit behind the parentheses, and the author began a line with one of them.
    """
    if not given:
        return ("()",)
    parts = parted(given, map(argument, given))
    ends = [*[","] * (len(parts) - 1), ""]
    first, *rest = (Spot(at(part.span), (part.layout, end)) for part, end in zip(parts, ends, strict=True))
    inner = DocGroup((first, *map(on_line, rest)), any(part.begins for part in parts))
    return (DocGroup(("(", Nest(STEP, (LineBreak(""), inner)), ")")),)


def argument(node: ast.CallArgument) -> Layout:
    """An argument, with its name if it has one."""
    value = expression(node.value)
    return (".".join(node.target), " = ", DocGroup(value)) if node.target else DocGroup(value)


def chain(node: ast.Chain) -> Layout:
    """A chain; broken, its lines begin with arrows, where its author began them, and where they have to."""
    first, *rest = parted(node.links, map(link, node.links))
    later = tuple(
        Spot(at(part.span), DocGroup((LineBreak(), "-> ", DocGroup(part.layout)), part.begins)) for part in rest
    )
    return DocGroup((Spot(at(first.span), DocGroup(first.layout)), Nest(STEP, later)))


def link(node: ast.Expression) -> Layout:
    """A link. Beside an arrow every operator is in parentheses, but for the `*` of a repeat."""
    if isinstance(node, ast.Named):
        return (operand(node.body), f" as {node.name}")
    return operand(node)


def operand(node: ast.Expression) -> Layout:
    """A link without its name."""
    inner = expression(node, OR)
    if level(node) < OR or not isinstance(node, ast.Binary | ast.Unary) or is_repeat(node):
        return inner
    return bracketed(inner)


def is_repeat(node: ast.Binary | ast.Unary) -> bool:
    """Tell `n * block` from a gate, which its author put in parentheses between arrows."""
    return isinstance(node, ast.Binary) and node.sign == "*" and (isinstance(node.left, ast.Number) or not node.grouped)


def binary(node: ast.Binary) -> Layout:
    """Two operands. A long sum is a loop here, not a recursion."""
    least = SIGNS[node.sign]
    left, right = SIDES.get(least, (least, least + 1))
    parts: list[Layout] = []
    inner: ast.Expression = node
    while isinstance(inner, ast.Binary) and (inner is node or (SIGNS[inner.sign] == least and left == least)):
        parts[:0] = [f" {inner.sign} ", expression(inner.right, right)]
        if is_joint_of_its_own(inner):
            return (bracketed(expression(inner.left)), *parts)
        inner = inner.left
    return (expression(inner, left), *parts)


def is_joint_of_its_own(node: ast.Binary) -> bool:
    """Check for a sum or gate in parentheses on the left: `(a + b) + c` is two sums of blocks, not one."""
    left = node.left
    return node.sign in JOINTS and isinstance(left, ast.Binary) and left.sign == node.sign and left.grouped


def unary(node: ast.Unary) -> Layout:
    """`-a` or `not a`."""
    return ("not ", expression(node.operand, NOT)) if node.sign == "not" else ("-", expression(node.operand, SIGNED))


def conditional(node: ast.Conditional) -> Layout:
    """`a if test else b`; only the last may be a chain without parentheses, and keeps those that it has."""
    kept = isinstance(node.other, ast.Chain) and node.other.grouped
    other = expression(node.other, LINK if kept else ANY)
    return (expression(node.then, LINK), " if ", expression(node.test, LINK), " else ", other)


def comprehension(node: ast.Comprehension) -> Layout:
    """`[item for variable in source if test]`."""
    test = () if node.test is None else (LineBreak(), "if ", expression(node.test, CHAIN))
    inner = (
        expression(node.item),
        LineBreak(),
        f"for {names_of(node.variables)} in ",
        expression(node.source, CHAIN),
        *test,
    )
    return DocGroup(("[", Nest(None, inner), "]"))


def part(node: ast.ListSlice) -> Layout:
    """`base[start:stop]`."""
    start, stop = (expression(each) if each is not None else "" for each in (node.start, node.stop))
    return (expression(node.base, POSTFIX), "[", start, ":", stop, "]")


FORMS: dict[type[ast.Expression], Callable[[Any], Layout]] = {
    ast.Name: lambda node: node.id,
    ast.Number: number,
    ast.Boolean: lambda node: "true" if node.value else "false",
    ast.Nothing: lambda node: "none",
    ast.Unpack: lambda node: ("...", expression(node.value)),
    ast.Items: lambda node: listed("[", parted(node.items, map(expression, node.items)), "]"),
    ast.Comprehension: comprehension,
    ast.Call: call,
    ast.Attribute: lambda node: (expression(node.base, POSTFIX), f".{node.name}"),
    ast.Index: lambda node: (expression(node.base, POSTFIX), "[", expression(node.index), "]"),
    ast.ListSlice: part,
    ast.Unary: unary,
    ast.Binary: binary,
    ast.Conditional: conditional,
    ast.Chain: chain,
    ast.Named: lambda node: (expression(node.body, OR), f" as {node.name}"),
}


# ---- signatures ------------------------------------------------------------------------------------------------------


def signature(parameters: Sequence[ast.Parameter]) -> list[ListItem]:
    """Parameters; a `*` stands before those that are by name only."""
    found = parted(parameters, map(parameter, parameters))
    star = next((at for at, each in enumerate(parameters) if each.named and not each.rest), None)
    if star:
        # With the one before it: a line that begins with `*` looks like an item of a list.
        before = found[star - 1]
        found[star - 1] = before._replace(layout=(DocGroup(before.layout), ", *"))
    elif star is not None:
        found.insert(0, ListItem(None, False, "*"))
    return found


def parameter(node: ast.Parameter) -> Layout:
    """`name: type = default`, or `...name`."""
    if node.rest:
        return f"...{node.name}"
    kind = f": {' | '.join(node.type)}" if node.type else ""
    default = () if node.default is None else (" = ", DocGroup(expression(node.default)))
    return (node.name + kind, *default)
