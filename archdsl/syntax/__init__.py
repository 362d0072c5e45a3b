"""The language's text: grammar, syntax tree, document, names and scopes. Evaluates nothing."""
