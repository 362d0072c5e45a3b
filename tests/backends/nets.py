"""Networks to test backends with: the specs of `cases/nets.arch`, each the smallest that shows something."""

from __future__ import annotations

from pathlib import Path

from archdsl import driver
from archdsl.graph import Graph

FILE = Path(__file__).parent / "cases" / "nets.arch"
NAMES = list(driver.load(f"{FILE}:plain").scope.backbones)


def net(name: str) -> Graph:
    """A network of the file."""
    return driver.compile(driver.load(f"{FILE}:{name}"))


def graph(text: str) -> Graph:
    """The network of a text."""
    return driver.compile(driver.loads(text))
