"""The page of a code: what it means, why it matters, an example that gives it, and the same example mended."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

from archdsl.diagnostics import catalog
from archdsl.diagnostics.diagnostic import DiagnosticKind

PAGES = Path(__file__).with_name("explanations.md")
PAGE = re.compile(r"^## (\w+)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Explanation(NamedTuple):
    """A rule with its page. `wrong` and `right` are texts in `notation` (`sh` for a command line), or empty where
    neither can show it; `heads` are the words above them.
    """

    rule: DiagnosticKind
    why: str
    notation: str
    wrong: str
    right: str
    heads: tuple[str, str] = ("An example that gives it:", "The same example, mended:")

    def page(self) -> str:
        """The page as Markdown."""
        parts = [f"# {self.rule.code}: {self.rule.title}", self.why]
        if self.wrong:
            for head, text in zip(self.heads, (self.wrong, self.right), strict=True):
                parts += [head, fenced(self.notation, text)]
        return "\n\n".join(parts) + "\n"


def fenced(notation: str, text: str) -> str:
    """A text as a block of code."""
    return f"```{notation}\n{text.rstrip()}\n```"


@cache
def rules() -> dict[str, DiagnosticKind]:
    """All rules by code."""
    found = [value for value in vars(catalog).values() if isinstance(value, DiagnosticKind)]
    return {rule.code: rule for rule in sorted(found)}


@cache
def explanations() -> dict[str, Explanation]:
    """The pages of all codes."""
    text = PAGES.read_text(encoding="utf-8")
    return {code: explanation(rules()[code], body) for code, body in PAGE.findall(text)}


def explanation(rule: DiagnosticKind, body: str) -> Explanation:
    """A page, from its part of the file."""
    examples = FENCE.findall(body)
    why = FENCE.sub("", body).strip()
    if not examples:
        return Explanation(rule, why, "", "", "")
    (notation, wrong), (_, right) = examples
    return Explanation(rule, why, notation, wrong, right)


def write_pages(folder: Path, pages: dict[str, Explanation]) -> None:
    """Writes pages, and an index of them, as Markdown."""
    folder.mkdir(parents=True, exist_ok=True)
    for code, page in pages.items():
        (folder / f"{code}.md").write_text(page.page(), encoding="utf-8")
    (folder / "README.md").write_text(index(pages), encoding="utf-8")


def index(pages: dict[str, Explanation]) -> str:
    """The index of pages."""
    rows = "\n".join(f"- [{code}]({code}.md): {page.rule.title}" for code, page in pages.items())
    return f"# Codes\n\nE codes are errors, W codes warnings, A codes advice.\n\n{rows}\n"
