"""Texts of pictures: their widths, and where they are broken."""

from __future__ import annotations

import pytest

from archdsl.backends.pictures.text import cut, sentences, width, wrapped


def test_widths_are_those_of_the_font() -> None:
    """The advance widths of Liberation Sans, in thousandths of an em."""
    assert width("i", 1000) == 222
    assert width("W", 1000) == 944
    assert width("i", 1000, bold=True) == 278
    assert width("½", 10) == pytest.approx(8.34)


def test_a_letter_that_the_table_lacks_is_as_wide_as_any() -> None:
    assert width("漢", 10) == 10


def test_lines_are_broken_at_blanks_and_the_rest_is_cut() -> None:
    assert wrapped("one two three four", 10, 40, 3) == ["one two", "three", "four"]
    assert wrapped("one two three four", 10, 40, 2) == ["one two", "three …"]
    assert wrapped("bn, relu, dropout", 10, 45, 3, at=",") == ["bn, relu,", "dropout"]
    assert all(width(line, 10) <= 45 for line in wrapped("unbreakable" * 9 + " and more", 10, 45, 2))


def test_a_text_that_fits_is_not_cut() -> None:
    assert cut("text", 10, width("text", 10)) == "text"
    assert cut("text", 10, width("text", 10) - 0.1) == "t…"


def test_whole_sentences_of_the_first_paragraph_are_kept() -> None:
    doc = "A net. Szegedy et al. 2016 (Rethinking), by C. Szegedy. It is long, and does not fit into the room.\n\nMore."
    assert sentences(doc, 7, 190, 1) == ["A net. Szegedy et al. 2016 (Rethinking), by C. Szegedy."]
    assert sentences("`x`", 7, 190, 1) == ["x"]
    assert sentences("", 7, 190, 1) == []
