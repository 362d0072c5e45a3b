"""Check specs completely, without building anything.

Exit code 0: no errors; 1: errors, or, with `--strict`, warnings; 2: a usage or internal error. `# archdsl: allow W201`
silences a warning, at its line or, above the first line, in the whole file. Findings are cached in the user's cache
folder (or in ARCHDSL_CACHE_DIR) until the file, a file that it imports, or archdsl itself changes. Needs no torch.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from archdsl.commands._cache import Cache, usual_folder
from archdsl.commands._formats import FORMATS
from archdsl.commands._options import STANDARD_INPUT, GivenFile, chosen_input, files, source_of
from archdsl.commands._run import keep
from archdsl.commands._streams import output, print_findings
from archdsl.diagnostics import ArchError, Diagnostic, Source, plural

if TYPE_CHECKING:
    from archdsl.elaborate.scope_cache import ScopeCache

GROUP = "write"
EXAMPLES = ("archdsl validate net.yaml", "archdsl validate specs --strict --format github")
MACHINE_READ = {"json", "sarif", "github"}


def arguments(parser: argparse.ArgumentParser) -> None:
    """PATH..., `--format`, `--strict`, `--input`, `--no-cache`."""
    parser.add_argument("paths", nargs="+", metavar="PATH", help="files, folders, shipped specs, or - (standard input)")
    parser.add_argument("--format", choices=list(FORMATS), default="full", help="for people, or programs")
    parser.add_argument("--strict", action="store_true", help="exits with 1 for warnings as well")
    parser.add_argument("--input", metavar="CxHxW", help="checks the specs for another input size")
    parser.add_argument("--no-cache", action="store_true", help="neither reads nor writes the cache")


def run(options: argparse.Namespace) -> int:
    """Check all files, print the findings and a summary."""
    size = chosen_input(options)
    cache = Cache(None if options.no_cache else usual_folder())
    paths = list(files(options.paths))
    check = ValidationRun(size, cache, several=len(paths) > 1)
    keep(check)
    findings: list[Diagnostic] = []
    checked = skipped = 0
    for asked in paths:
        found = check.outcome(asked)
        checked += found is not None
        skipped += found is None
        findings += found or []
    cache.tidy()
    # Programs expect a document even without findings; GitHub's commands are lines, so none.
    if findings or options.format in MACHINE_READ - {"github"}:
        report(findings, options.format)
    print(summary(checked, skipped, findings), file=sys.stderr if options.format in MACHINE_READ else sys.stdout)
    return int(any(options.strict or finding.severity == "error" for finding in findings))


def report(findings: list[Diagnostic], form: str) -> None:
    """Print all findings in a format."""
    if form == "full":
        print_findings(findings, sys.stdout, "\n\n")
    elif form == "github":
        output(sys.stdout).write_commands(FORMATS[form](findings))
    else:
        print(FORMATS[form](findings))


class ValidationRun:
    """Validation of several files, which share the scopes that they have in common."""

    def __init__(self, size: tuple[int, ...] | None, cache: Cache, several: bool) -> None:
        self.size = size
        self.cache = cache
        self.several = several

    @cached_property
    def known(self) -> ScopeCache | None:
        """Shared scopes, for several files; created for the first file that is not cached."""
        from archdsl.elaborate.scope_cache import ScopeCache

        return ScopeCache() if self.several else None

    def outcome(self, asked: GivenFile) -> list[Diagnostic] | None:
        """Findings of a file; None if it is no spec, and only its folder was named."""
        from archdsl.syntax.text import is_spec

        try:
            source = source_of(asked.path)
        except ArchError as error:
            return error.diagnostics
        if asked.through_folder and not is_spec(source.name, source.text):
            return None
        # Standard input has no path that an entry could be checked against.
        if asked.path == STANDARD_INPUT:
            return self.worked_out(source, None, None)
        key = self.cache.key(asked.path, self.size, source.text)
        found = self.cache.get(key, source)
        return self.worked_out(source, asked.path, key) if found is None else found

    def worked_out(self, source: Source, path: str | None, key: str | None) -> list[Diagnostic]:
        """Validate a text, and cache the findings."""
        # The files of installed packages with ops of their own are not part of the key.
        from archdsl.driver.imports import Read
        from archdsl.driver.validation import validate
        from archdsl.ops import installed

        reads: list[Read] = []
        findings = validate(source, None if path is None else Path(path), self.size, reads, self.known)
        if key is not None and not installed.cache_info().currsize:
            imported = [(str(each.asked), str(each.path), each.text) for each in reads]
            self.cache.put(key, source, findings, imported)
        return findings


def summary(checked: int, skipped: int, findings: list[Diagnostic]) -> str:
    """Summary: the number of files and of findings."""
    kinds = Counter(finding.severity for finding in findings)
    found = ", ".join(plural(kinds[kind], kind) for kind in ("error", "warning") if kinds[kind])
    left = f", {plural(skipped, 'YAML file')} skipped ({'not a spec' if skipped == 1 else 'not specs'})"
    return f"{plural(checked, 'file')} checked{left if skipped else ''}: {found or 'no errors'}"
