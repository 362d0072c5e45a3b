"""Random documents, of every form that the grammar has."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from hypothesis import strategies as st

from archdsl.diagnostics import Source, Span
from archdsl.syntax import ast
from archdsl.syntax.document import Backbone, File
from archdsl.syntax.text import RESERVED, tidy

SPAN = Span(Source("random", ""), 0, 0)
WORDS = "a b c2 x conv width stage block output input expect training type on no null y repeat args as_ __a_ fn import"
LONG = ["a_rather_long_name_for_a_block_of_a_network", "another_name_of_a_length_that_makes_lines_break"]
LINE_WORDS = {"input", "stage", "output", "expect"}

names = st.sampled_from([*WORDS.split(), *LONG]) | st.from_regex(r"[A-Z][A-Za-z0-9_]{0,9}", fullmatch=True)
names = names.filter(lambda name: name not in RESERVED)
free_names = names.filter(lambda name: name not in LINE_WORDS)
numbers = st.one_of(
    st.integers(0, 10**9),
    st.builds(lambda value, places: Fraction(value, 10**places), st.integers(0, 10**9), st.integers(0, 12)),
    st.sampled_from([Fraction(1, 10**40), Fraction(10**39), Fraction(3, 10**30)]),
)
strange = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
texts = st.text(st.characters(exclude_categories=["Cc", "Cf", "Cs", "Zl", "Zp"]), max_size=40) | st.text(
    st.sampled_from(' "\\#:-\n\tab'), max_size=30
)
docs = texts.map(lambda text: tidy(f"\n{text}")).filter(lambda text: '"""' not in text)


def node(kind: type[ast.Node], **parts: Any) -> st.SearchStrategy[Any]:
    """A node of the tree."""
    return st.builds(
        lambda **content: kind(span=SPAN, **content),
        **{name: part if isinstance(part, st.SearchStrategy) else st.just(part) for name, part in parts.items()},
    )


def several(strategy: st.SearchStrategy[Any], least: int = 0, most: int = 3) -> st.SearchStrategy[tuple[Any, ...]]:
    """A tuple."""
    return st.lists(strategy, min_size=least, max_size=most).map(tuple)


variables = node(ast.Name, id=names)

leaves = st.one_of(
    variables,
    node(ast.Number, value=numbers),
    node(ast.Boolean, value=st.booleans()),
    node(ast.Nothing),
)


def arguments(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[ast.CallArgument, ...]]:
    """Arguments of a call."""
    spread = node(ast.Unpack, value=inner)
    positional = node(ast.CallArgument, target=(), value=inner | spread)
    return several(positional | node(ast.CallArgument, target=several(names, 1), value=inner), most=5)


def larger(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Everything that is made of expressions."""
    none = st.none()
    signs = st.sampled_from(["+", "-", "*", "/", "//", "%", "**", "==", "!=", "<=", ">=", "<", ">", "and", "or"])
    return st.one_of(
        node(ast.Items, items=several(inner | node(ast.Unpack, value=inner))),
        node(ast.Comprehension, item=inner, variables=several(variables, 1), source=inner, test=inner | none),
        node(ast.Call, callee=inner, arguments=arguments(inner)),
        node(ast.Attribute, base=inner, name=names),
        node(ast.Index, base=inner, index=inner),
        node(ast.ListSlice, base=inner, start=inner | none, stop=inner | none),
        node(ast.Unary, sign=st.sampled_from(["-", "not"]), operand=inner),
        node(ast.Binary, sign=signs, left=inner, right=inner, grouped=st.booleans()),
        node(ast.Conditional, then=inner, test=inner, other=inner),
        node(ast.Chain, links=several(inner, 2, 5)),
        node(ast.Named, body=inner, name=names),
    )


expressions = st.recursive(leaves, larger, max_leaves=12)
values = expressions.filter(lambda value: not isinstance(value, ast.Nothing))
"""What a section can have; `none` would leave it out."""

simple = node(ast.Assign, targets=several(variables, 1), value=expressions) | node(ast.Return, value=expressions)
statements = st.recursive(
    simple,
    lambda inner: (
        node(ast.For, variables=several(variables, 1), source=expressions, body=several(inner, 1))
        | node(ast.If, test=expressions, body=several(inner, 1), other=several(inner))
    ),
    max_leaves=5,
)


@st.composite
def signatures(draw: st.DrawFn) -> tuple[ast.Parameter, ...]:
    """Parameters, in the order that a signature allows."""
    default = st.none() | expressions
    named = draw(st.lists(st.booleans(), max_size=4).map(sorted))
    found = [draw(node(ast.Parameter, name=names, type=several(names), default=default, named=each)) for each in named]
    if draw(st.booleans()):
        found.append(draw(node(ast.Parameter, name=names, named=True, rest=True)))
    return tuple(found)


untyped = several(node(ast.Parameter, name=names, default=expressions))


def definitions(kind: type[ast.Node]) -> st.SearchStrategy[tuple[Any, ...]]:
    """Blocks or functions."""
    body = several(statements, 1) | node(ast.Return, value=expressions).map(lambda each: (each,))
    return several(node(kind, name=names, parameters=signatures(), body=body, doc=docs))


def element(kind: type[Any], **parts: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """An element of the document, which stands nowhere."""
    return st.builds(kind, st.none(), **parts)


amounts = st.sampled_from(["25028904", "4.3G", "512x28x28", "0", "76%", "1.5", "12"])
signs = st.sampled_from(["==", "!=", "<=", ">=", "<", ">"])
sections = st.one_of(
    element(ast.SectionLine, name=free_names | st.sampled_from(["stem", "head"]), value=values),
    element(ast.SectionLine, name=names, stage=st.just(True), reduction=st.none() | st.integers(1, 64), value=values),
)
stages = element(
    ast.SectionLine, name=names, stage=st.just(True), reduction=st.none() | st.integers(1, 9), value=values
)
stem, head = (element(ast.SectionLine, name=st.just(name), value=values) for name in ("stem", "head"))
usual = st.builds(
    lambda first, middle, last: (*first, *middle, *last), several(stem, most=1), several(stages), several(head, most=1)
)
settings = element(
    ast.Setting, target=st.builds(lambda first, rest: (first, *rest), free_names, several(names)), value=expressions
)
backbones = st.builds(
    Backbone.model_construct,
    name=names,
    doc=docs,
    parameters=signatures() | untyped,
    extends=st.none() | element(ast.Extends, parent=names, arguments=arguments(expressions)),
    input=st.none() | several(st.integers(1, 10**9), 1, 4),
    settings=several(settings),
    sections=usual | several(sections),
    outputs=several(element(ast.Output, name=names, training=st.booleans(), value=values)),
    drops=several(element(ast.Drop, name=names)),
    expect=several(element(ast.Expectation, figure=several(names, 1), sign=signs, amount=amounts), most=6),
)

paths = st.text(st.characters(categories=["L", "N", "P", "Zs"], exclude_characters='"\\'), min_size=1).filter(str.strip)
documents = st.builds(
    File.model_construct,
    edition=st.none() | st.just(1),
    imports=several(element(ast.Import, path=paths)),
    blocks=definitions(ast.Block),
    functions=definitions(ast.Function),
    backbones=several(backbones),
)
