"""What a docstring says, without what its place in a file adds to it."""

from __future__ import annotations

import re
from textwrap import dedent

LINE_END = re.compile(r"\r\n?")


def tidy(text: str) -> str:
    """The text of a docstring: no common indentation, no blanks at line ends, no empty lines around it.

    The first line, which stands behind the quotes, takes no part in the indentation. Both notations tidy, so that
    either can say whatever the other said.
    """
    lines = LINE_END.sub("\n", text).expandtabs().split("\n")
    first, *rest = (line.rstrip() for line in lines)
    return "\n".join([first.lstrip(" "), dedent("\n".join(rest))]).strip("\n")
