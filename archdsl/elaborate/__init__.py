"""From a document to a graph: expressions are evaluated, blocks applied to shapes, scopes built."""
