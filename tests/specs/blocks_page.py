"""`docs/blocks.md`, the block library's reference page, from its docstrings; `python -m tests.update` writes it."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

from archdsl import driver

PAGE = Path(__file__).parents[2] / "docs" / "blocks.md"
HEAD = """
# The block library

Every spec can use these blocks; each is written in the language, in the file of its name in `grammar/blocks/`.
Parameters after `*` are given by name, and all others can be. `x` is the block's input, C x H x W its shape. A setting
changes a default for a whole network, or inside a `with`: `bottleneck.groups = 32`.
"""
CHAPTERS = {
    "Layers": ("cna", "cn", "nac", "dwsep", "match", "plain"),
    "Residual blocks": ("basic", "bottleneck", "grouped", "preact", "preact_basic", "dark", "project", "pooled"),
    "Dense blocks and aggregation": ("dense", "two_way", "transition", "osa"),
    "Cross stage partial networks": ("csp", "paths", "halves", "swap"),
    "Attention": ("se", "ese", "eca"),
    "Inception modules": ("inception", "inception_a", "inception_b", "inception_c", "inception_d", "inception_e"),
}


MORE = "More blocks"


def page() -> str:
    """The page's text; a block without a chapter is among those at the end."""
    known = {name for names in CHAPTERS.values() for name in names}
    more = tuple(name for name in driver.SHIPPED.blocks() if name not in known)
    titles = CHAPTERS | ({MORE: more} if more else {})
    chapters = (f"## {title}\n\n" + "\n".join(entry(name) for name in names) for title, names in titles.items())
    return HEAD.lstrip() + "\n" + "\n".join(chapters)


def entry(name: str) -> str:
    """A block: its name, its signature, what its docstring says."""
    source = driver.SHIPPED.block_files[name].read_text(encoding="utf-8")
    signature = source[: source.index('"""')].rstrip().rstrip("=:").rstrip()
    block = driver.SHIPPED.block(name)
    assert block is not None
    return f"### {name}\n\n```\n{dedent(signature)}\n```\n\n{block.doc}\n"
