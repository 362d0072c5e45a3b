"""Expressions inside a `forward`: how an op's template takes its operands, and where brackets are needed."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from archdsl.graph.scope import Step

WIDTH = 100
"""Columns of a line."""
LONG = 40
"""A list of numbers with more characters may take several lines, or is an attribute."""
PLACE = re.compile(r"\{(\w+)\}")
WHOLE = frozenset({"x", "sum", "product"})
"""The places that stand for all operands at once."""
SLICE = re.compile(r"(?<=[\[ ])([\w.]*)(::?)([\w.]*)(?=[\],])")
PLAIN = (ast.Call, ast.Name, ast.Attribute, ast.Subscript, ast.List, ast.Constant)


class Expression(NamedTuple):
    """A tensor, or a list of tensors, as an expression: its text, and what it is made of."""

    text: str
    reads: frozenset[str] = frozenset()
    """The variables in it."""
    depth: int = 0
    """How many calls stand inside each other."""
    plain: bool = False
    """Whether it is a variable, or an element of one."""
    items: tuple[Expression, ...] | None = None
    """The tensors, where it is a list written out."""
    operands: tuple[Expression, ...] = ()
    step: Step | None = None
    """What is done to the operands; where nothing is, they are the parts of a list, or what an element is one of."""
    at: int | None = None
    """Which tensor of its operand an element is."""


def variable(name: str) -> Expression:
    """A variable."""
    return Expression(name, frozenset({name}), plain=True)


def element(value: Expression, index: int) -> Expression:
    """One tensor of a list."""
    return Expression(f"{value.text}[{index}]", value.reads, value.depth, value.plain, operands=(value,), at=index)


def display(parts: Sequence[tuple[Expression, bool]]) -> Expression:
    """A list made of tensors and, where the flag is set, of all tensors of lists: `[x] + ys`."""
    texts: list[str] = []
    row: list[str] = []
    for part, spread in [*parts, (Expression(""), True)]:
        if not spread:
            row.append(part.text)
            continue
        texts += [f"[{', '.join(row)}]"] if row else []
        texts += [part.text] if part.text else []
        row = []
    items = tuple(part for part, _ in parts) if not any(spread for _, spread in parts) else None
    return combined(" + ".join(texts) or "[]", [part for part, _ in parts])._replace(items=items)


def combined(text: str, parts: Sequence[Expression], deeper: int = 0) -> Expression:
    """An expression made of others."""
    reads = frozenset(name for part in parts for name in part.reads)
    return Expression(text, reads, max((part.depth for part in parts), default=0) + deeper, operands=tuple(parts))


def call(function: str, arguments: Sequence[Expression]) -> Expression:
    """A call of a module."""
    return combined(f"{function}({', '.join(argument.text for argument in arguments)})", arguments, 1)


def operand(text: str, product: bool, first: bool) -> str:
    """An operand of a sum or product, in brackets where it needs them: floats do not associate."""
    tree = ast.parse(text, mode="eval").body
    if isinstance(tree, PLAIN):
        return text
    same = isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.Mult if product else ast.Add)
    higher = isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.Mult) and not product
    return text if higher or (same and first) else f"({text})"


def joined(texts: Sequence[str], product: bool) -> str:
    """A sum or product."""
    sign = " * " if product else " + "
    return sign.join(operand(text, product, at == 0) for at, text in enumerate(texts))


def filled(
    template: str, operands: Sequence[Expression], listed: Expression | None, fact: Callable[[str], str]
) -> Expression:
    """A function's template with its operands and its op's facts in their places.

    `operands` are the tensors, `listed` the list that an op of a list takes.
    """
    texts = [value.text for value in operands]
    words = {"sum": lambda: joined(texts, False), "product": lambda: joined(texts, True)}

    def place(match: re.Match[str]) -> str:
        word = match[1]
        if word in words:
            return words[word]()
        if word != "x" and not word.isdigit():
            return fact(word)
        text = listed.text if listed is not None and word == "x" else texts[0 if word == "x" else int(word)]
        return text if enclosed(match) or isinstance(ast.parse(text, mode="eval").body, PLAIN) else f"({text})"

    parts = operands if listed is None else [listed]
    text = SLICE.sub(spaced, PLACE.sub(place, template))
    return combined(text, parts, 0 if text in texts else 1)


def reads_again(template: str) -> bool:
    """Whether a template names an operand more than once, or may do so."""
    words = [word for word in PLACE.findall(template) if word in WHOLE or word.isdigit()]
    return len(words) > len(set(words)) or (len(words) > 1 and not WHOLE.isdisjoint(words))


def spaced(match: re.Match[str]) -> str:
    """A slice, with blanks around its colon where a bound is no plain name or number."""
    start, colon, stop = match.groups()
    if "." not in start + stop:
        return match[0]
    return f"{start}{' ' if start else ''}{colon}{' ' if stop else ''}{stop}"


def enclosed(match: re.Match[str]) -> bool:
    """Whether a place is a whole argument of a call."""
    before, after = match.string[: match.start()], match.string[match.end() :]
    return before.endswith(("(", ", ")) and after.startswith((",", ")"))
