"""The keys of a file and of a network, and the schema as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

from archdsl.frontend.notation import LINE_WORDS
from archdsl.frontend.schema.calls import Callees
from archdsl.frontend.schema.values import (
    AMOUNT,
    NAME,
    NUMBER,
    SHAPE,
    SIZES,
    TEXT,
    Json,
    by_kind,
    expression,
    fitting,
    lines,
    one_or_list,
    ref,
)
from archdsl.lang.text.document import EDITION, LARGEST_SIZE, LONGEST_NAME, SIGNS
from archdsl.lang.text.files import FUNCTION_NAMES, POLICIES, RESERVED, TURN_WORDS, Definition
from archdsl.op import Op

DRAFT = "https://json-schema.org/draft/2020-12/schema"
SIGN = f"({'|'.join(SIGNS)})"
FREE = rf"(?!({'|'.join(LINE_WORDS)})$){NAME}"
SECTION = "A section: a chain of blocks. An expression, a list of blocks (a chain), or a block in plain data."
NAME_SAID = "A name is of letters, digits and _, and does not begin with a digit."
STAGE = "A stage: its output is a feature map of the network. `/ 2` says that it reduces the map by 2."


def schema(
    blocks: Mapping[str, Definition], ops: Mapping[str, type[Op]], figures: dict[str, str], whole: dict[str, str]
) -> Json:
    """The schema, for a library of blocks, a vocabulary of ops, and the figures that `expect` knows, with meanings.

    Sections have the `figures`, too; those of the `whole` only the network has.
    """
    callees = Callees(blocks, ops)
    network = keys_of_a_network()
    found = {
        "$schema": DRAFT,
        "title": "archdsl",
        "description": "A convolutional network, or several, or blocks that they are made of.",
        "type": "object",
        "properties": keys_of_a_file() | network,
        "additionalProperties": False,
        "anyOf": [{"required": [key]} for key in ("name", "backbones", "blocks", "functions", "import", "archdsl")],
        "dependentSchemas": {
            **{key: {"required": ["name"]} for key in network if key != "name"},
            "backbones": {"properties": dict.fromkeys(network, False)},
            "sections": ONE_WAY,
        },
        **own_names_only(),
        "$defs": definitions(callees, network) | expectations(figures, whole),
    }
    return unmarked(found)


def keys_of_a_file() -> Json:
    """The keys that stand at the top only."""
    path = fitting(r'^[^"\\\n]+$', "A path has no quote, backslash or line end.")
    return {
        "archdsl": {"description": "The edition of the language.", "enum": [EDITION, str(EDITION)]},
        "import": {
            "description": "Files whose blocks, functions and backbones can be used here, relative to this one.",
            **one_or_list(path),
        },
        "blocks": {"description": "Blocks by name.", **lines(named(ref("definition"), without=TAKEN))},
        "functions": {
            "description": "Functions on values, by name.",
            **lines(named(ref("definition"), without=TAKEN)),
        },
        "backbones": {"description": "Several networks by name.", **lines(named(ref("network")))},
    }


def keys_of_a_network() -> Json:
    """The keys of a network."""
    section = {"description": SECTION, **ref("block")}
    stage = {"description": STAGE, **ref("block")}
    return {
        "name": {"description": "The network's name.", **ref("name")},
        "doc": {"description": "What the network is, and where it is from.", **TEXT},
        "params": {"description": "Its parameters: names and defaults, or a signature in a string.", **signature()},
        "extends": {
            "description": "A network whose lines this one inherits, with new defaults or without.",
            **fitting(rf"^\s*{NAME}\s*(\([\s\S]*\))?\s*$", "A network's name, as resnet50 or resnet50(classes = 10)."),
        },
        "input": {"description": "The input's shape, as `3x224x224`: channels, height, width.", **shape()},
        "set": {
            "description": "Policies (`act`), defaults of parameters (`conv.bias`), and constants, in order.",
            **lines(ref("settings")),
        },
        "stem": section,
        "stages": {
            "description": "The stages, in order: `c2: ...`, `c3 / 2: ...`.",
            **lines(keyed({rf"^\s*{NAME}(\s*/\s*{NUMBER})?\s*$": stage}) | {"properties": dict.fromkeys(USUAL, stage)}),
        },
        "head": section,
        "sections": {
            "description": "All sections in order, those of other names as well; a stage's key begins with `stage`.",
            **lines(keyed({rf"^stage[ \t]+{NAME}(\s*/\s*{NUMBER})?\s*$": stage, rf"^{FREE}$": section})),
        },
        "outputs": {
            "description": "Further outputs, which do not advance the chain; `aux if training: ...`.",
            **lines(keyed({rf"^\s*{NAME}(\s+if[ \t]+training)?\s*$": ref("block")})),
        },
        "drop": {
            "description": "What is left out of the parent: a section or an output, or several.",
            **one_or_list(ref("name")),
        },
        "expect": {
            "description": "The figures that the network must have; validation checks them.",
            **lines(ref("figures")),
        },
    }


def definitions(callees: Callees, network: Json) -> Json:
    """The parts that have names."""
    inner = {key: value for key, value in network.items() if key != "name"}
    return {
        "name": fitting(rf"^{NAME}$", NAME_SAID, maxLength=LONGEST_NAME),
        "expression": expression("number", "boolean"),
        "value": by_kind({"type": "array", "items": ref("value")}),
        "block": by_kind({"type": "array", "items": ref("block"), "minItems": 1}, "name-of-a-block"),
        "argument": by_kind(names="name-of-a-block"),
        "name-of-a-block": callees.block_names(),
        "initializer": callees.initializer_names(),
        "plain": plain(callees),
        "known": known(),
        "settings": callees.settings(),
        "definition": definition(),
        "network": {
            "type": ["object", "null"],
            "properties": inner,
            "additionalProperties": False,
            "dependentSchemas": {"sections": ONE_WAY},
        },
        **callees.arguments(),
    }


def own_names_only() -> Json:
    """Where a file brings no names of its own, a name of a block in plain data has to be a known one."""
    bare: Json = {"type": "object", "additionalProperties": {"type": ["number", "boolean", "array"]}}
    return {
        "if": {
            "properties": {
                **dict.fromkeys(("import", "blocks", "backbones", "extends"), False),
                "set": {"type": "object", "propertyNames": {"pattern": SETTING}},
                "params": bare,
            }
        },
        "then": {"properties": dict.fromkeys(("stem", "stages", "head", "sections", "outputs"), ref("known"))},
    }


def known() -> Json:
    """Anything; but where it names a block in plain data, and nothing else, one of the known ones.

    As a pattern, since editors would offer a property wherever this holds.
    """
    named = {"anyOf": [ref("name-of-a-block"), ref("initializer")]}
    name = {"if": {"type": "string", "pattern": rf"^{NAME}$"}, "then": named, "else": ref("known")}
    return {"patternProperties": {"^block$": name}, "additionalProperties": ref("known"), "items": ref("known")}


def plain(callees: Callees) -> Json:
    """A block in plain data."""
    return {
        "type": "object",
        "properties": {
            "repeat": {
                "description": "How often, each time with weights of its own.",
                **expression("integer", minimum=0),
            },
            "block": {"description": "The block.", **ref("block")},
            "args": {
                "description": "The block's arguments: by name, or a list by position.",
                "if": {"type": "array"},
                "then": {"items": ref("value")},
                "else": keyed({rf"^{NAME}(\.{NAME})*$": ref("value")}),
            },
            "with": {
                "description": "Settings for this block and all in it.",
                "propertyNames": {
                    "pattern": SETTING,
                    "patternErrorMessage": "A setting is norm, act, or of the form conv.bias.",
                },
                **ref("settings"),
            },
            "as": {"description": "The name of the module.", **ref("name")},
        },
        "required": ["block"],
        "additionalProperties": False,
        "allOf": callees.conditions(),
    }


def definition() -> Json:
    """A block or a function."""
    body = {"description": "An expression; or, after `|`, statements.", **ref("block")}
    whole = {
        "type": "object",
        "properties": {
            "args": {"description": "The parameters: a signature, or names and defaults.", **signature()},
            "doc": {"description": "What it is.", **TEXT},
            "body": body,
        },
        "required": ["body"],
        "additionalProperties": False,
    }
    return {"if": {"type": "object"}, "then": whole, "else": ref("block")}


def signature() -> Json:
    """Parameters."""
    return {"if": {"type": ["string", "null"]}, "else": lines(named(ref("value")))}


def shape() -> Json:
    """The sizes of a tensor."""
    bounds = {"exclusiveMinimum": 0, "maximum": LARGEST_SIZE}
    size = fitting(rf"^\s*{NUMBER}\s*$", "A size is a number.", "integer", **bounds)
    text = fitting(rf"^\s*{SIZES}\s*$", "A shape is channels x height x width, as 3x224x224.", "integer", **bounds)
    return {"if": {"type": "array"}, "then": {"items": size, "minItems": 1}, "else": text}


def expectations(figures: dict[str, str], whole: dict[str, str]) -> Json:
    """Figures, and what they come to: those of the network, and shapes and figures of its sections."""
    load = rf"(\s+at\s+batch\s+{NUMBER}(\s+[a-z0-9]+)?)?"
    amount = "A number, or a bound: `<= 4.3G`, `<= 200MB at batch 8 fp16`."
    map = "The section's shape, as `512x28x28`."
    return {
        "amount": {
            "description": amount,
            **fitting(rf"^\s*({SIGN}\s*)?{AMOUNT}{load}\s*$", amount, "number"),
        },
        "map": {
            "description": map,
            **fitting(rf"^\s*((==|!=)\s*)?({SHAPE}|[0-9]{{1,6}})\s*$", map, "integer", maximum=999_999),
        },
        "figures": {
            "type": "object",
            "properties": {name: ref("amount") | {"description": said} for name, said in (figures | whole).items()},
            "patternProperties": {
                rf"^(?!({'|'.join(figures | whole)})$){NAME}$": ref("map"),
                rf"^{NAME}\.({'|'.join(figures)})$": ref("amount"),
            },
            "additionalProperties": False,
        },
    }


def keyed(patterns: Json) -> Json:
    """A mapping whose keys fit one of some patterns."""
    return {"type": "object", "patternProperties": patterns, "additionalProperties": False}


def named(value: Json, without: Iterable[str] = ()) -> Json:
    """A mapping of names to values."""
    taken = f"(?!({'|'.join(without)})$)" if without else ""
    return keyed({rf"^{taken}{NAME}$": value})


TAKEN = tuple(dict.fromkeys((*RESERVED, *TURN_WORDS, *POLICIES, *FUNCTION_NAMES)))
SETTING = rf"\.|^({'|'.join(POLICIES)})$"
"""What is set for others to see: a policy, or a parameter of something; no constant."""
USUAL = ("c1", "c2", "c3 / 2", "c4 / 2", "c5 / 2")
"""Stages as most networks have them: editors offer only keys that the schema lists."""
ONE_WAY = {"properties": dict.fromkeys(("stem", "stages", "head"), False)}
"""`sections` holds all sections."""


SAID = ("description", "patternErrorMessage")
"""What editors show."""


def unmarked(value: Any) -> Any:
    """A schema whose words are plain text, as editors show them."""
    if isinstance(value, dict):
        pairs = cast("Json", value).items()
        return {
            key: each.replace("`", "") if key in SAID and type(each) is str else unmarked(each) for key, each in pairs
        }
    return [unmarked(each) for each in cast("list[Any]", value)] if isinstance(value, list) else value
