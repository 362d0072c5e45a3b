"""The YAML notation: text, events, nodes, plain data with places, document."""
