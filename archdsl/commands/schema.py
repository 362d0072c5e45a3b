"""Print the JSON Schema of YAML specs, for editors.

Editors complete, explain and check specs with it. It contains all shipped blocks and all ops, with their parameters. A
spec names it in a comment, for yaml-language-server:

    # yaml-language-server: $schema=archdsl.schema.json
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any, cast

from archdsl.commands._options import add_output
from archdsl.commands._output import write_text
from archdsl.commands._streams import print_file
from archdsl.diagnostics.characters import on_one_line, visible_json

GROUP = "write"
EXAMPLES = ("archdsl schema -o archdsl.schema.json",)
WIDTH = 118


def arguments(parser: argparse.ArgumentParser) -> None:
    """`-o`."""
    add_output(parser)


def run(options: argparse.Namespace) -> int:
    """Print or write the schema."""
    if options.output is None:
        print_file(text())
    else:
        write_text(Path(options.output), text())
        print(f"wrote {on_one_line(options.output)}")
    return 0


def text() -> str:
    """Content of the schema file."""
    from archdsl.analyses.expect import KNOWN, OF_SECTIONS
    from archdsl.driver import SHIPPED
    from archdsl.frontend.schema import schema
    from archdsl.ops import vocabulary

    blocks = {name: block for name in SHIPPED.blocks() if (block := SHIPPED.block(name))}
    of_sections = {name: figure.meaning for name, figure in OF_SECTIONS.items()}
    of_network = {name: figure.meaning for name, figure in KNOWN.items() if figure.whole}
    figures = [of_sections, of_network]
    return visible_json(laid_out(schema(blocks, vocabulary(), *figures))) + "\n"


def laid_out(value: Any, indent: str = "", key: str = "") -> str:
    """JSON with everything on one line that fits on one."""
    line = json.dumps(value, ensure_ascii=False, allow_nan=False)
    if not isinstance(value, dict | list) or not value or len(indent + key + line) < WIDTH:
        return line
    inner = f"{indent}  "
    if isinstance(value, dict):
        pairs = cast("dict[str, Any]", value).items()
        parts = [f"{json.dumps(name)}: {laid_out(each, inner, f'{name}: ')}" for name, each in pairs]
    else:
        parts = [laid_out(each, inner) for each in cast("list[Any]", value)]
    start, end = "{}" if isinstance(value, dict) else "[]"
    return f"{start}\n{inner}" + f",\n{inner}".join(parts) + f"\n{indent}{end}"
