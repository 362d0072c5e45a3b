"""What has to hold of any text: it is refused with findings that have places, or it is a network; and at once."""

from __future__ import annotations

from collections import Counter

from archdsl import driver
from archdsl.diagnostics import ArchError, Diagnostic, Source
from archdsl.diagnostics.characters import is_unseen
from archdsl.diagnostics.diagnostic import render
from archdsl.driver import validation
from archdsl.driver.partial_check import check_rest
from archdsl.graph import Graph
from tests.working import bounded

MOST_CALLS = 40_000_000
"""Of functions; the limits on what is worked out keep every text far below."""
LONGEST_MESSAGE = 300_000
SMALL = (3, 64, 64)
STAGES = ("refused as text", "refused when worked out", "a network", "no network in it")


class Examiner:
    """Examines texts, and counts how far they come; `codes` are counted once a text, `most` are the calls of one."""

    def __init__(self) -> None:
        self.reached: Counter[str] = Counter()
        self.codes: Counter[str] = Counter()
        self.most = 0

    def examine(self, name: str, text: str) -> list[Graph]:
        """The networks of a text; raises AssertionError, or whatever the package raises and should not."""
        with bounded(MOST_CALLS) as work:
            graphs, stage = self.worked_out(Source(name, text))
        self.most = max(self.most, work.calls)
        self.reached[stage] += 1
        return graphs

    def worked_out(self, source: Source) -> tuple[list[Graph], str]:
        """The networks of a text, and how far it came."""
        try:
            file = driver.opened(source)
        except ArchError as error:
            self.check(check_rest(source, error), source)
            return [], STAGES[0]
        graphs: list[Graph] = []
        unmeant: list[Diagnostic] = []
        refused = False
        for backbone in file.backbones.values():
            try:
                graphs.append(driver.compile(driver.Network.of(file, backbone)))
                unmeant += validation.warnings_of(graphs[-1], file, backbone)
            except ArchError as error:
                refused = True
                self.check(error.diagnostics, source)
        if refused:
            return graphs, STAGES[1]
        if warned := validation.remaining_warnings(file, unmeant, as_declared=True):
            self.check(warned, source)
        return graphs, STAGES[2] if graphs else STAGES[3]

    def check(self, findings: list[Diagnostic], source: Source) -> None:
        """Findings have codes, places that are there, and a bounded text that steers no terminal."""
        assert findings
        self.codes.update({each.code for each in findings})
        for each in findings:
            for span in (each.span, *(note.span for note in each.notes)):
                assert span is None or 0 <= span.start <= span.end <= len(span.source.text)
        assert all(each.span is not None for each in findings), render(findings)
        shown = render(findings)
        assert len(shown) < LONGEST_MESSAGE
        assert not any(map(is_unseen, shown))


def affordable(graph: Graph) -> bool:
    """Whether a network can be built and run in a test."""
    totals = graph.root.totals
    return totals.params < 3_000_000 and totals.macs < 100_000_000 and totals.activations < 10_000_000
