"""From a backbone to its graph: sections and stages, and what becomes of a block on an input."""
