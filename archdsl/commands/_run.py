"""Run a command line: find the command by its name, report errors, and end the process.

A command is a file of this folder: see the head of `archdsl/commands/__init__.py`.
"""

from __future__ import annotations

import argparse
import errno
import gc
import os
import sys
import textwrap
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import NoReturn

from archdsl import __version__
from archdsl.commands._streams import prepare, print_findings, safe
from archdsl.diagnostics import ArchError, catalog, did_you_mean
from archdsl.diagnostics.characters import on_one_line

USAGE_CODES = {rule.code for rule in (catalog.USAGE, catalog.MISSING_PACKAGE, catalog.OUTPUT)}
GROUPS = {
    "write": "Write specs",
    "inspect": "Inspect networks",
    "build": "Build and run them in PyTorch",
    "weights": "Carry weights over",
    "": "Help",
}
"""Headings of the overview, by the `GROUP` of the commands."""
ABOUT = "Convolutional backbones from a page of text: checked, counted, and built in PyTorch."
MORE = (
    "`archdsl COMMAND --help` shows a command, `archdsl help WORD` any op, block, figure, code or word of the "
    "language. In Python: `import archdsl; help(archdsl)`."
)
FIRST_STEPS = ("archdsl validate net.yaml", "archdsl show resnet50", "archdsl build net.yaml -o net.py")


def names() -> list[str]:
    """Names of all commands."""
    return sorted(path.stem for path in Path(__file__).parent.glob("[a-z]*.py"))


def module_of(name: str) -> ModuleType:
    """Module of a command."""
    return import_module(f"archdsl.commands.{name}")


def summary_of(command: ModuleType) -> str:
    """First line of a command's docstring."""
    return (command.__doc__ or "").partition("\n")[0]


def overview() -> str:
    """Help of the program: the commands by group, each with the first line of its docstring."""
    groups: dict[str, list[str]] = {title: [] for title in GROUPS.values()}
    for name in names():
        command = module_of(name)
        title = GROUPS.get(getattr(command, "GROUP", ""), GROUPS[""])
        lead = f"  {name:<10} "
        groups[title].append(
            textwrap.fill(summary_of(command), width(), initial_indent=lead, subsequent_indent=" " * 13)
        )
    return "\n".join(
        [
            "usage: archdsl COMMAND ...",
            "",
            textwrap.fill(ABOUT, width()),
            *(line for title, rows in groups.items() if rows for line in ("", f"{title}:", *rows)),
            "",
            examples(FIRST_STEPS),
            "",
            textwrap.fill(MORE, width()),
        ]
    )


def examples(lines: Sequence[str]) -> str:
    """Examples below a help."""
    return "\n".join(["examples:", *(f"  {line}" for line in lines)])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit code; without arguments, that of this process."""
    if arguments is not None:
        with safe():
            return dispatch(list(arguments))
    lighten()
    prepare()
    return leave(dispatch(sys.argv[1:]))


def dispatch(words: list[str]) -> int:
    """Run the command that the first word names."""
    if not words or words[0] in {"-h", "--help"}:
        print(overview())
        return 0 if words else 2
    if words[0] in {"-V", "--version"}:
        print(f"archdsl {__version__}")
        return 0
    if words[0] not in names():
        help = did_you_mean(words[0], names()) or "`archdsl --help` lists them"
        print(f"archdsl: no command is called `{on_one_line(words[0][:80])}`; {help}", file=sys.stderr)
        return 2
    return run(words[0], words[1:])


class Parser(argparse.ArgumentParser):
    """Parser that quotes the words of the command line on one line."""

    def error(self, message: str) -> NoReturn:
        """Print the usage and the message, and exit."""
        super().error(on_one_line(message))


class HelpFormatter(argparse.HelpFormatter):
    """Formatter that fills each paragraph of a description, and keeps indented lines."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=width(), max_help_position=26)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        paragraphs = text.strip().split("\n\n")
        return "\n\n".join(each if "\n  " in f"\n{each}" else textwrap.fill(each, width) for each in paragraphs)


def width() -> int:
    """Width of helps: the terminal's, but for very wide and very narrow ones."""
    # Argparse by itself finds the width with shutil, which imports every compressor: 10 ms.
    try:
        columns = int(os.environ.get("COLUMNS", "")) or os.get_terminal_size().columns
    except (OSError, ValueError):
        columns = 80
    return min(max(columns - 2, 40), 118)


def parser_of(name: str, command: ModuleType) -> Parser:
    """Parser of a command's words, with its help."""
    epilog = examples(getattr(command, "EXAMPLES", ())) if hasattr(command, "EXAMPLES") else None
    parser = Parser(f"archdsl {name}", description=command.__doc__, epilog=epilog, formatter_class=HelpFormatter)
    command.arguments(parser)
    return parser


def run(name: str, words: list[str]) -> int:
    """Run one command; findings go to the error stream."""
    command = module_of(name)
    parser = parser_of(name, command)
    try:
        options = parser.parse_args(words)
        return command.run(options)
    except ArchError as error:
        print_findings(error.diagnostics, sys.stderr)
        return 2 if {finding.code for finding in error.diagnostics} & USAGE_CODES else 1
    except BrokenPipeError:
        # The reader has gone; closing keeps Python from complaining at exit.
        sys.stderr.close()
        return 1
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 2
    # 128 + SIGINT, as shells report it.
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            print(f"archdsl: the output cannot be written: {error.strerror}", file=sys.stderr)
            return 2
        if os.environ.get("ARCHDSL_DEBUG"):
            raise
        print(f"archdsl: internal error: {one_line(error)}", file=sys.stderr)
        print("this is a bug in archdsl: please report it; ARCHDSL_DEBUG=1 shows the traceback", file=sys.stderr)
        return 2


def one_line(error: Exception) -> str:
    """Foreign error on one line."""
    return on_one_line(" ".join(f"{type(error).__name__}: {error}".split()))[:500]


# ---- the process ---------------------------------------------------------------------------------------------------

# For the process of the command line only, never for a program that uses the library: seldom collecting garbage, and
# exiting without freeing memory, make a cold `validate` take 15 to 20 % less CPU time.

# Number of new objects before a collection: a run makes many, and drops few before its end.
YOUNG = 1_000_000
# Objects that live until the process ends, since freeing them takes long.
KEPT: list[object] = []


def lighten() -> None:
    """Raise the garbage collector's threshold, and keep pydantic from looking for plugins."""
    gc.set_threshold(YOUNG, 20, 20)
    # It would read the metadata of every installed package, for plugins that watch what programs validate.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")


def keep(thing: object) -> None:
    """Keep an object until the process ends, if `lighten` began it."""
    if gc.get_threshold()[0] == YOUNG:
        KEPT.append(thing)


def leave(code: int) -> int:
    """Exit the process at once if objects are kept; otherwise return its exit code."""
    gc.freeze()
    if KEPT:
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        except (OSError, ValueError):
            return code  # a closed pipe: Python meets it again, and reports it
        os._exit(code)
    return code
