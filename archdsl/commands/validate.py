"""Checks specs completely, without building anything. Needs no torch.

Exit code 0: all is well; 1: something was found; 2: it could not be asked for.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from archdsl.commands._formats import FORMATS
from archdsl.commands._options import chosen_input
from archdsl.driver import SUFFIXES, is_spec, read_text, shown, validate
from archdsl.errors import ArchError, Diagnostic, Source

STANDARD_INPUT = "-"
MACHINE_READ = {"json", "sarif", "github"}


def arguments(parser: argparse.ArgumentParser) -> None:
    """PATH..., `--output-format`, `--input`."""
    parser.add_argument("paths", nargs="+", metavar="PATH", help="files, folders, or - for standard input")
    parser.add_argument("--output-format", choices=list(FORMATS), default="full", help="how findings are shown")
    parser.add_argument("--input", metavar="CxHxW", help="checks the specs for another input size")


def run(options: argparse.Namespace) -> int:
    """Checks all files, prints what is wrong, and counts."""
    size = chosen_input(options)
    findings: list[Diagnostic] = []
    checked = skipped = 0
    for path, through_folder in files(options.paths):
        try:
            source = source_of(path)
        except ArchError as error:
            findings += error.diagnostics
            continue
        if through_folder and not is_spec(source):
            skipped += 1
            continue
        checked += 1
        findings += validate(source, None if path == STANDARD_INPUT else Path(path), size)
    if findings or options.output_format in MACHINE_READ - {"github"}:
        print(FORMATS[options.output_format](findings))
    print(closing(checked, skipped, findings), file=sys.stderr if options.output_format in MACHINE_READ else sys.stdout)
    return int(any(finding.severity == "error" for finding in findings))


def files(paths: list[str]) -> Iterator[tuple[str, bool]]:
    """Each file that is asked for once, in order, and whether it was met through a folder only."""
    seen: set[str] = set()
    for text in paths:
        path = Path(text)
        if text != STANDARD_INPUT and path.is_dir():
            found = sorted(str(each) for each in path.rglob("*") if each.suffix in SUFFIXES and each.is_file())
            named = [(each, True) for each in found]
        else:
            named = [(text, False)]
        for name, through_folder in named:
            if name not in seen:
                seen.add(name)
                yield name, through_folder


def source_of(path: str) -> Source:
    """A file's text, or standard input's."""
    if path == STANDARD_INPUT:
        return Source("<stdin>", sys.stdin.read())
    return Source(shown(Path(path)), read_text(Path(path), None))


def closing(checked: int, skipped: int, findings: list[Diagnostic]) -> str:
    """The last line: what was checked, and how much was found."""
    kinds = Counter(finding.severity for finding in findings)
    found = ", ".join(f"{kinds[kind]} {kind}{'s' * (kinds[kind] > 1)}" for kind in ("error", "warning") if kinds[kind])
    left = f", {skipped} YAML file{'s' * (skipped != 1)} skipped as no spec" if skipped else ""
    return f"{checked} file{'s' * (checked != 1)} checked{left}: {found or 'no errors'}"
