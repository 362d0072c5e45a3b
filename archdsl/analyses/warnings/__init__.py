"""Warnings on specs that are legal but surely not meant: functions in two tables, of texts and of networks.

They apply to files without errors only. `# archdsl: allow W201` silences one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from archdsl.analyses.warnings.network_rules import (
    constants,
    idle_biases,
    idle_sections,
    narrow_gates,
    odd_numbers,
    odd_powers,
    rows_left_out,
)
from archdsl.analyses.warnings.rule import CheckedNetwork, NetworkWarning
from archdsl.analyses.warnings.text_rules import channels_last, hiding_names, unread_parameters, unused_definitions
from archdsl.diagnostics import Diagnostic, Span
from archdsl.elaborate.blame import encloses
from archdsl.graph import Graph
from archdsl.syntax.document import Backbone
from archdsl.syntax.scopes import FileScope

TEXTS: tuple[Callable[[FileScope], Iterator[Diagnostic]], ...] = (
    unused_definitions,
    unread_parameters,
    hiding_names,
    channels_last,
)
NETWORKS: tuple[Callable[[CheckedNetwork], Iterator[NetworkWarning]], ...] = (
    rows_left_out,
    idle_sections,
    idle_biases,
    odd_numbers,
    odd_powers,
    constants,
    narrow_gates,
)


def of_file(file: FileScope) -> list[Diagnostic]:
    """Warnings from the text of a file; imported files are judged on their own."""
    return [finding for rule in TEXTS for finding in rule(file)]


def of_network(graph: Graph, file: FileScope, backbone: Backbone) -> list[NetworkWarning]:
    """Warnings from a network's graph, the lines of its parents included."""
    # Shared by all rules, so that no analysis runs twice.
    case = CheckedNetwork(graph, file, backbone)
    return [told for rule in NETWORKS for told in rule(case)]


def own(found: list[NetworkWarning], inherited: list[NetworkWarning], backbone: Backbone) -> list[Diagnostic]:
    """Warnings of a network itself, one for each location.

    A warning in its own lines or settings is reported there. One in a parent's line is reported at the network's
    name, unless the parent has it (`inherited`) without this network.
    """
    lines = {line.name for line in (*backbone.sections, *backbone.outputs)}
    known = {told.key for told in inherited}
    places: dict[tuple[str, Span | None], list[NetworkWarning]] = {}
    for told in found:
        mine = told.section.name in lines or any(encloses(each.span, told.span) for each in backbone.settings)
        if mine or told.key not in known:
            places.setdefault((told.rule.code, told.span if mine else backbone.span), []).append(told)
    return [several[0].diagnostic(span, len(several)) for (_, span), several in places.items()]


def inherits(found: list[NetworkWarning], backbone: Backbone) -> bool:
    """Tell whether some findings are in a parent's lines."""
    lines = {line.name for line in (*backbone.sections, *backbone.outputs)}
    return backbone.extends is not None and any(told.section.name not in lines for told in found)
