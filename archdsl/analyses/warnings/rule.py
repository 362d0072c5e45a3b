"""Network under the rules of warnings, and their findings."""

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

# Number of ops that are looked at one by one. Nobody writes more by hand.
MOST_OPS = 50_000

MANY = 1000


class NetworkWarning(NamedTuple):
    """Observation of a rule at a location, and a better way."""

    rule: DiagnosticKind
    section: Section
    span: Span | None
    label: str
    help: str
    where: str = ""

    @property
    def key(self) -> tuple[str, Span | None]:
        """Identity of a finding, to compare with a parent's."""
        return self.rule.code, self.span

    def diagnostic(self, span: Span | None, count: int) -> Diagnostic:
        """Finding at a location, with the number of those there."""
        more = f" ({count if count < MANY else f'{MANY} and more'} times here)" if count > 1 else ""
        return self.rule.at(span, self.label + more, help=self.help, where=self.where)


class CheckedNetwork:
    """Network with analyses that are computed when first asked for."""

    def __init__(self, graph: Graph, file: FileScope, backbone: Backbone) -> None:
        self.graph = graph
        self.file = file
        self.backbone = backbone

    @cached_property
    def family(self) -> ResolvedNetwork:
        """Network with the lines of its parents."""
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
        """Ops one by one, for rules that found something in `ops`."""
        from archdsl.analyses.flatten import ops_of

        return list(islice(ops_of(self.graph, training=True), MOST_OPS))

    @cached_property
    def makers(self) -> dict[int, Placed]:
        """Op that makes each tensor."""
        return {tensor: each for each in self.placed for tensor in each.gives}


def place_of(placed: Placed) -> Span | None:
    """Location of an op in the section's own text, as near as the text tells."""
    # Loading the flat view takes time that most checks, without any warning, need not spend.
    from archdsl.analyses.flatten import nearest_span

    return nearest_span(placed, (*placed.trail[2:], placed.scope))
