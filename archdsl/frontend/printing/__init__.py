"""Document to text, in both notations: one canonical layout, whose parse is the document again."""

from __future__ import annotations

from archdsl.lang.text.document import Document


def to_arch(document: Document) -> str:
    """The document as a `.arch` file."""
    from archdsl.frontend.printing.arch import arch_text

    return arch_text(document)


def to_yaml(document: Document) -> str:
    """The document as a YAML file."""
    from archdsl.frontend.printing.yaml import yaml_text

    return yaml_text(document)
