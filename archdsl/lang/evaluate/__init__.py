"""Expressions worked out: names, operators, calls and forms, to values, blocks and tensors."""
