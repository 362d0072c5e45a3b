"""Signatures, bodies and docs: what blocks, functions and backbones are defined with."""

from __future__ import annotations

import re
from typing import TypeVar

from archdsl.errors import catalog
from archdsl.frontend.docstring import tidy
from archdsl.frontend.yaml.data import Data, Entry, Mapping, Scalar
from archdsl.frontend.yaml.reading import COMMENT, STATEMENT, shown
from archdsl.frontend.yaml.values import Values, is_small, sayable
from archdsl.lang.text.syntax import Block, Function, Parameter, Return, Statement

Definition = TypeVar("Definition", Block, Function)
Body = tuple[Statement, ...]

KEYS = ("args", "doc", "body")
CALL = re.compile(r"([A-Za-z_]\w*)\s*\((.*)\)", re.DOTALL)
RETURN = re.compile(r"^[ \t]*return\b", re.MULTILINE)
QUOTED = '"""'


class Definitions(Values):
    """Reads definitions."""

    def definitions(self, data: Data, kind: type[Definition]) -> tuple[Definition, ...]:
        """The lines of `blocks` or `functions`."""
        wanted = "a mapping of names to definitions"
        found = [self.definition(entry, kind) for entry in self.lines(data, wanted)]
        return tuple(each for each in found if each is not None)

    def definition(self, entry: Entry, kind: type[Definition]) -> Definition | None:
        """`name: {args: ..., doc: ..., body: ...}`, or `name: body`."""
        if found := CALL.fullmatch(entry.key.content):
            label = "the parameters do not stand in the key"
            help = f'write `{found[1]}: {{args: "{shown(found[2])}", body: ...}}`'
            self.findings.add(catalog.DOCUMENT, entry.key.span, label, help)
            return None
        name = self.name(entry.key)
        parameters: tuple[Parameter, ...] | None = ()
        doc, body = "", None
        if isinstance(entry.value, Mapping):
            keys = self.keys(entry.value, KEYS, "a definition")
            parameters = self.signature(keys["args"].value) if "args" in keys else ()
            doc = self.doc(keys["doc"].value) if "doc" in keys else ""
            if "body" in keys:
                body = self.body(keys["body"].value)
            else:
                self.findings.add(catalog.DOCUMENT, entry.key.span, "this has no `body`", "add `body: ...`")
        else:
            body = self.body(entry.value)
        if name is None or parameters is None or body is None:
            return None
        inside, statements = body
        if doc and inside:
            self.findings.add(catalog.DUPLICATE, entry.key.span, "this has both a `doc` and a docstring in its body")
        return kind(entry.key.span, False, name, parameters, statements, doc or inside)

    def signature(self, data: Data) -> tuple[Parameter, ...] | None:
        """Parameters: a mapping of names to defaults, or a signature in a string."""
        if not isinstance(data, Scalar):
            lines = self.lines(data, "a signature, or a mapping of names to defaults,")
            return tuple(each for each in map(self.parameter, lines) if each is not None)
        if not data.content.strip():
            return ()
        bare = not data.content.lstrip().startswith("(")
        return self.parsed(data, "parameters", data.text.between("(", ")") if bare else None)

    def parameter(self, entry: Entry) -> Parameter | None:
        """`name: default`."""
        name = self.name(entry.key)
        if isinstance(entry.value, Scalar) and not entry.value.content:
            help = f'without one, write the signature in a string: "{entry.key.content}, ..."'
            self.findings.add(catalog.DOCUMENT, entry.key.span, "a default belongs here", help)
            return None
        default = self.whole(entry.value, lists=True)
        if default is not None and not is_small(entry.value.span.text) and not sayable(default, "f"):
            label = "as a parameter's default, this is nested too deeply to be read"
            self.findings.add(catalog.TOO_DEEP, entry.value.span, label)
            return None
        return Parameter(entry.key.span, False, name, (), default) if name and default else None

    def body(self, data: Data) -> tuple[str, Body] | None:
        """The docstring and the statements of a body; an expression is a body, too."""
        if isinstance(data, Scalar) and (STATEMENT.match(data.content) or RETURN.search(data.content)):
            return self.parsed(data, "body")
        value = self.whole(data)
        return None if value is None else ("", (Return(value.span, False, value),))

    def doc(self, data: Data) -> str:
        """A doc, as tidy as the docstrings of the text form."""
        scalar = self.kind(data, Scalar, "a text")
        if scalar is None:
            return ""
        source, end = scalar.span.source, scalar.span.end
        behind = COMMENT.match(source.text, end) if not scalar.style else None
        if behind and not source.text[behind.end() : behind.end() + 1].isspace():
            help = "put the doc in quotes; or, for a comment, a space after the `#`"
            self.findings.add(catalog.YAML, scalar.span, "` #` ends a text without quotes", help)
        if QUOTED in scalar.content:
            label = "three quotes in a row end a docstring in the text form"
            self.findings.add(catalog.DOCUMENT, scalar.span, label, "write one quote, or two")
        return tidy("\n" + scalar.content)
