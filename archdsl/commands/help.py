"""Look up an op, block, spec, command, figure, code or word.

Without a word it lists the topics; the name of a topic lists what is in it.
"""

from __future__ import annotations

import argparse

from archdsl.commands._tables import listing
from archdsl.commands._topics import TOPICS
from archdsl.diagnostics import catalog, did_you_mean

EXAMPLES = ("archdsl help conv", "archdsl help E203", "archdsl help collect", "archdsl help figures")


def arguments(parser: argparse.ArgumentParser) -> None:
    """The word to look up."""
    parser.add_argument("word", nargs="?", metavar="WORD", help="what to look up, as conv, E203, stage, macs")


def run(options: argparse.Namespace) -> int:
    """Print all pages of a word, or a list."""
    word: str | None = options.word
    if word is None:
        print(topics())
    elif word in TOPICS:
        print(f"{TOPICS[word].summary}\n\n{listing(TOPICS[word].entries())}")
    else:
        print("\n\n".join(pages(word)))
    return 0


def topics() -> str:
    """All topics, with what they hold."""
    lines = listing({name: topic.summary for name, topic in TOPICS.items()})
    return f"`archdsl help WORD` shows the page of a word.\n`archdsl help TOPIC` lists the words of a topic:\n\n{lines}"


def pages(word: str) -> list[str]:
    """Pages of a word; raises ArchError if there are none."""
    asked = (word, word.upper())
    found = {kind: topic.page(each) for kind, topic in TOPICS.items() for each in asked if each in topic.entries()}
    if not found:
        known = [*TOPICS, *(name for topic in TOPICS.values() for name in topic.entries())]
        help = did_you_mean(word, known) or "`archdsl help` lists the topics"
        raise catalog.USAGE.error(None, f"nothing is called `{word[:80]}`", help=help)
    return [text.rstrip() for text in found.values()]
