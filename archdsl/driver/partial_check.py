"""What else is wrong with a file of which some lines cannot be read: names and parameters in the rest of it.

Only what the text alone says is told, as shapes are others without those lines, and nothing that these may define.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress

from archdsl.diagnostics import ArchError, Diagnostic, Source, catalog
from archdsl.driver.library import SHIPPED
from archdsl.driver.loading import Spec, elaborated
from archdsl.elaborate.budget import Budget
from archdsl.syntax.document import Backbone, File
from archdsl.syntax.scopes import FileScope

BY_TEXT = {rule.code for rule in (catalog.UNKNOWN_NAME, catalog.UNKNOWN_PARAMETER, catalog.REPEATED_ARGUMENT)}
WORD = re.compile(r"[A-Za-z_]\w*")
DEFINED = re.compile(
    r"^[ \t]*+(?:(?:block|fn|stage|output|backbone)[ \t]++)?+([A-Za-z_]\w*+)|\b([A-Za-z_]\w*+)\s*+[:=]", re.MULTILINE
)
"""What a line begins with, and what stands before a `:` or `=`: names that an unreadable part may define."""
BRINGS_NAMES = re.compile(r"\s*(?:extends|import)\b")


def elsewhere(source: Source, error: ArchError) -> list[Diagnostic]:
    """The findings of a text that cannot be read, and those in what can, where that imports nothing."""
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
                elaborated(Spec(file, backbone), budget=budget)
            except ArchError as wrong:
                found += [each for each in wrong.diagnostics if doubtful.spares(each)]
    told = [*error.diagnostics, *dict.fromkeys(found)]
    return sorted(told, key=lambda each: each.span.start if each.span else 0)


class Doubtful:
    """The names that the unreadable parts of a text may define."""

    def __init__(self, source: Source, findings: Sequence[Diagnostic]) -> None:
        self.source = source
        self.defined = {first or other for first, other in DEFINED.findall(source.text)}
        lines = source.text.split("\n")
        spans = [span for each in findings for span in (each.span, *(note.span for note in each.notes))]
        numbers = {source.position(span.start)[0] for span in spans if span is not None and span.source is source}
        near = {number - 1 - above for number in numbers for above in (0, 1)}
        self.letters = " ".join(re.sub(r"\W+", "", lines[at]) for at in sorted(near) if at >= 0)
        """The lines of the findings, and those above, without signs: one of them may stand within a name."""
        is_lost = any(f"`{key}`" in each.help for key in ("extends", "import") for each in findings)
        self.all = is_lost or any(BRINGS_NAMES.match(lines[number - 1]) for number in numbers)
        """Whether any name may be one that comes from elsewhere."""

    def inherits(self, backbone: Backbone) -> bool:
        """Whether the parent of a backbone stands in this text, where its lines may be unreadable."""
        return backbone.extends is not None and self.may_define(backbone.extends.parent)

    def may_define(self, name: str) -> bool:
        """Whether an unreadable part may define a name."""
        return bool(name) and (name in self.defined or name in self.letters)

    def spares(self, finding: Diagnostic) -> bool:
        """Whether a finding stays, whatever the unreadable parts say."""
        if finding.code not in BY_TEXT or finding.span is None or finding.span.source is not self.source:
            return False
        is_name = finding.code == catalog.UNKNOWN_NAME.code
        return not (is_name and any(map(self.may_define, WORD.findall(finding.span.text))))
