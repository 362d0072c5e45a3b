"""Run a command line: find the command by its name, and report errors."""

from __future__ import annotations

import argparse
import errno
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import NoReturn

from archdsl import __version__
from archdsl.commands._fast_exit import leave, lighten
from archdsl.commands._streams import prepare, print_findings, safe
from archdsl.diagnostics import ArchError, catalog, did_you_mean
from archdsl.diagnostics.characters import on_one_line

USAGE_CODES = {rule.code for rule in (catalog.USAGE, catalog.MISSING_PACKAGE, catalog.OUTPUT)}


def names() -> list[str]:
    """Names of all commands."""
    return sorted(path.stem for path in Path(__file__).parent.glob("[a-z]*.py"))


def module_of(name: str) -> ModuleType:
    """Module of a command."""
    return import_module(f"archdsl.commands.{name}")


def overview() -> str:
    """Help of the program: each command with the first line of its docstring."""
    lines = [f"  {name:<10} {(module_of(name).__doc__ or '').partition(chr(10))[0]}" for name in names()]
    return "\n".join(
        [
            "usage: archdsl COMMAND ...",
            "",
            "Convolutional backbones from a page of text: checked, counted, and built in PyTorch.",
            "",
            *lines,
            "",
            "`archdsl COMMAND --help` says more. In Python: `import archdsl; help(archdsl)`.",
        ]
    )


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


def help_formatter(prog: str) -> argparse.HelpFormatter:
    """Formatter that keeps the lines of a description."""
    # Argparse by itself finds the width with shutil, which imports every compressor: 10 ms.
    try:
        width = int(os.environ.get("COLUMNS", "")) or os.get_terminal_size().columns
    except (OSError, ValueError):
        width = 80
    return argparse.RawDescriptionHelpFormatter(prog, width=max(width - 2, 40))


def run(name: str, words: list[str]) -> int:
    """Run one command; findings go to the error stream."""
    command = module_of(name)
    parser = Parser(f"archdsl {name}", description=command.__doc__, formatter_class=help_formatter)
    command.arguments(parser)
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
