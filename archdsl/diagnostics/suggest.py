"""The nearest valid names to a misspelt one."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

# The least similarity of names with the same first letter; others need `SURE`.
ALIKE = 0.6
SURE = 0.7
# Of more names than these, only those of about the same length that begin with the same letter are looked at.
MOST_COMPARED = 1_000


def nearest(name: str, valid: Iterable[str], count: int = 1) -> list[str]:
    """The valid names that are like `name`, the most alike first."""
    from difflib import get_close_matches

    known = sorted(set(valid))
    folded = {each.lower().replace("_", ""): each for each in reversed(known)}
    asked = name[:64].lower().replace("_", "")
    if len(folded) > MOST_COMPARED:
        close = (each for each in folded if each[:1] == asked[:1] and abs(len(each) - len(asked)) <= 2)
        folded = {each: folded[each] for each in islice(close, MOST_COMPARED)}
    found = get_close_matches(asked, folded, n=count + 3, cutoff=ALIKE)
    sure = set(get_close_matches(asked, found, n=count + 3, cutoff=SURE))
    swapped = [asked[:at] + asked[at + 1] + asked[at] + asked[at + 2 :] for at in range(len(asked) - 1)]
    likely = [each for each in dict.fromkeys(swapped) if each in folded]
    likely += [each for each in found if (each in sure or each[:1] == asked[:1]) and each not in likely]
    return [folded[each] for each in likely[:count]]


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


def plural(count: int, noun: str) -> str:
    """A count with its noun: `1 argument`, `2 arguments`."""
    return f"{count:,} {noun}{'s' * (count != 1)}"
