"""One canonical layout for a text, in its own notation or in the other, with its comments kept."""
