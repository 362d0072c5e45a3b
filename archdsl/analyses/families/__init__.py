"""Families as arithmetic: the figures of many candidates of one spec, worked out structure by structure.

`lane` are numbers that differ among candidates, `trie` the decisions that a line of the chain takes on them, `rows` their
values for many candidates at once, `candidates` what was asked for as columns, `engine` the figures. `docs/families.md`
describes the way.
"""
