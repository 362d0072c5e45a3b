"""Analyses of the graph: figures, estimates, receptive fields, advice, warnings. One file each."""
