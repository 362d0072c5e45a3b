"""The parser, and its tables: made when a wheel is built, read beside this file, otherwise built in memory.

They are read from nowhere else: lark keeps them as a pickle, and reading a pickle can run code.
"""

# lark does not tell the types of its trees.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from functools import cache
from pathlib import Path

import lark
from lark import Lark

from archdsl.frontend.arch.indenter import Indenter
from archdsl.resources import folder

STARTS = (
    "file",
    "expression",
    "parameters",
    "body",
    "shape",
    "stage_key",
    "output_key",
    "bound",
    "target",
    "extends_value",
)


def name() -> str:
    """The tables' file name, by the version of lark that made them."""
    return f"tables-{lark.__version__}.bin"


def build() -> Lark:
    """The parser, from the grammar."""
    return Lark(
        (folder("grammar") / "archdsl.lark").read_text(encoding="utf-8"),
        parser="lalr",
        start=list(STARTS),
        maybe_placeholders=True,
        propagate_positions=True,
        postlex=Indenter(),  # type: ignore[arg-type]
    )


def make(path: Path) -> None:
    """Writes the tables."""
    with path.open("wb") as file:
        build().save(file)


@cache
def machine() -> Lark:
    """The parser, once in a process."""
    made = Path(__file__).with_name(name())
    if not made.is_file():
        return build()
    with made.open("rb") as file:
        return Lark.load(file)
