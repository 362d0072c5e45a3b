"""Words of the language as names: those that begin lines are names elsewhere, those of expressions nowhere."""

from __future__ import annotations

import pytest

from archdsl.diagnostics import ArchError, Source
from archdsl.frontend import read
from archdsl.frontend.format import to_arch, to_yaml
from archdsl.syntax.text import LINE_WORDS, RESERVED

BEGINNERS = ("block", "fn", "backbone", "import", "archdsl", "extends", "training", *LINE_WORDS)
PLACES = {
    "first in a body": "block f():\n    {} = 1\n    return {}\n",
    "behind a docstring": 'block f():\n    """A doc."""\n    {} = 1\n    return {}\n',
    "behind a statement": "block f():\n    a = 1\n    {} = 1\n    return {}\n",
    "behind a loop": "block f():\n    for i in y:\n        a = 1\n    {} = 1\n    return {}\n",
    "behind a condition": "block f():\n    if i:\n        a = 1\n    {} = 1\n    return {}\n",
    "behind a value on a line of its own": "block f():\n    a =\n        b\n    {} = 1\n    return {}\n",
    "an expression behind a docstring": 'block f() =\n    """A doc."""\n    {}\n',
    "a parameter": "block f({} = 1) = conv({})\n",
    "a parameter by name": "block f(*, {}: int = 1) = conv({})\n",
    "a rest": "block f(...{}) = conv(...{})\n",
    "an argument": "block f(a) = conv({} = {})\n",
    "a loop's variable": "block f(a):\n    for {} in y:\n        b = {}\n    return b\n",
    "in a list": "block f(a) = [{} for {} in y if {}]\n",
    "behind a point": "block f(a) = a.{}\n",
    "behind `as`": "block f(a) = a -> b as {}\n",
    "a block": "block {}(a) = a\n",
    "a function": "fn {}(a) = a\n",
    "a backbone": "backbone {}:\n    stem: a\n",
    "a parent": "backbone a extends {}({} = 3)\n",
    "a stage": "backbone a:\n    stem: a\n    stage {}: {}\n",
    "an output": "backbone a:\n    output {}: a\n",
    "a parameter that is set": "backbone a:\n    stem: b\n    c.{} = {}\n",
    "a figure": "backbone a:\n    expect: {} == 3, a.{} == 2\n",
}
LINES = {
    "a section": "backbone a:\n    {}: b\n",
    "a section behind another": "backbone a:\n    stem: a\n    {}: b\n",
    "a section behind a docstring": 'backbone a:\n    """A doc."""\n    {}: b\n',
    "a setting": "backbone a:\n    {} = b\n",
    "a parameter's owner": "backbone a:\n    {}.b = c\n",
}


def in_place(text: str, word: str) -> str:
    """A text with a word at its places."""
    return text.replace("{}", word)


@pytest.mark.parametrize("text", [*PLACES.values()], ids=PLACES)
def test_words_that_begin_lines_are_names_elsewhere(text: str) -> None:
    for word in BEGINNERS:
        document = read(Source("a.arch", in_place(text, word)))
        assert read(Source("a.arch", to_arch(document))) == document
        assert read(Source("a.yaml", to_yaml(document))) == document


@pytest.mark.parametrize("text", [*LINES.values()], ids=LINES)
def test_lines_of_backbones_keep_their_words(text: str) -> None:
    for word in BEGINNERS:
        if word not in LINE_WORDS:
            read(Source("a.arch", in_place(text, word)))
            continue
        with pytest.raises(ArchError) as caught:
            read(Source("a.arch", in_place(text, word)))
        assert f"`{word}" in str(caught.value)


@pytest.mark.parametrize("text", [*PLACES.values(), *LINES.values()], ids=[*PLACES, *LINES])
def test_words_of_expressions_are_no_names(text: str) -> None:
    for word in RESERVED - {"true", "false", "none"}:
        with pytest.raises(ArchError):
            read(Source("a.arch", in_place(text, word)))


YAML_PLACES = [
    "name: {}",
    "name: a\nsections: {{}: b}",
    "name: a\nstages: {{} / 2: b}",
    "name: a\nset: {{}.b: c}",
    "name: a\nparams: {{}: b}",
    "name: a\nstem: {block: b, as: {}}",
    "blocks: {{}: b}",
    "name: a\ndrop: {}",
]


@pytest.mark.parametrize("text", YAML_PLACES)
def test_yaml_knows_them_too(text: str) -> None:
    for word in RESERVED:
        with pytest.raises(ArchError, match=f"`{word}` is a reserved word, so it cannot be a name"):
            read(Source("a.yaml", in_place(text, word)))


def test_words_inside_of_names_are_nothing() -> None:
    document = read(Source("a.arch", "block f(iffy) = a if iffy else elsewhere -> inner -> android\n"))
    assert to_arch(document) == "block f(iffy) = a if iffy else elsewhere -> inner -> android\n"
    for text in ("a if b elsewhere", "a andb", "[a for b inc]"):
        with pytest.raises(ArchError):
            read(Source("a.arch", f"block f(iffy) = {text}\n"))
