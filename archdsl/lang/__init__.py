"""The meaning of the language: `values`, what a `text` says, how it is `evaluate`d, and the graph that it comes to."""
