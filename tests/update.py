"""Write everything that is derived from the sources: `python -m tests.update`.

The schema, the reference pages of docs/ and the fingerprints of the specs. The expected side of test cases is not
derived: `UPDATE_CASES=1 pytest tests/...` writes it, and its diff has to be read.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from archdsl.commands.schema import text as schema
from tests.docs import codes_pages, keys_page
from tests.fingerprints import fingerprints
from tests.mistakes import page as mistakes
from tests.pictures import shown as pictures
from tests.specs import backbones_page, blocks_page

TOP = Path(__file__).parents[1]
DERIVED: dict[str, Callable[[], str]] = {
    "grammar/archdsl.schema.json": schema,
    "docs/advice.md": codes_pages.advice,
    "docs/backbones.md": backbones_page.page,
    "docs/blocks.md": blocks_page.page,
    "docs/mistakes.md": mistakes.page,
    "docs/yaml.md": keys_page.page,
    **{f"docs/pictures/{name}.svg": picture for name, picture in pictures.SHOWN.items()},
    **{f"docs/errors/{name}.md": lambda text=text: text for name, text in codes_pages.pages().items()},
    "tests/fingerprints/specs.txt": fingerprints.promised,
}
"""Derived files, and the functions that make their texts."""


def main() -> int:
    """Write each derived file that changes, and name it."""
    for name, text in DERIVED.items():
        path, new = TOP / name, text()
        if not path.is_file() or path.read_text("utf-8") != new:
            path.write_text(new, "utf-8")
            print(f"wrote {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
