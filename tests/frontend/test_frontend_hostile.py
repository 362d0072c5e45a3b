"""YAML that means harm, or nothing: always an ArchError, at once, whichever of PyYAML's parsers reads it."""

from __future__ import annotations

import re

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archdsl.diagnostics import ArchError, Source
from archdsl.frontend import read
from archdsl.frontend.yaml import reader
from tests.frontend.case import cases
from tests.working import watched

LOADERS = [getattr(yaml, "CSafeLoader", yaml.SafeLoader), yaml.SafeLoader]
NET = "name: net\nstem: "
BOMB = "a: &a0 [x, x]\n" + "".join(f"b{i}: &a{i} [*a{i - 1}, *a{i - 1}]\n" for i in range(1, 40))
LONG_BOMB = f"name: &n {'x' * 9000}\nset: [{', '.join(['{a: *n}'] * 2000)}]\n"

HOSTILE = {
    "brackets": ("[" * 200_000, "E402"),
    "brackets of mappings": ("{a: " * 200_000, "E402"),
    "list items": ("- " * 200_000, "E402"),
    "keys": ("? " * 200_000, "E402"),
    "nested lines": ("".join(f"{' ' * i}a:\n" for i in range(1000)), "E402"),
    "brackets of an expression": (NET + "(" * 200_000, "E402"),
    "quoted brackets": (f"{NET}'{'(' * 200_000}'", "E402"),
    "signs": (NET + "-" * 10_000 + "1", "E402"),
    "sums": (NET + "a + " * 5_000 + "a", "E402"),
    "an alias bomb": (BOMB, "E404"),
    "an alias bomb of characters": (LONG_BOMB, "E404"),
    "nodes": ("a: [" + "x, " * 200_000 + "]", "E404"),
    "an alias of itself": ("a: &a {b: *a}", "E305"),
    "an alias of nothing": ("a: *b", "E003"),
    "a merge key": (NET + "{<<: {block: a}}", "E003"),
    "a Python object": (NET + "!!python/object/apply:os.system [ls]", "E003"),
    "a Python name": ("!!python/name:os.system", "E003"),
    "binary": (NET + "!!binary aGk=", "E003"),
    "a tag directive": ("%TAG ! tag:yaml.org,2002:\n---\nname: !str net", "E003"),
    "a scalar that is too large": (NET + "a" * 1_000_001, "E404"),
    "a large scalar": (NET + "a" * 900_000, ""),
    "a large quoted scalar": (f"{NET}'{'a b ' * 20_000}'", "E402"),
    "a scalar of blanks and lines": (f"{NET}a{' ' * 400_000}\n\n  b", "E001"),
    "a literal of empty lines": (f"{NET}|\n" + "\n" * 400_000 + "  a", ""),
    "one long line with a colon": (f"{NET}{'a ' * 200_000}: b", "E003"),
    "brackets that never close": ("a: [" + "(x, " * 45_000 + "]", "E004"),
    "the same key": ("a: b\n" * 20_000, "E005"),
    "unknown keys": ("".join(f"key{i}: b\n" for i in range(20_000)), "E004"),
    "a NUL": ("name: a\0b", "E003"),
    "an escape sequence": ("name: \x1b[31m", "E003"),
    "half a character": ("name: \ud800", "E003"),
    "half a character, escaped": ('name: "\\ud800"', "E003"),
    "a byte order mark in the middle": ("name: net\n\ufeffstem: a", "E003 E004"),
    "a huge number": (f"name: net\ninput: {'9' * 5000}", "E106"),
    "a huge exponent": (NET + "1e999999999", "E106"),
    "a long list of settings": ("name: net\nset: [" + "{a: 1}, " * 3000 + "]", ""),
}


def outcome(text: str, notation: str = "yaml") -> ArchError | None:
    """What is wrong with a text, or None; nothing else may happen than that."""
    try:
        read(Source(f"spec.{notation}", text))
    except ArchError as raised:
        error = raised
    else:
        return None
    assert 0 < len(str(error)) < 100_000
    assert all(0 <= each.span.start <= each.span.end <= len(text) for each in error.diagnostics if each.span)
    return error


def codes_of(error: ArchError | None) -> set[str]:
    """The codes of the findings."""
    return {each.code for each in error.diagnostics} if error else set()


@pytest.mark.parametrize("loader", LOADERS, ids=["C", "Python"])
@pytest.mark.parametrize(("text", "code"), HOSTILE.values(), ids=HOSTILE)
def test_hostile_text(text: str, code: str, loader: type, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "LOADER", loader)
    with watched():
        found = outcome(text)
    assert not code or codes_of(found) & set(code.split())


SAMPLES = [case.text for name in ("same", "errors", "places") for case in cases(name)]
SIGNS = st.sampled_from(
    [*"[]{}()\"'|>*&!%@`#:-?,\n\t \\<$\0\ufeff\x85\u2028", ": ", " #", "\n  ", "<<: ", "---\n", "->", "''"]
)


@settings(
    max_examples=150,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)
@given(
    st.sampled_from(SAMPLES), st.lists(st.tuples(st.floats(0, 1), st.integers(0, 6), SIGNS | st.just("")), max_size=4)
)
def test_a_spoilt_text_is_read_or_refused(text: str, changes: list[tuple[float, int, str]]) -> None:
    for place, size, sign in changes:
        at = int(place * len(text))
        text = text[:at] + sign + text[at + size :]
    outcome(text)


@settings(max_examples=200)
@given(st.text(SIGNS.filter(lambda sign: len(sign) == 1) | st.sampled_from("ab0"), max_size=60))
def test_a_random_text_is_read_or_refused(text: str) -> None:
    outcome(text)


ARCH_SAMPLES = [case.expected + "\n" for case in cases("same")] + [case.text for case in cases("mistakes")]
TERMINAL = re.compile(r"\b_[A-Z]{2,}|\b(NAME|LPAR|RPAR|LSQB|RSQB|COLON|EQUAL|DOT)\b|\$END")
ARCH_SIGNS = st.sampled_from(
    [
        *"()[]:=,.+-*/%<>!#\"'|&@\\\n\t {}$;?\x00\u2028\ud800x3",
        "->",
        "...",
        "**",
        "//",
        '"""',
        "\n    ",
        " if ",
        " else ",
        " as ",
        "\nstage ",
        "\nreturn ",
        "True",
        "1.",
        "\r\n",
    ]
)


@settings(
    max_examples=150,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)
@given(
    st.sampled_from(ARCH_SAMPLES),
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 6), ARCH_SIGNS | st.just("")), max_size=4),
)
def test_a_spoilt_text_of_the_language_is_read_or_refused(text: str, changes: list[tuple[float, int, str]]) -> None:
    for place, size, sign in changes:
        at = int(place * len(text))
        text = text[:at] + sign + text[at + size :]
    error = outcome(text, "arch")
    assert not error or not any(TERMINAL.search(each.label + each.help) for each in error.diagnostics)
