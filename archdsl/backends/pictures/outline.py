"""Model → DOT and Mermaid: the sections as a chain, each card as a cluster, without a layout of our own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from archdsl.backends.pictures.chain import rows_of
from archdsl.backends.pictures.labels import Numbers, Words, shape_text
from archdsl.backends.pictures.model import Model
from archdsl.backends.pictures.tree import Frame, Input, Layer, Parallel, Pick, Reference, Repeat, Series, Tree, Web
from archdsl.diagnostics.characters import on_one_line


class Point(NamedTuple):
    """Node of a diagram; a `round` one is a way in or out, or a join."""

    name: str
    label: str
    round: bool = False


class Cluster:
    """Part of a diagram under a title: its nodes and edges, and clusters inside."""

    def __init__(self, name: str, title: str) -> None:
        self.name, self.title = name, title
        self.points: list[Point] = []
        self.edges: list[tuple[str, str]] = []
        self.inner: list[Cluster] = []

    def point(self, label: str, *, round: bool = False) -> str:
        """Add a node, and return its name."""
        name = f"{self.name}_{len(self.points)}"
        self.points.append(Point(name, label, round))
        return name

    def edge(self, sources: Sequence[str], target: str) -> None:
        """Add edges into a node."""
        self.edges += [(source, target) for source in sources]

    def cluster(self, title: str) -> Cluster:
        """Add a cluster inside."""
        self.inner.append(Cluster(f"{self.name}_c{len(self.inner)}", title))
        return self.inner[-1]


def diagram(model: Model) -> Cluster:
    """Diagram of a model."""
    whole = Cluster("n", model.graph.name)
    ends = {0: whole.point(f"input {shape_text(model.graph.input)}", round=True)}
    for part in model.sections:
        section = whole.cluster(f"{part.section.name}: {shape_text(part.section.shape)}")
        before = [ends[value] for value in dict.fromkeys(part.inputs)]
        for row in rows_of(model, part):
            lines = [line.text for line in row.lines] or ["branches"]
            letter = [f"({row.card.letter})"] if row.card else []
            count = [f"{row.count} ×"] if row.count > 1 else []
            point = section.point(" ".join([*count, *lines, *letter]))
            whole.edge(before, point)
            before = [point]
        ends[part.section.value] = before[0]
    for card in model.cards:
        total = sum(card.runs.values())
        cluster = whole.cluster(f"{card.letter}: {card.name}" + (f" × {total}" if total > 1 else ""))
        start = cluster.point("in", round=True)
        ends_of_card = Drawing(Words(Numbers(card))).tree(cluster, card.tree, [start])
        cluster.edge(ends_of_card, cluster.point("out", round=True))
    return whole


class Drawing:
    """Nodes and edges of a card's tree."""

    def __init__(self, words: Words) -> None:
        self.words = words

    def tree(self, cluster: Cluster, tree: Tree, before: Sequence[str]) -> Sequence[str]:
        """Add a part behind some nodes, and return those at its end."""
        if isinstance(tree, Series):
            for item in tree.items:
                before = self.tree(cluster, item, before)
            return before
        if isinstance(tree, Parallel):
            ends = [end for branch in tree.branches for end in self.tree(cluster, branch, before)]
            return ends if tree.join is None or tree.open else [self.join(cluster, tree, ends)]
        if isinstance(tree, Repeat | Frame):
            title = tree.name if isinstance(tree, Frame) else f"× {self.words.numbers.text(tree.counts, '', 'count')}"
            collected = isinstance(tree, Repeat) and tree.collects
            return self.tree(cluster.cluster(f"{title}, all outputs" if collected else title), tree.body, before)
        if isinstance(tree, Web):
            return self.web(cluster, tree, before)
        if isinstance(tree, Input | Pick):
            return before
        point = cluster.point(self.label(tree))
        cluster.edge(before, point)
        return [point]

    def join(self, cluster: Cluster, tree: Parallel, ends: Sequence[str]) -> str:
        """Add the node that joins branches."""
        assert tree.join is not None
        point = cluster.point(
            {"add": "+", "multiply": "×"}.get(tree.join.name) or self.words.op(tree.join)[0], round=True
        )
        cluster.edge(ends, point)
        return point

    def web(self, cluster: Cluster, tree: Web, before: Sequence[str]) -> Sequence[str]:
        """Add parts whose edges cross."""
        ends: list[Sequence[str]] = []
        for part, sources in zip(tree.parts, tree.sources, strict=True):
            reads = [end for source in sources for end in (before if source < 0 else ends[source])]
            ends.append(self.tree(cluster, part, reads))
        return [end for result in tree.results for end in (before if result < 0 else ends[result])]

    def label(self, tree: Tree) -> str:
        """Label of a layer or of a block with a card."""
        if isinstance(tree, Reference):
            return f"{tree.card.name} ({tree.card.letter})"
        return " / ".join(line.text for line in self.words.layer(tree)) if isinstance(tree, Layer) else ""


# ---- DOT -----------------------------------------------------------------------------------------------------------


def dot(model: Model) -> str:
    """Diagram for Graphviz."""
    head = ['digraph "network" {', '  node [shape=box, style=rounded, fontname="Helvetica"];']
    return "\n".join([*head, *dot_lines(diagram(model), "  "), "}\n"])


def dot_lines(cluster: Cluster, indent: str) -> Iterator[str]:
    """Lines of a cluster's inside."""
    yield f"{indent}label={quoted(cluster.title)};"
    for point in cluster.points:
        shape = ", shape=ellipse" if point.round else ""
        yield f"{indent}{point.name} [label={quoted(point.label)}{shape}];"
    for inner in cluster.inner:
        yield f"{indent}subgraph cluster_{inner.name} {{"
        yield from dot_lines(inner, f"{indent}  ")
        yield f"{indent}}}"
    for source, target in cluster.edges:
        yield f"{indent}{source} -> {target};"


def quoted(text: str) -> str:
    """String of DOT."""
    escaped = on_one_line(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


# ---- Mermaid -------------------------------------------------------------------------------------------------------


def mermaid(model: Model) -> str:
    """Diagram for Mermaid, as Markdown pages show it."""
    return "\n".join(["flowchart TD", *mermaid_lines(diagram(model), "  "), ""])


def mermaid_lines(cluster: Cluster, indent: str) -> Iterator[str]:
    """Lines of a cluster's inside."""
    for point in cluster.points:
        left, right = ("([", "])") if point.round else ("[", "]")
        yield f"{indent}{point.name}{left}{entities(point.label)}{right}"
    for inner in cluster.inner:
        yield f"{indent}subgraph {inner.name}[{entities(inner.title)}]"
        yield from mermaid_lines(inner, f"{indent}  ")
        yield f"{indent}end"
    for source, target in cluster.edges:
        yield f"{indent}{source} --> {target}"


def entities(text: str) -> str:
    """String of Mermaid, with all that has a meaning there as entities."""
    kept = (
        letter if letter.isalnum() or letter in " .,×/+²½¼¾|:-_" else f"#{ord(letter)};" for letter in on_one_line(text)
    )
    return f'"{"".join(kept)}"'


OUTLINES: dict[str, Callable[[Model], str]] = {"dot": dot, "mmd": mermaid}
"""Writers of text, by the suffix of a file."""
