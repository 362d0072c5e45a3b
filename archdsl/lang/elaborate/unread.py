"""Sections that inference has no need of: they would hold weights, be counted, and never run."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from archdsl.errors import Diagnostic, Note, catalog, listed
from archdsl.graph import Section, Step, needed, values_read

MOST_NAMED = 3


def unread(sections: Sequence[Section], steps: Sequence[Step]) -> list[Diagnostic]:
    """What is wrong with each section that nothing reads; not with those that only such a one reads."""
    named = {each.value: each for each in sections}
    reads = {step.output: [named[value] for value in values_read(step.inputs) if value in named] for step in steps}
    chain = [each for each in sections if each.kind != "output"]
    always = [each.value for each in sections if each.kind == "output" and not each.training_only]
    in_use = needed([chain[-1].value, *always], steps)
    readers: dict[int, list[Section]] = {}
    for reader in sections:
        for each in reads[reader.value] if reader.value not in in_use else ():
            readers.setdefault(each.value, []).append(reader)
    idle = [(section, after) for section, after in pairwise(chain) if section.value not in in_use]
    by = {section: readers.get(section.value, []) for section, _ in idle}
    return [
        about(section, after, reads[after.value], by[section])
        for section, after in idle
        if all(each.training_only for each in by[section])
    ]


def about(section: Section, after: Section, reads: list[Section], by: list[Section]) -> Diagnostic:
    """What is said of a section that nothing reads, or only outputs in training, and of the one that comes next."""
    label = f"nothing uses the output of `{section.name}`"
    help = f"leave it out, or start a line from it: `{section.name} -> ...`"
    if by:
        label += f" but {names(by)}, in training only"
        help = "move the blocks of this section into the output"
    note = Note(after.span, f"`{after.name}` comes next, and reads {names(reads)}")
    return catalog.UNUSED.at(section.span, label, help=help, notes=(note,))


def names(sections: Sequence[Section]) -> str:
    """Sections by name, the first few."""
    return listed(dict.fromkeys(each.name for each in sections[:MOST_NAMED]))
