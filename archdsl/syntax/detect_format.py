"""Detect the notation of a text; reserved words of both notations."""

from __future__ import annotations

import re

YAML_ENDINGS = (".yaml", ".yml")
TEXT_ENDING = ".arch"
SUFFIXES = (TEXT_ENDING, *YAML_ENDINGS)

# Help for invalid names.
NAME_HELP = "a name is of letters (a to z), digits and `_`, and does not begin with a digit"

# The words that begin a line of a backbone in the text form; no section and no setting can have such a name.
LINE_WORDS = ("input", "stage", "output", "expect")

# The words of expressions and bodies, and Python's names for three of them; nothing can have such a name.
RESERVED = frozenset(
    [
        "return",
        "for",
        "if",
        "elif",
        "else",
        "in",
        "as",
        "and",
        "or",
        "not",
        "true",
        "false",
        "none",
        "True",
        "False",
        "None",
    ]
)

START = r"\ufeff?(?:\s|#[^\n]*+)*+"
TEXT_FORM = re.compile(START + r'(archdsl[ \t]+\d|import[ \t]*"|(?:block|fn|backbone)[ \t]+[A-Za-z_])')
YAML_FORM = re.compile(START + r"(?:[\"']?\w+[\"']?[ \t]*:(?:\s|\Z)|---|\{|%)")

KEY = r"^['\"]?(?:{})['\"]?[ \t]*:"
SPEC_KEY = re.compile(KEY.format("stages|sections|backbones|blocks"), re.MULTILINE)
CHILD_KEYS = [re.compile(KEY.format(key), re.MULTILINE) for key in ("name", "extends")]


def text_form(text: str) -> int | None:
    """The offset of the first definition, in a text that begins as a `.arch` file does."""
    found = TEXT_FORM.match(text)
    return found.start(1) if found else None


def is_yaml(name: str, text: str) -> bool:
    """Check for YAML: by the ending of the name, otherwise by the beginning of the text."""
    if name.endswith((TEXT_ENDING, *YAML_ENDINGS)):
        return name.endswith(YAML_ENDINGS)
    return text_form(text) is None and YAML_FORM.match(text) is not None


def is_spec(name: str, text: str) -> bool:
    """Check that a file looks like a spec.

    All `.arch` files do, and YAML with stages, sections, backbones or blocks, or with a name and a parent.
    """
    if not name.endswith(YAML_ENDINGS) or SPEC_KEY.search(text):
        return True
    return all(key.search(text) for key in CHILD_KEYS)
