"""Text to document, and document to text, in both notations."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from archdsl.errors import Source
    from archdsl.lang.text.document import Document


def read(source: Source) -> Document:
    """The document that a source says, in the notation of its name or, without an ending, of its text."""
    from archdsl.frontend.notation import is_yaml

    if is_yaml(source.name, source.text):
        from archdsl.frontend.yaml.parser import parse_yaml

        return parse_yaml(source)
    from archdsl.frontend.arch.parser import parse_file

    return parse_file(source)
