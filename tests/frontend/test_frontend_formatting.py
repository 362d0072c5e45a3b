"""The canonical layout of texts with comments: `cases/formatted.txt`; that it is stable, and that nothing is lost."""

from __future__ import annotations

import random
import re
from cProfile import Profile
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings

from archdsl.diagnostics import ArchError, Source
from archdsl.frontend import read
from archdsl.frontend.format import Notation, formatted, read_notes, to_arch, to_yaml
from archdsl.syntax.document import File
from tests.frontend.case import Case, cases, settle
from tests.frontend.strategies import documents, expressions
from tests.frontend.test_frontend_printed import holding

CASES = cases("formatted")
ROOT = Path(__file__).parents[2]
SHIPPED = sorted(
    path
    for folder in ("specs", "grammar/blocks")
    for path in (ROOT / folder).rglob("*")
    if path.suffix in {".arch", ".yaml"}
)
NOTATIONS: tuple[Notation, Notation] = ("arch", "yaml")


def notations(case: Case) -> tuple[Notation, Notation]:
    """The notation of a case, and that of its result."""
    before, _, after = case.title.partition(":")[0].partition(" to ")
    return ("yaml" if before == "yaml" else "arch"), ("yaml" if (after or before) == "yaml" else "arch")


def laid_out(text: str, own: Notation, to: Notation | None = None) -> str:
    """A text in its canonical layout."""
    return formatted(Source(f"net.{own}", text), to)


def comments(text: str, own: Notation) -> list[str]:
    """All comments of a text."""
    source = Source(f"net.{own}", text)
    return sorted(read_notes(source, own).comments)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_layout(case: Case) -> None:
    own, to = notations(case)
    shown = laid_out(case.text, own, to)
    settle(case, shown.rstrip("\n"))
    assert laid_out(shown, to) == shown


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_shipped_files_are_formatted(path: Path) -> None:
    text = path.read_text("utf-8")
    assert formatted(Source(path.name, text)) == text


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_shipped_files_come_back_from_the_other_notation(path: Path) -> None:
    own, other = NOTATIONS if path.suffix == ".arch" else reversed(NOTATIONS)
    text = path.read_text("utf-8")
    there = laid_out(text, own, other)
    back = laid_out(there, other, own)
    document = read(Source(f"net.{own}", text))
    assert read(Source(f"net.{other}", there)) == read(Source(f"net.{own}", back)) == document
    assert comments(there, other) == comments(back, own) == comments(text, own)


@pytest.mark.parametrize("text", ["", "# only\n\n\n# comments", "\ufeff# a mark\r\n\r\nblock a() = b # c\r\n"])
def test_texts_of_few_words(text: str) -> None:
    shown = laid_out(text, "arch")
    assert laid_out(shown, "arch") == shown
    assert shown.count("#") == text.count("#")
    assert not set(shown) & set("\r\ufeff")


def test_errors_are_reported() -> None:
    with pytest.raises(ArchError, match="closes no bracket"):
        laid_out("block a() = )", "arch")


def test_a_comment_that_is_lost_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archdsl.frontend.format.arch.arch_text", lambda *_, **__: "block a() = b\n")
    with pytest.raises(ArchError, match="some comments would be lost"):
        laid_out("block a() = b  # c", "arch")
    with pytest.raises(ArchError, match="it would say something else"):
        laid_out("block a() = c", "arch")


# ---- comments anywhere -----------------------------------------------------------------------------------------------

SAMPLES: list[tuple[Notation, str]] = [
    *((notations(case)[0], case.text) for case in CASES),
    *(("yaml", case.text) for case in cases("same")),
    *(("arch", case.expected + "\n") for case in cases("same")),
    *(("arch", case.text) for case in cases("printed")),
    *(("yaml", case.expected + "\n") for case in cases("printed")),
]


def disturbed(text: str, chance: random.Random) -> str:
    """A text with comments, empty lines and breaks at random places."""
    lines = text.split("\n")
    for number in range(chance.randint(1, 6)):
        at = chance.randrange(len(lines))
        line = lines[at]
        match chance.choice(["beside", "beside", "before", "before", "empty", "break"]):
            case "beside":
                lines[at] = f"{line}  # c{number}"
            case "before":
                indent = chance.choice([0, 2, 4, 8, len(line) - len(line.lstrip())])
                lines.insert(at, " " * indent + f"# c{number}")
            case "break" if ", " in line:
                first, _, rest = line.partition(", ")
                lines[at : at + 1] = [f"{first},  # c{number}", " " * 12 + rest]
            case _:
                lines.insert(at, "")
    return "\n".join(lines)


def assert_stable(text: str, own: Notation) -> bool:
    """That a text has a layout that stays, in both notations; False for one that cannot be read."""
    try:
        said = comments(text, own)
    except ArchError:
        return False
    for to in NOTATIONS:
        shown = laid_out(text, own, to)
        assert laid_out(shown, to) == shown, text
        assert comments(shown, to) == said, text
    return True


@pytest.mark.parametrize("seed", range(6))
def test_comments_anywhere_are_kept(seed: int) -> None:
    chance = random.Random(seed)
    done = sum(assert_stable(disturbed(text, chance), own) for own, text in chance.sample(SAMPLES, 15))
    assert done > 5


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 102))
def test_many_comments_anywhere_are_kept(seed: int) -> None:
    chance = random.Random(seed)
    assert sum(assert_stable(disturbed(text, chance), own) for own, text in SAMPLES) > len(SAMPLES) // 2


PIECE = re.compile(r'"""(?:.|\n)*?"""|"[^"\n\\]*"|#[^\n]*|\n[ \t]*|->|\.\.\.|\w+|[^\w\s]|[ \t]+')


def in_brackets(text: str) -> list[int]:
    """The offsets at which a comment and a line end may stand in a line: behind each piece in brackets."""
    found: list[int] = []
    depth = 0
    for match in PIECE.finditer(text):
        piece = match[0]
        depth += piece in {"(", "["}
        if depth and piece.strip() and not piece.startswith(('"""', "#")):
            found.append(match.end())
        depth -= piece in {")", "]"}
    return found


def commented(text: str, own: Notation, chance: random.Random) -> str:
    """A text with comments in any gap: inside brackets, between links, on lines of their own."""
    for number in range(chance.randint(1, 4)):
        places = in_brackets(text) if own == "arch" and chance.random() < 0.7 else []
        if not places:
            text = disturbed(text, chance)
            continue
        at = chance.choice(places)
        comment = f"# g{number}\n"
        gap = [f"  {comment}", f"\n        {comment}", f"\n  {comment}\n    # h{number}\n"]
        text = f"{text[:at]}{chance.choice(gap)}        {text[at:]}"
    return text


def assert_same(text: str, own: Notation, said: list[str], document: File) -> None:
    """That a text is its own layout, and says what it should."""
    assert laid_out(text, own) == text
    assert comments(text, own) == said, text
    assert read(Source(f"net.{own}", text)) == document, text


def assert_settled(text: str, own: Notation) -> bool:
    """That a text comes to rest in both notations, there and back, with all comments; False for one that has errors."""
    try:
        said, document = comments(text, own), read(Source(f"net.{own}", text))
    except ArchError:
        return False
    settled: set[tuple[str, Notation]] = set()
    for to in NOTATIONS:
        other: Notation = "yaml" if to == "arch" else "arch"
        there = laid_out(text, own, to)
        settled |= {(there, to), (laid_out(there, to, other), other)}
    for shown, notation in settled:  # mostly two: both ways come to the same
        assert_same(shown, notation, said, document)
    return True


def texts_of_all_kinds() -> list[tuple[Notation, str]]:
    """The samples, shipped specs and blocks of a page, and the examples of the docs."""
    found = list(SAMPLES)
    for path in SHIPPED:
        if path.stat().st_size < 2_500:
            found.append(("arch" if path.suffix == ".arch" else "yaml", path.read_text("utf-8")))
    for page in sorted((ROOT / "docs").rglob("*.md")):
        text = page.read_text("utf-8")
        for own in NOTATIONS:
            examples = re.findall(rf"^```{own}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
            found.extend((own, example) for example in examples)
    return found


TEXTS = texts_of_all_kinds()


@pytest.mark.parametrize("seed", range(10))
def test_comments_in_any_gap_are_kept(seed: int) -> None:
    chance = random.Random(seed)
    assert sum(assert_settled(commented(text, own, chance), own) for own, text in chance.sample(TEXTS, 30)) > 10


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 103))
def test_many_comments_in_any_gap_are_kept(seed: int) -> None:
    chance = random.Random(seed)
    assert sum(assert_settled(commented(text, own, chance), own) for own, text in TEXTS) > len(TEXTS) // 3


@pytest.mark.parametrize(
    ("own", "text"),
    [
        ("arch", "block b(  # c1\n        out, k = 3) = conv(out, k)\n"),
        ("arch", "block b(\n        # c1\n        out) = conv(out)\n"),
        ("arch", "block b(out  # c1\n        ):\n    y = conv(out)\n    return y\n"),
        ("arch", "block b(out\n    # c1\n    ) = conv(out)\n"),
        ("yaml", "name: net\ninput: 3x8x8\nstem:\n  - cna  # c1\n  # c2\n  - act\n"),
        ("yaml", "blocks:\n  b:\n    body:\n      - cna  # c1\n      # c2\n\n      # c3\n      - act  # c4\n"),
    ],
)
def test_layouts_that_did_not_come_to_rest(own: Notation, text: str) -> None:
    assert assert_settled(text, own)


@pytest.mark.parametrize(("own", "text"), [("arch", "block a() = b  # c\td\n"), ("yaml", "# c\td\nblocks: {a: b}\n")])
def test_tabs_in_comments_are_blanks(own: Notation, text: str) -> None:
    assert all("# c    d\n" in laid_out(text, own, to) for to in NOTATIONS)


def test_a_layout_that_does_not_come_to_rest_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    breaks = iter(range(100))
    monkeypatch.setattr(
        "archdsl.frontend.format.arch.arch_text", lambda *_, **__: "block a() =" + " " * next(breaks) + "b\n"
    )
    with pytest.raises(ArchError, match="its layout does not come to rest"):
        laid_out("block a() = b", "arch")


LONG: dict[str, tuple[Notation, str, str, str]] = {
    "links": ("arch", "backbone a:\n    stem: a\n", "        -> conv({n})  # c\n", ""),
    "arguments": ("arch", "backbone a:\n    stem: f(\n", "        conv({n}),  # c\n", "    )\n"),
    "comments before an argument": ("arch", "backbone a:\n    stem: f(\n", "        # c{n}\n", "    a)\n"),
    "comments behind an argument": ("arch", "backbone a:\n    stem: f(a\n", "        # c{n}\n", "    )\n"),
    "stages": ("arch", "backbone a:\n", "    stage s{n}: d{n} -> conv({n})\n", ""),
    "nested brackets": ("arch", "backbone a:\n", f"    s{{n}}: {'f(' * 6}a{', 1)' * 6}\n", ""),
    "blocks": ("arch", "", "block b{n}(out, *, k = 3) = conv(out, k)  # c\n", ""),
    "statements": ("arch", "block b():\n", "    y{n} = conv({n})\n    # c\n", "    return x\n"),
    "comments behind": ("arch", "backbone a:\n    stem: a\n", "      # c{n}\n", ""),
    "links in a list": ("yaml", "name: a\nstem:\n", "  - conv({n})\n  # c\n", ""),
    "stages in a mapping": ("yaml", "name: a\nstages:\n", "  s{n}: conv({n})  # c\n", ""),
    "bodies": ("yaml", "blocks:\n", "  b{n}:\n    args: out  # c\n    body: |\n      y = x  # c\n      return y\n", ""),
    "aliases": ("yaml", "name: a\nsections:\n", "  s{n}: &a{n} conv({n})\n  t{n}: *a{n}\n", ""),
}


@pytest.mark.parametrize(("own", "before", "line", "behind"), LONG.values(), ids=LONG)
@pytest.mark.parametrize("to", NOTATIONS)
def test_work_grows_like_the_text(own: Notation, before: str, line: str, behind: str, to: Notation) -> None:
    calls: list[int] = []
    laid_out("block a() = b\n", "arch")  # once, for what is made once
    for count in (30, 120):
        text = before + "".join(line.format(n=number) for number in range(1, count)) + behind
        profile = Profile()
        shown = profile.runcall(laid_out, text, own, to)
        calls.append(sum(entry.callcount for entry in profile.getstats()))
        assert len(shown) < 12 * len(text)
    assert calls[1] < 5 * calls[0]


def in_another_style(text: str, chance: random.Random) -> str:
    """A YAML text in quotes, in brackets, with short lines, with anchors, or all of these."""
    found: str = yaml.dump(
        yaml.load(text, yaml.BaseLoader),
        default_flow_style=chance.choice([True, False, None]),
        default_style=chance.choice([None, '"', "'"]),
        width=chance.choice([10, 30, 80]),
        sort_keys=False,
    )
    return found


@pytest.mark.parametrize("seed", range(3))
def test_comments_in_any_style_of_yaml_are_kept(seed: int) -> None:
    chance = random.Random(seed)
    texts = [text for own, text in SAMPLES if own == "yaml" and "%YAML" not in text]
    done = 0
    for text in texts:
        disturbance = disturbed(in_another_style(text, chance), chance)
        if assert_stable(disturbance, "yaml"):
            done += 1
            assert set(re.findall(r"# c\d", disturbance)) <= set(re.findall(r"# c\d", laid_out(disturbance, "yaml")))
    assert done > len(texts) // 3


def test_the_examples_of_the_page_are_formatted() -> None:
    examples = re.findall(
        r"^```arch\n(.*?)^```$", (ROOT / "docs" / "fmt.md").read_text("utf-8"), re.DOTALL | re.MULTILINE
    )
    assert len(examples) == 2
    for text in examples:
        assert laid_out(text, "arch") == text


# ---- random documents ------------------------------------------------------------------------------------------------

EXAMPLES = settings(
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)


def assert_canonical(document: File) -> None:
    """That what is printed of a document is formatted, and can be taken to either notation."""
    for own, text in zip(NOTATIONS, (to_arch(document), to_yaml(document)), strict=True):
        assert laid_out(text, own) == text
        for to in NOTATIONS:
            shown = laid_out(text, own, to)
            assert laid_out(shown, to) == shown


@settings(EXAMPLES, max_examples=5)
@given(documents)
def test_what_is_printed_is_formatted(document: File) -> None:
    assert_canonical(document)


@pytest.mark.slow
@settings(EXAMPLES, max_examples=25)
@given(documents | expressions.map(holding))
def test_much_that_is_printed_is_formatted(document: File) -> None:
    assert_canonical(document)
