"""YAML scalars: in quotes only where YAML, or another reader of it than ours, would take them for something else."""

from __future__ import annotations

import re

STRANGE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
"""What can stand in a scalar only as an escape; line ends among it."""

SPECIAL = re.compile(r"[-?](?:\s|\Z)|[\s,:\[\]{}#&*!|>'\"%@`~]|---|\.\.\.|\Z|.*(?:: | #|[:\s]\Z)|(?:=|<<)\Z", re.DOTALL)
IN_FLOW = re.compile(r"[,\[\]{}:?]")
GUESSED = re.compile(r"on|off|yes|no|null|0[\d_]+", re.IGNORECASE)
PROSE_GUESSED = re.compile(r"true|false|[-+.\d][-+.:_\deExXoT ]*|\.(?:inf|nan)", re.IGNORECASE)
ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t"}


def scalar(text: str, *, flow: bool = False, prose: bool = False) -> str:
    """A text as a scalar; `flow` inside of brackets, `prose` where it is no expression, whatever it looks like."""
    if STRANGE.search(text):
        return f'"{escaped(text)}"'
    quoted = SPECIAL.match(text) or GUESSED.fullmatch(text) or (flow and IN_FLOW.search(text))
    if not quoted and not (prose and (PROSE_GUESSED.fullmatch(text) or (flow and "(" in text))):
        return text
    return f'"{text}"' if not re.search(r'["\\]', text) else "'" + text.replace("'", "''") + "'"


def escaped(text: str) -> str:
    """The inside of double quotes."""
    return re.sub(rf'["\\]|{STRANGE.pattern}', escape, text)


def escape(found: re.Match[str]) -> str:
    """One character as an escape."""
    code = ord(found[0])
    return ESCAPES.get(found[0]) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")


def can_be_block(text: str) -> bool:
    """Whether lines of text can stand as they are after a `|`."""
    return STRANGE.search(text.replace("\n", "")) is None
