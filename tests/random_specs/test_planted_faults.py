"""The comparison finds faults: each that is planted in the emitter shows in some random spec, and soon."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import pytest
from campaign import MOST_MACS, drawn

from archdsl import ArchError
from archdsl.backends.torch import (
    class_clustering,
    constructor_args,
    constructor_exprs,
    emit,
    forward,
    locals,
    source,
)
from archdsl.backends.torch.lowering import InPlace
from archdsl.graph import Graph
from archdsl.op import Spelling
from archdsl.ops import vocabulary

MOST = 2_000
"""So many random specs are tried."""
Patch = pytest.MonkeyPatch


class Spec(NamedTuple):
    """A random spec: its graph, and its source without a fault."""

    graph: Graph
    source: str


@cache
def spec(seed: int) -> Spec | None:
    """The spec of a seed, where it can be emitted and is small."""
    graph = drawn(seed).graph
    if isinstance(graph, ArchError) or graph.root.totals.macs > MOST_MACS:
        return None
    try:
        return Spec(graph, emit(graph))
    except ArchError:
        return None


# ---- in the grouping into classes ------------------------------------------------------------------------------------


def forwards_left_out_of_the_key(patch: Patch) -> None:
    patch.setattr(
        class_clustering,
        "forward_key",
        lambda scope: ("pipeline",) if class_clustering.pipeline(scope) else ("forward",),
    )


def lengths_of_lists_left_out_of_the_key(patch: Patch) -> None:
    types_and_texts_of_ops_left_out_of_the_key(patch)
    whole = class_clustering.forward_key
    patch.setattr(
        class_clustering,
        "forward_key",
        lambda scope: tuple(re.sub(r" [+*] x\[\d\]", "", line) for line in whole(scope)),
    )


def types_and_texts_of_ops_left_out_of_the_key(patch: Patch) -> None:
    whole = class_clustering.op_key
    patch.setattr(class_clustering, "op_key", lambda scope: whole(scope)[: 1 + len(Spelling._fields)])


def modules_given_left_out_of_the_key(patch: Patch) -> None:
    whole = class_clustering.Grouping.join
    patch.setattr(class_clustering.Grouping, "join", lambda self, scope, shape: whole(self, scope, shape) and ())


def spellings_left_out_of_the_key(patch: Patch) -> None:
    whole = class_clustering.op_key
    patch.setattr(
        class_clustering, "op_key", lambda scope: (whole(scope)[0], *whole(scope)[1 + len(Spelling._fields) :])
    )


# ---- in the constructor ----------------------------------------------------------------------------------------------


def texts_of_arguments_trusted_in_place_of_values(patch: Patch) -> None:
    patch.setattr(constructor_args, "fits", lambda tree, known, columns, values: True)


def padding_derived_without_a_look(patch: Patch) -> None:
    patch.setattr(constructor_exprs, "fits", lambda tree, facts, value: True)


def numbers_that_grow_unevenly_in_a_loop(patch: Patch) -> None:
    whole = constructor_exprs.change
    patch.setattr(constructor_exprs, "change", lambda before, after: None if whole(before, after) is None else (1,))


def modules_given_in_another_order(patch: Patch) -> None:
    whole = constructor_exprs.Constructor.instance

    def instance(self: Any, group: Any, site: Any, child: Any) -> Any:
        known = self.registry.of(group)
        names = [name for _, name in known.slots]
        swapped = tuple((path, name) for (path, _), name in zip(known.slots, reversed(names), strict=True))
        self.registry.classes[group.index] = known._replace(slots=swapped)
        try:
            return whole(self, group, site, child)
        finally:
            self.registry.classes[group.index] = known

    patch.setattr(constructor_exprs.Constructor, "instance", instance)


# ---- in the forward --------------------------------------------------------------------------------------------------


def operands_in_another_order(patch: Patch) -> None:
    patch.setattr(locals, "display", lambda parts: locals.display(parts[::-1]))


def variables_overwritten_too_soon(patch: Patch) -> None:
    patch.setattr(locals.Statements, "free", lambda self, name: True)


def operands_without_parentheses(patch: Patch) -> None:
    patch.setattr(locals, "operand", lambda text, product, first: text)


def first_of_a_list_in_place_of_another(patch: Patch) -> None:
    whole = locals.element
    patch.setattr(locals, "element", lambda value, index: whole(value, 0))


def one_weight_for_all_modules_of_a_list(patch: Patch) -> None:
    whole = source.ForwardWriter.module
    first = lambda self, child, index=None: whole(self, child, index and 0)  # noqa: E731
    patch.setattr(source.ForwardWriter, "module", first)


def a_row_that_forgets_its_last_output(patch: Patch) -> None:
    whole = forward.Writing.write

    def write(self: Any, line: str, *value: Any) -> None:
        whole(self, re.sub(r"^(\s+)(\w+)\.append\((\w+)\)$", r"\1\2.insert(0, \3)", line), *value)

    patch.setattr(forward.Writing, "write", write)


def forms_of_a_class_mixed_up(patch: Patch) -> None:
    whole = source.merged
    patch.setattr(source, "merged", lambda one, other, condition: whole(other, one, condition))


def written_over_while_others_read_it(patch: Patch) -> None:
    patch.setattr(
        InPlace, "of", lambda self, scope: frozenset(child.name for child in scope.children if inplace(child))
    )


def inplace(child: Any) -> bool:
    """Whether a child is an op that can write over its input."""
    op = child.scope.op
    return child.form == "one" and op is not None and op.spelling(child.scope.inputs[0]).inplace


def outputs_under_each_others_names(patch: Patch) -> None:
    whole = source.NetworkForwardWriter.give

    def give(self: Any, sections: list[Any]) -> None:
        names = [section.name for section in sections]
        whole(self, [each._replace(name=name) for each, name in zip(sections, reversed(names), strict=True)])

    patch.setattr(source.NetworkForwardWriter, "give", give)


# ---- in how an op is spelled -----------------------------------------------------------------------------------------


def respelled(name: str, change: Callable[[Spelling], Spelling]) -> Callable[[Patch], None]:
    """A fault in the spelling of an op."""
    op = vocabulary()[name]
    return lambda patch: patch.setattr(op, "torch", change(op.torch))


def without(name: str) -> Callable[[Spelling], Spelling]:
    """A spelling that leaves a keyword out."""
    return lambda spelling: spelling._replace(keywords=tuple(each for each in spelling.keywords if each != name))


FAULTS: dict[str, Callable[[Patch], None]] = {
    each.__name__: each
    for each in (
        forwards_left_out_of_the_key,
        lengths_of_lists_left_out_of_the_key,
        types_and_texts_of_ops_left_out_of_the_key,
        modules_given_left_out_of_the_key,
        spellings_left_out_of_the_key,
        texts_of_arguments_trusted_in_place_of_values,
        padding_derived_without_a_look,
        numbers_that_grow_unevenly_in_a_loop,
        modules_given_in_another_order,
        operands_in_another_order,
        variables_overwritten_too_soon,
        operands_without_parentheses,
        first_of_a_list_in_place_of_another,
        one_weight_for_all_modules_of_a_list,
        a_row_that_forgets_its_last_output,
        forms_of_a_class_mixed_up,
        written_over_while_others_read_it,
        outputs_under_each_others_names,
    )
} | {
    "a stride left out": respelled("conv", without("stride")),
    "a dilation left out": respelled("conv", without("dilation")),
    "momentum left out": respelled("bn", without("momentum")),
    "an epsilon left out": respelled("bn", without("eps")),
    "another probability": respelled("dropout", lambda each: each._replace(positional=())),
    "a gradient cut": respelled("tanh", lambda each: Spelling(function="torch.tanh({x}).detach()")),
    "channels mixed otherwise": respelled(
        "channel_shuffle",
        lambda each: Spelling(function=each.function.replace("({groups}, -1)", "(-1, {groups})")),
    ),
}


RARE = {
    "a dilation left out",
    spellings_left_out_of_the_key.__name__,
    types_and_texts_of_ops_left_out_of_the_key.__name__,
}
"""Faults that take hundreds of specs."""


@pytest.mark.parametrize(
    "fault", [pytest.param(each, marks=pytest.mark.slow if each in RARE else ()) for each in FAULTS]
)
def test_a_fault_is_found(fault: str, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("torch")
    from checking import compare

    for seed in range(MOST):
        small = spec(seed)
        if small is None:
            continue
        with pytest.MonkeyPatch.context() as patch:
            FAULTS[fault](patch)
            try:
                if emit(small.graph) == small.source:
                    continue
                compare(small.graph)
            except Exception as error:
                said = " ".join(f"{type(error).__name__}: {error}".split())[:150]
                with capsys.disabled():
                    print(f"\n{fault}: found by random spec {seed}: {said}")
                return
    pytest.fail(f"{MOST} random specs do not show: {fault}")
