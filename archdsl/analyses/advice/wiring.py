"""Advice on wiring: concatenations of concatenations, which copy the same values again and again."""

from __future__ import annotations

from collections.abc import Iterator

from archdsl.analyses.advice.case import Advice, Case, Finding
from archdsl.analyses.advice.widths import NET
from archdsl.analyses.walk import Placed
from archdsl.errors import Rule
from archdsl.op import elements

LONG = 4


def chains(case: Case) -> Iterator[Finding]:
    """Concatenations, each of which takes the result of the one before."""
    for section, ops in case.parts:
        chain = longest(ops)
        if len(chain) < LONG:
            continue
        copied, once = sum(elements(each.output) for each in chain), elements(chain[-1].output)
        yield Finding(
            section,
            f"{len(chain)} concatenations, each of the one before: they write {copied:,} values to keep {once:,}, "
            f"{copied / once:.1f} times as many",
            "aggregate once, at the end of the stage: `osa(layers, layer, out)`",
            {"concatenations": len(chain), "written": copied, "kept": once},
            where=chain[-1].path,
        )


def longest(ops: list[Placed]) -> list[Placed]:
    """The longest chain of concatenations that take each other's result, directly."""
    chains: dict[int, list[Placed]] = {}
    best: list[Placed] = []
    for placed in ops:
        if placed.op.view and len(placed.reads) == len(placed.gives) == 1 and placed.reads[0] in chains:
            chains[placed.gives[0]] = chains[placed.reads[0]]
        if placed.op.name != "concat":
            continue
        before = max((chains[each] for each in placed.reads if each in chains), key=len, default=list[Placed]())
        chain = chains[placed.gives[0]] = [*before, placed]
        best = max(best, chain, key=len)
    return best


CHAINS = Advice(
    rule=Rule("A104", "concatenations of concatenations grow quadratically"),
    find=chains,
    why="Where every layer's output is joined to all before it, n layers write n times what is kept, their norms and "
    "1x1 convolutions read as much, and input widths grow while output widths stay. To join them once at the end "
    "keeps the features and drops the cost.",
    limit=f"A stage with a chain of {LONG} concatenations or more, each of the result of the one before.",
    paper="Lee et al. 2019 (VoVNet): one-shot aggregation against Huang et al. 2017 (DenseNet)",
    bad=NET + "dense(6, nac(128) -> nac(32, 3))\n",
    good=NET + "osa(5, cna(64, 3), 256)\n",
)
