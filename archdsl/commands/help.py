"""Shows the signature and text of an op, a block, a spec or a command: `archdsl help conv`."""

from __future__ import annotations

import argparse
import inspect

from archdsl.diagnostics import catalog, did_you_mean
from archdsl.driver import SHIPPED
from archdsl.elaborate.signature import signature_of
from archdsl.ops import vocabulary


def arguments(parser: argparse.ArgumentParser) -> None:
    """The name to look up."""
    parser.add_argument("name", metavar="NAME", help="an op, a shipped block, a shipped spec, or a command")


def run(options: argparse.Namespace) -> int:
    """Print the signature and the text."""
    found = [text for text in (block_page(options.name), op_page(options.name), spec_page(options.name)) if text]
    found += command_pages(options.name)
    if not found:
        from archdsl.commands._run import names

        known = [*SHIPPED.blocks(), *vocabulary(), *SHIPPED.specs(), *names()]
        raise catalog.USAGE.error(
            None, f"nothing is called `{options.name[:80]}`", help=did_you_mean(options.name, known)
        )
    print("\n\n".join(found))
    return 0


def block_page(name: str) -> str:
    """Page of a shipped block, or nothing."""
    block = SHIPPED.block(name)
    return f"block {signature_of(block).text()}\n\n{block.doc}".rstrip() if block else ""


def op_page(name: str) -> str:
    """Page of an op, or nothing."""
    op = vocabulary().get(name)
    return f"op {signature_of(op).text()}\n\n{inspect.cleandoc(op.__doc__ or '')}" if op else ""


def spec_page(name: str) -> str:
    """Page of a shipped spec, or nothing."""
    spec = SHIPPED.spec(name)
    return f"spec {name}\n\n{spec[1].doc}".rstrip() if spec else ""


def command_pages(name: str) -> list[str]:
    """Page of a command, or none."""
    from archdsl.commands._run import module_of, names

    return [f"archdsl {name}\n\n{module_of(name).__doc__}"] if name in names() else []
