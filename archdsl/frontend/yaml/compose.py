"""From a YAML text to plain data, with the place of each part."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml
from yaml.nodes import MappingNode, ScalarNode

from archdsl.diagnostics import Diagnostic, Note, Source, Span, catalog
from archdsl.frontend.yaml import yaml_errors
from archdsl.frontend.yaml.limits import Guard, check_text
from archdsl.frontend.yaml.source_map import located
from archdsl.frontend.yaml.yaml_errors import explained
from archdsl.syntax.located_text import LocatedText
from archdsl.syntax.nodes import KINDS, Data, Mapping, MappingEntry, Scalar, Sequence

YAML: Any = yaml
"""PyYAML has no types."""

LOADER = getattr(YAML, "CSafeLoader", YAML.SafeLoader)


class Places:
    """From the marks of PyYAML, which here counts in a text without byte order mark, to places in the source."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.shift = int(source.text.startswith("\ufeff"))
        self.text = source.text[self.shift :]

    def span(self, start: Any, end: Any) -> Span:
        """The place between two marks, without the blanks at its end (a block ends where the next thing begins)."""
        first, last = start.index + self.shift, end.index + self.shift
        return Span(self.source, first, first + len(self.source.text[first:last].rstrip()))


def load(source: Source, findings: list[Diagnostic]) -> Data | None:
    """The data of a file, or None where it holds nothing; raises ArchError for what is not YAML."""
    check_text(source)
    places = Places(source)
    try:
        Guard(places.span).check(YAML.parse(places.text, Loader=LOADER))
        node = YAML.compose(places.text, Loader=LOADER)
    except yaml.MarkedYAMLError as error:
        raise explained(error, source, places.shift) from None
    return None if node is None else Composer(places, findings).data(node)


class Composer:
    """Makes data of nodes, and finds what no data should have."""

    def __init__(self, places: Places, findings: list[Diagnostic]) -> None:
        self.places = places
        self.findings = findings

    def data(self, node: Any) -> Data:
        """Any node."""
        if isinstance(node, ScalarNode):
            return self.scalar(node)
        span = self.places.span(node.start_mark, node.end_mark)
        if isinstance(node, MappingNode):
            pairs = list(self.pairs(node))
            return Mapping(self.unique(yaml_errors.entries(pairs, self.findings) if node.flow_style else pairs), span)
        items = [self.data(each) for each in node.value]
        return Sequence(tuple(yaml_errors.items(items, self.findings) if node.flow_style else items), span)

    def scalar(self, node: ScalarNode) -> Scalar:
        """A text."""
        start, end = (mark.index + self.places.shift for mark in (node.start_mark, node.end_mark))
        return Scalar(located(self.places.source, start, end, node.value, node.style), node.style or "")

    def pairs(self, node: MappingNode) -> Iterator[MappingEntry]:
        """The lines of a mapping."""
        for key_node, value in node.value:
            key = self.data(key_node)
            if not isinstance(key, Scalar):
                label = f"{KINDS[type(key)]} cannot be a key"
                self.findings.append(catalog.YAML.at(key.span, label, help="write `key: value`"))
            elif key.content == "<<" and not key.style:
                help = "write the keys out; a backbone inherits the lines of another with `extends`"
                label = "YAML's merge key is not part of the notation"
                self.findings.append(catalog.YAML.at(key.span, label, help=help))
            else:
                yield self.entry(key, self.data(value))

    def entry(self, key: Scalar, value: Data) -> MappingEntry:
        """A line. Where there is no value, its place is the key's: the two parsers put it at different ones."""
        return MappingEntry(key, Scalar(LocatedText("", key.span)) if yaml_errors.empty(value) else value)

    def unique(self, entries: list[MappingEntry]) -> tuple[MappingEntry, ...]:
        """The lines of a mapping, each key once."""
        found: dict[str, MappingEntry] = {}
        for entry in entries:
            first = found.setdefault(entry.key.content, entry)
            if first is not entry:
                notes = (Note(first.key.span, "first here"),)
                label = f"a second `{entry.key.content}`"
                self.findings.append(catalog.DUPLICATE.at(entry.key.span, label, notes=notes))
        return tuple(found.values())
