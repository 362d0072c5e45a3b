"""Validate a text: all its errors, or else its warnings."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from archdsl.analyses import warnings
from archdsl.analyses.expect import check_all
from archdsl.diagnostics import ArchError, Diagnostic, Source, Span, catalog
from archdsl.diagnostics.diagnostic import MOST_FINDINGS
from archdsl.diagnostics.suppression import MARK, Suppression, without_silenced
from archdsl.driver.imports import Read
from archdsl.driver.loading import elaborated, file_of, load, memory, opened
from archdsl.driver.network import Network
from archdsl.elaborate.budget import Budget
from archdsl.elaborate.name_check import check_names
from archdsl.elaborate.scope_cache import ScopeCache
from archdsl.graph import Graph, called_elsewhere
from archdsl.syntax.document import Backbone
from archdsl.syntax.inheritance import lineage
from archdsl.syntax.scopes import FileScope

BEGINNING = 'it begins with `backbone name:`, `block name(...)` or `import "..."`'
KEYS = "give the keys of a network: `name`, `input`, `stages`, ..."
ALL = "up to here, the networks of this file take too much work together"
APART = "move some of them to another file"
# Share of the budget of one file that leaves nearly all of it for the next network.
LITTLE = 0.1


def validate(
    source: Source,
    path: Path | None,
    size: tuple[int, ...] | None = None,
    reads: list[Read] | None = None,
    known: ScopeCache | None = None,
) -> list[Diagnostic]:
    """All errors in a text: in the file, in each of its networks, and in their `expect`; without errors, its warnings.

    `reads` collects the imports. `known` is shared with the texts before: it saves work if all is well, and never
    changes a finding. The limits on work hold for all networks of a file together.
    """
    try:
        file = opened(source, path, reads)
    except ArchError as error:
        from archdsl.driver.partial_check import check_rest

        return check_rest(source, error)[:MOST_FINDINGS]
    if file.is_empty:
        return [catalog.NO_BACKBONE.at(Span(source, 0, 0), "there is nothing in this file", help=BEGINNING)]
    if known is not None and known.saves:
        known.texts += 1
        if is_clean(file, size, known):
            known.clean += 1
            return remaining_warnings(file, [], as_declared=size is None)
    return all_findings(file, size)


def validate_data(
    spec: Network | Mapping[str, Any], size: tuple[int, ...] | None, base: str | Path | None
) -> list[Diagnostic]:
    """All that is wrong with a network of Python's, or with a dict of the keys of a file; else its warnings."""
    try:
        file = load(spec, base=base).scope if isinstance(spec, Network) else file_of(spec, base)
    except ArchError as error:
        return error.diagnostics
    if file.is_empty:
        return [catalog.NO_BACKBONE.at(Span(file.source, 0, 0), "there is nothing in this dict", help=KEYS)]
    return all_findings(file, size)


def all_findings(file: FileScope, size: tuple[int, ...] | None) -> list[Diagnostic]:
    """Errors of the networks of a file, and of the text that none of them gets to; without errors, the warnings."""
    findings, unmeant = findings_in(file, size)
    places = {each.span for each in findings}
    findings += [each for each in check_names(file) if each.span not in places]
    return findings[:MOST_FINDINGS] or remaining_warnings(file, unmeant, as_declared=size is None)


def is_clean(file: FileScope, size: tuple[int, ...] | None, known: ScopeCache) -> bool:
    """Tell whether no network of a file has a finding, with scopes shared between files."""
    # Sharing does not change whether there are findings, but their spans; so none is returned.
    budget = Budget()
    if check_names(file):
        return False
    try:
        for backbone in file.backbones.values():
            graph = elaborated(Network.of(file, backbone), input=size, known=known, budget=budget)
            if failed_checks(graph, backbone, size) or warnings.of_network(graph, file, backbone):
                return False
    except ArchError:
        return False
    return True


def findings_in(file: FileScope, size: tuple[int, ...] | None) -> tuple[list[Diagnostic], list[Diagnostic]]:
    """Errors of the networks of a file, and, as long as there are none, their warnings."""
    findings: list[Diagnostic] = []
    unmeant: list[Diagnostic] = []
    budget = Budget()
    for backbone in file.backbones.values():
        if len(findings) >= MOST_FINDINGS:
            break
        before = budget.share
        try:
            graph = elaborated(Network.of(file, backbone), input=size, budget=budget)
        except ArchError as error:
            spent = budget.share > 1
            # A network that would pass alone is not blamed for the work of others.
            by_others = spent and before > LITTLE
            findings += [catalog.TOO_MANY_OPS.at(backbone.span, ALL, help=APART)] if by_others else error.diagnostics
            if spent:
                break
            continue
        findings += failed_checks(graph, backbone, size)
        if not findings:
            unmeant += warnings_of(graph, file, backbone, budget)
    return list(dict.fromkeys(findings))[:MOST_FINDINGS], unmeant


def failed_checks(graph: Graph, backbone: Backbone, size: tuple[int, ...] | None) -> list[Diagnostic]:
    """Shared blocks that cannot be one module, and failed checks of `expect`, which are about the declared input."""
    found = misshared(graph)
    if size is None and backbone.expect:
        found += [outcome.finding for outcome in check_all(graph, backbone.expect, memory) if outcome.finding]
    return found


def misshared(graph: Graph) -> list[Diagnostic]:
    """Blocks that are shared (`share`) between shapes on which no one module does the same."""
    if not any(called_elsewhere(graph.root)):
        return []
    from archdsl.backends.torch.supported import unshareable

    return unshareable(graph)


def warnings_of(graph: Graph, file: FileScope, backbone: Backbone, budget: Budget | None = None) -> list[Diagnostic]:
    """Warnings on a network's graph that its parent does not have."""
    found = warnings.of_network(graph, file, backbone)
    inherited: list[warnings.Finding] = []
    if warnings.inherits(found, backbone):
        home, parent = lineage(file, backbone)[1]
        with suppress(ArchError):
            other = elaborated(Network.of(home, parent), input=graph.input, budget=budget)
            inherited = warnings.of_network(other, home, parent)
    return warnings.own(found, inherited, backbone)


def remaining_warnings(file: FileScope, unmeant: list[Diagnostic], *, as_declared: bool) -> list[Diagnostic]:
    """Warnings of a file that no comment silences. With another input size, unused comments are not reported."""
    found = dict.fromkeys([*warnings.of_file(file), *unmeant])
    return without_silenced(found, suppressions_of(file), unused=as_declared)[:MOST_FINDINGS]


def suppressions_of(file: FileScope) -> list[Suppression]:
    """The comments of a file that silence warnings. Most files have none, and need no reader of comments."""
    if not MARK.search(file.source.text):
        return []
    from archdsl.frontend.suppressions import suppressions

    return suppressions(file.source, file.document)
