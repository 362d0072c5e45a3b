"""Text to document, and document to text, in both notations."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from archdsl.diagnostics import Source
    from archdsl.syntax.document import File


def read(source: Source) -> File:
    """The document that a source says, in the notation of its name or, without an ending, of its text."""
    from archdsl.syntax.text import is_yaml

    if is_yaml(source.name, source.text):
        from archdsl.frontend.yaml.reader import parse_yaml

        return parse_yaml(source)
    from archdsl.syntax.document import parse_file

    return parse_file(source)
