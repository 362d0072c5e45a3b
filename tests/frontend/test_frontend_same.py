"""Both notations say the same (`cases/same.txt`), and both come back from both."""

from __future__ import annotations

import pytest

from archdsl.diagnostics import Source
from archdsl.frontend import read
from archdsl.frontend.format import to_arch, to_yaml
from tests.frontend.case import Case, cases

CASES = cases("same")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_both_notations_give_the_same_document(case: Case) -> None:
    yaml, arch = read(Source("spec.yaml", case.text)), read(Source("spec.arch", case.expected + "\n"))
    assert yaml == arch
    assert repr(yaml) == repr(arch)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_what_is_printed_comes_back(case: Case) -> None:
    document = read(Source("spec.arch", case.expected + "\n"))
    assert read(Source("spec.arch", to_arch(document))) == document
    assert read(Source("spec.yaml", to_yaml(document))) == document
