"""What is wrong with YAML specs, and where: `cases/errors.txt` and `cases/places.txt`."""

from __future__ import annotations

import pytest
import yaml

from archdsl.diagnostics import ArchError, Source
from archdsl.frontend import read
from archdsl.frontend.yaml import reader
from tests.frontend.case import Case, cases, described, settle, spans, yaml_source

CASES = [*cases("errors"), *cases("places")]
LOADERS = [getattr(yaml, "CSafeLoader", yaml.SafeLoader), yaml.SafeLoader]


def failure(source: Source) -> ArchError:
    """What reading a source raises."""
    with pytest.raises(ArchError) as caught:
        read(source)
    return caught.value


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_error(case: Case) -> None:
    error = failure(yaml_source(case.text))
    assert tuple(map(sorted, spans(error))) == tuple(map(sorted, case.places))
    settle(case, described(error.diagnostics))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_both_yaml_parsers_say_the_same(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[str] = []
    for loader in LOADERS:
        monkeypatch.setattr(reader, "LOADER", loader)
        found.append(str(failure(yaml_source(case.text))))
    assert found[0] == found[1]


@pytest.mark.parametrize("loader", LOADERS)
@pytest.mark.parametrize("case", cases("places"), ids=lambda case: case.id)
def test_places_do_not_depend_on_line_ends_and_byte_order_marks(
    case: Case, loader: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "LOADER", loader)
    wanted = [failure_text(case.text, span) for span in spans(failure(yaml_source(case.text)))[0]]
    for text in (case.text.replace("\n", "\r\n"), "\ufeff" + case.text):
        assert [failure_text(text, span) for span in spans(failure(yaml_source(text)))[0]] == wanted


def failure_text(text: str, span: tuple[int, int]) -> str:
    """What is marked, and what stands before it, whatever the line ends."""
    start, end = span
    return "|".join(part.replace("\r\n", "\n").lstrip("\ufeff") for part in (text[:start], text[start:end]))


def test_operators_that_do_not_go_together_are_told_beside_what_cannot_be_read() -> None:
    text = "backbone s:\n    input 3 x 8 x 8\n    n = 1 < 2 < 3\n    m = 2 + not 3\n    b: conv(4))\n    stem: act\n"
    found = failure(Source("s.arch", text)).diagnostics
    assert [each.span and each.span.source.position(each.span.start) for each in found] == [(3, 15), (4, 13), (5, 15)]
