"""JSON as all commands print it: what every reader of JSON takes, so no Infinity and no NaN."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from math import isfinite
from typing import Any, cast

from archdsl.diagnostics.characters import escape, visible_json

HALF = re.compile("[\ud800-\udfff]")


def json_text(value: Any) -> str:
    """A value as JSON; a number without end, or none at all, is null."""
    return visible_json(json.dumps(finite(value), indent=2, allow_nan=False))


def finite(value: Any) -> Any:
    """A value with None for each number that JSON does not have, and visible escapes for halves of characters."""
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, str):
        return HALF.sub(lambda found: escape(found[0]), value)
    if isinstance(value, Mapping):
        return {finite(name): finite(each) for name, each in cast("Mapping[str, Any]", value).items()}
    if isinstance(value, list | tuple):
        return [finite(each) for each in cast("list[Any]", value)]
    return value
