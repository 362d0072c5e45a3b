"""Families as arithmetic: the figures of many candidates of one spec, worked out structure by structure.

`lane` has the numbers that differ among candidates, `trie` the decisions that a line of the chain takes on them, `rows`
their values for many candidates at once, `candidates` the request as columns, `engine` the sums over lines, `costs` the
figures. `docs/families.md` describes the way.
"""
