"""Format specs, or convert them to the other notation.

Files are rewritten in place in the one canonical layout, each whole or not at all; comments stay with their lines.
Standard input (-) is printed in the new layout. With `--to`, a spec is written in the other notation, to a file beside
it (net.arch, net.yaml). A file with errors is left unchanged. Needs no torch.

Exit code 0: done; 1: files would change (`--check`), or one has errors; 2: a usage or internal error.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from difflib import unified_diff
from pathlib import Path

from archdsl.commands._options import STANDARD_INPUT, GivenFile, files, source_of
from archdsl.commands._output import write_text
from archdsl.commands._streams import output, print_file, print_findings
from archdsl.diagnostics import ArchError, Diagnostic, Source, catalog
from archdsl.diagnostics.diagnostic import name_of

GROUP = "write"
EXAMPLES = ("archdsl fmt specs", "archdsl fmt --to arch net.yaml")
SUFFIXES = {"arch": (".arch",), "yaml": (".yaml", ".yml")}


def arguments(parser: argparse.ArgumentParser) -> None:
    """PATH..., `--check`, `--diff`, `--to`, `--force`."""
    parser.add_argument("paths", nargs="+", metavar="PATH", help="files, folders, or - for standard input")
    parser.add_argument("--check", action="store_true", help="writes nothing; says which files would change")
    parser.add_argument("--diff", action="store_true", help="writes nothing; shows what would change")
    parser.add_argument("--to", choices=list(SUFFIXES), help="writes specs in this notation, to files beside them")
    parser.add_argument("--force", action="store_true", help="with --to, overwrites files that are there already")


def run(options: argparse.Namespace) -> int:
    """Format all files, print findings and a summary."""
    if options.to and (options.check or options.diff):
        raise catalog.USAGE.error(None, "`--to` with `--check` or `--diff`", help="`--to` writes new files only")
    if options.force and not options.to:
        raise catalog.USAGE.error(None, "`--force` without `--to`", help="a file is formatted in its place without it")
    counts: Counter[str] = Counter()
    findings: list[Diagnostic] = []
    for asked in files(options.paths):
        try:
            counts[format_file(asked, options)] += 1
        except ArchError as error:
            findings += error.diagnostics
            counts["failed"] += 1
    if findings:
        print_findings(findings, sys.stderr)
    in_text = options.diff or STANDARD_INPUT in options.paths
    print(summary(counts, options), file=sys.stderr if in_text else sys.stdout)
    if any(finding.code == catalog.OUTPUT.code for finding in findings):
        return 2
    return int(bool(findings) or (options.check and counts["changed"] > 0))


def format_file(asked: GivenFile, options: argparse.Namespace) -> str:
    """Format a file: `changed`, `kept` or `skipped`; raises ArchError for one that has errors."""
    from archdsl.frontend.format import formatted
    from archdsl.syntax.text import is_spec

    source = source_of(asked.path)
    if asked.through_folder and not is_spec(source.name, source.text):
        return "skipped"
    if options.to and asked.path.endswith(SUFFIXES[options.to]):
        return "kept"
    text = formatted(source, options.to)
    if asked.path == STANDARD_INPUT:
        return format_stdin(source, text, options)
    path = Path(asked.path).resolve()
    if options.to:
        return convert_file(path, text, options)
    # Bytes, not texts: line ends and a byte order mark count, too.
    same = text.encode() == path.read_bytes()
    if not same and options.diff:
        print_difference(source, text)
    elif not same and options.check:
        print(f"{name_of(source)} would change")
    elif not same:
        write_text(path, text)
    return "kept" if same else "changed"


def format_stdin(source: Source, text: str, options: argparse.Namespace) -> str:
    """Print standard input, formatted."""
    if options.diff:
        print_difference(source, text)
    elif not options.check:
        print_file(text)
    return "kept" if text == source.text else "changed"


def convert_file(path: Path, text: str, options: argparse.Namespace) -> str:
    """Write a spec in the other notation; raises ArchError rather than overwrite a file."""
    stem = path.with_suffix("")
    target = stem if stem.suffix in SUFFIXES[options.to] else path.with_suffix(SUFFIXES[options.to][0])
    if target.exists() and not options.force:
        raise catalog.OUTPUT.error(None, f"{target.name} is there already", help="`--force` overwrites it")
    write_text(target, text)
    return "changed"


def print_difference(source: Source, text: str) -> None:
    """Print the changes as `diff -u` does, in UTF-8, with no line that a CI would obey."""
    before, after = source.text.splitlines(keepends=True), text.splitlines(keepends=True)
    name, out = name_of(source), output(sys.stdout)
    out.write_file(out.harmless("".join(unified_diff(before, after, name, f"{name} (formatted)"))))


def summary(counts: Counter[str], options: argparse.Namespace) -> str:
    """Summary by outcome."""
    done = "converted" if options.to else "would be formatted" if options.check or options.diff else "formatted"
    words = {
        "changed": (done, done),
        "kept": ("unchanged", "unchanged"),
        "failed": ("with errors", "with errors"),
        "skipped": ("skipped (not a spec)", "skipped (not specs)"),
    }
    found = [
        f"1 file {one}" if counts[key] == 1 else f"{counts[key]} files {more}"
        for key, (one, more) in words.items()
        if counts[key]
    ]
    return ", ".join(found) or "no files"
