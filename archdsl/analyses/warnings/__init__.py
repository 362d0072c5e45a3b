"""Warnings: what is legal, and surely not meant. Each is a function in one of two tables: of texts, of networks.

They are looked for in files without errors only. `# archdsl: allow W201` silences one (`archdsl.errors.allowance`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from archdsl.analyses.warnings.biases import idle_biases
from archdsl.analyses.warnings.case import Case, Told
from archdsl.analyses.warnings.gates import narrow_gates
from archdsl.analyses.warnings.numbers import constants, odd_numbers, odd_powers
from archdsl.analyses.warnings.sections import idle_sections
from archdsl.analyses.warnings.texts import channels_last, hiding_names, unread_parameters, unused_definitions
from archdsl.analyses.warnings.windows import rows_left_out
from archdsl.errors import Diagnostic, Span
from archdsl.graph import Graph
from archdsl.lang.text.document import Backbone
from archdsl.lang.text.files import File
from archdsl.lang.values.faults import encloses

TEXTS: tuple[Callable[[File], Iterator[Diagnostic]], ...] = (
    unused_definitions,
    unread_parameters,
    hiding_names,
    channels_last,
)
NETWORKS: tuple[Callable[[Case], Iterator[Told]], ...] = (
    rows_left_out,
    idle_sections,
    idle_biases,
    odd_numbers,
    odd_powers,
    constants,
    narrow_gates,
)


def of_file(file: File) -> list[Diagnostic]:
    """What the text of a file gives; imported files are judged by themselves."""
    return [finding for rule in TEXTS for finding in rule(file)]


def of_network(graph: Graph, file: File, backbone: Backbone) -> list[Told]:
    """What a backbone's graph gives, with the lines of its parents."""
    case = Case(graph, file, backbone)
    return [told for rule in NETWORKS for told in rule(case)]


def own(found: list[Told], inherited: list[Told], backbone: Backbone) -> list[Diagnostic]:
    """A backbone's own warnings, one for each place in the text.

    What stands in its own lines and settings is told there. What a parent's line gives is told at the backbone's name,
    unless that line gives it (`inherited`) without this backbone.
    """
    lines = {line.name for line in (*backbone.sections, *backbone.outputs)}
    known = {told.key for told in inherited}
    places: dict[tuple[str, Span | None], list[Told]] = {}
    for told in found:
        mine = told.section.name in lines or any(encloses(each.span, told.span) for each in backbone.settings)
        if mine or told.key not in known:
            places.setdefault((told.rule.code, told.span if mine else backbone.span), []).append(told)
    return [several[0].diagnostic(span, len(several)) for (_, span), several in places.items()]


def inherits(found: list[Told], backbone: Backbone) -> bool:
    """Whether some of what was found stands in a parent's lines."""
    lines = {line.name for line in (*backbone.sections, *backbone.outputs)}
    return backbone.extends is not None and any(told.section.name not in lines for told in found)
