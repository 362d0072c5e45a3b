"""What expressions come to: values and their types, functions on them, and what is said where they do not fit."""
