"""The comparison with an oracle finds every single mistake: each mutation of our text must make it fail."""

from __future__ import annotations

import shutil
from collections import Counter
from functools import lru_cache
from pathlib import Path

import pytest

import archdsl
from archdsl import ArchError, Graph, driver
from archdsl.driver import library
from tests.equality.compare import (
    Difference,
    Pair,
    Run,
    build,
    differences,
    differences_of_forward,
    evaluated,
    limit,
    move,
    pair,
    run,
)
from tests.equality.mutations import MISPLACED, MUTATIONS, Mutation
from tests.equality.nets import CASES, Case

ROOT = Path(__file__).parents[2]
MAIN = {case.spec: case for case in reversed(CASES)}
"""The first case of each network."""


def mutant(mutation: Mutation, folder: Path, patch: pytest.MonkeyPatch) -> Graph:
    """The graph of a network whose text is wrong in one thing: the library and the specs in a copy of their own."""
    for name in ("grammar", "specs"):
        shutil.copytree(ROOT / name, folder / name)
    file = folder / mutation.file
    content = file.read_text()
    for old, new in mutation.changes:
        assert old in content, f"{mutation.file} has changed: no `{old}` in it"
        content = content.replace(old, new)
    file.write_text(content)
    if MAIN[mutation.spec].narrow:
        head = folder / "specs/vgg16.yaml"
        head.write_text(head.read_text().replace("linear(4096)", "linear(64)"))
    patch.setattr(library, "folder", lambda name: folder / name)
    patch.setattr(driver.SHIPPED, "__dict__", vars(library.Shipped()))
    return archdsl.compile(mutation.spec)


@lru_cache(maxsize=1)
def original(spec: str) -> tuple[Pair, Run]:
    """A network's oracle, and what it computes in evaluation; kept for all mutations of the network."""
    both = pair(MAIN[spec], build(MAIN[spec].ours))
    return both, run(both.theirs, both.images, MAIN[spec].maps, training=False)


def differs(case: Case, both: Pair, right: Run) -> str:
    """Where two networks differ: in what evaluation gives, or else in its gradients, or else in training."""
    maps = {name: name for name in case.maps}
    found = beyond(differences_of_forward(evaluated(both.ours, both.images, maps), right))
    for training in (False, True):
        if not found:
            theirs = run(both.theirs, both.images, case.maps, training) if training else right
            found = beyond(differences(both.plan, run(both.ours, both.images, maps, training), theirs))
    return found


def beyond(found: dict[str, Difference]) -> str:
    """The first kind of difference that is far beyond its limit."""
    return next((f"{kind}: {each.size:.1e}" for kind, each in found.items() if each.size > 10 * limit(kind)), "")


def named(mutation: Mutation) -> str:
    """The name of a test."""
    return f"{mutation.spec}: {mutation.what}"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning", "ignore::FutureWarning")
@pytest.mark.parametrize("mutation", MUTATIONS, ids=named)
def test_a_mistake_is_found(mutation: Mutation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = MAIN[mutation.spec]
    right, as_it_should_be = original(mutation.spec)
    wrong = build(mutant(mutation, tmp_path, monkeypatch))
    both = right._replace(ours=wrong, plan=move(case, right.theirs, wrong))
    found = differs(case, both, as_it_should_be)
    print(f"\n{named(mutation)}: {found}")
    assert found


@pytest.mark.parametrize("mutation", MISPLACED, ids=named)
def test_weights_do_not_fit_a_mistake(mutation: Mutation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = pair(MAIN[mutation.spec], build(MAIN[mutation.spec].ours)).theirs.state_dict()
    wrong = build(mutant(mutation, tmp_path, monkeypatch))
    with pytest.raises(ArchError, match=r"attention|attn"):
        archdsl.weights.load_weights(wrong, state)


def test_each_family_has_enough_mutations() -> None:
    counts = Counter(mutation.spec for mutation in MUTATIONS)
    assert len(counts) == 14
    assert min(counts.values()) >= 5
