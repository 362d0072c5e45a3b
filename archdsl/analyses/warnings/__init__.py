"""Warnings: what is legal, and surely not meant. Each is a function in one of two tables: of texts, of networks.

They are looked for in files without errors only. `# archdsl: allow W201` silences one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from archdsl.analyses.warnings.network_rules import idle_biases, idle_sections, narrow_gates, rows_left_out
from archdsl.analyses.warnings.rule import CheckedNetwork, NetworkWarning
from archdsl.analyses.warnings.text_rules import channels_last, hiding_names, unread_parameters, unused_definitions
from archdsl.analyses.warnings.value_rules import constants, odd_numbers, odd_powers
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
    """What the text of a file gives; imported files are judged by themselves."""
    return [finding for rule in TEXTS for finding in rule(file)]


def of_network(graph: Graph, file: FileScope, backbone: Backbone) -> list[NetworkWarning]:
    """What a backbone's graph gives, with the lines of its parents."""
    case = CheckedNetwork(graph, file, backbone)
    return [told for rule in NETWORKS for told in rule(case)]


def own(found: list[NetworkWarning], inherited: list[NetworkWarning], backbone: Backbone) -> list[Diagnostic]:
    """A backbone's own warnings, one for each place in the text.

    What stands in its own lines and settings is told there. What a parent's line gives is told at the backbone's name,
    unless that line gives it (`inherited`) without this backbone.
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
    """Whether some of what was found stands in a parent's lines."""
    lines = {line.name for line in (*backbone.sections, *backbone.outputs)}
    return backbone.extends is not None and any(told.section.name not in lines for told in found)
