"""Map each character of a YAML scalar to its place in the file.

PyYAML says where a scalar begins and ends, and what it says; the way from one to the other is gone again here, style by
style. Where the two do not meet (escapes, the rarer line ends), the whole scalar is the place.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from archdsl.diagnostics import Source, Span
from archdsl.syntax.located_text import LocatedText

BREAK = r"(?:\r\n|\r|\n)"
FOLD = re.compile(rf"(?<![ \t])[ \t]*+{BREAK}(?:[ \t]*+{BREAK})*+[ \t]*+")
ANCHOR = re.compile(r"(?:&\S++(?:\s++(?:#[^\r\n]*+)?)*+)?")
FOLD_OR_QUOTES = re.compile(rf"''|{FOLD.pattern}")

Placed = tuple[str, Sequence[int]]
"""A content, and the offset in the file of each of its characters and of its end."""


def located(source: Source, start: int, end: int, value: str, style: str | None) -> LocatedText:
    """The text of a scalar that stands from `start` to `end` and says `value`."""
    start += len(ANCHOR.match(source.text[start:end])[0])  # type: ignore[index]
    raw = source.text[start:end].rstrip()
    content, offsets = STYLES.get(style or "", nowhere)(raw, start, value)
    whole = Span(source, start, start + len(raw))
    return LocatedText(value, whole, offsets if content == value else None)


def plain(raw: str, start: int, value: str) -> Placed:
    """Without quotes; mostly a copy."""
    if raw == value:
        return value, range(start, start + len(raw) + 1)
    return rewritten(raw, start, FOLD)


def single(raw: str, start: int, value: str) -> Placed:
    """In single quotes, where two of them stand for one."""
    return rewritten(raw[1:-1], start + 1, FOLD_OR_QUOTES)


def double(raw: str, start: int, value: str) -> Placed:
    """In double quotes; escapes make it differ from the value."""
    return rewritten(raw[1:-1], start + 1, FOLD)


def rewritten(raw: str, start: int, pattern: re.Pattern[str]) -> Placed:
    """The content with its line ends folded; what replaces some characters has the place of the first of them."""
    pieces: list[str] = []
    offsets: list[int] = []
    done = 0
    for found in pattern.finditer(raw):
        new = "'" if found[0] == "''" else "\n" * (len(re.findall(BREAK, found[0])) - 1) or " "
        pieces += [raw[done : found.start()], new]
        offsets += [*range(start + done, start + found.start()), *[start + found.start()] * len(new)]
        done = found.end()
    pieces.append(raw[done:])
    offsets += range(start + done, start + len(raw) + 1)
    return "".join(pieces), offsets


def literal(raw: str, start: int, value: str) -> Placed:
    """A block after `|`: its lines, without the indentation that they share."""
    lines = [(found[1], start + found.start()) for found in re.finditer(rf"(.*?)(?:{BREAK}|\Z)", raw)][1:]
    wanted = value.split("\n")
    indent = next((len(line) - len(want) for want, (line, _) in zip(wanted, lines, strict=False) if want), 0)
    end = start + len(raw)
    lines += [("", end)] * (len(wanted) - len(lines))
    pieces: list[str] = []
    offsets: list[int] = []
    for line, at in lines[: len(wanted)]:
        cut = min(max(indent, 0), len(line))
        pieces.append(line[cut:])
        offsets += range(at + cut, at + len(line) + 1)
    return "\n".join(pieces), offsets


def folded(raw: str, start: int, value: str) -> Placed:
    """A block after `>`: as `literal`, but a line end is a blank there, or left out beside an empty line."""
    shared = INDENTED.search(raw)
    if shared is None:
        return nowhere(raw, start, value)
    above, below = (len(re.findall(BREAK, part)) for part in (raw[: shared.start()], raw[shared.end() :]))
    content, places = literal(raw, start, "\n".join([*[""] * above, shared[1], *[""] * below]))
    offsets: list[int] = []
    at = 0
    for char in value:
        while at < len(content) and content[at] == "\n" != char and char != " ":
            at += 1
        if at < len(content) and content[at] != char and (content[at], char) != ("\n", " "):
            return nowhere(raw, start, value)
        offsets.append(places[min(at, len(places) - 1)])
        at += 1
    return value, [*offsets, places[min(at, len(places) - 1)]]


def nowhere(raw: str, start: int, value: str) -> Placed:
    """A scalar whose content is not a copy of the file's text, or empty."""
    return "", (start,)


INDENTED = re.compile(rf"{BREAK}[ \t]*(\S[^\r\n]*)")
STYLES: dict[str, Callable[[str, int, str], Placed]] = {
    "": plain,
    "'": single,
    '"': double,
    "|": literal,
    ">": folded,
}
