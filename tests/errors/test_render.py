"""How findings look: marks in the columns of what they mark, colors on a terminal."""

from __future__ import annotations

import io
import re

import pytest

from archdsl.commands._streams import has_color
from archdsl.diagnostics import Diagnostic, Note, Source, Span, catalog
from archdsl.diagnostics.diagnostic import render
from archdsl.driver.validation import validate

STYLE = re.compile(r"\x1b\[[0-9;]*m")


def finding(text: str, marked: str = "here") -> Diagnostic:
    """What is wrong with a part of a text."""
    start = text.index(marked)
    span = Span(Source("net.arch", text), start, start + len(marked))
    return catalog.SYNTAX.at(span, "so it is", help="mend it")


@pytest.mark.parametrize(
    ("line", "shown", "under"),
    [
        ("a here", "a here", "  ^^^^ so it is"),
        ("\there", "    here", "    ^^^^ so it is"),
        ("\x1b here", "\\x1b here", "     ^^^^ so it is"),
        ("é here", "é here", "  ^^^^ so it is"),
        ("e\u0301 here", "e\u0301 here", "  ^^^^ so it is"),
        ("網 here", "網 here", "   ^^^^ so it is"),
        ("here \u202e", "here \\u202e", "^^^^ so it is"),
        ("here\r", "here", "^^^^ so it is"),
        ("x" * 300 + "here", "..." + "x" * 80 + "here", " " * 83 + "^^^^ so it is"),
    ],
)
def test_marks_stand_below_what_they_mark(line: str, shown: str, under: str) -> None:
    text = render([finding(f"first\n{line}\nlast")])
    assert text.split("\n")[3:5] == [f" 2 | {shown}", f"   | {under}"]


def test_a_mark_goes_over_the_columns_of_what_it_marks() -> None:
    assert "\n   | ^^^^^^ so" in render([finding("網\x1b", "網\x1b")])
    assert "\n   | ^ so" in render([finding("", "")._replace(span=Span(Source("net.arch", "\n"), 0, 0))])


def test_a_name_with_a_line_end_looks_like_no_other_finding() -> None:
    text = 'name: s\ninput: 3x8x8\n"a\\n\\nerror[E999]: b": konv\n'
    (found,) = validate(Source("s.yaml", text), None)
    assert "`a\\n\\nerror[E999]: b` is not a key" in render([found])
    assert not any(line.startswith("error[E999]") for line in render([found]).splitlines())


def test_of_an_empty_file_the_name_is_shown() -> None:
    found = finding("", "")
    assert render([found]) == "error[E001]: invalid syntax\n  --> net.arch\n   = so it is\n   = help: mend it"


def test_colors_change_no_sign() -> None:
    noted = finding("there here\n")._replace(
        where="c2", notes=(Note(Span(Source("b", "x"), 0, 1), "first"), Note(None, "a"))
    )
    for each in (noted, noted._replace(severity="warning"), noted._replace(span=None), finding("\x1b[31mhere")):
        assert STYLE.sub("", render([each], color=True)) == render([each])
        assert "\x1b" not in render([each])
    assert "\x1b[1;31merror[E001]\x1b[0m" in render([noted], color=True)


class Terminal(io.StringIO):
    """A stream that says of itself that it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stream", "environment", "expected"),
    [
        (Terminal(), {}, True),
        (Terminal(), {"NO_COLOR": "1"}, False),
        (Terminal(), {"NO_COLOR": ""}, True),
        (Terminal(), {"TERM": "dumb"}, False),
        (io.StringIO(), {}, False),
        (io.StringIO(), {"FORCE_COLOR": "1"}, True),
        (Terminal(), {"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
    ],
)
def test_a_terminal_has_colors(
    stream: io.StringIO, environment: dict[str, str], expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert has_color(stream) == expected
