"""What a text says on its own: the syntax tree, documents and files, names, families, signatures."""
