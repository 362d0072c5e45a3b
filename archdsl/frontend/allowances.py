"""Finds the comments that silence warnings, in either notation: `# archdsl: allow W201, W302 (and why)`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from archdsl.errors import Source
    from archdsl.errors.allowance import Allowance
    from archdsl.lang.text.document import Document

MARK = re.compile(r"#[ \t]*archdsl:[ \t]*(allow|ignore|disable|silence|noqa)\b[ \t:=]*")


def allowances(source: Source, document: Document) -> list[Allowance]:
    """All of a text; most have none, and are not looked through."""
    if not MARK.search(source.text):
        return []
    from archdsl.frontend.formatting.allowances import allowances_in

    return allowances_in(source, document)
