"""The nearest valid names to a misspelt one."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(name: str, valid: Iterable[str], count: int = 1) -> list[str]:
    """The valid names that are like `name`, the most alike first."""
    from difflib import get_close_matches

    known = sorted(set(valid))
    folded = {each.lower().replace("_", ""): each for each in reversed(known)}
    found = get_close_matches(name[:64].lower().replace("_", ""), folded, n=count, cutoff=0.6)
    return [folded[each] for each in found]


def did_you_mean(name: str, valid: Iterable[str]) -> str:
    """A sentence that offers the nearest name, or names the choices where they are few, or nothing."""
    known = list(valid)
    if found := nearest(name, known):
        return f"did you mean `{found[0]}`?"
    return f"choose from {listed(sorted(known))}" if 0 < len(known) <= 12 else ""


def listed(names: Iterable[str]) -> str:
    """Names as they stand in a sentence: `a`, `b` and `c`."""
    quoted = [f"`{name}`" for name in names]
    return " and ".join([", ".join(quoted[:-1]), quoted[-1]] if len(quoted) > 1 else quoted)
