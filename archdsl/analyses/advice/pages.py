"""The rules of advice as a page of the docs: `python -m archdsl.analyses.advice.pages > docs/advice.md`."""

from __future__ import annotations

import textwrap

from archdsl.analyses.advice import ADVICE, Advice
from archdsl.diagnostics.explain import Explanation

HEAD = """# Advice

`archdsl lint SPEC...` holds a network against rules from the literature. A finding is no error: it says where a design
pays for something that multiply-adds do not show, how much, and what the papers do instead. `--select` and `--ignore`
choose rules, `--explain A101` shows one, `--device` says what times are estimated for (a V100 unless told otherwise),
`--format json` is for programs. The exit code is 1 where there is advice, 0 where there is none.

Limits are set so that a rule speaks on the networks that its paper speaks of, and is silent on those that were made
to avoid it: `densenet121` gets A101 to A104, `resnet50` A101 and A102 for the bottlenecks of its early stages,
`vovnet39` nothing. This page is written by `python -m archdsl.analyses.advice.pages`.
"""


def handbook() -> str:
    """All rules, each under its code."""
    return "\n".join([HEAD, *(section(advice) for advice in ADVICE.values())])


def section(advice: Advice) -> str:
    """A rule's part of the page."""
    return (
        f"## {advice.rule.code}: {advice.rule.title}\n\n{reasons(advice)}\n\n"
        f"It speaks on\n\n```arch\n{advice.bad}```\n\nand not on\n\n```arch\n{advice.good}```\n"
    )


def reasons(advice: Advice) -> str:
    """Why a rule is, when it speaks, and after which paper."""
    texts = (advice.why, f"**When.** {advice.limit}", f"**After** {advice.paper}.")
    return "\n\n".join(textwrap.fill(text, 120, break_long_words=False) for text in texts)


def explanations() -> dict[str, Explanation]:
    """The page of each rule, as those of the other codes."""
    heads = ("It speaks on", "and not on")
    return {
        code: Explanation(each.rule, reasons(each), "arch", each.bad, each.good, heads) for code, each in ADVICE.items()
    }


if __name__ == "__main__":
    print(handbook(), end="")
