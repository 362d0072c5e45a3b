"""Finds the comments that silence warnings, in either notation: `# archdsl: allow W201, W302 (and why)`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from archdsl.diagnostics import Source
    from archdsl.diagnostics.suppression import Suppression
    from archdsl.syntax.document import File

MARK = re.compile(r"#[ \t]*archdsl:[ \t]*(allow|ignore|disable|silence|noqa)\b[ \t:=]*")


def allowances(source: Source, document: File) -> list[Suppression]:
    """All of a text; most have none, and are not looked through."""
    if not MARK.search(source.text):
        return []
    from archdsl.frontend.format.suppressed_lines import allowances_in

    return allowances_in(source, document)
