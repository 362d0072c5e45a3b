"""Advises on specs by rules from the literature: what is slow or wasteful, why, and what would be better.

Each finding has its location, its figure and the paper that it rests on. `archdsl lint --explain A101` describes a rule
and its threshold; `--explain all` lists all rules. The exit code is 1 if there is advice.
"""

from __future__ import annotations

import argparse
import sys
from typing import Any

from archdsl.analyses.advice import ADVICE, AdviceFinding, advise, explanations
from archdsl.analyses.roofline import RooflineSetting
from archdsl.commands._formats import json_text, plural
from archdsl.commands._options import add_device, add_format, add_spec, chosen_graphs, chosen_setting
from archdsl.commands._streams import print_findings
from archdsl.diagnostics import catalog, did_you_mean

DEVICE = "v100"


def arguments(parser: argparse.ArgumentParser) -> None:
    """SPEC..., `-p`, `--input`, the rules, the device, the format."""
    add_spec(parser, several=True, needed=False)
    parser.add_argument("--select", metavar="CODES", help="these rules only, as `A101,A104`")
    parser.add_argument("--ignore", metavar="CODES", help="all rules but these")
    add_format(parser)
    parser.add_argument("--explain", metavar="CODE", nargs="?", const="all", help="what a rule is; `all` for all")
    add_device(parser, DEVICE)


def run(options: argparse.Namespace) -> int:
    """Print the advice on each spec."""
    if options.explain:
        print(rule_pages(options.explain))
        return 0
    if not options.spec:
        raise catalog.USAGE.error(None, "no spec to advise on", help="`archdsl lint SPEC`, or `--explain CODE`")
    codes = chosen_codes(options)
    setting = chosen_setting(options)
    # `--device` has a default here.
    assert setting is not None
    found = [(graph.name, advise(graph, setting, codes)) for graph in chosen_graphs(options)]
    if options.format == "json":
        print(json_text([as_data(name, told, setting) for name, told in found]))
    else:
        for number, (name, told) in enumerate(found):
            print("\n" * (number > 0), end="")
            print_advice(name, told, setting)
    return int(any(told for _, told in found))


def chosen_codes(options: argparse.Namespace) -> list[str]:
    """Codes of the chosen rules."""
    selected = codes_in(options.select) or list(ADVICE)
    ignored = codes_in(options.ignore)
    return [code for code in selected if code not in ignored]


def codes_in(text: str | None) -> list[str]:
    """Codes in a list; raises ArchError for an unknown one."""
    codes = [code.strip().upper() for code in (text or "").split(",") if code.strip()]
    for code in codes:
        if code not in ADVICE:
            raise catalog.USAGE.error(None, f"no rule has the code `{code[:20]}`", help=did_you_mean(code, ADVICE))
    return codes


def print_advice(name: str, told: list[AdviceFinding], setting: RooflineSetting) -> None:
    """Print the advice on a network for people."""
    if not told:
        print(f"{name}: nothing to advise")
        return
    count = f"{plural(len(told), 'piece')} of advice"
    on = f"{setting.device.name}, {setting.precision}, batch {setting.batch}"
    print_findings((each.diagnostic() for each in told), sys.stdout, "\n\n")
    print(f"{name}: {count} (times are estimates for {on})")


def as_data(name: str, told: list[AdviceFinding], setting: RooflineSetting) -> dict[str, Any]:
    """Advice on a network for programs."""
    return {
        "name": name,
        "device": setting.device.name,
        "precision": setting.precision,
        "batch": setting.batch,
        "advice": [finding_data(each) for each in told],
    }


def finding_data(told: AdviceFinding) -> dict[str, Any]:
    """Finding for programs."""
    finding, span = told.finding, told.span
    line, column = span.source.position(span.start) if span else (None, None)
    return {
        "code": told.advice.rule.code,
        "title": told.advice.rule.title,
        "file": span.source.name if span else None,
        "line": line,
        "column": column,
        "section": finding.section.name,
        "example": finding.where,
        "label": finding.label,
        "help": finding.help,
        "paper": told.advice.paper,
        "figures": finding.figures,
    }


def rule_pages(code: str) -> str:
    """Page of a rule, or of all."""
    chosen = list(ADVICE) if code == "all" else codes_in(code)[:1]
    pages = explanations()
    return "\n".join(pages[each].page() for each in chosen).rstrip()
