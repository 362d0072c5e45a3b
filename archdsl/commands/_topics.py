"""Topics of `archdsl help` and `archdsl list`: their names, each with its sentence and its page."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple

from archdsl.diagnostics import catalog

WORDS = Path(__file__).with_name("words.md")
ENTRY = re.compile(r"^## ([^\n]+)\n\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)


class Topic(NamedTuple):
    """Topic: a sentence, its names with their texts, and the page of a name."""

    summary: str
    entries: Callable[[], dict[str, str]]
    page: Callable[[str], str]


@cache
def words() -> dict[str, str]:
    """Pages of the words of the language, from `words.md`; a heading may hold several words."""
    pages = ENTRY.findall(WORDS.read_text(encoding="utf-8"))
    return {word: text.strip() for heading, text in pages for word in heading.split(", ")}


def keys() -> dict[str, str]:
    """Keys of a YAML spec, from the document's models."""
    from archdsl.syntax.document import Backbone, File

    models = (File, Backbone)
    fields = [each for model in models for each in zip(model.all_keys(), model.model_fields.values(), strict=True)]
    return {key: field.description or "" for key, field in fields}


def specs() -> dict[str, str]:
    """Docs of the shipped specs."""
    from archdsl.driver import SHIPPED

    # None for a file that defines no network of its own name.
    found = {name: SHIPPED.spec(name) for name in SHIPPED.specs()}
    return {name: spec[1].doc if spec else "" for name, spec in found.items()}


def blocks() -> dict[str, str]:
    """Docs of the shipped blocks."""
    from archdsl.driver import SHIPPED

    found = {name: SHIPPED.block(name) for name in SHIPPED.blocks()}
    return {name: block.doc for name, block in found.items() if block}


def block_page(name: str) -> str:
    """Signature and doc of a shipped block."""
    from archdsl.driver import SHIPPED
    from archdsl.elaborate.signature import signature_of

    block = SHIPPED.block(name)
    assert block is not None
    return f"block {signature_of(block).text()}\n\n{block.doc}"


def ops() -> dict[str, str]:
    """Docs of the ops."""
    from archdsl.ops import vocabulary

    return {name: inspect.cleandoc(op.__doc__ or "") for name, op in vocabulary().items()}


def op_page(name: str) -> str:
    """Signature and doc of an op."""
    from archdsl.elaborate.signature import signature_of
    from archdsl.ops import vocabulary

    return f"op {signature_of(vocabulary()[name]).text()}\n\n{ops()[name]}"


def initializers() -> dict[str, str]:
    """Docs of the initializers."""
    from archdsl.initializer import INITIALIZERS

    return {name: inspect.cleandoc(kind.__doc__ or "") for name, kind in INITIALIZERS.items()}


def initializer_page(name: str) -> str:
    """Parameters and doc of an initializer."""
    from archdsl.initializer import INITIALIZERS

    params = (f"{each} = {param.default}" for each, param in INITIALIZERS[name].params.items())
    return f"initializer {name}({', '.join(params)})\n\n{initializers()[name]}"


def figures() -> dict[str, str]:
    """Meanings of the figures, and of the other columns of `show`."""
    from archdsl.analyses.figures import COLUMNS

    return {name: column.meaning for name, column in COLUMNS.items()}


def figure_page(name: str) -> str:
    """Meaning of a figure, its unit, and where it can be asked for."""
    from archdsl.analyses.expect import KNOWN
    from archdsl.analyses.figures import COLUMNS, FIGURES

    figure = FIGURES.get(name, COLUMNS[name])
    facts = [f"figure {name}: {figure.meaning}"]
    facts += ["", f"unit: {figure.unit}"] if figure.unit not in ("number", "text") else [""]
    facts += ["of the batch and precision (`--batch`, `--precision`)"] if figure.loaded else []
    facts += ["of a device (`--device v100`)"] if figure.timed else []
    facts += ["of the whole network only"] if figure.whole else []
    places = [f"archdsl show SPEC --figures {name}"]
    if name in FIGURES:
        places += [f"archdsl compare SPEC SPEC --figures {name}", f"archdsl.cost(SPEC).{name}"]
    if name in KNOWN:
        places.append(f"expect: {name} <= ..." if figure.whole else f"expect: {name} <= ..., c3.{name} <= ...")
    return "\n".join([*facts, *(f"  {place}" for place in places), "docs/costs.md defines each figure"])


def codes() -> dict[str, str]:
    """Titles of the codes."""
    return {code: page.rule.title for code, page in catalog.explanations().items()}


def devices() -> dict[str, str]:
    """Labels of the devices that estimates know."""
    from archdsl.analyses.device import known_devices

    return {name: device.label for name, device in known_devices().items()}


def device_page(name: str) -> str:
    """Description of a device, with its source."""
    from archdsl.analyses.device import known_devices
    from archdsl.commands._tables import rate, seconds

    device = known_devices()[name]
    peaks = ", ".join(f"{rate(peak)}FLOP/s in {precision}" for precision, peak in device.peaks.items())
    told = f"{peaks}; {rate(device.bandwidth)}B/s; {seconds(device.launch)} a launch"
    return f"device {name}: {device.label}\n\n{told}\nsource: {device.source}"


def targets() -> dict[str, str]:
    """Targets of `emit`."""
    from archdsl.api import targets

    return {name: f"`archdsl emit SPEC --target {name}`" for name in targets()}


def commands() -> dict[str, str]:
    """Commands, with their sentences."""
    from archdsl.commands._run import module_of, names, summary_of

    return {name: summary_of(module_of(name)) for name in names()}


def command_page(name: str) -> str:
    """Help of a command."""
    from archdsl.commands._run import module_of, parser_of

    return parser_of(name, module_of(name)).format_help()


def word_page(word: str) -> str:
    """Page of a word of the language."""
    return f"{word}\n\n{words()[word]}"


def plain_page(kind: str, entries: Callable[[], dict[str, str]]) -> Callable[[str], str]:
    """Page that says of which kind a name is, and its text."""
    return lambda name: f"{kind} {name}\n\n{entries()[name]}"


def code_page(code: str) -> str:
    """Page of a code."""
    return catalog.explanations()[code].page()


TOPICS: dict[str, Topic] = {
    "commands": Topic("what `archdsl` does", commands, command_page),
    "words": Topic("the words of the language: `stage`, `collect`, `x`, ...", words, word_page),
    "keys": Topic("the keys of a YAML spec", keys, plain_page("key", keys)),
    "ops": Topic("the operators: `conv`, `maxpool`, ...", ops, op_page),
    "blocks": Topic("the library's blocks: `bottleneck`, `osa`, ...", blocks, block_page),
    "initializers": Topic("the initializers: `kaiming_normal`, ...", initializers, initializer_page),
    "specs": Topic("the shipped specs: `resnet50`, ...", specs, plain_page("spec", specs)),
    "figures": Topic("the figures of networks: `macs`, `memory_access`, ...", figures, figure_page),
    "codes": Topic("the codes of errors (E), warnings (W) and advice (A)", codes, code_page),
    "devices": Topic("the devices of estimates: `v100`, ...", devices, device_page),
    "targets": Topic("what a network can be written as", targets, plain_page("target", targets)),
}
