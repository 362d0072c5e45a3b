"""Print the completion script of a shell.

Commands, options and their values, files, and shipped specs. To install it:

    archdsl completion bash > ~/.local/share/bash-completion/completions/archdsl
    archdsl completion zsh > "${fpath[1]}/_archdsl"
    archdsl completion fish > ~/.config/fish/completions/archdsl.fish
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from archdsl.commands._streams import print_file
from archdsl.diagnostics import catalog

EXAMPLES = ('eval "$(archdsl completion bash)"', "archdsl completion fish | source")
SHELLS = ("bash", "zsh", "fish")


def arguments(parser: argparse.ArgumentParser) -> None:
    """The shell."""
    parser.add_argument("shell", choices=SHELLS, help="the shell to complete in")


def run(options: argparse.Namespace) -> int:
    """Print the script."""
    try:
        import shtab
    except ImportError:
        raise catalog.missing("shtab", "") from None
    print_file(shtab.complete(whole_parser(), options.shell))
    return 0


def whole_parser() -> argparse.ArgumentParser:
    """Parser of all commands, marked with what completes each argument."""
    from archdsl.commands._run import module_of, names, summary_of

    parser = argparse.ArgumentParser("archdsl")
    parser.add_argument("-V", "--version", action="store_true", help="print the version")
    commands = parser.add_subparsers()
    for name in names():
        command = module_of(name)
        # A parser shows a percent sign only if it is doubled.
        part = commands.add_parser(name, help=summary_of(command).replace("%", "%%"))
        command.arguments(part)
        for action in part._actions:  # pyright: ignore[reportPrivateUsage]  (argparse lists them nowhere else)
            mark(action)
    return parser


def mark(action: argparse.Action) -> None:
    """Mark an argument with what completes it, which its metavariable tells."""
    import shtab

    from archdsl.commands._topics import TOPICS

    metavar = str(action.metavar)
    if metavar in FILES:
        action.complete = shtab.FILE  # type: ignore[attr-defined]
    elif metavar in TOPICS_OF:
        names = [name for topic in TOPICS_OF[metavar] for name in TOPICS[topic].entries() if name.isidentifier()]
        action.complete = completer(metavar.lower(), names, files=metavar != "WORD")  # type: ignore[attr-defined]


FILES = {"OUT", "CHECKPOINT"}
TOPICS_OF = {
    **dict.fromkeys(("SPEC", "PATH", "BEFORE", "AFTER", "OLD"), ("specs",)),
    "DEVICE": ("devices",),
    "FIGURE": ("figures",),
    "WORD": ("commands", "words", "ops", "blocks", "specs", "figures", "codes"),
}
"""Topics of `archdsl help` that complete an argument, by its metavariable."""


def completer(kind: str, names: Sequence[str], *, files: bool) -> dict[str, Any]:
    """Completion of names, and of files, as functions of each shell."""
    words, function = " ".join(names), f"_archdsl_{kind}"
    zsh = ["'files:file:_files'"] if files else []
    bodies = {
        "bash": "\n".join([f'compgen -W "{words}" -- $1', *(["_shtab_compgen_files $1"] if files else [])]),
        "zsh": " ".join(["_alternative", *zsh, f"'names:{kind}:({words})'"]),
        "fish": "\n".join([f"printf '%s\\n' {words}", *(["__fish_complete_path (commandline -ct)"] if files else [])]),
    }
    return {
        "bash": function,
        "zsh": function,
        "fish": f"({function})",
        "preamble": {
            shell: f"function {function}\n{body}\nend\n" if shell == "fish" else f"{function}() {{\n{body}\n}}\n"
            for shell, body in bodies.items()
        },
    }
