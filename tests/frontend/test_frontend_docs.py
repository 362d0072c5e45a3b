"""The code of `docs/yaml.md`: each YAML block is read; what follows it, text form or message, is what it gives."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from archdsl.diagnostics import ArchError, Source
from archdsl.frontend import read
from tests.frontend.case import yaml_source

PAGE = Path(__file__).parents[2] / "docs" / "yaml.md"
BLOCKS = re.findall(r"^```(.+?)\n(.*?)^```$", PAGE.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
PAIRS = list(zip(BLOCKS, [*BLOCKS[1:], ("", "")], strict=True))


def pairs(kind: str, follower: str) -> list[tuple[str, str]]:
    """Blocks of a kind, with the block after each, if that is of the other kind."""
    return [(text, after if other == follower else "") for (name, text), (other, after) in PAIRS if name == kind]


@pytest.mark.parametrize(("yaml", "arch"), pairs("yaml", "arch"))
def test_yaml_is_as_the_text_form_after_it(yaml: str, arch: str) -> None:
    document = read(yaml_source(yaml))
    assert not arch or document == read(Source("spec.arch", arch))


@pytest.mark.parametrize(("yaml", "message"), pairs("yaml error", "text"))
def test_mistakes_have_the_message_after_them(yaml: str, message: str) -> None:
    with pytest.raises(ArchError) as caught:
        read(yaml_source(yaml))
    assert str(caught.value) == message.rstrip("\n")


def test_the_page_has_examples() -> None:
    assert len(pairs("yaml", "arch")) == 7
    assert len(pairs("yaml error", "text")) == 1
    assert {name for name, _ in BLOCKS} == {"yaml", "arch", "yaml error", "text"}
