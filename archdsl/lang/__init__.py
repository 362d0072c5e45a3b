"""The meaning of the language: syntax tree, values, signatures, scopes, and the elaboration to a graph."""
