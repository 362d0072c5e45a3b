"""`docs/mistakes.md`, from the cases; `python -m tests.update` writes it."""

from __future__ import annotations

import re
from pathlib import Path

from tests.mistakes.case import Case, Mistake, topics, unmarked

PAGE = Path(__file__).parents[2] / "docs" / "mistakes.md"
HEAD = """\
# Mistakes and messages

{count} mistakes, in both notations if they can be made in both, each with the whole message of `archdsl validate` and a
correction. The tests check all of it: place, message, and that the corrected spec has no errors.
`archdsl help E203`, or [its page](errors/README.md), explains a code.

`python -m tests.update` writes this page from the cases in `tests/mistakes/cases`.
"""
CODE = re.compile(r"^error\[(\w+)\]: (.*)", re.MULTILINE)


def page() -> str:
    """The page as a whole."""
    found = topics()
    head = HEAD.format(count=sum(map(len, found.values())))
    parts = [table(found), *(f"## {topic}\n\n{bodies(mistakes)}" for topic, mistakes in found.items())]
    return "\n".join([head, *parts])


def table(found: dict[str, list[Mistake]]) -> str:
    """All mistakes with the heads of their messages."""
    rows = [row(mistake) for mistakes in found.values() for mistake in mistakes]
    return "\n".join(["| mistake | code | says |", "|---|---|---|", *rows, ""])


def row(mistake: Mistake) -> str:
    """A mistake, its codes and their sentences."""
    said = dict(each for case in mistake.cases for each in CODE.findall(case.says))
    codes = ", ".join(f"[{code}](errors/{code}.md)" for code in said)
    return f"| [{mistake.title}](#{anchor(mistake.title)}) | {codes} | {'; '.join(said.values())} |"


def anchor(title: str) -> str:
    """What GitHub calls a heading."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def bodies(mistakes: list[Mistake]) -> str:
    """The mistakes of a topic."""
    return "\n".join(f"### {mistake.title}\n\n{body(mistake)}" for mistake in mistakes)


def body(mistake: Mistake) -> str:
    """A mistake: texts, messages, and what mends them."""
    parts = [part for case in mistake.cases for part in shown(case)]
    return "\n".join([*parts, *mends(mistake)])


def shown(case: Case) -> list[str]:
    """A text and its message."""
    others = [
        f"With `{name}`:\n\n{fenced(name.rpartition('.')[2], unmarked(text))}" for name, text in case.others.items()
    ]
    return [*others, fenced(case.notation, unmarked(case.text)), fenced("text", case.says)]


def mends(mistake: Mistake) -> list[str]:
    """What mends a mistake: texts and their successors, or whole specs."""
    if mistake.mends:
        return ["To mend it:\n", fenced("text", "\n".join(mistake.mends))]
    return [f"Mended:\n\n{fenced(case.notation, case.mended)}" for case in mistake.cases]


def fenced(language: str, text: str) -> str:
    """A text as a block of code."""
    return f"```{language}\n{text.rstrip()}\n```\n"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
