"""`docs/backbones.md`, the shipped networks beside their publications; `python -m tests.update` writes it.

Our figures are computed; the published ones are those of `reference.json`, what is said of them is in
`publications.yaml`, and what a spec says of itself is its `doc`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from functools import cache
from pathlib import Path
from textwrap import fill
from typing import Any, NamedTuple

import yaml

from archdsl import driver
from archdsl.analyses.cost import counts, sums
from archdsl.graph import Graph, Scope
from tests.equality.nets import CASES
from tests.specs.oracles import ROWS

PAGE = Path(__file__).parents[2] / "docs" / "backbones.md"
DATA: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("publications.yaml").read_text(encoding="utf-8"))
HEAD = """
# The backbones

Every network in `specs/`: its cost, the published cost, and the reason for each difference between the two.

- **Ours** is computed from the spec, exactly, for one image of `input`: parameters, those of norms and the classifier
  included; multiply-adds of convolutions and linear layers, counted once; activations, the outputs of convolutions;
  memory access, the elements that convolutions read and write. [Figures](costs.md) defines them.
- **Published** is the figure in the publication, and **counted so** is ours in its convention, which is explained below
  the table. It is **bold** if it does not round to the published one; then the reason follows.
- **†**: see the note at the end.
- **Held against** are networks that ours is equal to: in parameters, multiply-adds, activations and layers, and, with
  the same weights, in their outputs. They have our name if none is given. "Authors" is the authors' own release,
  Darknet's files written out in PyTorch. *(figures)* is a network that only the figures were measured on.
"""
NOTE = """
## Note on the sources

Figures marked † were written down from memory, and not read again in the publication.
"""


class Paper(NamedTuple):
    """A publication; `short` is what it is called for short."""

    short: str
    title: str
    authors: str
    year: int
    venue: str = ""
    arxiv: str = ""

    @property
    def cited(self) -> str:
        """In short, with a link."""
        first, *others = (name.split()[-1] for name in self.authors.split(", "))
        who = " & ".join([first, *others]) if len(others) < 2 else f"{first} et al."
        return f"{self.link(f'{who} {self.year}')} ({self.short})"

    @property
    def full(self) -> list[str]:
        """The cells of its line in the list."""
        return [str(self.year), self.authors, self.link(self.title), self.venue, self.arxiv]

    def link(self, text: str) -> str:
        """A text that leads to it."""
        return f"[{text}](https://arxiv.org/abs/{self.arxiv})" if self.arxiv else text


class Difference(NamedTuple):
    """Why a published figure is not ours.

    It is that of another `spec`, or under other `settings`, or of another `count`, and `says` tells what this is; or it
    is `cut`, not rounded. If it is none of these, `says` has to do.
    """

    networks: list[str]
    figures: list[str]
    says: str
    spec: str = ""
    settings: dict[str, Any] | None = None
    count: str = ""
    cut: bool = False

    @property
    def form(self) -> bool:
        """Whether it is the figure of another form, which we can compute."""
        return bool(self.spec or self.settings or self.count)


class Family(NamedTuple):
    """A chapter: `papers` with the networks of each (all, where none is named), and `docs`, the specs that speak."""

    title: str
    about: str
    papers: dict[str, list[str]]
    networks: list[str]
    docs: list[str]
    published: str = ""
    differences: list[dict[str, Any]] = []  # noqa: RUF012
    near: list[str] = []  # noqa: RUF012

    @property
    def reasons(self) -> list[Difference]:
        """The differences, as such."""
        return [Difference(**each) for each in self.differences]


PAPERS = {key: Paper(**paper) for key, paper in DATA["papers"].items()}
FAMILIES = [Family(**family) for family in DATA["families"]]


# ---- figures -------------------------------------------------------------------------------------------------------


class Parts(NamedTuple):
    """What is counted of convolutions and linear layers alone."""

    weights: int = 0
    convolutions: int = 0


def parts_of(scope: Scope) -> Parts:
    """Of an op: its weight, without a bias, and the multiply-adds of a convolution."""
    assert scope.op is not None
    if scope.op.counts_as not in {"conv", "linear"}:
        return Parts()
    weight = next(each.size for each in scope.op.weights(scope.inputs[0]) if each.name == "weight")
    return Parts(weight, scope.totals.macs if scope.op.counts_as == "conv" else 0)


def counted(graph: Graph, count: str) -> int:
    """A figure of ours, in a convention."""
    parts, totals = sums(graph, Parts(), parts_of)[graph.root], graph.root.totals
    return {
        "parameters": totals.params,
        "weights": parts.weights,
        "multiply-adds": totals.macs,
        "operations": 2 * totals.macs,
        "convolutions": parts.convolutions,
    }[count]


@cache
def compiled(name: str) -> Graph:
    """A shipped network, as declared."""
    return driver.compile(name)


class Published(NamedTuple):
    """A published figure: `text` is how it is printed, in `unit`; `count` is what it counts."""

    network: str
    figure: str
    text: str
    unit: str
    count: str
    remembered: bool

    @property
    def printed(self) -> str:
        """With its unit."""
        return f"{self.text} {self.unit}"

    @property
    def ours(self) -> int:
        """Our figure, counted so."""
        return counted(compiled(self.network), self.count)

    def fits(self, amount: int, cut: bool = False) -> bool:
        """Whether an amount is printed so: rounded to the digits that are there, or cut after them."""
        value = Decimal(self.text.lstrip("~<"))
        above = Decimal(amount).scaleb(-6 if self.unit == "M" else -9) - value
        digit = Decimal(1).scaleb(int(value.as_tuple().exponent))
        if self.text.startswith("<"):
            return above < 0
        return 0 <= above < digit if cut else abs(above) <= digit / 2


def published(network: str) -> list[Published]:
    """The published figures of a network; what they count, and whether they were read again, is in their source."""
    rows = [row for row in ROWS if row["spec"] == network and "paper_source" in row]
    found: list[Published] = []
    for row in rows[:1]:
        source, printed = row["paper_source"], DATA["printed"].get(network, {})
        memory = source.startswith("from memory")
        if "paper_params_M" in row:
            text = printed.get("params", str(row["paper_params_M"]))
            count = "weights" if "weights only" in source else "parameters"
            found.append(Published(network, "params", text, "M", count, memory or "params from memory" in source))
        if "paper_gflops" in row:
            text = printed.get("gflops", str(row["paper_gflops"]))
            count = "operations" if "2 x MACs" in source else "multiply-adds"
            found.append(Published(network, "gflops", text, "G", count, memory))
    return found


def explained(difference: Difference, figure: Published) -> int:
    """Our figure in the form that the published one is of."""
    graph = compiled(difference.spec or figure.network)
    if difference.settings:
        form = {"name": "form", "extends": figure.network, "set": difference.settings}
        graph = driver.compile(driver.loads(yaml.safe_dump(form, sort_keys=False)))
    return counted(graph, difference.count or figure.count)


# ---- oracles -------------------------------------------------------------------------------------------------------


def held_against(network: str) -> str:
    """What a network is compared with, in function; then what it is compared with in figures only."""
    function = [label(case.oracle, network) for case in CASES if case.spec == network]
    figures = [label(row["oracle"], network) for row in ROWS if row["spec"] == network]
    only = [f"{each} *(figures)*" if function else each for each in figures if each not in function]
    return "; ".join(dict.fromkeys(function + only)) or "none"


def label(oracle: str, network: str) -> str:
    """An oracle, as the page calls it."""
    if oracle in DATA["oracles"]:
        return DATA["oracles"][oracle]
    library, _, name = oracle.partition(":")
    name = name.split(" + ")[0].rpartition("/")[2]
    if library == "derived":
        return f"{label(f'timm:{name}', network)} with eSE in all modules"
    known = library in {"torchvision", "timm", "pytorchcv"}
    return (library if known else "authors") + ("" if name == network else f" `{name}`")


# ---- the page ------------------------------------------------------------------------------------------------------


def page() -> str:
    """The page's text."""
    return "\n\n".join([HEAD.strip(), *map(chapter, FAMILIES), *others(), publications(), NOTE.strip()]) + "\n"


def others() -> Iterator[str]:
    """A chapter of the networks that no family has, in their own words."""
    known = {network for family in FAMILIES for network in family.networks}
    names = [name for name in driver.SHIPPED.specs() if name not in known]
    if names:
        family = Family("More networks", "", {}, names, names)
        yield "\n\n".join([f"## {family.title}", "\n".join(rows(family)), "\n".join(map(wrapped, docs(family)))])


def chapter(family: Family) -> str:
    """A family: what it is, its papers, the table, and what there is to say."""
    sources = [wrapped(f"Published: {family.published}")] if family.published else []
    said = [*differences(family), *docs(family), *(f"- {text}" for text in family.near)]
    blocks = [
        f"## {family.title}",
        wrapped(family.about),
        wrapped(f"{papers(family)}."),
        "\n".join(rows(family)),
        *sources,
        "\n".join(map(wrapped, said)),
    ]
    return "\n\n".join(blocks)


def papers(family: Family) -> str:
    """The publications in short, and whose each is."""
    cited = ((PAPERS[key].cited, networks) for key, networks in family.papers.items())
    return "; ".join(f"{names(networks)}: {short}" if networks else short for short, networks in cited)


def publications() -> str:
    """All publications, by year."""
    ordered = sorted(PAPERS.values(), key=lambda paper: (paper.year, paper.authors))
    table = [["year", "authors", "title", "venue", "arXiv"], ["---"] * 5, *(paper.full for paper in ordered)]
    return "\n".join(["## Publications\n", *map(line, table)])


COLUMNS = ("network", "input", "parameters", "multiply-adds", "activations", "memory access")


def rows(family: Family) -> Iterator[str]:
    """The table of a family, with the published figures where there are any."""
    beside = ("published", "counted so") if any(map(published, family.networks)) else ()
    yield line([*COLUMNS, *beside, "held against"])
    yield line(["---", "---", *["--:"] * (4 + len(beside)), "---"])
    for network in family.networks:
        yield line([*ours(network), *(compared(network) if beside else []), held_against(network)])


def ours(network: str) -> list[str]:
    """Our figures."""
    graph = compiled(network)
    totals = graph.root.totals
    figures = (totals.params, totals.macs, totals.activations, counts(graph)[graph.root].memory_access)
    return [f"`{network}`", "x".join(map(str, graph.input)), *(f"{figure:,}" for figure in figures)]


def compared(network: str) -> list[str]:
    """The published figures, and ours in their convention: bold where they differ."""
    found = published(network)
    theirs = (f"{each.printed}{'†' * each.remembered}" for each in found)
    mine = (f"{each.ours:,}" if each.fits(each.ours) else f"**{each.ours:,}**" for each in found)
    return ["<br>".join(theirs), "<br>".join(mine)]


def differences(family: Family) -> Iterator[str]:
    """Why published figures differ from ours, with the figures that explain it."""
    for reason in family.reasons:
        found = [each for each in published(reason.networks[0]) if each.figure in reason.figures]
        amounts = " and ".join(f"{each.printed} is the {explained(reason, each):,}" for each in found)
        yield f"- **{names(reason.networks)}**: {f'{amounts} of ' if reason.form else ''}{reason.says}"


def docs(family: Family) -> Iterator[str]:
    """What specs say of themselves."""
    for network in family.docs:
        yield f"- `{network}`: {' '.join(driver.load(network).doc.split())}"


def names(networks: list[str]) -> str:
    """Networks, by name."""
    return ", ".join(f"`{network}`" for network in networks)


def wrapped(text: str) -> str:
    """A paragraph or an item of a list, in lines of 120."""
    after = "  " if text.startswith("- ") else ""
    return fill(text, 120, subsequent_indent=after, break_long_words=False, break_on_hyphens=False)


def line(cells: Iterable[str]) -> str:
    """A line of a table."""
    return f"| {' | '.join(cells)} |"
