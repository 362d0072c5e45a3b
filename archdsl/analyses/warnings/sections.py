"""Sections and stages that come to nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from archdsl.analyses.warnings.case import Case, Told
from archdsl.errors import catalog
from archdsl.graph import Section
from archdsl.lang.text import syntax as ast
from archdsl.lang.text.document import Setting
from archdsl.lang.text.family import Family


def idle_sections(case: Case) -> Iterator[Told]:
    """Sections that give what they get.

    Not those whose text reads a parameter or a constant, which may be another in another network, and those that
    others read by name: they name a tensor.
    """
    idle = list(without_ops(case))
    if not idle:
        return
    names = names_by_line(case.family)
    readers = Counter(name for read in names.values() for name in read)
    variable = variables(case.family)
    for section in idle:
        mine = names[section.name]
        if mine & variable or readers[section.name] > (section.name in mine):
            continue
        leave = f"leave it out: `{section.name}: none`" if case.backbone.extends else "leave it out"
        yield Told(catalog.NO_CHANGE, section, section.span, f"`{section.name}` gives back its input unchanged", leave)


def without_ops(case: Case) -> Iterator[Section]:
    """The sections that do nothing with the output of the one before."""
    steps = {step.output: step for step in case.graph.root.steps}
    before = 0
    for section in case.graph.sections:
        if section.kind == "output":
            continue
        step = steps[section.value]
        if step.inputs == (before,) and step.scope is not None and not step.scope.totals.ops:
            yield section
        before = section.value


def names_by_line(family: Family) -> dict[str, set[str]]:
    """The names that each section and output reads."""
    lines = (line.content for line in (*family.sections, *family.outputs))
    return {line.name: set(ast.names_in([line.value])) for line in lines if not isinstance(line, Setting)}


def variables(family: Family) -> set[str]:
    """The parameters and constants of a backbone."""
    settings = (line.content for line in family.settings)
    constants = {line.target[0] for line in settings if isinstance(line, Setting)}
    return constants | {declared.parameter.name for declared in family.parameters}
