"""Characters that nobody sees, and line ends that an editor does not show, are refused where they stand."""

from __future__ import annotations

from pathlib import Path
from unicodedata import category

import pytest

from archdsl.diagnostics import ArchError, Source
from archdsl.driver.validation import validate
from archdsl.frontend import read
from archdsl.frontend.format import formatted

ARCH = "backbone net:\n    input 3 x 8 x 8\n    stem: cna(8)\n"
YAML = "name: net\ninput: 3x8x8\nstem: cna(8)\n"
TEXTS = {"net.arch": ARCH, "net.yaml": YAML}
LINE_ENDS = ["\r", "\v", "\f", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"]
UNSEEN = {"Cc", "Cf", "Zl", "Zp"}
ALL = [chr(code) for code in range(0x110000) if category(chr(code)) in UNSEEN and chr(code) not in "\t\n"]
CODES = {"net.arch": "E001", "net.yaml": "E003"}


@pytest.mark.parametrize("end", LINE_ENDS, ids=ascii)
@pytest.mark.parametrize("name", TEXTS)
def test_only_a_newline_ends_a_line(name: str, end: str) -> None:
    for text in (TEXTS[name].replace("\n", end), TEXTS[name].replace("net", f"net  # a comment{end}stem: x", 1)):
        (found,) = validate(Source(name, text), None)
        assert found.code == CODES[name]
        assert found.label.startswith("a line end that many editors do not show: U+")
        assert found.span is not None
        assert (found.span.start, found.span.text) == (text.index(end), end)


@pytest.mark.parametrize("name", TEXTS)
def test_windows_ends_lines_with_two_characters(name: str) -> None:
    text = TEXTS[name].replace("\n", "\r\n")
    assert validate(Source(name, text), None) == []
    assert formatted(Source(name, text)) == TEXTS[name]
    (found,) = validate(Source(name, text.replace("cna", "can")), None)
    assert found.span is not None
    assert found.span.source.position(found.span.start) == (3, 11 if name == "net.arch" else 7)


@pytest.mark.parametrize("name", TEXTS)
def test_every_character_that_nobody_sees_is_refused(name: str) -> None:
    assert len(ALL) > 200
    for char in ALL:
        if char == "\ufeff":
            continue
        text = TEXTS[name].replace("cna", f"c{char}na")
        with pytest.raises(ArchError) as caught:
            read(Source(name, text))
        (found,) = caught.value.diagnostics
        assert found.span is not None
        assert (found.code, found.span.start, found.span.text) == (CODES[name], text.index(char), char)


@pytest.mark.parametrize("name", TEXTS)
def test_each_of_several_is_told_once(name: str) -> None:
    text = TEXTS[name].replace("8)", "8)  # \u202e \x1b \x1b \u202e")
    assert [each.label for each in validate(Source(name, text), None)] == [
        "a character that nobody sees: U+202E, right-to-left override",
        "a character that nobody sees: U+001B, escape",
    ]


@pytest.mark.parametrize("name", TEXTS)
def test_a_byte_order_mark_begins_a_file(name: str, tmp_path: Path) -> None:
    assert read(Source(name, f"\ufeff{TEXTS[name]}" if name == "net.yaml" else TEXTS[name]))
    (tmp_path / name).write_text(f"\ufeff{TEXTS[name]}", encoding="utf-8")
    from archdsl import validate as check

    assert check(tmp_path / name) == []
    (found,) = validate(Source(name, f"{TEXTS[name]}\ufeff"), None)
    assert "U+FEFF" in found.label


def test_an_escape_in_an_expression_is_refused_too() -> None:
    (found,) = validate(Source("net.yaml", YAML.replace("cna(8)", '"cna(8)  # \\e[31m"')), None)
    assert (found.code, found.label) == ("E001", "a character that nobody sees: U+001B, escape")


@pytest.mark.parametrize(
    ("name", "text"),
    [("net.arch", f'import "a\tb.arch"\n{ARCH}'), ("net.yaml", f'import: "a\\tb.arch"\n{YAML}')],
)
def test_no_path_has_a_tab(name: str, text: str) -> None:
    (found,) = validate(Source(name, text), None)
    assert found.label == "a path of an import has no tab, and no other character that nobody sees"


def test_a_doc_in_yaml_may_have_escapes() -> None:
    text = YAML.replace("input", 'doc: "a family: \\U0001F469\\u200d\\U0001F52C"\ninput')
    assert validate(Source("net.yaml", text), None) == []
    assert 'doc: "a family: 👩\\u200d🔬"\n' in formatted(Source("net.yaml", text))
    with pytest.raises(ArchError, match="U\\+200D, zero width joiner, which a docstring cannot escape"):
        formatted(Source("net.yaml", text), "arch")
