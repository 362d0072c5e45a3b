"""The tables of keys in `docs/yaml.md`, from the document's models; `python -m tests.update` writes them."""

from __future__ import annotations

import re
from pathlib import Path

from archdsl.syntax.document import Backbone, File
from archdsl.syntax.models import Model

PAGE = Path(__file__).parents[2] / "docs" / "yaml.md"
HEAD = "| key | holds |\n|---|---|\n"
TABLE = re.compile(rf"{re.escape(HEAD)}(?:\|.*\n)*")


def table(model: type[Model]) -> str:
    """A row for each key of a model."""
    fields = zip(model.all_keys(), model.model_fields.values(), strict=True)
    return HEAD + "".join(f"| `{key}` | {field.description} |\n" for key, field in fields)


def page() -> str:
    """The page, with the keys of a network in its first table, and those of a file in its second."""
    tables = iter(map(table, (Backbone, File)))
    return TABLE.sub(lambda _: next(tables), PAGE.read_text("utf-8"))
