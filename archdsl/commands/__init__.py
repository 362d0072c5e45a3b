"""The command line: one file per command, found by its name.

A command's file has a docstring (its help), `arguments(parser)`, and `run(options)`, which gives the exit code:
0 for done, 1 for findings in a spec, 2 for what cannot be asked for.
"""

from archdsl.commands._run import main as main
from archdsl.commands._run import module_of as module_of
from archdsl.commands._run import names as names
