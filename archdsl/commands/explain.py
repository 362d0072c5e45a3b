"""Explains a code: `archdsl explain E203`. E codes are errors, W warnings of `validate`, A advice of `lint`."""

from __future__ import annotations

import argparse
from pathlib import Path

from archdsl.diagnostics import catalog, did_you_mean
from archdsl.diagnostics.explain import Explanation, explanations, write_pages


def arguments(parser: argparse.ArgumentParser) -> None:
    """The code, or none to list them."""
    parser.add_argument("code", nargs="?", metavar="CODE", help="as E203; without one, all codes are listed")
    parser.add_argument("--write", metavar="FOLDER", help="writes all pages into a folder, as Markdown")


def run(options: argparse.Namespace) -> int:
    """Print a page, or the list."""
    pages = all_pages()
    if options.write:
        try:
            write_pages(Path(options.write), pages)
        except OSError as error:
            raise catalog.OUTPUT.error(None, f"{options.write}: {error.strerror or error}") from None
        return 0
    if options.code is None:
        print("\n".join(f"{code}  {page.rule.title}" for code, page in pages.items()))
        return 0
    page = pages.get(options.code.upper())
    if page is None:
        raise catalog.USAGE.error(
            None, f"no code is called `{options.code[:20]}`", help=did_you_mean(options.code, pages)
        )
    print(page.page(), end="")
    return 0


def all_pages() -> dict[str, Explanation]:
    """Pages of all codes: of findings, and of advice."""
    from archdsl.analyses.advice import explanations as of_advice

    return explanations() | of_advice()
