"""What goes too far is refused at once, in both notations, and what can be read can be written in the other."""

from __future__ import annotations

import pytest

from archdsl.diagnostics import ArchError, Source, Span, catalog
from archdsl.frontend import read
from archdsl.frontend.format import to_arch, to_yaml
from tests.working import bounded

ENDLESS = {
    "a sum": " + ".join(["a"] * 50_000),
    "signs": "-" * 50_000 + "a",
    "calls": "a" + "()" * 20_000,
    "points": "a" + ".b" * 50_000,
    "conditions": "a if b else " * 20_000 + "c",
    "indices": "a" + "[0]" * 50_000,
    "brackets": "(" * 50_000,
    "names without signs": "a " * 100_000,
    "a long sum": " + ".join(["a"] * 1_500),
}


@pytest.mark.parametrize("text", ENDLESS.values(), ids=ENDLESS)
def test_endless_expressions_are_refused_at_once(text: str) -> None:
    for source in (Source("a.arch", f"block b() = {text}\n"), Source("a.yaml", f"name: net\nstem: {text}\n")):
        with bounded(5_000_000), pytest.raises(ArchError) as caught:
            read(source)
        assert caught.value.diagnostics[0].code in {"E402", "E404"}


def test_endless_files_are_refused() -> None:
    with pytest.raises(ArchError, match="more than 100,000 names, numbers and signs"):
        read(Source("a.arch", "block f():\n" + "    y = x -> a\n" * 20_000))


WRONG = {
    "backbone a:\n    input 0 x 3\n": "E106",
    "backbone a:\n    input 3x0x3\n": "E106",
    "backbone a:\n    input 3 x 2000000000\n": "E106",
    "backbone a:\n    stage c / 0: b\n": "E106",
    "backbone a:\n    stage c / 2000000000: b\n": "E106",
    f"backbone {'a' * 101}\n": "E404",
    f"backbone a:\n    {'a' * 101}: b\n": "E404",
    f"backbone a:\n    stage {'a' * 101}: b\n": "E404",
    f"block a({'a' * 101}) = b\n": "E404",
    f"block a(b) = {'a' * 101}\n": "E404",
}


@pytest.mark.parametrize(("text", "code"), WRONG.items())
def test_the_text_form_checks_what_yaml_checks(text: str, code: str) -> None:
    with pytest.raises(ArchError) as caught:
        read(Source("a.arch", text))
    (finding,) = caught.value.diagnostics
    assert finding.code == code
    assert finding.span is not None
    assert finding.span.end > finding.span.start > 0


def test_names_of_a_hundred_letters_are_fine() -> None:
    read(Source("a.arch", f"block {'a' * 100}({'b' * 100}) = {'b' * 100}\n"))


def nested(count: int) -> str:
    """Plain data that is so many calls inside of each other."""
    return "{block: a, args: [" * count + "b" + "]}" * count


DEEP = [
    f"name: a\nstem: {nested(18)}",
    f"name: a\nparams: {{k: '{'[' * 49}1{']' * 49}'}}",
    f"name: a\nparams: {{k: '{'[' * 50}1{']' * 50}'}}",
    f"name: a\nset: {{k: ['{'[' * 49}1{']' * 49}']}}",
    f"name: a\nset: {{k: ['{'[' * 50}1{']' * 50}']}}",
    f"name: a\nstem: {{block: a, args: ['{'f(' * 49}1{')' * 49}']}}",
    f"name: a\nstem: {{block: a, args: ['{'f(' * 50}1{')' * 50}']}}",
    f"name: a\nstem: ['{'f(' * 50}1{')' * 50} + 1', b]",
    f"name: a\nstem: {{block: 'a{'()' * 150}', args: ['a{'()' * 150}', {{block: 'a{'()' * 150}'}}]}}",
    "blocks:\n  a:\n    args: {k: '" + "[" * 50 + "1" + "]" * 50 + "'}\n    body: b\n",
]


@pytest.mark.parametrize("text", DEEP)
def test_what_yaml_takes_the_text_form_can_say(text: str) -> None:
    try:
        document = read(Source("a.yaml", text))
    except ArchError as error:
        assert {each.code for each in error.diagnostics} == {"E402"}
        return
    assert read(Source("a.arch", to_arch(document))) == document
    assert read(Source("a.yaml", to_yaml(document))) == document


def test_half_characters_are_shown_as_text() -> None:
    finding = catalog.SYNTAX.error(Span(Source("a\ud800.arch", "b\udfff"), 0, 1), "\udc80")
    str(finding).encode()
    assert r"a\ud800.arch" in str(finding)
