"""Check the parts that parse, in a text with lines that do not: names and parameters.

Shapes would differ with the missing lines, so no finding on them is reported, and none on a name that these lines may
define.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress

from archdsl.diagnostics import ArchError, Diagnostic, Source, catalog, nearest
from archdsl.driver.library import SHIPPED
from archdsl.driver.loading import elaborated
from archdsl.driver.network import Network
from archdsl.elaborate.budget import Budget
from archdsl.syntax.document import Backbone, File
from archdsl.syntax.scopes import FileScope

# Findings that depend on the text alone.
BY_TEXT = {rule.code for rule in (catalog.UNKNOWN_NAME, catalog.UNKNOWN_PARAMETER, catalog.REPEATED_ARGUMENT)}
WORD = re.compile(r"[A-Za-z_]\w*")
# First word of a line, and words before `:` or `=`: names that an unreadable line may define.
DEFINED = re.compile(
    r"^[ \t]*+(?:(?:block|fn|stage|output|backbone)[ \t]++)?+([A-Za-z_]\w*+)|\b([A-Za-z_]\w*+)\s*+[:=]", re.MULTILINE
)
BRINGING_NAMES = ("extends", "import")


def check_rest(source: Source, error: ArchError) -> list[Diagnostic]:
    """Findings of a text that does not parse, and those in its other parts, unless it imports files."""
    rest = error.rest
    doubtful = Doubtful(source, error.diagnostics)
    if not isinstance(rest, File) or rest.imports or doubtful.all:
        return error.diagnostics
    found: list[Diagnostic] = []
    budget = Budget()
    with suppress(ArchError):
        file = FileScope(rest, source, SHIPPED)
        for backbone in file.backbones.values():
            if doubtful.inherits(backbone):
                continue
            try:
                elaborated(Network.of(file, backbone), budget=budget)
            except ArchError as wrong:
                found += [each for each in wrong.diagnostics if doubtful.keeps(each)]
    told = [*error.diagnostics, *dict.fromkeys(found)]
    return sorted(told, key=lambda each: each.span.start if each.span else 0)


class Doubtful:
    """Names that the unreadable parts of a text may define."""

    def __init__(self, source: Source, findings: Sequence[Diagnostic]) -> None:
        self.source = source
        self.defined = {first or other for first, other in DEFINED.findall(source.text)}
        lines = source.text.split("\n")
        spans = [span for each in findings for span in (each.span, *(note.span for note in each.notes))]
        numbers = {source.position(span.start)[0] for span in spans if span is not None and span.source is source}
        near = {number - 1 - above for number in numbers for above in (0, 1)}
        self.letters = " ".join(re.sub(r"\W+", "", lines[at]) for at in sorted(near) if at >= 0)
        """Lines of the findings, and those above, without punctuation, which may stand within a name by mistake."""
        # A misspelled `extends` or `import` loses all names that it would have brought.
        starts = [lines[number - 1] for number in numbers]
        starts += [each.span.text for each in findings if each.span is not None]
        words = {found[0] for start in starts if (found := WORD.search(start))}
        self.all = any(nearest(word, BRINGING_NAMES) for word in words)

    def inherits(self, backbone: Backbone) -> bool:
        """Tell whether a network's parent is in this text, where its lines may be unreadable."""
        return backbone.extends is not None and self.may_define(backbone.extends.parent)

    def may_define(self, name: str) -> bool:
        """Tell whether an unreadable part may define a name."""
        return bool(name) and (name in self.defined or name in self.letters)

    def keeps(self, finding: Diagnostic) -> bool:
        """Tell whether a finding holds, whatever the unreadable parts say."""
        if finding.code not in BY_TEXT or finding.span is None or finding.span.source is not self.source:
            return False
        is_name = finding.code == catalog.UNKNOWN_NAME.code
        return not (is_name and any(map(self.may_define, WORD.findall(finding.span.text))))
