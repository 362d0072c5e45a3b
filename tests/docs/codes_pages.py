"""The pages of the codes in `docs/errors/`, and of all advice in `docs/advice.md`."""

from __future__ import annotations

from archdsl.diagnostics.catalog import explanations

ADVICE = """# Advice

`archdsl lint SPEC...` checks a network against rules from the literature. A finding is not an error: it names a cost of
the design that multiply-adds do not show, its size, and the way the papers avoid it. `--select` and `--ignore` choose
rules, `--device` names the device of the estimated times (default: a V100), `--format json` is for programs;
`archdsl help A101` shows a rule. The exit code is 1 if there is advice, else 0.

The limits are set so that a rule fires on the networks that its paper criticizes, and not on those that were designed
to avoid the problem: `densenet121` gets A101 to A104, `resnet50` A101 and A102 for the bottlenecks of its early stages,
`vovnet39` none. This page is written by `python -m tests.update`.
"""


def advice() -> str:
    """Page of all rules of advice."""
    return "\n".join([ADVICE, *(page.page("##") for code, page in explanations().items() if code[0] == "A")])


def index() -> str:
    """Index of the pages of all codes."""
    rows = "\n".join(f"- [{code}]({code}.md): {page.rule.title}" for code, page in explanations().items())
    return f"# Codes\n\nE codes are errors, W codes warnings, A codes advice.\n\n{rows}\n"


def pages() -> dict[str, str]:
    """All pages in `docs/errors/`, by name."""
    return {"README": index(), **{code: page.page() for code, page in explanations().items()}}
