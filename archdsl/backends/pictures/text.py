"""Widths of texts, and their division into lines.

The widths are those of Liberation Sans, which are Arial's and Helvetica's; a picture tells the width of each text to
the viewer (`textLength`), so that another font does not change the layout.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

REGULAR = """
278 278 355 556 556 889 667 191 333 333 389 584 278 333 278 278 556 556 556 556 556 556 556 556 556 556 278 278 584 584
584 556 1015 667 667 722 722 667 611 778 722 278 500 667 556 833 722 778 667 778 722 667 611 722 667 944 667 667 611 278
278 278 469 556 333 556 556 500 556 556 278 556 556 222 222 500 222 833 556 556 556 556 333 500 278 556 500 722 500 500
500 334 260 334 584
"""
BOLD = """
278 333 474 556 556 889 722 238 333 333 389 584 278 333 278 278 556 556 556 556 556 556 556 556 556 556 333 333 584 584
584 611 975 722 722 722 722 667 611 778 722 278 556 722 611 833 722 778 667 778 722 667 611 722 667 944 667 667 611 333
278 333 584 556 333 556 611 556 611 556 333 611 611 278 278 556 278 889 611 611 611 611 389 556 333 611 556 778 556 556
500 389 280 389 584
"""
# In thousandths of the size, from the blank to the tilde.
WIDTHS = tuple(dict(zip(map(chr, range(32, 127)), map(int, table.split()), strict=True)) for table in (REGULAR, BOLD))
OTHERS = {"×": 584, "→": 1000, "·": 278, "…": 1000, "–": 556, "½": 834, "¼": 834, "¾": 834, "²": 333, "≥": 549}
WIDEST = 1000
# Not behind `et al.`, nor behind initials.
SENTENCE = re.compile(r"(?<!\bal\.)(?<!\b[A-Z]\.)(?<=[.;])\s+(?=[A-Z0-9])")


def width(text: str, size: float, *, bold: bool = False) -> float:
    """Width of a text in points."""
    table = WIDTHS[bold]
    return sum(table.get(letter) or OTHERS.get(letter, WIDEST) for letter in text) * size / 1000


def wrapped(text: str, size: float, room: float, most: int, *, bold: bool = False, at: str = " ") -> list[str]:
    """Lines of a text that fit a width, broken at blanks (or behind commas); what is too much becomes `…`."""
    lines: list[str] = []
    words = [f"{word}," for word in text.split(", ")[:-1]] + text.split(", ")[-1:] if at == "," else text.split()
    for word in words:
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and width(longer, size, bold=bold) <= room:
            lines[-1] = longer
        elif len(lines) == most:
            lines[-1] = cut(f"{lines[-1].rstrip('.,;:')} …", size, room, bold=bold)
            return lines
        else:
            lines.append(cut(word, size, room, bold=bold))
    return lines


def cut(text: str, size: float, room: float, *, bold: bool = False) -> str:
    """Text that fits a width; its end gives way to `…`."""
    if width(text, size, bold=bold) <= room:
        return text
    kept = text.removesuffix(" …")
    while kept and width(f"{kept}…", size, bold=bold) > room:
        kept = kept[:-1]
    return f"{kept.rstrip()}…"


def sentences(doc: str, size: float, room: float, most: int) -> list[str]:
    """Lines of as many whole sentences of a docstring's first paragraph as fit; at least its beginning."""
    paragraph = " ".join(doc.strip().partition("\n\n")[0].replace("`", "").split())
    found: list[str] = []
    text = ""
    for sentence in SENTENCE.split(paragraph):
        text = f"{text} {sentence}".strip()
        lines = wrapped(text, size, room, most)
        if lines and lines[-1].endswith("…"):
            return found or lines
        found = lines
    return found


def widest(texts: Iterable[tuple[str, float, bool]]) -> float:
    """Width of the widest of texts with their sizes and weights; 0 of none."""
    return max((width(text, size, bold=bold) for text, size, bold in texts), default=0.0)
