"""The ways that a line of the chain takes: a trie from the answers to its guards to what it comes to.

A line asks its questions in the same order wherever the answers before were the same, so each node asks one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Generic, TypeVar

import numpy as np

from archdsl.analyses.families.lane import Guard
from archdsl.analyses.families.rows import Domain, Rows

Result = TypeVar("Result")


class Node(Generic[Result]):
    """A question with what follows each answer, or a leaf (no `guard`) with its `result`; new ones are neither."""

    __slots__ = ("children", "guard", "result")

    def __init__(self) -> None:
        self.guard: Guard | None = None
        self.children: dict[int, Node[Result]] = {}
        self.result: Result | None = None

    def child(self, answer: int) -> Node[Result]:
        """The node that follows an answer."""
        if answer not in self.children:
            self.children[answer] = Node()
        return self.children[answer]


class Trie(Generic[Result]):
    """The ways of one line; `trace` works out a candidate by its number: its guards, and what it comes to."""

    def __init__(self) -> None:
        self.root: Node[Result] = Node()
        self.leaves = 0

    def insert(self, guards: Sequence[Guard], result: Result) -> None:
        """A new way, which ends in a leaf of its own."""
        node = self.root
        for guard in guards:
            assert node.result is None
            if node.guard is None:
                node.guard = guard
            assert node.guard[:2] == guard[:2], "a line asked other questions after the same answers"
            node = node.child(guard.answer)
        assert node.guard is node.result is None, "a leader did not reach a leaf of its own"
        node.result = result
        self.leaves += 1

    def leaves_of(
        self, rows: Rows, domain: Domain, trace: Callable[[int], tuple[Sequence[Guard], Result]]
    ) -> Iterator[tuple[Rows, Result]]:
        """The leaf of each candidate, those with the same one together; `trace` is asked where there is none yet."""
        stack = [(rows, self.root)]
        while stack:
            rows, node = stack.pop()
            while node.guard is not None and (answer := domain.decide(node.guard)) is not None:
                node = node.child(answer)
            if node.result is not None:
                yield rows, node.result
            elif node.guard is None:
                self.insert(*trace(int(rows.index[0])))
                stack.append((rows, node))
            else:
                stack += split(rows, node)


def split(rows: Rows, node: Node[Any]) -> Iterator[tuple[Rows, Node[Any]]]:
    """The candidates by their answers to a question."""
    assert node.guard is not None
    answers = rows.answers(node.guard)
    if node.guard.question != "value":
        yes = int(np.count_nonzero(answers))
        if yes in (0, len(rows)):
            yield rows, node.child(bool(yes))
            return
        for answer, chosen in ((True, answers), (False, ~answers)):
            yield rows.part(rows.index[chosen]), node.child(answer)
        return
    order = np.argsort(answers, kind="stable")
    ranked = answers[order]
    starts = np.flatnonzero(ranked[1:] != ranked[:-1]) + 1
    for part in np.split(order, starts):
        value = int(answers[part[0]])
        yield rows.part(rows.index[np.sort(part)]), node.child(value)
