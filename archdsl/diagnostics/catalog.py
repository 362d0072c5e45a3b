"""The kinds of findings, one row each: a stable code, and the sentence that heads its messages.

E0xx text and notation, E1xx names, arguments and values, E2xx shapes, E3xx structure, E4xx limits,
E5xx files, E6xx targets, E7xx checkpoints. W is for warnings, of the same hundreds: what is legal, and surely not
meant. A is for advice on designs. A code never changes its meaning. `explanations.md` beside this file has the page of
each code: what it means, why it matters, an example that gives it, and the same example mended.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

from archdsl.diagnostics.diagnostic import ArchError, DiagnosticKind

# Text and notation
SYNTAX = DiagnosticKind("E001", "invalid syntax")
MIXED = DiagnosticKind("E002", "`->` beside another operator needs parentheses")
YAML = DiagnosticKind("E003", "this YAML cannot be read as a spec")
DOCUMENT = DiagnosticKind("E004", "this does not belong in a spec")
DUPLICATE = DiagnosticKind("E005", "already defined")
EDITION = DiagnosticKind("E006", "unknown edition of the language")

# Names, arguments and values
UNKNOWN_NAME = DiagnosticKind("E101", "unknown name")
UNKNOWN_PARAMETER = DiagnosticKind("E102", "unknown parameter")
MISSING_ARGUMENT = DiagnosticKind("E103", "an argument is missing")
REPEATED_ARGUMENT = DiagnosticKind("E104", "an argument is given twice")
WRONG_TYPE = DiagnosticKind("E105", "a value of the wrong type")
OUT_OF_RANGE = DiagnosticKind("E106", "a value out of range")
ARITHMETIC = DiagnosticKind("E107", "this cannot be computed")
BY_NAME_ONLY = DiagnosticKind("E108", "too many arguments by position")
NOT_A_BLOCK = DiagnosticKind("E109", "a block is needed here")
NOT_A_TENSOR = DiagnosticKind("E110", "a tensor is needed here")
UNUSED = DiagnosticKind("E111", "this has no effect")
NO_INPUT = DiagnosticKind("E112", "there is no `x` here")

# Shapes
NOT_A_MAP = DiagnosticKind("E201", "a feature map is needed here")
UNEQUAL_MAPS = DiagnosticKind("E202", "these tensors do not fit together")
GROUPS = DiagnosticKind("E203", "groups must divide the channels")
EVEN_KERNEL = DiagnosticKind("E204", "an even kernel has no `same` padding")
KERNEL_TOO_LARGE = DiagnosticKind("E205", "the window does not fit into the map")
SPLIT = DiagnosticKind("E206", "the channels cannot be split like this")
REDUCTION = DiagnosticKind("E207", "a stage does not reduce as it says")
LIST_NEEDED = DiagnosticKind("E208", "a list of tensors is needed here")
BAD_SHAPE = DiagnosticKind("E209", "the shape cannot be changed like this")
EXPECT = DiagnosticKind("E210", "the network is not what `expect` says")
NOT_FLAT = DiagnosticKind("E211", "flattened features are needed here")

# Structure
APPLIED_TWICE = DiagnosticKind("E301", "a named block is applied at two places")
ESCAPES = DiagnosticKind("E302", "a tensor is used outside its body")
SAME_NAME = DiagnosticKind("E303", "two modules would have one name")
NO_RESULT = DiagnosticKind("E304", "a body has no result")
CYCLE = DiagnosticKind("E305", "this leads back to itself")
NO_SUCH_PARENT = DiagnosticKind("E306", "no such backbone to extend")
SHARED = DiagnosticKind("E307", "weights cannot be shared like this")
NO_BACKBONE = DiagnosticKind("E308", "no backbone to build")

# Limits
TOO_MANY_OPS = DiagnosticKind("E401", "the network is too large")
TOO_DEEP = DiagnosticKind("E402", "nested too deeply")
TOO_MANY_TURNS = DiagnosticKind("E403", "too many loop iterations")
TOO_LARGE = DiagnosticKind("E404", "the text is too large")

# Files
FILE = DiagnosticKind("E501", "the file cannot be read")
OUTSIDE = DiagnosticKind("E502", "an import leaves the file's folder")
OUTPUT = DiagnosticKind("E503", "the output cannot be written")
USAGE = DiagnosticKind("E504", "invalid request")

# Targets
UNSUPPORTED = DiagnosticKind("E601", "not supported by this target")
MISSING_PACKAGE = DiagnosticKind("E602", "a package is missing")
UNFAITHFUL = DiagnosticKind("E603", "the module does not compute what the spec says")

# Checkpoints
CHECKPOINT = DiagnosticKind("E701", "this is not a checkpoint that can be read")
UNSAFE = DiagnosticKind("E702", "the checkpoint is refused, as reading it could run code")
NO_WEIGHTS = DiagnosticKind("E703", "there are no weights here")
UNFIT = DiagnosticKind("E704", "the weights do not fit the network")
NAMING = DiagnosticKind("E705", "no known naming scheme fits")
SEVERAL = DiagnosticKind("E706", "several parts of the checkpoint fit the network")

# Warnings: of text, of names, of shapes, of structure
IDLE_ALLOWANCE = DiagnosticKind("W001", "this silences nothing")
UNUSED_DEFINITION = DiagnosticKind("W101", "a definition that nothing uses")
UNREAD_PARAMETER = DiagnosticKind("W102", "a parameter that nothing reads")
HIDING = DiagnosticKind("W103", "a name that hides another meaning")
MOMENTUM = DiagnosticKind("W104", "a momentum by another library's convention")
DROPS_ALL = DiagnosticKind("W105", "dropout that drops nearly everything")
ROWS_LEFT_OUT = DiagnosticKind("W201", "rows or columns that no window reads")
CHANNELS_LAST = DiagnosticKind("W202", "an input that looks like height x width x channels")
POWERS = DiagnosticKind("W203", "a power that negative values do not have")
NO_CHANGE = DiagnosticKind("W301", "a part of the network that changes nothing")
IDLE_BIAS = DiagnosticKind("W302", "a bias that a norm cancels")
NARROW_GATE = DiagnosticKind("W303", "a gate of next to no features")
CONSTANT = DiagnosticKind("W304", "an op that gives the same whatever it reads")

# Advice
UNEQUAL_WIDTHS = DiagnosticKind("A101", "unequal widths access more memory")
COSTLY_POINTWISE = DiagnosticKind("A102", "1x1 convolutions cost more than they do")
FRAGMENTS = DiagnosticKind("A103", "a stage is in many small pieces")
CONCAT_CHAINS = DiagnosticKind("A104", "concatenations of concatenations grow quadratically")
FINE_GROUPS = DiagnosticKind("A105", "groups are too fine")
OFF_TILE = DiagnosticKind("A106", "a width is no multiple of 8")
EARLY_STAGES = DiagnosticKind("A107", "early stages dominate")
SHORT_SIGHT = DiagnosticKind("A108", "the last map does not see the whole input")


@cache
def rules() -> dict[str, DiagnosticKind]:
    """All kinds of findings by code."""
    found = [value for value in globals().values() if isinstance(value, DiagnosticKind)]
    return {rule.code: rule for rule in sorted(found, key=lambda rule: ("EWA".index(rule.code[0]), rule.code))}


def missing(package: str, extra: str, instead: str = "") -> ArchError:
    """Error for a package that is not installed, with the command that installs it: from a clone, where this is one."""
    clone = Path(__file__).resolve().parents[2]
    where = str(clone) if (clone / "pyproject.toml").is_file() else "archdsl"
    where += f"[{extra}]" if extra else ""
    return MISSING_PACKAGE.error(None, f"{package} is not installed", help=f"pip install '{where}'{instead}")


# ---- pages ---------------------------------------------------------------------------------------------------------

PAGES = Path(__file__).with_name("explanations.md")
PAGE = re.compile(r"^## (\w+)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# Paragraph of a page that names the papers that a rule is after.
AFTER = re.compile(r"^\*\*After\*\* (.+?)\.$", re.MULTILINE | re.DOTALL)
HEADS = {"A": ("It fires on", "and not on")}
USUAL_HEADS = ("An example that gives it:", "The same example, mended:")


class Explanation(NamedTuple):
    """Rule with its page. `wrong` and `right` are texts in `notation` (`sh` for a command line), or empty where
    neither can show it; `paper` is what a rule of advice is after.
    """

    rule: DiagnosticKind
    why: str
    notation: str = ""
    wrong: str = ""
    right: str = ""
    paper: str = ""

    def page(self, level: str = "#") -> str:
        """Page as Markdown, with a heading of a level."""
        parts = [f"{level} {self.rule.code}: {self.rule.title}", self.why]
        if self.wrong:
            heads = HEADS.get(self.rule.code[0], USUAL_HEADS)
            for head, text in zip(heads, (self.wrong, self.right), strict=True):
                parts += [head, f"```{self.notation}\n{text.rstrip()}\n```"]
        return "\n\n".join(parts) + "\n"


@cache
def explanations() -> dict[str, Explanation]:
    """Pages of all codes."""
    pages = dict(PAGE.findall(PAGES.read_text(encoding="utf-8")))
    return {code: explanation(rule, pages[code]) for code, rule in rules().items() if code in pages}


def explanation(rule: DiagnosticKind, body: str) -> Explanation:
    """Page, from its part of the file."""
    examples = FENCE.findall(body)
    why, paper = FENCE.sub("", body).strip(), AFTER.search(body)
    (notation, wrong), (_, right) = examples or [("", ""), ("", "")]
    return Explanation(rule, why, notation, wrong, right, " ".join(paper[1].split()) if paper else "")
