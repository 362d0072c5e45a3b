"""What the rules on networks look at, and what they find."""

from __future__ import annotations

from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from archdsl.diagnostics import Diagnostic, DiagnosticKind, Span
from archdsl.graph import Graph, Scope, Section
from archdsl.syntax.document import Backbone
from archdsl.syntax.inheritance import ResolvedNetwork, resolve
from archdsl.syntax.scopes import FileScope

if TYPE_CHECKING:
    from archdsl.analyses.flatten import Placed

MOST_OPS = 50_000
"""So many ops of a network are looked at one by one; more are never all written by hand."""

MANY = 1000


class NetworkWarning(NamedTuple):
    """What a rule says of a place in a network: what is there, and what would be better."""

    rule: DiagnosticKind
    section: Section
    span: Span | None
    label: str
    help: str
    where: str = ""

    @property
    def key(self) -> tuple[str, Span | None]:
        """What makes it the same finding as that of a parent."""
        return self.rule.code, self.span

    def diagnostic(self, span: Span | None, count: int) -> Diagnostic:
        """As a finding at a place, with the number of those that are there."""
        more = f" ({count if count < MANY else f'{MANY} and more'} times here)" if count > 1 else ""
        return self.rule.at(span, self.label + more, help=self.help, where=self.where)


class CheckedNetwork:
    """A network, with what the rules need of it, each worked out when it is first asked for."""

    def __init__(self, graph: Graph, file: FileScope, backbone: Backbone) -> None:
        self.graph = graph
        self.file = file
        self.backbone = backbone

    @cached_property
    def family(self) -> ResolvedNetwork:
        """The backbone with the lines of its parents."""
        return resolve(self.file, self.backbone)

    @cached_property
    def ops(self) -> list[Scope]:
        """Each different op, whatever the number of repeats."""
        seen = {self.graph.root}
        stack = [self.graph.root]
        while stack:
            scope = stack.pop()
            below = {step.scope for step in scope.steps if step.scope is not None}
            below.update([run.scope for child in scope.children for run in child.runs])
            below -= seen
            seen |= below
            stack += [each for each in below if each.op is None]
        return [scope for scope in seen if scope.op is not None]

    @cached_property
    def placed(self) -> list[Placed]:
        """The ops one by one, for rules that have found something in `ops`."""
        from archdsl.analyses.flatten import ops_of

        return list(islice(ops_of(self.graph, training=True), MOST_OPS))

    @cached_property
    def makers(self) -> dict[int, Placed]:
        """The op that gives each tensor."""
        return {tensor: each for each in self.placed for tensor in each.gives}


def place_of(placed: Placed) -> Span | None:
    """Where in the section's own text an op comes from, as near as that text tells."""
    section = placed.section.span
    if section is None:
        return None
    inside = [scope.span for scope in (*placed.trail[2:], placed.scope) if scope.span is not None]
    near = [span for span in inside if span.source is section.source and section.start <= span.start < section.end]
    return near[-1] if near else section
