"""Formats of findings for people, editors and CI, and JSON as all commands print it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from math import isfinite
from pathlib import Path
from typing import Any, cast

from archdsl import __version__
from archdsl.diagnostics import Diagnostic, Span, catalog
from archdsl.diagnostics.characters import escape, on_one_line, plain, visible_json
from archdsl.diagnostics.diagnostic import name_of, render

SARIF = "https://json.schemastore.org/sarif-2.1.0.json"
LEVELS = {"error": "error", "warning": "warning"}


def concise(findings: Sequence[Diagnostic]) -> str:
    """One line for each finding: file:line:column: severity[code]: sentence."""
    return "\n".join(f"{where(each.span)}{each.severity}[{each.code}]: {sentence(each)}" for each in findings)


def where(span: Span | None) -> str:
    """Position as editors read it."""
    if span is None:
        return ""
    line, column = span.source.position(span.start)
    return f"{name_of(span.source)}:{line}:{column}: "


def sentence(finding: Diagnostic) -> str:
    """Title and label on one line."""
    return on_one_line(f"{finding.title}: {finding.label}" if finding.label else finding.title)


def as_data(finding: Diagnostic) -> dict[str, Any]:
    """Finding as plain data."""
    return {
        "code": finding.code,
        "severity": finding.severity,
        "message": finding.title,
        "label": finding.label,
        "help": finding.help,
        "scope": finding.where,
        "location": location(finding.span),
        "notes": [{"label": note.label, "location": location(note.span)} for note in finding.notes],
    }


def location(span: Span | None) -> dict[str, Any] | None:
    """Span as plain data: lines and columns from 1, the end behind the last character."""
    if span is None:
        return None
    line, column = span.source.position(span.start)
    end_line, end_column = span.source.position(max(span.end, span.start))
    return {"file": span.source.name, "line": line, "column": column, "end_line": end_line, "end_column": end_column}


def as_json(findings: Sequence[Diagnostic]) -> str:
    """JSON array of all findings."""
    return json_text([as_data(finding) for finding in findings])


def github(findings: Sequence[Diagnostic]) -> str:
    """Workflow commands, which GitHub shows beside the lines."""
    return "\n".join(map(github_line, findings))


def github_line(finding: Diagnostic) -> str:
    """Workflow command of a finding."""
    place = ""
    if (at := location(finding.span)) is not None:
        name = escaped(at["file"]).replace(":", "%3A").replace(",", "%2C")
        place = (
            f"file={name},line={at['line']},col={at['column']},endLine={at['end_line']},endColumn={at['end_column']},"
        )
    help = f"\nhelp: {finding.help}" if finding.help else ""
    text = f"{finding.title}: {finding.label}{help}"
    return f"::{LEVELS[finding.severity]} {place}title=archdsl {finding.code}::{escaped(text)}"


def escaped(text: str) -> str:
    """Text as data of a workflow command."""
    return plain(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def sarif(findings: Sequence[Diagnostic]) -> str:
    """SARIF 2.1.0 log."""
    rules = {finding.code: sarif_rule(finding) for finding in sorted(findings, key=lambda each: each.code)}
    driver = {"name": "archdsl", "version": __version__, "rules": list(rules.values())}
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": list(map(sarif_result, findings))}
    return json_text({"$schema": SARIF, "version": "2.1.0", "runs": [run]})


def sarif_rule(finding: Diagnostic) -> dict[str, Any]:
    """Rule of a finding in a SARIF log."""
    page = catalog.explanations()[finding.code]
    return {
        "id": finding.code,
        "shortDescription": {"text": page.rule.title},
        "help": {"text": page.why, "markdown": page.page()},
        "defaultConfiguration": {"level": LEVELS[finding.severity]},
    }


def sarif_result(finding: Diagnostic) -> dict[str, Any]:
    """Result of a finding in a SARIF log."""
    text = "\n".join(filter(None, [sentence(finding), finding.help and f"help: {finding.help}"]))
    result: dict[str, Any] = {"ruleId": finding.code, "level": LEVELS[finding.severity], "message": {"text": text}}
    if finding.span is not None:
        result["locations"] = [physical(finding.span)]
    if asides := [physical(note.span) | {"message": {"text": note.label}} for note in finding.notes if note.span]:
        result["relatedLocations"] = asides
    return result


def physical(span: Span) -> dict[str, Any]:
    """Span in a SARIF log."""
    line, column = span.source.position(span.start)
    end_line, end_column = span.source.position(max(span.end, span.start))
    region = {"startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column}
    return {"physicalLocation": {"artifactLocation": {"uri": uri(span.source.name)}, "region": region}}


def uri(name: str) -> str:
    """File name as a URI, relative to the working folder if it is below it."""
    from urllib.parse import quote

    path = Path(name)
    return path.as_uri() if path.is_absolute() else quote(os.fsencode(path.as_posix()))


FORMATS: dict[str, Callable[[Sequence[Diagnostic]], str]] = {
    "full": render,
    "concise": concise,
    "json": as_json,
    "github": github,
    "sarif": sarif,
}


# ---- JSON ---------------------------------------------------------------------------------------------------------

HALF = re.compile("[\ud800-\udfff]")


def json_text(value: Any) -> str:
    """Value as standard JSON: infinite values and NaN become null."""
    return visible_json(json.dumps(finite(value), indent=2, allow_nan=False))


def finite(value: Any) -> Any:
    """Value without the floats and lone surrogates that JSON readers refuse."""
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, str):
        return HALF.sub(lambda found: escape(found[0]), value)
    if isinstance(value, Mapping):
        return {finite(name): finite(each) for name, each in cast("Mapping[str, Any]", value).items()}
    if isinstance(value, list | tuple):
        return [finite(each) for each in cast("list[Any]", value)]
    return value
