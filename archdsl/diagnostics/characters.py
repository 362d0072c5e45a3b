"""Invisible characters, and those that control a terminal, an editor, or the log of a CI."""

from __future__ import annotations

import re

# Unicode's categories of control and format characters, of halves of characters, and of further line ends.
UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
# All that might be one of them; a text without it is not looked at sign by sign.
SUSPECT = re.compile(r"[^\n\x20-\x7e]")
TAB = "    "
# The second sign of what a CI takes for a command wherever it stands in a line: `##[error]`.
COMMAND = re.compile(r"(?<=#)#(?=\[|vso\[|teamcity\[)", re.IGNORECASE)
# The first sign of what a CI takes for a command where a line begins: `::error`.
BEGINS_COMMAND = re.compile(r"^([^\S\n]*):(?=:)", re.MULTILINE)


def is_unseen(char: str) -> bool:
    """Check for an invisible or control character other than the newline."""
    if char.isprintable() or char == "\n":
        return False
    from unicodedata import category

    return category(char) in UNSEEN


def plain(text: str) -> str:
    """A text with such characters escaped, and blanks for tabs; only the newline stays."""
    return SUSPECT.sub(visible, text)


def visible(found: re.Match[str]) -> str:
    """One character, or its escape."""
    char = found[0]
    if char == "\t":
        return TAB
    return escape(char) if is_unseen(char) else char


def escape(char: str) -> str:
    """A character as Python and YAML escape it."""
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def without_commands(text: str) -> str:
    """A text with an escape in whatever a CI would take for a command."""
    return BEGINS_COMMAND.sub(r"\1\\x3a", COMMAND.sub(r"\\x23", text))


def on_one_line(text: str) -> str:
    """A text without line ends, so that nobody's name looks like another line of ours."""
    return plain(text).replace("\n", "\\n")


def visible_json(text: str) -> str:
    """JSON with escapes for such characters, and for what a CI would take for a command."""
    return COMMAND.sub(r"\\u0023", SUSPECT.sub(json_sign, text))


def json_sign(found: re.Match[str]) -> str:
    """One character, or its escape in JSON: one of more than 16 bits as two halves."""
    if not is_unseen(found[0]):
        return found[0]
    halves = found[0].encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{halves[at : at + 4]}" for at in range(0, len(halves), 4))


def name_of_character(char: str) -> str:
    """The Unicode name of a character."""
    from unicodedata import name

    said = CONTROLS.get(char) or name(char, "").lower()
    return f"U+{ord(char):04X}, {said}" if said else f"U+{ord(char):04X}"


# Names of control characters, which Unicode itself gives none.
CONTROLS = {
    "\0": "null",
    "\a": "bell",
    "\b": "backspace",
    "\v": "line tabulation",
    "\f": "form feed",
    "\r": "carriage return",
    "\x1b": "escape",
    "\x7f": "delete",
    "\x85": "next line",
}
