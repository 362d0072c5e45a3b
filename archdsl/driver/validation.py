"""All that is wrong with a text, and what is legal there and surely not meant."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from archdsl.analyses import warnings
from archdsl.analyses.expect import hold
from archdsl.diagnostics import ArchError, Diagnostic, Source, Span, catalog
from archdsl.diagnostics.diagnostic import MOST_FINDINGS
from archdsl.diagnostics.suppression import MARK, Suppression, without_silenced
from archdsl.driver.imports import Read
from archdsl.driver.loading import Spec, elaborated, opened
from archdsl.driver.memory import memory
from archdsl.elaborate.budget import Budget
from archdsl.elaborate.scope_cache import ScopeCache
from archdsl.graph import Graph
from archdsl.syntax.document import Backbone
from archdsl.syntax.inheritance import lineage
from archdsl.syntax.scopes import FileScope

BEGINNING = 'it begins with `backbone name:`, `block name(...)` or `import "..."`'
ALL = "up to here, the networks of this file take too much work together"
APART = "move some of them to another file"
LITTLE = 0.1
"""So much of the work that one file may take leaves nearly all of it for what comes next."""


def validate(
    source: Source,
    path: Path | None,
    size: tuple[int, ...] | None = None,
    reads: list[Read] | None = None,
    known: ScopeCache | None = None,
) -> list[Diagnostic]:
    """All that is wrong with a text: with the file, with each of its backbones, and with what they expect.

    Where nothing is, its warnings: what is legal, and surely not meant. `reads` takes note of what the text imports;
    `known` is what the texts before have in common with it: it saves work where all is well, and has no part in what
    is told. The limits on work hold for all backbones of a file together.
    """
    try:
        file = opened(source, path, reads)
    except ArchError as error:
        from archdsl.driver.partial_check import elsewhere

        return elsewhere(source, error)[:MOST_FINDINGS]
    if file.is_empty:
        return [catalog.NO_BACKBONE.at(Span(source, 0, 0), "there is nothing in this file", help=BEGINNING)]
    if known is not None and known.saves:
        known.texts += 1
        if is_clean(file, size, known):
            known.clean += 1
            return unsilenced(file, [], as_declared=size is None)
    findings, unmeant = findings_of(file, size)
    return findings or unsilenced(file, unmeant, as_declared=size is None)


def is_clean(file: FileScope, size: tuple[int, ...] | None, known: ScopeCache) -> bool:
    """Whether no backbone of a file gives any finding, with what is known from others.

    Whether there are any does not depend on that; their places do, and so this tells of none.
    """
    budget = Budget()
    try:
        for backbone in file.backbones.values():
            graph = elaborated(Spec(file, backbone), input=size, known=known, budget=budget)
            if unheld(graph, backbone, size) or warnings.of_network(graph, file, backbone):
                return False
    except ArchError:
        return False
    return True


def findings_of(file: FileScope, size: tuple[int, ...] | None) -> tuple[list[Diagnostic], list[Diagnostic]]:
    """What is wrong with the backbones of a file, and, as long as nothing is, what is surely not meant."""
    findings: list[Diagnostic] = []
    unmeant: list[Diagnostic] = []
    budget = Budget()
    for backbone in file.backbones.values():
        if len(findings) >= MOST_FINDINGS:
            break
        before = budget.share
        try:
            graph = elaborated(Spec(file, backbone), input=size, budget=budget)
        except ArchError as error:
            spent = budget.share > 1
            by_others = spent and before > LITTLE
            findings += [catalog.TOO_MANY_OPS.at(backbone.span, ALL, help=APART)] if by_others else error.diagnostics
            if spent:
                break
            continue
        findings += unheld(graph, backbone, size)
        if not findings:
            unmeant += warnings_of(graph, file, backbone, budget)
    return list(dict.fromkeys(findings))[:MOST_FINDINGS], unmeant


def unheld(graph: Graph, backbone: Backbone, size: tuple[int, ...] | None) -> list[Diagnostic]:
    """What a backbone expects, of the input that it declares, and what does not hold."""
    if size is not None or not backbone.expect:
        return []
    return [outcome.finding for outcome in hold(graph, backbone.expect, memory) if outcome.finding]


def warnings_of(graph: Graph, file: FileScope, backbone: Backbone, budget: Budget | None = None) -> list[Diagnostic]:
    """What is surely not meant in a backbone's graph, and not its parent's doing."""
    found = warnings.of_network(graph, file, backbone)
    inherited: list[warnings.NetworkWarning] = []
    if warnings.inherits(found, backbone):
        home, parent = lineage(file, backbone)[1]
        with suppress(ArchError):
            other = elaborated(Spec(home, parent), input=graph.input, budget=budget)
            inherited = warnings.of_network(other, home, parent)
    return warnings.own(found, inherited, backbone)


def unsilenced(file: FileScope, unmeant: list[Diagnostic], *, as_declared: bool) -> list[Diagnostic]:
    """The warnings of a file that no comment in it silences; of another input size than declared, some do not come."""
    found = dict.fromkeys([*warnings.of_file(file), *unmeant])
    return without_silenced(found, suppressions_of(file), unused=as_declared)[:MOST_FINDINGS]


def suppressions_of(file: FileScope) -> list[Suppression]:
    """The comments of a file that silence warnings. Most files have none, and need no reader of comments."""
    if not MARK.search(file.source.text):
        return []
    from archdsl.frontend.suppressions import suppressions

    return suppressions(file.source, file.document)
