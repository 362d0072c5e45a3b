"""The canonical layout (`cases/printed.txt`), and that random documents come back from what is printed of them."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archdsl.diagnostics import ArchError, Source
from archdsl.diagnostics.characters import is_unseen
from archdsl.frontend import read
from archdsl.frontend.format import to_arch, to_yaml
from archdsl.syntax import ast
from archdsl.syntax.document import Backbone, File
from archdsl.syntax.text import tidy
from tests.frontend.case import Case, cases, settle
from tests.frontend.strategies import SPAN, documents, expressions, strange

EXAMPLES = settings(
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)


def back(text: str, notation: str) -> File:
    return read(Source(f"printed.{notation}", text))


def assert_comes_back(document: File) -> None:
    """In both notations, and across. `repr` tells an int from a decimal number, which equality does not."""
    arch, yaml = to_arch(document), to_yaml(document)
    for text, notation in ((arch, "arch"), (yaml, "yaml")):
        found = back(text, notation)
        assert found == document, text
        assert repr(found) == repr(document), text
        assert to_yaml(found) == yaml
        assert to_arch(found) == arch


@pytest.mark.parametrize("case", cases("printed"), ids=lambda case: case.title)
def test_canonical_layout(case: Case) -> None:
    document = back(case.text, "arch")
    assert to_arch(document) == case.text
    settle(case, to_yaml(document).rstrip())
    assert to_yaml(back(case.expected, "yaml")).rstrip() == case.expected
    assert_comes_back(document)


def holding(value: ast.Expression) -> File:
    """A document with an expression at every kind of place."""
    argument = ast.CallArgument(SPAN, False, ("a",), value)
    backbone = Backbone.model_construct(
        name="net",
        parameters=(ast.Parameter(SPAN, False, "a", (), value),),
        extends=ast.Extends(SPAN, "a", (argument,)),
        settings=(ast.Setting(SPAN, ("a",), value),),
        sections=(ast.SectionLine(SPAN, "stem", ast.Call(SPAN, False, ast.Name(SPAN, False, "a"), (argument,))),),
    )
    return File.model_construct(backbones=(backbone,))


@settings(EXAMPLES, max_examples=100)
@given(expressions)
def test_any_expression_comes_back(value: ast.Expression) -> None:
    assert_comes_back(holding(value))


@settings(EXAMPLES, max_examples=20)
@given(documents)
def test_any_document_comes_back(document: File) -> None:
    assert_comes_back(document)


@pytest.mark.slow
@settings(EXAMPLES, max_examples=40)
@given(documents | expressions.map(holding))
def test_many_documents_come_back(document: File) -> None:
    assert_comes_back(document)


DEEP = {
    "sums": " + ".join(["a"] * 90),
    "powers": " ** ".join(["a"] * 90),
    "signs": "-" * 150 + "a",
    "calls": "a" + "()" * 150,
    "brackets": "f(" * 45 + "a" + ")" * 45,
    "lists": "[" * 45 + "]" * 45,
    "conditions": " else ".join(["a if b"] * 90) + " else c",
    "chains": " -> ".join(["a"] * 1000),
    "indices": "a" + "[0]" * 90,
}


@pytest.mark.parametrize("text", DEEP.values(), ids=DEEP)
def test_whatever_can_be_parsed_can_be_printed(text: str) -> None:
    assert_comes_back(back(f"backbone net:\n    stem: {text}\n", "arch"))


def documented(text: str) -> File:
    """A document with a doc."""
    return File.model_construct(backbones=(Backbone.model_construct(name="a", doc=text, input=(3,)),))


def importing(path: str) -> File:
    """A document with an import."""
    return File.model_construct(imports=(ast.Import(SPAN, path),))


DOC = 'three """ quotes'
UNWRITABLE = {
    "a doc with three quotes": documented(DOC),
    "a doc that steers a terminal": documented("\x1b[31m"),
    "a doc with half a family": documented("a \u200d"),
    "a path with a line end of YAML": importing("a\u2028b"),
    "a path with a quote": importing('a"b'),
}


@pytest.mark.parametrize("document", UNWRITABLE.values(), ids=UNWRITABLE)
def test_what_the_text_form_cannot_say_is_an_error(document: File) -> None:
    with pytest.raises(ArchError) as caught:
        to_arch(document)
    assert [each.code for each in caught.value.diagnostics] == ["E601"]


@settings(EXAMPLES, max_examples=100)
@given(strange)
def test_any_doc_comes_back_from_yaml_without_a_character_that_nobody_sees(text: str) -> None:
    document = documented(tidy(f"\n{text}"))
    printed = to_yaml(document)
    assert not any(map(is_unseen, printed))
    assert back(printed, "yaml") == document


def test_a_number_without_a_literal_is_refused() -> None:
    with pytest.raises(ValueError, match="1/3"):
        to_arch(holding(ast.Number(SPAN, False, Fraction(1, 3))))


@settings(EXAMPLES, max_examples=100)
@given(st.integers(0, 10**34), st.integers(0, 38))
def test_a_number_that_nobody_wrote_gets_a_literal(digits: int, places: int) -> None:
    number = ast.Number(SPAN, False, Fraction(digits, 10**places))
    found = back(to_arch(holding(number)), "arch").backbones[0].settings[0].value
    assert found == number
    assert repr(found) == repr(number)
