"""The small parts of a document that both notations write alike."""

from __future__ import annotations

from archdsl.frontend.printing.expressions import arguments
from archdsl.frontend.printing.layout import Layout
from archdsl.lang.document import Extends, Output, Section


def amount(text: str) -> str:
    """An amount, with its digits in groups of three."""
    return f"{int(text):_}" if text.isdecimal() and str(int(text)) == text else text


def parent(extends: Extends) -> Layout:
    """A parent, with arguments or without."""
    return (extends.parent, *arguments(extends.arguments)) if extends.arguments else extends.parent


def stage_key(section: Section) -> str:
    """The name of a stage, with the number by which it reduces."""
    return section.name if section.reduction is None else f"{section.name} / {section.reduction}"


def output_key(output: Output) -> str:
    """The name of an output, and whether it is there in training only."""
    return f"{output.name} if training" if output.training else output.name
