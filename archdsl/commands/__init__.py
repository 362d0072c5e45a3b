"""The command line: one file per command, found by its name.

A command's file has a docstring (its help), `GROUP` (its place in `archdsl --help`: a key of `GROUPS` in `_run.py`),
`EXAMPLES` (command lines that its help shows), `arguments(parser)`, and `run(options)`, which returns the exit code: 0
for success, 1 for findings in a spec, 2 for usage errors.
"""
