"""The command line: one file per command, found by its name.

A command's file has a docstring (its help), `arguments(parser)`, and `run(options)`, which returns the exit code: 0 for
success, 1 for findings in a spec, 2 for usage errors.
"""
