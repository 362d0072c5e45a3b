"""The keys of a backbone in YAML: what each of them means."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from archdsl.errors import Span, catalog, listed
from archdsl.frontend.notation import LINE_WORDS
from archdsl.frontend.yaml.data import Data, Entry, Mapping, Scalar, Sequence
from archdsl.frontend.yaml.definitions import Definitions
from archdsl.frontend.yaml.findings import Findings
from archdsl.frontend.yaml.values import PLAIN, line
from archdsl.lang.text.document import Backbone, Check, Drop, Output, Section, Setting
from archdsl.lang.text.syntax import Expression, Nothing

STAGE = re.compile(r"stage[ \t]+")
WORD_BEFORE_NAME = re.compile(r"stage[ \t]+(?=\w)")
"""The word of the text form, which says nothing where all are stages; not a stage that has this name."""
SECTIONS = "a mapping of sections to expressions"


class Network(Definitions):
    """Reads one backbone. What its keys say is gathered by the fields of the document; of several lines, in `parts`."""

    def __init__(self, findings: Findings) -> None:
        super().__init__(findings)
        self.content: dict[str, Any] = {}
        self.parts: dict[str, list[Any]] = {}
        self.drops: list[Drop] = []

    def backbone(self, name: Scalar | None, keys: dict[str, Entry]) -> Backbone | None:
        """The backbone of some keys."""
        if "sections" in keys and (short := [key for key in ("stem", "stages", "head") if key in keys]):
            label = f"`sections` holds all sections in order, so {listed(short)} cannot be used with it"
            self.findings.add(catalog.DOCUMENT, keys["sections"].key.span, label, "move them into `sections`")
        for key, read in KEYS.items():
            if key in keys:
                read(self, keys[key])
        self.drops.sort(key=lambda drop: drop.span.start if drop.span else 0)
        called = self.name(name, "the name of the backbone") if name else None
        if name is None or called is None:
            return None
        lines: dict[str, Any] = {field: tuple(found) for field, found in self.parts.items()}
        return Backbone(name.span, called, drops=tuple(self.drops), **self.content, **lines)

    def put(self, field: str, value: Any) -> None:
        """Takes note of a field, if its value could be read."""
        if value is not None:
            self.content[field] = value

    def append(self, field: str, value: Any) -> None:
        """Takes note of one more part of a field, if it could be read."""
        if value is not None:
            self.parts.setdefault(field, []).append(value)

    # ---- keys

    def input(self, entry: Entry) -> None:
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

    def extends(self, entry: Entry) -> None:
        """`extends: resnet101(depths = [3, 8, 36, 3])`."""
        if isinstance(entry.value, Mapping):
            label = "a mapping, where the name of a backbone, with arguments or without, belongs"
            self.findings.add(catalog.WRONG_TYPE, entry.value.span, label, "write it as `parent(name = value)`")
            return
        parent = self.scalar(entry.value, "the name of a backbone, with arguments or without,")
        self.put("extends", parent and self.parsed(parent, "extends_value"))

    def settings(self, entry: Entry) -> None:
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

    def stages(self, entry: Entry) -> None:
        """`stages: {c2: ..., c3 / 2: ...}`."""
        for each in self.lines(entry.value, "a mapping of stages to expressions"):
            if found := WORD_BEFORE_NAME.match(each.key.content):
                help = f"write `{each.key.content[found.end() :]}: ...`"
                self.findings.add(catalog.DOCUMENT, each.key.span, "all are stages here", help)
            else:
                self.stage(each, each.key)

    def stage(self, entry: Entry, key: Scalar) -> None:
        """A stage; `key` is its key, without the word in front."""
        parsed = self.scalar(key, "the name of a stage") and self.parsed(key, "stage_key")
        value = self.whole(entry.value)
        if parsed:
            self.section_of(entry, value, name=parsed[0], stage=True, reduction=parsed[1])

    def section(self, entry: Entry) -> None:
        """`stem: ...`, `head: ...`, or another section."""
        name, value = self.name(entry.key, "the name of a section"), self.whole(entry.value)
        if name and self.is_free(name, entry):
            self.section_of(entry, value, name=name)

    def section_of(self, entry: Entry, value: Expression | None, **content: Any) -> None:
        """A section with its value, or, where that is `none`, a section left out."""
        key = entry.key.span
        if isinstance(value, Nothing):
            self.left_out(content["name"], key)
        elif value is not None:
            self.append("sections", Section(key, value=value, **content))

    def sections(self, entry: Entry) -> None:
        """`sections: {stem: ..., stage c2: ..., neck: ..., head: ...}`."""
        for each in self.lines(entry.value, SECTIONS):
            if found := STAGE.match(each.key.content):
                self.stage(each, each.key._replace(text=each.key.text.after(found.end())))
            else:
                self.section(each)

    def outputs(self, entry: Entry) -> None:
        """`outputs: {p3: ..., aux if training: ...}`."""
        for each in self.lines(entry.value, "a mapping of outputs to expressions"):
            key = self.scalar(each.key, "the name of an output") and self.parsed(each.key, "output_key")
            value = self.whole(each.value)
            if key and isinstance(value, Nothing):
                self.left_out(key[0], each.key.span)
            elif key and value:
                self.append("outputs", Output(each.key.span, name=key[0], training=key[1], value=value))

    def drop(self, entry: Entry) -> None:
        """`drop: aux`, or a list."""
        items = entry.value.items if isinstance(entry.value, Sequence) else (entry.value,)
        for each in items:
            if name := self.name(each, "the name of a section or an output"):
                self.left_out(name, each.span)

    def left_out(self, name: str, span: Span) -> None:
        """A line of the parent that is left out."""
        self.drops.append(Drop(span, name))

    def expect(self, entry: Entry) -> None:
        """`expect: {params: 25_028_904, macs: <= 4.3G}`."""
        for each in self.lines(entry.value, "a mapping of figures to bounds"):
            figure, bound = self.target(each), self.scalar(each.value, "a bound, as `<= 4.3G`,")
            parsed = bound and self.parsed(bound, "bound")
            if figure and parsed:
                content = dict(zip(("sign", "amount", "batch", "precision"), parsed, strict=True))
                self.append("expect", Check(line(each), figure, **content))

    def is_free(self, name: str, entry: Entry) -> bool:
        """Whether a section or setting can have a name."""
        if name in LINE_WORDS:
            label = f"`{name}` begins a line of its own kind in the text form, so it cannot be a name"
            self.findings.add(catalog.DOCUMENT, entry.key.span, label, "choose another name")
        return name not in LINE_WORDS


KEYS: dict[str, Callable[[Network, Entry], None]] = {
    "doc": lambda network, entry: network.put("doc", network.doc(entry.value)),
    "params": lambda network, entry: network.put("parameters", network.signature(entry.value)),
    "extends": Network.extends,
    "input": Network.input,
    "set": Network.settings,
    "stem": Network.section,
    "stages": Network.stages,
    "head": Network.section,
    "sections": Network.sections,
    "outputs": Network.outputs,
    "drop": Network.drop,
    "expect": Network.expect,
}
"""Each key of a backbone, in the order in which they are read; the sections come to stand in this order."""
