"""YAML scalars: in quotes only where YAML, or another reader of it than ours, would take them for something else."""

from __future__ import annotations

import re

from archdsl.errors.characters import escape, is_unseen

ESCAPED = re.compile(r'["\\]|[^\x20-\x7e]')
"""What stands in double quotes as an escape, or may have to."""

SPECIAL = re.compile(r"[-?](?:\s|\Z)|[\s,:\[\]{}#&*!|>'\"%@`~]|---|\.\.\.|\Z|.*(?:: | #|[:\s]\Z)|(?:=|<<)\Z", re.DOTALL)
IN_FLOW = re.compile(r"[,\[\]{}:?]")
GUESSED = re.compile(r"on|off|yes|no|null|0[\d_]+", re.IGNORECASE)
PROSE_GUESSED = re.compile(r"true|false|[-+.\d][-+.:_\deExXoT ]*|\.(?:inf|nan)", re.IGNORECASE)
ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\ufffe": "\\ufffe", "\uffff": "\\uffff"}


def scalar(text: str, *, flow: bool = False, prose: bool = False) -> str:
    """A text as a scalar; `flow` inside of brackets, `prose` where it is no expression, whatever it looks like."""
    if is_strange(text):
        return f'"{escaped(text)}"'
    quoted = SPECIAL.match(text) or GUESSED.fullmatch(text) or (flow and IN_FLOW.search(text))
    if not quoted and not (prose and (PROSE_GUESSED.fullmatch(text) or (flow and "(" in text))):
        return text
    return f'"{text}"' if not re.search(r'["\\]', text) else "'" + text.replace("'", "''") + "'"


def escaped(text: str) -> str:
    """The inside of double quotes."""
    return ESCAPED.sub(escaped_sign, text)


def escaped_sign(found: re.Match[str]) -> str:
    """One character, or its escape."""
    char = found[0]
    return ESCAPES.get(char) or (escape(char) if is_unseen(char) else char)


def is_strange(text: str) -> bool:
    """Whether a text can stand in a scalar only with escapes; line ends count."""
    return not text.isprintable() and any(char in "\n\ufffe\uffff" or is_unseen(char) for char in text)


def can_be_block(text: str) -> bool:
    """Whether lines of text can stand as they are after a `|`."""
    return not is_strange(text.replace("\n", ""))
