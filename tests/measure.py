"""Measure the house: sizes, import circles, names that stand twice, docstrings, comments, and hops of a number.

python tests/measure.py            # all of it as a table
python tests/measure.py --trace    # the files that `groups: 1009` of a YAML spec passes, in order
"""

from __future__ import annotations

import ast
import io
import re
import statistics
import sys
import tokenize
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from imports import Time, circles, modules

PACKAGE = Path(__file__).parents[1] / "archdsl"
QUESTION = re.compile(r"(What|Whether|Where|Which|How|Who|Whose)\b")
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


class Lines(NamedTuple):
    """The lines of a module by what they hold."""

    total: int
    code: int
    docstring: int
    comment: int
    blank: int


def docstrings(tree: ast.AST) -> Iterator[ast.expr]:
    """The docstrings of a module, its classes and functions, and the texts below constants and fields."""
    for node in ast.walk(tree):
        for statement in getattr(node, "body", []) if isinstance(node, DOCUMENTED) else []:
            if isinstance(statement, ast.Expr) and is_text(statement.value):
                yield statement.value


def is_text(node: ast.expr) -> bool:
    """Tell strings from other expressions."""
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def count_lines(text: str) -> Lines:
    """Sort the lines of a module: a line with code and a comment is code."""
    total = len(text.splitlines())
    documented = {
        number for each in docstrings(ast.parse(text)) for number in range(each.lineno, (each.end_lineno or 0) + 1)
    }
    skipped = {tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER, tokenize.ENCODING}
    code: set[int] = set()
    comments: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            comments.add(token.start[0])
        elif token.type not in skipped:
            code |= set(range(token.start[0], token.end[0] + 1))
    code -= documented
    comments -= code
    return Lines(total, len(code), len(documented), len(comments), total - len(code | documented | comments))


# ---- the journey of a number

MARKER = 1009
SPEC = f"""\
name: traced
input: 2018x8x8
set: {{conv.groups: {MARKER}}}
stem: conv(2018, 3)
"""


def journey() -> list[str]:
    """The files of the package that a number of a YAML spec passes on its way into the emitted `nn.Conv2d`."""
    import archdsl

    seen: dict[str, None] = {}
    prefix = str(PACKAGE)

    def watch(frame: Any, event: str, value: Any) -> None:
        path = frame.f_code.co_filename
        if path.startswith(prefix) and path not in seen and event in ("call", "return"):
            held = [*frame.f_locals.values(), value] if event == "return" else [*frame.f_locals.values()]
            if any(holds(each, 1) for each in held):
                seen[path] = None

    sys.setprofile(watch)
    try:
        source = archdsl.emit(archdsl.loads(SPEC, "traced.yaml"))
    finally:
        sys.setprofile(None)
    assert f"groups={MARKER}" in source
    return [Path(path).relative_to(PACKAGE.parent).as_posix() for path in seen]


def holds(value: Any, depth: int) -> bool:
    """Whether a value is the marked number, or a text or a small container with it."""
    if isinstance(value, str):
        return len(value) < 2 * len(SPEC) and str(MARKER) in value
    if isinstance(value, int | float | bool | type(None)):
        return value == MARKER
    if depth == 0:
        return False
    if isinstance(value, dict):
        return any(holds(each, depth - 1) for each in [*value.values()][:40])
    if isinstance(value, list | tuple | set | frozenset):
        return any(holds(each, depth - 1) for each in [*value][:40])
    if type(value).__module__.startswith("archdsl") and hasattr(value, "__dict__"):
        return any(holds(each, depth - 1) for each in [*vars(value).values()][:40])
    return False


# ---- the table


def measure(package: Path) -> dict[str, Any]:
    """All figures of a package by name."""
    known = modules(package)
    texts = {name: path.read_text("utf-8") for name, path in known.items()}
    lines = {name: count_lines(text) for name, text in texts.items()}
    sizes = sorted(each.code for each in lines.values())
    code = sum(sizes)
    trees = [ast.parse(text) for text in texts.values()]
    classes = Counter(node.name for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef))
    docs = [ast.literal_eval(each).lstrip() for tree in trees for each in docstrings(tree)]
    questions = sum(bool(QUESTION.match(each)) for each in docs)
    twice = sorted(name for name, count in classes.items() if count > 1)
    times: list[list[Time]] = [["at import"], ["at import", "in functions"], ["at import", "in functions", "for types"]]
    return {
        "files": len(known),
        "lines": sum(each.total for each in lines.values()),
        "lines of code": code,
        "code lines of a module: median / p90 / max": " / ".join(
            map(str, (round(statistics.median(sizes)), sizes[int(0.9 * len(sizes))], sizes[-1]))
        ),
        "longest module, in lines": max(each.total for each in lines.values()),
        "modules in circles: at import / + in functions / + for types": " / ".join(
            str(sum(map(len, circles(package, each)))) for each in times
        ),
        "class names that stand twice": f"{len(twice)} {' '.join(twice)}".rstrip(),
        "docstrings that begin with a question word": f"{100 * questions / len(docs):.1f} %",
        "docstring lines per 100 of code": round(100 * sum(each.docstring for each in lines.values()) / code, 1),
        "comment lines per 100 of code": round(100 * sum(each.comment for each in lines.values()) / code, 1),
    }


def main() -> None:
    """Print the table, or the journey of a number."""
    if "--trace" in sys.argv:
        print("\n".join(journey()))
        return
    figures = measure(PACKAGE)
    passed = journey()
    inside = [path for path in passed if path.startswith("archdsl/elaborate")]
    figures["files of `groups` from YAML to nn.Conv2d"] = f"{len(passed)}, {len(inside)} of them in the elaborator"
    width = max(map(len, figures))
    for name, value in figures.items():
        print(f"{name.ljust(width)}  {value}")


if __name__ == "__main__":
    main()
