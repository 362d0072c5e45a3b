"""Texts that the grammar derives: each is the language by its form, and seldom by its sense."""

from __future__ import annotations

import random
import re
from functools import cache

from lark import Lark
from lark.grammar import NonTerminal, Symbol
from mutation import names

from archdsl.resources import folder
from archdsl.syntax.parser import STARTS

SAMPLES = {
    "INT": ["0", "1", "2", "3", "8", "16", "32", "1_000"],
    "DECIMAL": ["0.5", "1.0", "2.75", "1e3"],
    "SHAPE": ["3x32x32", "16x16x16", "8x1"],
    "QUANTITY": ["4.3G", "25M", "1KiB", "50%"],
    "STRING": ['"other.arch"'],
    "DOCSTRING": ['"""A text."""', '"""Two\n\n    lines."""'],
    "COMPARE": ["==", "!=", "<=", ">=", "<", ">"],
    "DIVIDE": ["//", "/", "%"],
    "IF_TRAINING": ["if training"],
}
BLANK = "    "
HIGH = 10**6


class Deriver:
    """The rules of the grammar, each with how deep it has to go at least."""

    def __init__(self) -> None:
        text = (folder("grammar") / "archdsl.lark").read_text(encoding="utf-8")
        grammar = Lark(text, parser="lalr", start=list(STARTS))
        self.expansions: dict[str, list[list[Symbol]]] = {}
        for rule in grammar.rules:
            self.expansions.setdefault(rule.origin.name, []).append(list(rule.expansion))
        self.words: dict[str, str] = {each.name: each.pattern.value.removesuffix(r"\b") for each in grammar.terminals}
        self.names = [name for name in names() if self.is_free(name)]
        self.heights: dict[str, int] = dict.fromkeys(self.expansions, HIGH)
        while (lower := {name: self.lowest(name) for name in self.expansions}) != self.heights:
            self.heights = lower

    def is_free(self, name: str) -> bool:
        """Whether a word is no word of the language."""
        return name not in self.words.values() and re.fullmatch(self.words["NAME"], name) is not None

    def lowest(self, name: str) -> int:
        """How deep a rule has to go."""
        return 1 + min(map(self.height, self.expansions[name]))

    def height(self, expansion: list[Symbol]) -> int:
        """How deep one way of a rule has to go."""
        return max((self.heights[each.name] for each in expansion if isinstance(each, NonTerminal)), default=0)

    def file(self, chance: random.Random, size: int) -> str:
        """A file of some definitions, the last of which is a backbone."""
        kinds = [*(chance.choice(["block", "function", "backbone"]) for _ in range(chance.randint(0, 2))), "backbone"]
        return "\n".join(self.text(chance, kind, size) for kind in kinds)

    def text(self, chance: random.Random, start: str, size: int) -> str:
        """A text of a rule; after `size` words it takes the shortest way to an end."""
        parts: list[str] = []
        level = 0
        stack: list[Symbol] = [NonTerminal(start)]
        while stack:
            symbol = stack.pop()
            if isinstance(symbol, NonTerminal):
                ways = self.expansions[symbol.name]
                if len(parts) + len(stack) > size:
                    least = min(map(self.height, ways))
                    ways = [way for way in ways if self.height(way) == least]
                stack += reversed(chance.choice(ways))
            elif symbol.name in {"_INDENT", "_DEDENT"}:
                level += 1 if symbol.name == "_INDENT" else -1
                parts[-1] = "\n" + BLANK * level
            else:
                parts.append("\n" + BLANK * level if symbol.name == "_NL" else self.word(chance, symbol.name))
        return "".join(part if part.startswith("\n") else f"{part} " for part in parts)

    def word(self, chance: random.Random, terminal: str) -> str:
        """A word."""
        return chance.choice(self.names if terminal == "NAME" else SAMPLES.get(terminal, [self.words[terminal]]))


@cache
def deriver() -> Deriver:
    """The rules, read once."""
    return Deriver()
