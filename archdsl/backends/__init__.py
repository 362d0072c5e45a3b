"""Targets: each a module or a folder here with a function `emit(graph)`. Nothing lists them."""
