"""A YAML spec as a document: what each key of a file means."""

from __future__ import annotations

import re
from typing import Any

from archdsl.errors import Source, Span, catalog
from archdsl.errors.characters import is_unseen
from archdsl.frontend.characters import UNSEEN_IN_PATH
from archdsl.frontend.notation import text_form
from archdsl.frontend.yaml.compose import load
from archdsl.frontend.yaml.data import KINDS, Data, Entry, Mapping, Scalar, Sequence
from archdsl.frontend.yaml.definitions import Definitions
from archdsl.frontend.yaml.findings import Findings
from archdsl.frontend.yaml.network import KEYS as NETWORK_KEYS
from archdsl.frontend.yaml.network import Network
from archdsl.lang.text.document import EDITION, Backbone, Document, Import
from archdsl.lang.text.syntax import Block, Function

FILE_KEYS = ("archdsl", "import", "blocks", "functions", "backbones")
ONE_NETWORK = ("name", *NETWORK_KEYS)
PATH = re.compile(r'[^"\\\n]+')
START = "a spec is a mapping: it begins with `name: ...`, `blocks:` or `backbones:`"


def parse_yaml(source: Source) -> Document:
    """The document that a YAML text says; raises ArchError, with all that is wrong."""
    if (start := text_form(source.text)) is not None:
        label = "this is the text form of the language, not YAML"
        raise catalog.YAML.error(
            Span(source, start, start + 1), label, help="give the file a name that ends in `.arch`"
        )
    findings = Findings()
    document = File(findings).document(source, load(source, findings))
    findings.report(document)
    return document


class File(Definitions):
    """Reads the keys at the top of a file."""

    def document(self, source: Source, data: Data | None) -> Document:
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
        return Document(whole, **content)

    def file_keys(self, data: Mapping) -> dict[str, Entry]:
        """The keys at the top, without those that do not belong there."""
        several = any(entry.key.content == "backbones" for entry in data.entries)
        found: dict[str, Entry] = {}
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

    def one(self, keys: dict[str, Entry]) -> tuple[Backbone, ...]:
        """The only backbone of a file, if it has one."""
        own = {key: entry for key, entry in keys.items() if key in ONE_NETWORK}
        if not own:
            return ()
        if "name" not in own:
            first = next(iter(own.values())).key
            self.findings.add(catalog.DOCUMENT, first.span, "this network has no name", "add `name: ...`")
        name = own["name"].value if "name" in own else None
        called = name and self.kind(name, Scalar, "the name of the backbone")
        found = Network(self.findings).backbone(called, own)
        return (found,) if found else ()

    def several(self, data: Data) -> tuple[Backbone, ...]:
        """`backbones: {resnet50: {...}, resnet152: {...}}`."""
        found = [self.named_one(entry) for entry in self.lines(data, "a mapping of names to backbones")]
        return tuple(each for each in found if each is not None)

    def named_one(self, entry: Entry) -> Backbone | None:
        """One of several backbones; it may have nothing in it."""
        if isinstance(entry.value, Scalar) and not entry.value.content:
            return Network(self.findings).backbone(entry.key, {})
        mapping = self.kind(entry.value, Mapping, "a mapping with the keys of a backbone")
        keys = self.keys(mapping, NETWORK_KEYS, "a backbone") if mapping else {}
        return Network(self.findings).backbone(entry.key, keys)
