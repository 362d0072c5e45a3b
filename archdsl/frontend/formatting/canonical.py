"""A text in its canonical layout: read, printed, and held against what it was before."""

from __future__ import annotations

import re
from typing import Literal

from archdsl.errors import Source, Span, catalog
from archdsl.frontend import read
from archdsl.frontend.formatting.arch import notes_of_arch
from archdsl.frontend.formatting.yaml import notes_of_yaml
from archdsl.frontend.notation import is_yaml
from archdsl.frontend.printing.arch import arch_text
from archdsl.frontend.printing.notes import Notes
from archdsl.frontend.printing.yaml import yaml_text
from archdsl.lang.text.document import Document

Notation = Literal["arch", "yaml"]
ALIAS = re.compile(r"(?<!\S)\*\w")
"""What an alias stands for has its comments at the first place only; at others, it is laid out anew without them."""


def formatted(source: Source, to: Notation | None = None) -> str:
    """The canonical layout of a text, in its own notation or in another; raises ArchError for one that has errors."""
    clean = Source(source.name, plain(source.text))
    own: Notation = "yaml" if is_yaml(clean.name, clean.text) else "arch"
    target = to or own
    document = read(clean)
    notes, comments = noted(clean, document, own)
    if target == "yaml":
        text = yaml_text(document, notes)
    else:
        notes.above = own == "yaml"
        notes.lead()
        text = arch_text(document, notes, ordered=own == "arch")
    printed = Source(f"<formatted>.{target}", text)
    hold(printed, document, comments, source)
    return formatted(printed) if own == "yaml" and ALIAS.search(clean.text) else text


def plain(text: str) -> str:
    """A text with one kind of line end, and without byte order mark."""
    return text.removeprefix("\ufeff").replace("\r\n", "\n")


def noted(source: Source, document: Document, notation: Notation) -> tuple[Notes, list[str]]:
    """What a document does not hold of its text, and the comments in it."""
    return notes_of_yaml(source, document) if notation == "yaml" else notes_of_arch(source, document)


def hold(printed: Source, document: Document, comments: list[str], source: Source) -> None:
    """Raises ArchError where a text does not say what it should say, with all comments: a mistake of ours."""
    again = read(printed)
    _, kept = noted(printed, again, "yaml" if printed.name.endswith("yaml") else "arch")
    same = again == document and repr(again) == repr(document)
    if not same or sorted(kept) != sorted(comments):
        what = "some comments would be lost" if same else "it would say something else"
        help = "it is left unchanged; this is a bug in archdsl: please report it, with the file"
        raise catalog.OUTPUT.error(Span(source, 0, 0), f"this cannot be formatted: {what}", help=help)
