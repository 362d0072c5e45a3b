"""Document to text, in both notations: one canonical layout, whose parse is the document again."""

from __future__ import annotations

from typing import Any

from archdsl.syntax.document import File


def to_arch(document: File) -> str:
    """The document as a `.arch` file."""
    from archdsl.frontend.format.arch import arch_text

    return arch_text(document)


def to_yaml(document: File) -> str:
    """The document as a YAML file."""
    from archdsl.frontend.format.yaml import yaml_text

    return yaml_text(document)


def to_data(document: File) -> dict[str, Any]:
    """The document as plain data: what its YAML file holds, in which every scalar is a text."""
    from yaml import BaseLoader, load

    return load(to_yaml(document), Loader=BaseLoader)
