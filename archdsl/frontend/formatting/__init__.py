"""One canonical layout for a text, in its own notation or in the other, with its comments kept."""

from __future__ import annotations

from archdsl.frontend.formatting.canonical import formatted as formatted
