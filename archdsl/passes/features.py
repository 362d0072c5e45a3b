"""Cut a network to feature maps: it returns those, and computes nothing that they do not need.

A feature is the output of a module, by its path: a section (`c4`), an output, or a module inside (`stem.cna`). The
modules that are left keep their paths, and so their weights keep their names.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import log2
from typing import Any, cast

from archdsl.diagnostics import ArchError, catalog, listed
from archdsl.graph import Feature, Graph, Map, Ref, Scope, Section, each_shape
from archdsl.graph.ir import attribute_name
from archdsl.op import Shape
from archdsl.passes.cut import Path, cut_scope, module_at, shortened

Features = str | Sequence[str] | Mapping[str, str]
"""A path, for a tensor; several, for a list of tensors; paths with keys, for a dict of tensors."""
CLASSIFIER = "head"
HALVINGS = 3
"""From so many halvings on, maps of the input's own size are no level."""
NEAR = 0.2
"""Relative distance from a power of two that borders without padding account for."""


# ---- levels --------------------------------------------------------------------------------------------------------


def levels(graph: Graph) -> tuple[Map, ...]:
    """The last map of each size, largest first, which `out_indices` counts from 0.

    A size is a number of halvings. Maps of the input's own size count only in networks for small images, which halve
    them once or twice; those of the classifier only where nothing before it has their size.
    """
    outputs = {section.name for section in graph.sections if section.kind == "output"}
    found: dict[int, Map] = {}
    for each in graph.maps:
        section = each.name.partition(".")[0]
        level = halvings(graph.input, each.shape)
        late = section == CLASSIFIER and (level in found or each.shape[1:] == (1, 1))
        if level >= 0 and section not in outputs and not late:
            found[level] = each
    if max(found, default=0) >= HALVINGS:
        found.pop(0, None)
    return tuple(found[level] for level in sorted(found))


def halvings(input: Shape, shape: Shape) -> int:
    """How often the input was halved for a map, rounded."""
    return round(log2(max(before / after for before, after in zip(input[1:], shape[1:], strict=True))))


def stride_of(input: Shape, shape: Shape) -> int:
    """Stride of a map: the power of two near its reduction, else the reduction, rounded; 0 for other tensors."""
    if len(shape) != 3:
        return 0
    ratio, power = input[1] / shape[1], 2 ** halvings(input, shape)
    return int(power) if abs(ratio / power - 1) < NEAR else round(ratio)


def at_levels(graph: Graph, indices: Iterable[int]) -> list[str]:
    """Paths of the maps at some levels; a negative index counts from the last. Raises ArchError for an unknown one."""
    known = [".".join(split(graph, each.name)) for each in levels(graph)]
    chosen = list(indices)
    for index in chosen:
        if type(cast("Any", index)) is not int or not -len(known) <= index < len(known):
            help = f"it has {', '.join(f'{at} (`{name}`)' for at, name in enumerate(known)) or 'none'}"
            raise catalog.USAGE.error(None, f"`{graph.name}` has no level {index!r}", help=help)
    return [known[index] for index in chosen]


# ---- the network ---------------------------------------------------------------------------------------------------


def with_features(graph: Graph, features: Features) -> Graph:
    """The network up to some features, which it returns. Raises ArchError for what is no feature of it."""
    single = isinstance(features, str)
    keyed: Mapping[str, str] = features if isinstance(features, Mapping) else {}
    paths = [features] if isinstance(features, str) else list(features)
    check_request(graph, paths, keyed)
    wanted = {path: split(graph, path) for path in paths}
    made = cut_scope(graph.root, tuple(dict.fromkeys(wanted.values())), "")
    values = dict(zip(dict.fromkeys(wanted.values()), cast("tuple[int, ...]", made.results), strict=True))
    shapes = {0: graph.input} | {step.output: step.shape for step in made.scope.steps}
    found: list[Feature] = []
    for path in paths:
        value = values[wanted[path]]
        shape = cast("Shape", shapes[value])
        found.append(Feature(keyed.get(path, ""), path, value, shape, stride_of(graph.input, shape)))
    result: Ref = found[0].value if single else tuple(each.value for each in found)
    output = found[0].shape if single else tuple(each.shape for each in found)
    root = made.scope.replace(result=result, output=output)
    sections = tuple(sections_of(graph, root))
    maps = tuple(each for each in graph.maps if each.name in wanted or is_kept(graph, root, each.name))
    return graph.replace(root=root, sections=sections, maps=maps, features=tuple(found), whole=graph)


def split(graph: Graph, path: str) -> Path:
    """The shortest path of modules to a feature; a section's module may have another name than the section."""
    section, *names = path.split(".")
    name = attribute_name(section)
    return (name, *shortened(module_at(graph.root, (name,)), tuple(names), section))


def check_request(graph: Graph, paths: Sequence[Any], keyed: Mapping[Any, Any]) -> None:
    """Raise ArchError for what is no request for features: nothing, values that are no texts, equal keys."""
    if graph.features:
        label = f"`{graph.name}` was cut to {listed(each.path for each in graph.features)} already"
        raise catalog.USAGE.error(None, label, help="choose the features of the whole network")
    if not paths or not all(isinstance(each, str) and each for each in (*paths, *keyed.values())):
        label = f"`{str(keyed or paths)[:60]}` names no features"
        raise catalog.USAGE.error(None, label, help='write them as "c5", as ["c3", "c4"] or as {"c3": "p3"}')
    if len(set(keyed.values())) < len(keyed):
        raise catalog.USAGE.error(None, "two features have one key", help="each feature has a key of its own")
    training = {section.name for section in graph.sections if section.training_only}
    if late := [path for path in paths if path.partition(".")[0] in training]:
        raise catalog.USAGE.error(None, f"`{late[0]}` exists in training only, and features in inference, too")


def sections_of(graph: Graph, root: Scope) -> Iterator[Section]:
    """The sections that are left. One that is cut has the shape of its last feature."""
    calls = {step.target: step for step in root.steps if step.kind == "call"}
    for section in graph.sections:
        if step := calls.get(graph.makers[section.value].target):
            shape = each_shape(step.shape)[-1]
            reduction = round(graph.input[1] / shape[1]) if len(shape) == 3 else 0
            yield section._replace(value=step.output, shape=shape, reduction=reduction)


def is_kept(graph: Graph, root: Scope, path: str) -> bool:
    """True if a module is left as it was."""
    try:
        return module_at(root, names := split(graph, path)) is module_at(graph.root, names)
    except ArchError:
        return False
