"""Advise on designs, by rules from the literature.

What is slow or wasteful, why, and what would be better: each finding has its location, its figure and the paper that it
rests on. `archdsl help A101` describes a rule and its threshold; docs/advice.md has all rules. The exit code is 1 if
there is advice.
"""

from __future__ import annotations

import argparse
import sys
from typing import Any

from archdsl.analyses.advice import ADVICE, advise
from archdsl.analyses.cost import Load
from archdsl.analyses.rule import Finding
from archdsl.commands._formats import json_text
from archdsl.commands._options import add_device, add_format, add_spec, chosen_graphs, chosen_load, words_in
from archdsl.commands._streams import print_findings
from archdsl.diagnostics import Diagnostic, catalog, did_you_mean, plural

GROUP = "inspect"
EXAMPLES = ("archdsl lint densenet121", "archdsl lint net.yaml --select A101,A104 --device a100 --batch 32")
DEVICE = "v100"


def arguments(parser: argparse.ArgumentParser) -> None:
    """SPEC..., `-p`, `--input`, the rules, the device, the format."""
    add_spec(parser, several=True)
    parser.add_argument("--select", metavar="CODES", default="", help="these rules only, as `A101,A104`")
    parser.add_argument("--ignore", metavar="CODES", default="", help="all rules but these")
    add_format(parser)
    add_device(parser, DEVICE)


def run(options: argparse.Namespace) -> int:
    """Print the advice on each spec."""
    ignored = codes_in(options.ignore)
    codes = [code for code in codes_in(options.select) or ADVICE if code not in ignored]
    load = chosen_load(options)
    found = [(graph.name, advise(graph, load, codes)) for graph in chosen_graphs(options)]
    if options.format == "json":
        print(json_text([as_data(name, told, load) for name, told in found]))
    else:
        for number, (name, told) in enumerate(found):
            print("\n" * (number > 0), end="")
            print_advice(name, told, load)
    return int(any(told for _, told in found))


def codes_in(text: str) -> list[str]:
    """Codes in a list; raises ArchError for an unknown one."""
    codes = [code.upper() for code in words_in(text)]
    for code in codes:
        if code not in ADVICE:
            raise catalog.USAGE.error(None, f"no rule has the code `{code[:20]}`", help=did_you_mean(code, ADVICE))
    return codes


def device_name(load: Load) -> str:
    """Name of the device of the estimates."""
    return load.device.name if load.device else ""


def print_advice(name: str, told: list[Finding], load: Load) -> None:
    """Print the advice on a network for people."""
    if not told:
        print(f"{name}: nothing to advise")
        return
    count = f"{plural(len(told), 'piece')} of advice"
    print_findings(map(diagnostic, told), sys.stdout, "\n\n")
    on = f"{device_name(load)}, {load.precision}, batch {load.batch}"
    print(f"{name}: {count} (times are estimates for {on})")


def diagnostic(finding: Finding) -> Diagnostic:
    """Finding for the common renderer."""
    section = finding.section
    where = f"{section.name}, for example {finding.where}" if finding.where else section.name
    paper = catalog.explanations()[finding.kind.code].paper
    return finding._replace(where=where).diagnostic(finding.span, paper=paper)


def as_data(name: str, told: list[Finding], load: Load) -> dict[str, Any]:
    """Advice on a network for programs."""
    return {
        "name": name,
        "device": device_name(load),
        "precision": load.precision,
        "batch": load.batch,
        "advice": [finding_data(each) for each in told],
    }


def finding_data(finding: Finding) -> dict[str, Any]:
    """Finding for programs."""
    span = finding.span
    line, column = span.source.position(span.start) if span else (None, None)
    return {
        "code": finding.kind.code,
        "title": finding.kind.title,
        "file": span.source.name if span else None,
        "line": line,
        "column": column,
        "section": finding.section.name,
        "example": finding.where,
        "label": finding.label,
        "help": finding.help,
        "paper": catalog.explanations()[finding.kind.code].paper,
        "figures": finding.figures,
    }
