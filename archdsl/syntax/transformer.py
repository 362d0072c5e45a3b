"""From the parse tree to the syntax tree and the document: one method a grammar rule."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Any, NamedTuple

from archdsl.diagnostics import ArchError, Note, Span, catalog
from archdsl.diagnostics.characters import is_unseen
from archdsl.syntax import ast
from archdsl.syntax.text import UNSEEN_IN_PATH, LocatedText, tidy

# Trees and tokens are lark's, which does not tell their types, and is imported by the parser alone.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false


LONGEST = 40
LONGEST_AMOUNT = 100
LEADING_ZERO = re.compile(r"0_*\d")
OCTAL = re.compile(r"[0-7]+")
# A token of lark: a str with its type and its place.
Token = Any

# The higher, the tighter. Equal ones bind from the left, but for `POWER`, which binds from the right.
INFIX = {"OR": 1, "AND": 2, "COMPARE": 4, "PLUS": 5, "MINUS": 5, "STAR": 6, "DIVIDE": 6, "POWER": 8}
PREFIX = {"NOT": 3, "MINUS": 7}
# The precedence that the right operand of a sign needs: `2 ** -n` is a power.
BEHIND = {sign: binding + 1 for sign, binding in INFIX.items()} | {"POWER": PREFIX["MINUS"]}
NO_COMPARISON = {"_ARROW", *INFIX} - {"COMPARE"}
# The terminals expected in place of a `not` after a sign that binds tighter.
NO_PREFIX = {"NAME", "INT", "DECIMAL", "LPAR", "LSQB"}


def is_branch(part: Any) -> bool:
    """True for a tree, false for a token and for an optional part that is missing."""
    return part is not None and not isinstance(part, str)


def branches(tree: Any) -> list[Any]:
    """The trees among the parts of a tree."""
    return [part for part in tree.children if is_branch(part)]


class BracketedExpression(NamedTuple):
    """An expression, and where it starts and ends with the brackets around it."""

    value: ast.Expression
    start: int
    end: int


class MisplacedOperator(Exception):
    """A sign that cannot stand where it does, and the terminals that can."""

    def __init__(self, token: Token, expected: set[str]) -> None:
        super().__init__(token)
        self.token, self.expected = token, expected


class OperatorStack:
    """The operands and signs of a row that are left, the first of them last; raises MisplacedOperator.

    The recursion is as deep as there are signs: the caller has counted them.
    """

    def __init__(self, text: LocatedText, parts: Iterable[BracketedExpression | Token]) -> None:
        self.text = text
        self.left: list[Any] = [*parts][::-1]

    def from_here(self, least: int) -> BracketedExpression:
        """As much of the row as signs that bind at least so tightly hold together."""
        found = self.operand(least)
        while self.left and INFIX[(sign := self.left[-1]).type] >= least:
            self.left.pop()
            right = self.from_here(BEHIND[sign.type])
            span = self.text.span(found.start, right.end)
            value = ast.Binary(span, False, str(sign), found.value, right.value)
            found = BracketedExpression(value, found.start, right.end)
            if sign.type == "COMPARE" and self.left and self.left[-1].type == "COMPARE":
                raise MisplacedOperator(self.left[-1], NO_COMPARISON)
        return found

    def operand(self, least: int) -> BracketedExpression:
        """The next operand, with the signs before it."""
        first = self.left.pop()
        if isinstance(first, BracketedExpression):
            return first
        if PREFIX[first.type] < least:
            raise MisplacedOperator(first, NO_PREFIX)
        inner = self.from_here(PREFIX[first.type])
        value = ast.Unary(self.text.span(first.start_pos, inner.end), False, str(first), inner.value)
        return BracketedExpression(value, first.start_pos, inner.end)


def fields_of(kind: type[ast.Node]) -> Callable[[SyntaxTransformer, Any, list[Any]], Any]:
    """The method of a rule whose parts are the fields of a node."""
    return lambda self, tree, parts: kind(self.at(tree), False, *parts)


class BackboneLine(NamedTuple):
    """What a line of a backbone says: the key of the document that it belongs to, and its values."""

    key: str
    values: tuple[Any, ...]


class Transformer:
    """Transform a tree from its leaves up. `text` is the parsed text, which knows the place of each offset."""

    def __init__(self, text: LocatedText) -> None:
        self.text = text

    def transform(self, tree: Any) -> Any:
        """Transform a tree from its leaves up, each branch by the method of its rule.

        Lark's own walk does the same, and takes several times as long to call a method.
        """
        order, left = [], [tree]
        while left:
            top = left.pop()
            order.append(top)
            left += branches(top)
        made: dict[int, Any] = {}
        for each in reversed(order):
            parts = [made.pop(id(part)) if is_branch(part) else part for part in each.children]
            made[id(each)] = getattr(self, each.data)(each, parts)
        return made[id(tree)]

    def at(self, tree: Any) -> Span:
        """The place of a rule."""
        return self.text.span(tree.meta.start_pos, tree.meta.end_pos)

    def place(self, token: Token) -> Span:
        """The place of a token."""
        return self.text.span(token.start_pos, token.end_pos)


class SyntaxTransformer(Transformer):
    """The syntax tree and the document: one method for each rule of the grammar."""

    # ---- numbers

    def number(self, token: Token, kind: type[Any]) -> Any:
        """The value of a number's text, within limits."""
        exponent = token.lower().partition("e")[2].lstrip("+-")
        if len(token) > LONGEST or (exponent and int(exponent) > LONGEST):
            raise catalog.OUT_OF_RANGE.error(self.place(token), "this number has too many digits")
        self.check_start(token)
        return kind(token.replace("_", ""))

    def check_start(self, token: Token) -> None:
        """Raise for `017`, which some read as 17, others (YAML 1.1 among them) as 15."""
        if LEADING_ZERO.match(token):
            plain = re.sub(r"^[0_]+(?=\d)", "", token)
            octal = int(token, 8) if OCTAL.fullmatch(token) else 0
            help = f"write `{plain}`, or `{octal}` if it is octal" if octal > 7 else f"write `{plain}`"
            raise catalog.SYNTAX.error(self.place(token), "a number does not begin with `0`", help=help)

    def positive(self, token: Token) -> int:
        """The value of a number that has to be more than 0, and of a size within limits."""
        value = self.number(token, int)
        if value == 0:
            raise catalog.OUT_OF_RANGE.error(self.place(token), "`0` must be more than 0")
        if value > ast.LARGEST_SIZE:
            raise catalog.OUT_OF_RANGE.error(self.place(token), f"at most {ast.LARGEST_SIZE:,} is possible")
        return value

    # ---- expressions

    comprehension = fields_of(ast.Comprehension)
    spread = fields_of(ast.Unpack)
    call = fields_of(ast.Call)
    index = fields_of(ast.Index)
    slice = fields_of(ast.ListSlice)

    def name(self, tree: Any, parts: list[Any]) -> ast.Name:
        return ast.Name(self.at(tree), False, str(parts[0]))

    def integer(self, tree: Any, parts: list[Any]) -> ast.Number:
        return ast.Number(self.at(tree), False, self.number(parts[0], int), str(parts[0]))

    def decimal(self, tree: Any, parts: list[Any]) -> ast.Number:
        return ast.Number(self.at(tree), False, self.number(parts[0], Fraction), str(parts[0]))

    def boolean(self, tree: Any, parts: list[Any]) -> ast.Boolean:
        return ast.Boolean(self.at(tree), False, parts[0] == "true")

    def nothing(self, tree: Any, parts: list[Any]) -> ast.Nothing:
        return ast.Nothing(self.at(tree), False)

    def group(self, tree: Any, parts: list[Any]) -> ast.Expression:
        # Kept for precedence (`->` beside `+` needs them), and for `fmt`.
        return parts[0].replace(grouped=True)

    def several(self, tree: Any, parts: list[Any]) -> tuple[Any, ...]:
        return tuple(parts)

    items = type = checks = several

    def list(self, tree: Any, parts: list[Any]) -> ast.Items:
        return ast.Items(self.at(tree), False, parts[0] or ())

    def variables(self, tree: Any, parts: list[Any]) -> tuple[ast.Name, ...]:
        return tuple(ast.Name(self.place(token), False, str(token)) for token in parts)

    def positional(self, tree: Any, parts: list[Any]) -> ast.CallArgument:
        return ast.CallArgument(self.at(tree), False, (), parts[0])

    def keyword(self, tree: Any, parts: list[Any]) -> ast.CallArgument:
        # LALR(1) sees `=` too late to have read a name only, so the grammar takes any expression before it.
        key, value = parts
        return ast.CallArgument(self.at(tree), False, self.dotted(key), value)

    def dotted(self, key: ast.Expression) -> tuple[str, ...]:
        """The names of `a.b.c`; raises for anything else."""
        names: list[str] = []
        inner = key
        while isinstance(inner, ast.Attribute):
            names.append(inner.name)
            inner = inner.base
        if not isinstance(inner, ast.Name) or key.grouped:
            raise catalog.SYNTAX.error(key.span, "only a name can come before `=`", help="`==` compares")
        return (inner.id, *reversed(names))

    def arguments(self, tree: Any, parts: list[Any]) -> tuple[ast.CallArgument, ...]:
        given = [part for part in parts if part is not None]
        return tuple(
            ast.CallArgument(part.span, False, (), part) if isinstance(part, ast.Unpack) else part for part in given
        )

    def attribute(self, tree: Any, parts: list[Any]) -> ast.Attribute:
        return ast.Attribute(self.at(tree), False, parts[0], str(parts[1]))

    def operation(self, tree: Any, parts: list[Any]) -> ast.Expression:
        row = [
            part if isinstance(part, str) else BracketedExpression(part, each.meta.start_pos, each.meta.end_pos)
            for each, part in zip(tree.children, parts, strict=True)
        ]
        return OperatorStack(self.text, row).from_here(0).value

    def conditional(self, tree: Any, parts: list[Any]) -> ast.Conditional:
        then, test, other = parts
        for arm in (then, test):
            if isinstance(arm, ast.Chain) and not arm.grouped:
                reading = f"({arm.span.text}) if ... else ..."
                raise self.mixed(arm, "if/else", reading, "... -> (...)")
        return ast.Conditional(self.at(tree), False, then, test, other)

    def chain(self, tree: Any, parts: list[Any]) -> ast.Chain:
        for link in parts:
            self.check_link(link, is_first=link is parts[0])
        return ast.Chain(self.at(tree), False, tuple(parts))

    def check_link(self, link: ast.Expression, is_first: bool) -> None:
        """Raise for a link that mixes `->` with another operator: readers disagree about its meaning."""
        inner = link.body if isinstance(link, ast.Named) else link
        if inner.grouped or not isinstance(inner, ast.Binary | ast.Unary) or inner.sign == "*":
            return
        text = inner.span.text
        if isinstance(inner, ast.Unary):
            other = f"{inner.sign} (... -> {inner.operand.span.text})"
        elif is_first:
            left = text[: inner.right.span.start - inner.span.start].rstrip("( \t\n")
            other = f"{left} ({inner.right.span.text} -> ...)"
        else:
            right = text[inner.left.span.end - inner.span.start :].lstrip(") \t\n")
            other = f"(... -> {inner.left.span.text}) {right}"
        raise self.mixed(inner, f"`{inner.sign}`", f"({text}) -> ..." if is_first else f"... -> ({text})", other)

    def mixed(self, part: ast.Expression, sign: str, reading: str, other: str) -> Exception:
        """The finding that names both readings."""
        label = f"{sign} beside `->` can be read in two ways"
        return catalog.MIXED.error(part.span, label, help=f"write `{reading}` or `{other}`")

    def named_link(self, tree: Any, parts: list[Any]) -> ast.Named:
        return ast.Named(self.at(tree), False, parts[0], str(parts[1]))

    # ---- statements

    return_ = fields_of(ast.Return)

    def assign(self, tree: Any, parts: list[Any]) -> ast.Assign:
        *targets, value = parts
        return ast.Assign(self.at(tree), False, self.variables(tree, targets), value)

    def for_(self, tree: Any, parts: list[Any]) -> ast.For:
        variables, source, (_, body) = parts
        return ast.For(self.at(tree), False, variables, source, body)

    def if_(self, tree: Any, parts: list[Any]) -> ast.If:
        test, (_, body), *other = parts
        return ast.If(self.at(tree), False, test, body, other[0] if other else ())

    def else_suite(self, tree: Any, parts: list[Any]) -> tuple[ast.Statement, ...]:
        return parts[0][1]

    def elif_(self, tree: Any, parts: list[Any]) -> tuple[ast.Statement, ...]:
        return (self.if_(tree, parts),)

    def suite(self, tree: Any, parts: list[Any]) -> tuple[str, tuple[ast.Statement, ...]]:
        text, statements = self.with_doc(parts)
        return text, tuple(statements)

    body = suite

    def with_doc(self, parts: list[Any]) -> tuple[str, list[Any]]:
        """A docstring, if one comes first, and the rest."""
        return (parts[0], parts[1:]) if parts and isinstance(parts[0], str) else ("", parts)

    def docstring(self, tree: Any, parts: list[Any]) -> str:
        return tidy(parts[0][3:-3])

    # ---- definitions

    def rhs_inline(self, tree: Any, parts: list[Any]) -> tuple[str, tuple[ast.Statement, ...]]:
        return "", (ast.Return(parts[0].span, False, parts[0]),)

    def rhs_indented(self, tree: Any, parts: list[Any]) -> tuple[str, tuple[ast.Statement, ...]]:
        text, (value,) = self.with_doc(parts)
        return text, (ast.Return(value.span, False, value),)

    rhs_suite = suite

    def block(self, tree: Any, parts: list[Any]) -> ast.Block:
        name, parameters, (text, body) = parts if len(parts) == 3 else (parts[0], (), parts[1])
        return ast.Block(self.place(name), False, str(name), parameters, body, text)

    def function(self, tree: Any, parts: list[Any]) -> ast.Function:
        name, parameters, (text, body) = parts
        return ast.Function(self.place(name), False, str(name), parameters, body, text)

    def parameters(self, tree: Any, parts: list[Any]) -> tuple[ast.Parameter, ...]:
        """Parameters in order; those after `*` are by name only."""
        found: list[ast.Parameter] = []
        named = False
        for part in parts:
            if part == "*":
                named = True
            elif part is not None:
                found.append(part.replace(named=named) if not part.rest else part)
        return tuple(found)

    def parameter(self, tree: Any, parts: list[Any]) -> ast.Parameter:
        name, kind, default = parts
        words = tuple(map(str, kind or ()))
        place = self.place(kind[0]).to(self.place(kind[-1])) if kind else None
        return ast.Parameter(self.place(name), False, str(name), words, default, type_span=place)

    def named_only(self, tree: Any, parts: list[Any]) -> str:
        return "*"

    def rest(self, tree: Any, parts: list[Any]) -> ast.Parameter:
        return ast.Parameter(self.place(parts[0]), False, str(parts[0]), (), None, True, True)

    # ---- backbones

    def shape(self, tree: Any, parts: list[Any]) -> tuple[int, ...]:
        # `3x224x224` is one token, `3 x 224 x 224` are three.
        sizes = [(size, part) for part in parts for size in str(part).split("x")]
        return tuple(self.positive(part.new_borrow_pos("INT", size, part)) for size, part in sizes)

    def input_line(self, tree: Any, parts: list[Any]) -> BackboneLine:
        # The rule ends behind the line end; a second `input` is marked without it.
        start = tree.meta.start_pos
        line = self.text.content[start : tree.meta.end_pos].rstrip()
        return BackboneLine("input", (parts[0], self.at(tree.children[0]), self.text.span(start, start + len(line))))

    def target(self, tree: Any, parts: list[Any]) -> tuple[str, ...]:
        return tuple(map(str, parts))

    def setting(self, tree: Any, parts: list[Any]) -> BackboneLine:
        return BackboneLine("set", (ast.Setting(self.at(tree), *parts),))

    def stage_line(self, tree: Any, parts: list[Any]) -> BackboneLine:
        name, reduction, value = parts
        return self.part("sections", ast.SectionLine, name, value, True, reduction and self.positive(reduction))

    def section_line(self, tree: Any, parts: list[Any]) -> BackboneLine:
        return self.part("sections", ast.SectionLine, *parts)

    def output_line(self, tree: Any, parts: list[Any]) -> BackboneLine:
        name, training, value = parts
        return self.part("outputs", ast.Output, name, value, training is not None)

    def part(self, key: str, kind: type[Any], name: Token, value: Any, *more: Any) -> BackboneLine:
        """A section or output; where its value is `none`, one left out."""
        if isinstance(value, ast.Nothing):
            return BackboneLine("drop", (ast.Drop(self.place(name), str(name)),))
        return BackboneLine(key, (kind(self.place(name), str(name), value, *more),))

    def check(self, tree: Any, parts: list[Any]) -> ast.Expectation:
        figure, sign, amount, load = parts
        return ast.Expectation(self.at(tree), figure, str(sign), amount, *(load or ()))

    def load(self, tree: Any, parts: list[Any]) -> tuple[int, str]:
        batch, precision = parts
        return self.number(batch, int), str(precision or "")

    def amount(self, tree: Any, parts: list[Any]) -> str:
        if len(parts[0]) > LONGEST_AMOUNT:
            raise catalog.OUT_OF_RANGE.error(self.place(parts[0]), "this amount has too many digits")
        self.check_start(parts[0])
        return str(parts[0]).replace("_", "")

    def expect_line(self, tree: Any, parts: list[Any]) -> BackboneLine:
        return BackboneLine("expect", parts[0])

    def extends(self, tree: Any, parts: list[Any]) -> ast.Extends:
        return ast.Extends(self.place(parts[0]), str(parts[0]), *parts[1:])

    extends_value = extends

    def backbone(self, tree: Any, parts: list[Any]) -> ast.Content:
        name, *rest = parts
        content: dict[str, Any] = {"name": str(name)}
        places: dict[str, Span] = {}
        first: Span | None = None
        for part in rest:
            match part:
                case BackboneLine("input", (shape, place, span)):
                    if first is not None:
                        note = Note(first, "first here")
                        raise ArchError([catalog.DUPLICATE.at(span, "a second `input` line", notes=(note,))])
                    content["input"], places["input"], first = shape, place, span
                case BackboneLine(key, values):
                    content.setdefault(key, []).extend(values)
                case str():
                    content["doc"] = part
                case ast.Extends():
                    content["extends"] = part
                case tuple():
                    content["params"] = part
                case _:
                    pass  # an `extends` that is not there
        return ast.Content(self.place(name), as_tuples(content), places)

    # ---- a file, and YAML's keys

    def edition(self, tree: Any, parts: list[Any]) -> int:
        number = self.number(parts[0], int)
        if number != ast.EDITION:
            raise catalog.EDITION.error(
                self.place(parts[0]), f"edition {number}", help=f"this version of archdsl reads edition {ast.EDITION}"
            )
        return number

    def import_(self, tree: Any, parts: list[Any]) -> ast.Import:
        path = str(parts[0])[1:-1]
        if any(map(is_unseen, path)):
            raise catalog.SYNTAX.error(self.place(parts[0]), UNSEEN_IN_PATH)
        return ast.Import(self.place(parts[0]), path)

    def file(self, tree: Any, parts: list[Any]) -> ast.Content:
        kinds = {ast.Import: "import", ast.Block: "blocks", ast.Function: "functions", ast.Content: "backbones"}
        found: dict[str, Any] = {}
        for part in parts:
            if isinstance(part, int):
                found["archdsl"] = part
            else:
                found.setdefault(kinds[type(part)], []).append(part)
        return ast.Content(self.text.span(0, len(self.text.content)), as_tuples(found), {})

    def stage_key(self, tree: Any, parts: list[Any]) -> tuple[str, int | None]:
        name, reduction = parts
        return str(name), reduction and self.positive(reduction)

    def output_key(self, tree: Any, parts: list[Any]) -> tuple[str, bool]:
        return str(parts[0]), parts[1] is not None

    def bound(self, tree: Any, parts: list[Any]) -> tuple[Any, ...]:
        *sign, amount, load = parts
        return str(sign[0]) if sign else "==", amount, *(load or ())


def as_tuples(content: dict[str, Any]) -> dict[str, Any]:
    """Values by key, with lists as tuples."""
    return {key: tuple(value) if isinstance(value, list) else value for key, value in content.items()}
