"""Explains a code of a finding: `archdsl explain E203`."""

from __future__ import annotations

import argparse

from archdsl.errors import catalog, did_you_mean
from archdsl.errors.explain import explanations


def arguments(parser: argparse.ArgumentParser) -> None:
    """The code; none lists them all."""
    parser.add_argument("code", nargs="?", metavar="CODE", help="as E203; without one, all codes are listed")


def run(options: argparse.Namespace) -> int:
    """Prints a page, or the list."""
    pages = explanations()
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
