"""Which notation a text is in."""

from __future__ import annotations

import re

YAML_ENDINGS = (".yaml", ".yml")
TEXT_ENDING = ".arch"

START = r"\ufeff?(?:\s|#[^\n]*+)*+"
TEXT_FORM = re.compile(START + r'(?:archdsl[ \t]+\d|import[ \t]*"|(?:block|fn|backbone)[ \t]+[A-Za-z_])')
YAML_FORM = re.compile(START + r"(?:[\"']?\w+[\"']?[ \t]*:(?:\s|\Z)|---|\{|%)")


def is_text_form(text: str) -> bool:
    """Whether a text begins as a `.arch` file does."""
    return TEXT_FORM.match(text) is not None


def is_yaml(name: str, text: str) -> bool:
    """Whether a source is YAML: by the ending of its name, otherwise by how it begins."""
    if name.endswith((TEXT_ENDING, *YAML_ENDINGS)):
        return name.endswith(YAML_ENDINGS)
    return not is_text_form(text) and YAML_FORM.match(text) is not None
