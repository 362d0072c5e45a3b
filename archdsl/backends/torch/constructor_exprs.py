"""The expressions by which a constructor makes its modules: `Cna(64, 128, kernel=3)`, `chain(...)`, rows."""

from __future__ import annotations

import ast
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from typing import Any, NamedTuple, cast

from archdsl.backends.torch import arithmetic
from archdsl.backends.torch.class_clustering import ClassGroup, Path, below, step_between
from archdsl.backends.torch.class_table import Registry
from archdsl.backends.torch.constructor_args import ChannelCount, ClassArguments, Columns, Hint, same
from archdsl.backends.torch.lowering import in_line, in_list, is_identity, numeral, spelling
from archdsl.backends.torch.pysource import Doc, atom, call, comprehension, keyword, listing, literal, number, prefixed
from archdsl.graph import Child, Origin, Run, Scope, Spread, Step, is_list
from archdsl.record import MISSING

# Facts that follow from other facts of the same op.
DERIVED = {"padding": ("kernel // 2", "dilation * (kernel - 1) // 2")}
# Arguments of classes that go by position.
LEADING = ("in_channels", "out")
# Two equal modules of at most so many characters are written out.
SHORT = 40
# Least number of modules in a row that make a loop.
FEWEST = 3

# A child with its expression; for a row, those of its modules.
Link = tuple[Child, Doc | list[Doc]]


class Site(NamedTuple):
    """The site of an expression: scopes side by side, and, in a class's own text, the path to them."""

    scopes: tuple[Scope, ...]
    columns: Columns
    path: Path | None = None
    # The channels of the input, with their text.
    channels: ChannelCount | None = None

    def having(self, name: str) -> Site:
        """The part of a site whose scopes have a child of this name: all of it, but for classes of two forms."""
        kept = [at for at, scope in enumerate(self.scopes) if name in scope.by_name]
        if len(kept) == len(self.scopes):
            return self
        instances = tuple(self.columns.instances[at] for at in kept)
        return self._replace(scopes=tuple(self.scopes[at] for at in kept), columns=Columns(instances))


class Constructor:
    """Writer of the expressions of one class: `frame` names its numbers, `given` what its constructor is given."""

    def __init__(
        self, registry: Registry, frame: ClassArguments, given: dict[Path, str], dropped: frozenset[Path]
    ) -> None:
        self.registry = registry
        self.frame = frame
        self.given = given
        self.dropped = dropped
        # The output channels of the module that was written last, with their text.
        self.channels: ChannelCount | None = None

    def links(self, site: Site, modules: bool = True) -> Iterator[Link]:
        """A scope's children with their expressions, but for those that do nothing, or are no modules in a forward."""
        wide = max(site.scopes, key=lambda scope: len(scope.children))
        overwriting = self.registry.in_place.of(wide)
        sources = sources_of(wide)
        channels: dict[str, ChannelCount | None] = {"": site.channels}
        for child in wide.children:
            part = site.having(child.name)
            row = [scope.child(child.name) for scope in part.scopes]
            path = None if site.path is None else (*site.path, child.name)
            if in_line(child) and not modules:
                continue
            if path is not None and path in self.given:
                yield child, atom(self.given[path])
            elif child.form != "one":
                yield child, self.row(row, part.columns)
            elif path not in self.dropped and not is_identity(child.scope):
                scopes = tuple(each.scope for each in row)
                concat = None if path is None else concat_before(wide, child.name)
                source = sources.get(child.name, "?")
                reaching = self.joined(part, concat, channels) if concat else channels.get(source)
                below = Site(scopes, part.columns, path, reaching)
                yield child, self.module(below, child, child.name in overwriting)
                channels[child.name] = self.channels

    def joined(self, site: Site, step: Step, channels: dict[str, ChannelCount | None]) -> ChannelCount | None:
        """The channels of a concat, as the sum of its parts: `in_channels + len(layer) * width`."""
        refs = step.inputs[0]
        parts = [self.part(site, ref, channels) for ref in (refs if isinstance(refs, tuple) else ())]
        known = [part for part in parts if part is not None]
        if not known or len(known) < len(parts):
            return None
        values = tuple(map(sum, zip(*(part.values for part in known), strict=True)))
        return ChannelCount(values, " + ".join(part.text for part in known))

    def part(self, site: Site, ref: int | Spread, channels: dict[str, ChannelCount | None]) -> ChannelCount | None:
        """The channels of one part of a concat, where all instances have it from the same place."""
        value = ref.value if isinstance(ref, Spread) else ref
        maker = next((step for step in site.scopes[0].steps if step.output == value), None)
        if not isinstance(ref, Spread):
            found = channels.get("" if maker is None else maker.target)
            return found if found is not None and len(found.values) == len(site.scopes) else None
        if maker is None or maker.kind != "collect":
            return None
        rows = [scope.child(maker.target).runs for scope in site.scopes]
        counts = [sum(run.count for run in runs) for runs in rows]
        if any(is_list(run.scope.output) for runs in rows for run in runs):
            return None
        widths = [{cast("int", run.scope.output[0]) for run in runs} for runs in rows]
        if any(len(found) > 1 for found in widths):
            return None
        width = [min(found) for found in widths]
        text = self.frame.draft(site.columns, width, Hint(maker.target, "width"))
        return ChannelCount(
            tuple(count * each for count, each in zip(counts, width, strict=True)),
            f"{self.length(site, maker.target, counts)} * {text}",
        )

    def length(self, site: Site, name: str, counts: list[int]) -> str:
        """The number of modules in a row: the length of a list that is given, or a number."""
        given = self.given.get((name,))
        if given is None:
            return self.frame.draft(site.columns, counts, Hint(name, "count"))
        if len(counts) == len(self.frame.columns.instances):
            self.frame.lengths[f"len({given})"] = counts
        return f"len({given})"

    def module(self, site: Site, child: Child, overwriting: bool = False) -> Doc:
        """The expression of a module."""
        scope = site.scopes[0]
        if is_identity(scope):
            return atom("nn.Identity()")
        group = self.registry.grouping.group.get(scope)
        if group is not None:
            return self.instance(group, site, child)
        return self.op(site, child, overwriting) if scope.op is not None else self.chain(site)

    # ---- ops and classes

    def op(self, site: Site, child: Child, overwriting: bool) -> Doc:
        """PyTorch's module, with what is not its default."""
        spelt = spelling(site.scopes[0])
        facts = [self.registry.facts(scope) for scope in site.scopes]
        origins = dict(child.origins)
        written: dict[str, str] = {}
        for name in sorted((*spelt.positional, *spelt.keywords), key=DERIVED.__contains__):
            values = [each[name] for each in facts]
            default = spelt.defaults.get(name, MISSING)
            hint = Hint(child.name, name, origins.get(name), default, site.channels)
            derived = "" if site.columns.turns else derivation(name, facts, written)
            text = derived or self.frame.number(site.columns, values, hint)
            if name in spelt.positional or not same(values) or values[0] != default or text != literal(values[0]):
                # Not a memo: what is written already, from which the next may be derived.
                written[name] = text
        arguments = [number(written[name]) for name in spelt.positional]
        arguments += [keyword(name, number(written[name])) for name in spelt.keywords if name in written]
        arguments += [keyword("inplace", atom("True"))] if overwriting else []
        self.channels = called(site, written.get("out", ""), [each.get("out") for each in facts])
        return call(spelt.module, *arguments)

    def instance(self, group: ClassGroup, site: Site, child: Child) -> Doc:
        """A call of a class's constructor."""
        target = self.registry.of(group)
        origins = dict(child.origins)
        arguments: list[Doc] = []
        out, outs = "", list[Any]()
        leading = True
        for parameter in target.parameters:  # these first, as the steps of a loop may be one of them
            if parameter.outer in self.frame.outer and parameter.outer not in self.frame.names:
                self.frame.inherit(parameter.outer)
        for at, parameter in enumerate(sorted(target.parameters, key=lambda each: each.default is not MISSING)):
            values = [parameter.values[self.registry.place[scope]] for scope in site.scopes]
            named = at > 0 and parameter.name not in LEADING
            leading = leading and not named and target.order[len(arguments)] == parameter.name
            origin = Origin("parameter", parameter.outer) if parameter.outer else origins.get(parameter.name)
            hint = Hint(child.name, parameter.name, origin, parameter.default, site.channels)
            text = self.frame.number(site.columns, values, hint)
            if not same([*values, parameter.default]) or text != literal(parameter.default):
                out, outs = (text, values) if parameter.name == "out" else (out, outs)
                arguments.append(number(text) if leading else keyword(parameter.name, number(text)))
        alone = len(target.parameters) + len(target.slots) == 1
        overwriting = self.registry.in_place.of(site.scopes[0]) & group.choice.given
        for path, name in target.slots:
            given = [below(scope, path) for scope in site.scopes]
            module = self.slot(given, site.columns, path[-1] in overwriting and len(path) == 1)
            arguments.append(module if alone else keyword(name, module))
        self.channels = called(site, out, outs)
        return call(target.name, *arguments)

    def slot(self, row: list[Child], columns: Columns, overwriting: bool = False) -> Doc:
        """The argument for a block-valued parameter."""
        if row[0].form == "one":
            return self.module(Site(tuple(child.scope for child in row), columns), row[0], overwriting)
        modules = self.row(row, columns)
        return listing(modules) if in_list(row[0]) else call("nn.Sequential", *modules)

    # ---- chains and rows

    def chain(self, site: Site) -> Doc:
        """nn.Sequential, with the links under their names."""
        links = list(self.links(site))
        if all(numeral(child) for child, _ in links):
            return call("nn.Sequential", *positional(links))
        self.registry.needed.add("chain")
        return call("chain", *self.by_name(links))

    def by_name(self, links: Sequence[Link]) -> list[Doc]:
        """Links as named arguments; the modules of a row without a name go by their indices."""
        return [self.named(child, link) for child, link in links]

    def named(self, child: Child, link: Doc | list[Doc]) -> Doc:
        """A link as a named argument."""
        if not (isinstance(link, list) and numeral(child)):
            return keyword(child.name, self.registered(child, link))
        self.registry.needed.add("numbered")
        return prefixed("**", call("numbered", *link))

    def registered(self, child: Child, link: Doc | list[Doc]) -> Doc:
        """A child as a constructor keeps it."""
        if not isinstance(link, list):
            return call("nn.ModuleList", link) if in_list(child) else link
        return call("nn.ModuleList", listing(link)) if in_list(child) else call("nn.Sequential", *link)

    def row(self, row: list[Child], columns: Columns) -> list[Doc]:
        """The modules of a row: equal ones, and those that differ evenly, in a loop."""
        modules: list[Doc] = []
        stretches = [self.registry.grouping.stretches(child) for child in row]
        for at in range(len(stretches[0])):
            runs = aligned([each[at].runs for each in stretches])
            if len({len(each) for each in runs}) > 1:
                modules.append(self.even(runs, row[0], columns))
            elif len(runs[0]) == 1:
                modules += self.repeat([each[0] for each in runs], row[0], columns)
            else:
                modules += self.varied(runs, row[0], columns)
        return modules

    def repeat(self, runs: Sequence[Run], child: Child, columns: Columns) -> list[Doc]:
        """Equal modules."""
        item = self.module(Site(tuple(run.scope for run in runs), columns), child)
        counts = [run.count for run in runs]
        if same(counts) and counts[0] < FEWEST and (counts[0] == 1 or (item.flat and len(item.flat) <= SHORT)):
            return [item] * counts[0]
        hint = Hint(child.name, "count", dict(child.origins).get("count"))
        return [comprehension(item, "_", self.frame.number(columns, counts, hint))]

    def even(self, runs: Sequence[Sequence[Run]], child: Child, columns: Columns) -> Doc:
        """Modules whose numbers grow evenly, in rows of several lengths: the first two of each row tell all."""
        scopes = tuple(each[min(turn, len(each) - 1)].scope for each in runs for turn in (0, 1))
        instances = tuple(instance for instance in columns.instances for _ in (0, 1))
        item = self.module(Site(scopes, Columns(instances, (0, 1) * len(runs))), child)
        lengths = [sum(run.count for run in each) for each in runs]
        hint = Hint(child.name, "count", dict(child.origins).get("count"))
        return comprehension(item, self.frame.turn, self.frame.number(columns, lengths, hint))

    def varied(self, runs: Sequence[Sequence[Run]], child: Child, columns: Columns) -> list[Doc]:
        """Modules written alike with other numbers: a loop where the numbers grow evenly, else one by one."""
        modules: list[Doc] = []
        count = len(runs[0])
        turns = [tuple(number for each in runs for number in self.registry.numbers(each[at])) for at in range(count)]
        for start, stop in segments(turns, loops=not columns.turns):
            if stop - start == 1:
                modules += self.repeat([each[start] for each in runs], child, columns)
                continue
            length = range(stop - start)
            spread = Columns(
                tuple(instance for instance in columns.instances for _ in length),
                tuple(turn for _ in columns.instances for turn in length),
            )
            scopes = tuple(each[at].scope for each in runs for at in range(start, stop))
            item = self.module(Site(scopes, spread), child)
            variable = "_" if turns[start] == turns[start + 1] else self.frame.turn
            modules.append(comprehension(item, variable, str(len(length))))
        return modules


def aligned(rows: Sequence[Sequence[Run]]) -> list[Sequence[Run]]:
    """Rows of equal lengths, cut in the same places."""
    ends = [[*accumulate(run.count for run in row)] for row in rows]
    if len({row[-1] for row in ends}) > 1:
        return [*rows]
    cuts = sorted({0}.union(*ends))
    return [
        [Run(stop - start, row[bisect_right(stops, start)].scope) for start, stop in pairwise(cuts)]
        for row, stops in zip(rows, ends, strict=True)
    ]


def called(site: Site, text: str, values: Sequence[Any]) -> ChannelCount | None:
    """The output's channels, by the text of a number that is equal to them, or as the input's."""
    outputs = tuple(cast("int", scope.output[0]) for scope in site.scopes)
    if text and not text.isdigit() and tuple(values) == outputs and not site.columns.turns:
        return ChannelCount(outputs, text)
    return site.channels if site.channels is not None and site.channels.values == outputs else None


def concat_before(scope: Scope, name: str) -> Step | None:
    """The concat whose output a child reads."""
    read = next((step.inputs[0] for step in scope.steps if step.kind == "call" and step.target == name), None)
    made = (step for step in scope.steps if step.output == read and step.scope is not None)
    return next((step for step in made if step.scope and step.scope.op and step.scope.op.name == "concat"), None)


def sources_of(scope: Scope) -> dict[str, str]:
    """For each child called, the child whose output reaches it, or "" for the scope's input."""
    makers = {0: ""} | {step.output: step.target for step in scope.steps if step.kind == "call"}
    calls = [step for step in scope.steps if step.kind == "call" and isinstance(step.inputs[0], int)]
    return {step.target: makers.get(step.inputs[0], "?") for step in reversed(calls)}  # type: ignore[arg-type]


def derivation(name: str, facts: Sequence[dict[str, Any]], written: dict[str, str]) -> str:
    """A fact as an expression over other facts of its op; empty where there is none."""
    for text in DERIVED.get(name, ()):
        tree = arithmetic.parse(text)
        if tree is not None and all(fits(tree, each, each[name]) for each in facts):
            fixed = {other: ast.Constant(facts[0].get(other)) for other in arithmetic.names(tree)}
            others = {other: ast.parse(text, mode="eval").body for other, text in written.items()}
            return ast.unparse(arithmetic.folded(tree, {**fixed, **others}))
    return ""


def fits(tree: ast.expr, facts: dict[str, Any], value: Any) -> bool:
    """True if an expression over facts has this value."""
    try:
        return arithmetic.evaluate(tree, facts) == value
    except arithmetic.Unknown:
        return False


def positional(links: Sequence[Link]) -> list[Doc]:
    """The modules of rows without a name."""
    return [module for _, link in links if isinstance(link, list) for module in link]


def segments(turns: Sequence[tuple[Any, ...]], loops: bool) -> Iterator[tuple[int, int]]:
    """Cut a row into stretches whose numbers grow evenly, and single modules."""
    changes = [change(*pair) if loops else None for pair in pairwise(turns)]
    start = 0
    while start < len(turns):
        stop = start + 1
        while stop < len(turns) and changes[start] is not None and changes[stop - 1] == changes[start]:
            stop += 1
        stop = stop if stop - start >= FEWEST else start + 1
        yield start, stop
        start = stop


def change(before: tuple[Any, ...], after: tuple[Any, ...]) -> tuple[int, ...] | None:
    """By how much each number grows, or None where something else changes, or a turn is a row in itself."""
    if before[0] != 1 or after[0] != 1:
        return None
    return step_between(before, after)
