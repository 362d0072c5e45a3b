"""The keys of a backbone in YAML: what each of them means."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar

from archdsl.diagnostics import Source, Span, catalog, listed
from archdsl.diagnostics.characters import is_unseen
from archdsl.frontend.yaml.compose import load
from archdsl.frontend.yaml.nodes import KINDS, Data, Mapping, MappingEntry, Scalar, Sequence
from archdsl.frontend.yaml.reader import COMMENT, PLAIN, STATEMENT, Findings, Values, is_small, line, sayable, shown
from archdsl.syntax.ast import Block, Expression, Function, Nothing, Parameter, Return, Statement
from archdsl.syntax.detect_format import LINE_WORDS, text_form
from archdsl.syntax.document import EDITION, Drop, Expectation, File, Import, Network, Output, SectionLine, Setting
from archdsl.syntax.located_text import UNSEEN_IN_PATH, tidy

Definition = TypeVar("Definition", Block, Function)
Body = tuple[Statement, ...]

DEFINITION_KEYS = ("args", "doc", "body")
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

    def definition(self, entry: MappingEntry, kind: type[Definition]) -> Definition | None:
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
            keys = self.keys(entry.value, DEFINITION_KEYS, "a definition")
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

    def parameter(self, entry: MappingEntry) -> Parameter | None:
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


STAGE = re.compile(r"stage[ \t]+")
WORD_BEFORE_NAME = re.compile(r"stage[ \t]+(?=\w)")
"""The word of the text form, which says nothing where all are stages; not a stage that has this name."""
SECTIONS = "a mapping of sections to expressions"


class NetworkReader(Definitions):
    """Reads one backbone. What its keys say is gathered by the fields of the document; of several lines, in `parts`."""

    def __init__(self, findings: Findings) -> None:
        super().__init__(findings)
        self.content: dict[str, Any] = {}
        self.parts: dict[str, list[Any]] = {}
        self.drops: list[Drop] = []

    def backbone(self, name: Scalar | None, keys: dict[str, MappingEntry]) -> Network | None:
        """The backbone of some keys."""
        if "sections" in keys and (short := [key for key in ("stem", "stages", "head") if key in keys]):
            label = f"`sections` holds all sections in order, so {listed(short)} cannot be used with it"
            self.findings.add(catalog.DOCUMENT, keys["sections"].key.span, label, "move them into `sections`")
        for key, read in NETWORK_KEYS.items():
            if key in keys:
                read(self, keys[key])
        self.drops.sort(key=lambda drop: drop.span.start if drop.span else 0)
        called = self.name(name, "the name of the backbone") if name else None
        if name is None or called is None:
            return None
        lines: dict[str, Any] = {field: tuple(found) for field, found in self.parts.items()}
        return Network(name.span, called, drops=tuple(self.drops), **self.content, **lines)

    def put(self, field: str, value: Any) -> None:
        """Takes note of a field, if its value could be read."""
        if value is not None:
            self.content[field] = value

    def append(self, field: str, value: Any) -> None:
        """Takes note of one more part of a field, if it could be read."""
        if value is not None:
            self.parts.setdefault(field, []).append(value)

    # ---- keys

    def input(self, entry: MappingEntry) -> None:
        """`input: 3x224x224`, or a list of the sizes."""
        data = entry.value
        if not isinstance(data, Sequence):
            shape = self.scalar(data, "a shape, as `3x224x224`,")
            found = shape and self.parsed(shape, "shape")
        else:
            sizes = [self.size(each) for each in data.items]
            found = tuple(size for size in sizes if size is not None)
            found = found if len(found) == len(sizes) else None
        if found:
            self.put("input", found)
            self.put("input_span", data.span)

    def size(self, data: Data) -> int | None:
        """One number of a shape."""
        scalar = self.scalar(data, "a whole number")
        shape = scalar and self.parsed(scalar, "shape")
        if shape and len(shape) > 1:
            self.findings.add(catalog.WRONG_TYPE, data.span, "a shape, where one whole number belongs")
        return shape and shape[0]

    def extends(self, entry: MappingEntry) -> None:
        """`extends: resnet101(depths = [3, 8, 36, 3])`."""
        if isinstance(entry.value, Mapping):
            label = "a mapping, where the name of a backbone, with arguments or without, belongs"
            self.findings.add(catalog.WRONG_TYPE, entry.value.span, label, "write it as `parent(name = value)`")
            return
        parent = self.scalar(entry.value, "the name of a backbone, with arguments or without,")
        self.put("extends", parent and self.parsed(parent, "extends_value"))

    def settings(self, entry: MappingEntry) -> None:
        """`set: {act: mish, bottleneck.groups: 32}`."""
        for each in self.lines(entry.value, "a mapping of settings to values"):
            if isinstance(each.value, Mapping) and not any(key.content in PLAIN for key, _ in each.value.entries):
                self.nested(each.key, each.value)
                continue
            target, value = self.target(each), self.whole(each.value, lists=True)
            if target and self.is_free(target[0], each) and value:
                self.append("settings", Setting(line(each), target, value))

    def nested(self, key: Scalar, value: Mapping) -> None:
        """Settings of one block that stand below its name."""
        first = value.entries[0].key.content if value.entries else "param"
        label = "a mapping, where a value belongs: each setting is a line of its own"
        self.findings.add(catalog.DOCUMENT, value.span, label, f"write `{key.content}.{first}: ...`")

    def stages(self, entry: MappingEntry) -> None:
        """`stages: {c2: ..., c3 / 2: ...}`."""
        for each in self.lines(entry.value, "a mapping of stages to expressions"):
            if found := WORD_BEFORE_NAME.match(each.key.content):
                help = f"write `{each.key.content[found.end() :]}: ...`"
                self.findings.add(catalog.DOCUMENT, each.key.span, "all are stages here", help)
            else:
                self.stage(each, each.key)

    def stage(self, entry: MappingEntry, key: Scalar) -> None:
        """A stage; `key` is its key, without the word in front."""
        parsed = self.scalar(key, "the name of a stage") and self.parsed(key, "stage_key")
        value = self.whole(entry.value)
        if parsed:
            self.section_of(entry, value, name=parsed[0], stage=True, reduction=parsed[1])

    def section(self, entry: MappingEntry) -> None:
        """`stem: ...`, `head: ...`, or another section."""
        name, value = self.name(entry.key, "the name of a section"), self.whole(entry.value)
        if name and self.is_free(name, entry):
            self.section_of(entry, value, name=name)

    def section_of(self, entry: MappingEntry, value: Expression | None, **content: Any) -> None:
        """A section with its value, or, where that is `none`, a section left out."""
        key = entry.key.span
        if isinstance(value, Nothing):
            self.left_out(content["name"], key)
        elif value is not None:
            self.append("sections", SectionLine(key, value=value, **content))

    def sections(self, entry: MappingEntry) -> None:
        """`sections: {stem: ..., stage c2: ..., neck: ..., head: ...}`."""
        for each in self.lines(entry.value, SECTIONS):
            if found := STAGE.match(each.key.content):
                self.stage(each, each.key._replace(text=each.key.text.after(found.end())))
            else:
                self.section(each)

    def outputs(self, entry: MappingEntry) -> None:
        """`outputs: {p3: ..., aux if training: ...}`."""
        for each in self.lines(entry.value, "a mapping of outputs to expressions"):
            key = self.scalar(each.key, "the name of an output") and self.parsed(each.key, "output_key")
            value = self.whole(each.value)
            if key and isinstance(value, Nothing):
                self.left_out(key[0], each.key.span)
            elif key and value:
                self.append("outputs", Output(each.key.span, name=key[0], training=key[1], value=value))

    def drop(self, entry: MappingEntry) -> None:
        """`drop: aux`, or a list."""
        items = entry.value.items if isinstance(entry.value, Sequence) else (entry.value,)
        for each in items:
            if name := self.name(each, "the name of a section or an output"):
                self.left_out(name, each.span)

    def left_out(self, name: str, span: Span) -> None:
        """A line of the parent that is left out."""
        self.drops.append(Drop(span, name))

    def expect(self, entry: MappingEntry) -> None:
        """`expect: {params: 25_028_904, macs: <= 4.3G}`."""
        for each in self.lines(entry.value, "a mapping of figures to bounds"):
            figure, bound = self.target(each), self.scalar(each.value, "a bound, as `<= 4.3G`,")
            parsed = bound and self.parsed(bound, "bound")
            if figure and parsed:
                content = dict(zip(("sign", "amount", "batch", "precision"), parsed, strict=True))
                self.append("expect", Expectation(line(each), figure, **content))

    def is_free(self, name: str, entry: MappingEntry) -> bool:
        """Whether a section or setting can have a name."""
        if name in LINE_WORDS:
            label = f"`{name}` begins a line of its own kind in the text form, so it cannot be a name"
            self.findings.add(catalog.DOCUMENT, entry.key.span, label, "choose another name")
        return name not in LINE_WORDS


NETWORK_KEYS: dict[str, Callable[[NetworkReader, MappingEntry], None]] = {
    "doc": lambda network, entry: network.put("doc", network.doc(entry.value)),
    "params": lambda network, entry: network.put("parameters", network.signature(entry.value)),
    "extends": NetworkReader.extends,
    "input": NetworkReader.input,
    "set": NetworkReader.settings,
    "stem": NetworkReader.section,
    "stages": NetworkReader.stages,
    "head": NetworkReader.section,
    "sections": NetworkReader.sections,
    "outputs": NetworkReader.outputs,
    "drop": NetworkReader.drop,
    "expect": NetworkReader.expect,
}
"""Each key of a backbone, in the order in which they are read; the sections come to stand in this order."""


FILE_KEYS = ("archdsl", "import", "blocks", "functions", "backbones")
ONE_NETWORK = ("name", *NETWORK_KEYS)
PATH = re.compile(r'[^"\\\n]+')
START = "a spec is a mapping: it begins with `name: ...`, `blocks:` or `backbones:`"


def parse_yaml(source: Source) -> File:
    """The document that a YAML text says; raises ArchError, with all that is wrong."""
    if (start := text_form(source.text)) is not None:
        label = "this is the text form of the language, not YAML"
        raise catalog.YAML.error(
            Span(source, start, start + 1), label, help="give the file a name that ends in `.arch`"
        )
    findings = Findings()
    document = FileReader(findings).document(source, load(source, findings))
    findings.report(document)
    return document


class FileReader(Definitions):
    """Reads the keys at the top of a file."""

    def document(self, source: Source, data: Data | None) -> File:
        """The document of a file's data, as far as it can be read."""
        whole = Span(source, 0, len(source.text))
        if data is None or (isinstance(data, Scalar) and not data.content.strip()):
            raise catalog.YAML.error(Span(source, 0, 0), "there is nothing in this file", help=START)
        if not isinstance(data, Mapping):
            raise catalog.WRONG_TYPE.error(data.span, f"{KINDS[type(data)]}, where a mapping belongs", help=START)
        keys = self.file_keys(data)
        content: dict[str, Any] = {
            "edition": self.edition(keys["archdsl"].value) if "archdsl" in keys else None,
            "imports": self.imports(keys["import"].value) if "import" in keys else (),
            "blocks": self.definitions(keys["blocks"].value, Block) if "blocks" in keys else (),
            "functions": self.definitions(keys["functions"].value, Function) if "functions" in keys else (),
            "backbones": self.several(keys["backbones"].value) if "backbones" in keys else self.one(keys),
        }
        return File(whole, **content)

    def file_keys(self, data: Mapping) -> dict[str, MappingEntry]:
        """The keys at the top, without those that do not belong there."""
        several = any(entry.key.content == "backbones" for entry in data.entries)
        found: dict[str, MappingEntry] = {}
        for entry in data.entries:
            key = entry.key.content
            if key in FILE_KEYS or (key in ONE_NETWORK and not several):
                found[key] = entry
            elif key in ONE_NETWORK:
                label = f"with `backbones`, `{key}` belongs to no backbone"
                self.findings.add(catalog.DOCUMENT, entry.key.span, label, "move it into the one that it is meant for")
            else:
                self.unknown(entry.key, (*FILE_KEYS, *ONE_NETWORK), "a spec")
        return found

    def edition(self, data: Data) -> int | None:
        """`archdsl: 1`."""
        scalar = self.scalar(data, "an edition of the language")
        if scalar and scalar.content != str(EDITION):
            label, help = f"edition {scalar.content[:20]}", f"this version of archdsl reads edition {EDITION}"
            self.findings.add(catalog.EDITION, scalar.span, label, help)
            return None
        return scalar and EDITION

    def imports(self, data: Data) -> tuple[Import, ...]:
        """`import: blocks.arch`, or a list."""
        items = data.items if isinstance(data, Sequence) else (data,)
        return tuple(found for each in items if (found := self.path(each)) is not None)

    def path(self, data: Data) -> Import | None:
        """The path of a file."""
        scalar = self.scalar(data, "the path of a file")
        if scalar and not PATH.fullmatch(scalar.content):
            help = "write `/` between folders" if "\\" in scalar.content else ""
            label = "a path of an import has no quote, backslash or line end"
            self.findings.add(catalog.DOCUMENT, scalar.span, label, help)
            return None
        if scalar and any(map(is_unseen, scalar.content)):
            self.findings.add(catalog.DOCUMENT, scalar.span, UNSEEN_IN_PATH)
            return None
        return scalar and Import(scalar.span, scalar.content)

    def one(self, keys: dict[str, MappingEntry]) -> tuple[Network, ...]:
        """The only backbone of a file, if it has one."""
        own = {key: entry for key, entry in keys.items() if key in ONE_NETWORK}
        if not own:
            return ()
        if "name" not in own:
            first = next(iter(own.values())).key
            self.findings.add(catalog.DOCUMENT, first.span, "this network has no name", "add `name: ...`")
        name = own["name"].value if "name" in own else None
        called = name and self.kind(name, Scalar, "the name of the backbone")
        found = NetworkReader(self.findings).backbone(called, own)
        return (found,) if found else ()

    def several(self, data: Data) -> tuple[Network, ...]:
        """`backbones: {resnet50: {...}, resnet152: {...}}`."""
        found = [self.named_one(entry) for entry in self.lines(data, "a mapping of names to backbones")]
        return tuple(each for each in found if each is not None)

    def named_one(self, entry: MappingEntry) -> Network | None:
        """One of several backbones; it may have nothing in it."""
        if isinstance(entry.value, Scalar) and not entry.value.content:
            return NetworkReader(self.findings).backbone(entry.key, {})
        mapping = self.kind(entry.value, Mapping, "a mapping with the keys of a backbone")
        keys = self.keys(mapping, NETWORK_KEYS, "a backbone") if mapping else {}
        return NetworkReader(self.findings).backbone(entry.key, keys)
