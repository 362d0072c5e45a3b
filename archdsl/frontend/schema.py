"""The keys of a file and of a network, and the schema as a whole."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

from archdsl.elaborate.signature import Signature, Slot, signature_of
from archdsl.initializer import Initializer
from archdsl.op import Declaration, Op, Param, Type
from archdsl.syntax.ast import EDITION, LARGEST_SIZE, LONGEST_NAME, SIGNS
from archdsl.syntax.document import SECTION, Backbone, DefinitionKeys, File
from archdsl.syntax.models import Model
from archdsl.syntax.scopes import FORMS, FUNCTION_NAMES, POLICIES, RESERVED, TURN_WORDS, Definition
from archdsl.syntax.text import LINE_WORDS
from archdsl.syntax.values import PlainBlock

Json = dict[str, Any]

NAME = "[A-Za-z_][A-Za-z0-9_]*"
NUMBER = "[0-9][0-9_]*"
AMOUNT = rf"{NUMBER}(\.[0-9]+)?([eE][+-]?[0-9]+)?(K|M|G|T|B|KB|MB|GB|TB|KiB|MiB|GiB|TiB)?"
SIZES = rf"{NUMBER}([ \t]*x[ \t]*{NUMBER})*"
SHAPE = rf"{NUMBER}(x{NUMBER})+"

TEXT: Json = {"type": ["string", "number", "boolean"]}
"""A scalar: YAML takes some texts for numbers or truth values, archdsl takes all as they stand."""


def ref(name: str) -> Json:
    """Reference to a definition elsewhere in the schema."""
    return {"$ref": f"#/$defs/{name}"}


def expression(*kinds: str, **more: Any) -> Json:
    """A string in the language, or a scalar of some kinds."""
    return {"type": [*kinds, "string"] if kinds else "string", "pattern": r"\S", **more}


def fitting(pattern: str, said: str, *kinds: str, **more: Any) -> Json:
    """A string that fits a pattern, or a scalar of some kinds; editors say in words what does not fit."""
    return expression(*kinds, **more) | {"pattern": pattern, "patternErrorMessage": said}


def choices(docs: dict[str, str]) -> Json:
    """One of several words, each explained."""
    # Editors show these descriptions as they complete a word; an `enum` has no place for any.
    return {"anyOf": [{"const": word, "description": doc} if doc else {"const": word} for word, doc in docs.items()]}


def by_kind(array: Json | None = None, names: str = "") -> Json:
    """A block in plain data where there is a mapping, else a list or an expression.

    So a message is about the kind that there is. Names are only offered: a file may define its own.
    """
    scalar = ref("expression")
    rest: Json = {"if": {"type": "array"}, "then": array, "else": scalar} if array else scalar
    offered: Json = {"anyOf": [ref(names), {}]} if names else {}
    return offered | {"if": {"type": "object"}, "then": ref("plain"), "else": rest}


def one_or_list(item: Json) -> Json:
    """Something, or several in a list; of mappings, a list in which keys may repeat."""
    # `if` in place of `anyOf`: what an editor says is then about the kind of value that there is.
    return {"if": {"type": "array"}, "then": {"items": item}, "else": item}


def items(item: Json, **more: Any) -> Json:
    """A list; or an expression that comes to one."""
    return {"anyOf": [{"type": "array", "items": item, **more}, expression()]}


def whole(bounds: Json) -> Json:
    """An int."""
    return expression("integer", **bounds)


def size(bounds: Json) -> Json:
    """An int or a pair."""
    pair = {"items": whole(bounds), "minItems": 2, "maxItems": 2}
    return {"if": {"type": "array"}, "then": pair, "else": whole(bounds)}


def padding(kind: Type, bounds: Json) -> Json:
    """A size, or a word, which is only offered: an expression takes its place."""
    return {"anyOf": [choices(dict.fromkeys(kind.symbols, "")), {}]} | size(bounds)


def parts(bounds: Json) -> Json:
    """A share, a number of parts, or what is in each."""
    return {"if": {"type": "array"}, "then": {"items": whole(bounds)}, "else": expression("number")}


def plainly(found: Json) -> Callable[[Type, Json], Json]:
    """Schemas that neither words nor bounds change."""
    return lambda _kind, _bounds: found


TYPES: dict[str, Callable[[Type, Json], Json]] = {
    "int": lambda _kind, bounds: whole(bounds),
    "float": lambda _kind, bounds: expression("number", **bounds),
    "bool": plainly(expression("boolean")),
    "size": lambda _kind, bounds: size(bounds),
    "padding": padding,
    "parts": lambda _kind, bounds: parts(bounds),
    "block": plainly(ref("argument")),
    "tensor": plainly(expression()),
    "list": plainly(items(ref("value"))),
    "init": plainly(by_kind(names="initializer")),
    "ints": lambda _kind, bounds: items(whole(bounds)),
    "floats": lambda _kind, bounds: items(expression("number", **bounds)),
    "symbol": lambda kind, _bounds: {"anyOf": [choices(dict.fromkeys(kind.symbols, "")), expression()]},
}


def typed(kind: Type, declared: Param | None) -> Json:
    """Schema of a parameter's values: of its type, within its bounds."""
    return TYPES[kind.name](kind, limits(declared) if declared else {})


def limits(declared: Param) -> Json:
    """The bounds of a number."""
    said = {"minimum": declared.minimum, "maximum": declared.maximum, "exclusiveMinimum": declared.above}
    return {key: value for key, value in said.items() if value is not None}


Callee = Definition | type[Op]

POLICY_DOCS = {"norm": "What `norm` stands for: an op or block.", "act": "What `act` stands for: an op or block."}
FORM_DOCS = {
    "fork": "All on the same input, as a list.",
    "concat": "All on the same input, their channels joined; without arguments, what joins a list.",
    "collect": "`collect(n, a)`: the outputs of `n * a`, in order, as a list.",
    "split": "The channels, cut: by share, into equal parts, or by counts.",
    "share": "`share(a)`: one set of weights, wherever it is applied.",
}


class Callees:
    """All that can be called by name, with signatures and docs."""

    def __init__(self, blocks: Mapping[str, Definition], ops: Mapping[str, type[Op]]) -> None:
        self.blocks: dict[str, Callee] = {**ops, **blocks}
        self.signatures = {name: signature_of(callee) for name, callee in self.blocks.items()}
        self.docs = {name: explained(self.signatures[name], callee) for name, callee in self.blocks.items()}
        kinds = sorted((kind for kind in subclasses(Initializer) if kind.name), key=lambda kind: kind.name)
        self.initializers = {kind.name: signature_of(kind) for kind in kinds}  # type: ignore[arg-type]
        self.initializer_docs = {kind.name: explained(self.initializers[kind.name], kind) for kind in kinds}

    def checked(self) -> dict[str, Signature]:
        """Those whose arguments are known to be all that there are; forms and policies take others."""
        known = {name: each for name, each in self.signatures.items() if not each.lenient and name not in FORMS}
        return dict(sorted(known.items())) | self.initializers

    def block_names(self) -> Json:
        """The names that a block can have."""
        return choices(dict(sorted((self.docs | FORM_DOCS | POLICY_DOCS).items())))

    def initializer_names(self) -> Json:
        """The names of the initializers."""
        return choices(self.initializer_docs)

    def conditions(self) -> list[Json]:
        """Of a block in plain data: which `args` its `block` takes."""
        return [
            {
                "if": {"properties": {"block": {"const": name}}, "required": ["block"]},
                "then": {"properties": {"args": ref(f"args.{name}")}},
            }
            for name in self.checked()
        ]

    def settings(self) -> Json:
        """Policies, and the default of each parameter of each block and op; others only of names not known here."""
        keys = {name: ref("argument") | {"description": doc} for name, doc in POLICY_DOCS.items()}
        for name, signature in sorted(self.signatures.items()):
            if name not in POLICIES:
                keys |= {f"{name}.{slot}": ref(f"args.{name}/properties/{slot}") for slot in settable(signature)}
        return {
            "type": "object",
            "properties": keys,
            "patternProperties": {
                rf"^(?!({'|'.join(self.signatures)})\.){NAME}(\.{NAME})+$": ref("value"),
                rf"^(?!(input|stage|output|expect|{'|'.join(POLICIES)})$){NAME}$": ref("value")
                | {"description": "A constant, which the sections may use."},
            },
            "additionalProperties": False,
        }

    def arguments(self) -> dict[str, Json]:
        """Schema of each argument."""
        docs = self.docs | self.initializer_docs
        return {f"args.{name}": taken(each, docs[name]) for name, each in (self.signatures | self.initializers).items()}


def taken(signature: Signature, doc: str) -> Json:
    """The arguments of a call: a mapping by name, or a list by position."""
    properties = {name: parameter(signature, slot) for name, slot in settable(signature).items()}
    places = [properties[slot.name] for slot in signature.positions]
    found: Json = {"description": doc, "type": ["object", "array"], "properties": properties}
    if signature.rest is None:
        found["additionalProperties"] = False
    return found | ({"prefixItems": places, "items": False} if places else {"maxItems": 0})


def settable(signature: Signature) -> dict[str, Slot]:
    """The parameters that have names of their own."""
    return {name: slot for name, slot in signature.slots.items() if not slot.rest}


def parameter(signature: Signature, slot: Slot) -> Json:
    """One parameter, with its type, default and signature."""
    default = "" if slot.required else f"; `{slot.shown}` unless set"
    said = f"`{slot.name}`: {phrase(slot.type)}{default}.\n\n`{signature.text()}`"
    return typed(slot.type, slot.bounds) | {"description": said}


def phrase(kind: Type) -> str:
    """A type in words."""
    return kind.phrase if kind.name != "tensor" else "a tensor"


def explained(signature: Signature, callee: Definition | type[Declaration]) -> str:
    """The signature, and the first paragraph of the docs."""
    doc = callee.doc if isinstance(callee, Definition) else inspect.cleandoc(callee.__doc__ or "")
    return f"`{signature.text()}`\n\n{doc.partition(chr(10) * 2)[0]}".strip()


def subclasses(kind: type[Initializer]) -> set[type[Initializer]]:
    """All classes below one."""
    return {below for direct in kind.__subclasses__() for below in ({direct} | subclasses(direct))}


DRAFT = "https://json-schema.org/draft/2020-12/schema"
SIGN = f"({'|'.join(SIGNS)})"
FREE = rf"(?!({'|'.join(LINE_WORDS)})$){NAME}"
NAME_SAID = "A name is of letters, digits and _, and does not begin with a digit."
STAGE = "A stage: its output is a feature map of the network. `/ 2` says that it reduces the map by 2."


def schema(
    blocks: Mapping[str, Definition], ops: Mapping[str, type[Op]], figures: dict[str, str], whole: dict[str, str]
) -> Json:
    """The schema, for a library of blocks, a vocabulary of ops, and the figures that `expect` knows, with meanings.

    Sections have the `figures`, too; those of the `whole` only the network has.
    """
    # A file with one network has its keys at the top: the properties are those of both models.
    callees = Callees(blocks, ops)
    network = keys(Backbone)
    found = {
        "$schema": DRAFT,
        "title": "archdsl",
        "description": "A convolutional network, or several, or blocks that they are made of.",
        "type": "object",
        "properties": keys(File) | network,
        "additionalProperties": False,
        "anyOf": [{"required": [key]} for key in ("name", *File.all_keys())],
        "dependentSchemas": {
            **{key: {"required": ["name"]} for key in network if key != "name"},
            "backbones": {"properties": dict.fromkeys(network, False)},
            "sections": ONE_WAY,
        },
        **own_names_only(),
        "$defs": definitions(callees, network) | expectations(figures, whole),
    }
    return unmarked(found)


def keys(model: type[Model]) -> Json:
    """The keys of a model, each with what it takes: by its kind, or, of a simple type, as pydantic says it."""
    # Pydantic describes a field of a Python type; a field read by a `Key` says there only of which kind it is.
    found = model.model_json_schema()["properties"]
    return {key: {"description": each["description"], **taken_by(each)} for key, each in found.items()}


def taken_by(field: Json) -> Json:
    """Schema of a key's values."""
    kind = field.get("kind")
    return KINDS[kind]() if kind else {name: each for name, each in field.items() if name not in NO_TYPE}


NO_TYPE = ("description", "title", "default")
STAGE_NAME = rf"{NAME}(\s*/\s*{NUMBER})?\s*$"


def stages() -> Json:
    """A mapping of stages."""
    stage = {"description": STAGE, **ref("block")}
    return one_or_list(keyed({rf"^\s*{STAGE_NAME}": stage}) | {"properties": dict.fromkeys(USUAL, stage)})


def sections() -> Json:
    """A mapping of sections and stages."""
    stage, section = ({"description": said, **ref("block")} for said in (STAGE, SECTION))
    return one_or_list(keyed({rf"^stage[ \t]+{STAGE_NAME}": stage, rf"^{FREE}$": section}))


def arguments() -> Json:
    """The arguments of a block: a list, or a mapping."""
    named = keyed({rf"^{NAME}(\.{NAME})*$": ref("value")})
    return {"if": {"type": "array"}, "then": {"items": ref("value")}, "else": named}


def local_settings() -> Json:
    """Settings around a block."""
    said = "A setting is norm, act, or of the form conv.bias."
    return {"propertyNames": {"pattern": SETTING, "patternErrorMessage": said}, **ref("settings")}


def definitions(callees: Callees, network: Json) -> Json:
    """The parts that have names."""
    # In `backbones` a network's name is its key.
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
    """Restrict the names of blocks in plain data to the known ones, in a file that brings no names of its own."""
    # A file that imports, defines or inherits may bring names that the schema cannot know.
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
    return model_of(PlainBlock) | {"allOf": callees.conditions()}


def definition() -> Json:
    """A block or a function."""
    return {"if": {"type": "object"}, "then": model_of(DefinitionKeys), "else": ref("block")}


def model_of(model: type[Model]) -> Json:
    """A mapping with the keys of a model."""
    fields = zip(model.all_keys(), model.model_fields.values(), strict=True)
    needed = [key for key, field in fields if field.is_required()]
    return {"type": "object", "properties": keys(model), "required": needed, "additionalProperties": False}


def signature() -> Json:
    """Parameters."""
    return {"if": {"type": ["string", "null"]}, "else": one_or_list(named(ref("value")))}


def shape() -> Json:
    """The sizes of a tensor."""
    bounds = {"exclusiveMinimum": 0, "maximum": LARGEST_SIZE}
    size = fitting(rf"^\s*{NUMBER}\s*$", "A size is a number.", "integer", **bounds)
    text = fitting(rf"^\s*{SIZES}\s*$", "A shape is channels x height x width, as 3x224x224.", "integer", **bounds)
    return {"if": {"type": "array"}, "then": {"items": size, "minItems": 1}, "else": text}


KINDS: dict[str, Callable[[], Json]] = {
    "arguments": arguments,
    "block": lambda: ref("block"),
    "count": lambda: expression("integer", minimum=0),
    "definitions": lambda: one_or_list(named(ref("definition"), without=TAKEN)),
    "drops": lambda: one_or_list(ref("name")),
    "edition": lambda: {"enum": [EDITION, str(EDITION)]},
    "figures": lambda: one_or_list(ref("figures")),
    "imports": lambda: one_or_list(fitting(r'^[^"\\\n]+$', "A path has no quote, backslash or line end.")),
    "local settings": local_settings,
    "name": lambda: ref("name"),
    "networks": lambda: one_or_list(named(ref("network"))),
    "outputs": lambda: one_or_list(keyed({rf"^\s*{NAME}(\s+if[ \t]+training)?\s*$": ref("block")})),
    "parent": lambda: fitting(
        rf"^\s*{NAME}\s*(\([\s\S]*\))?\s*$", "A network's name, as resnet50 or resnet50(classes = 10)."
    ),
    "sections": sections,
    "settings": lambda: one_or_list(ref("settings")),
    "shape": shape,
    "signature": signature,
    "stages": stages,
    "text": lambda: TEXT,
}
"""What the keys of the models take, by the `kind` of their fields."""


def expectations(figures: dict[str, str], whole: dict[str, str]) -> Json:
    """Figures, and what they come to: those of the network, and shapes and figures of its sections."""
    load = rf"(\s+at\s+batch\s+{NUMBER}(\s+[a-z0-9]+)?)?"
    amount = "A number, or a bound: `<= 4.3G`, `<= 200MB at batch 8 fp16`."
    map = "The section's shape, as `512x28x28`."
    return {
        "amount": {"description": amount, **fitting(rf"^\s*({SIGN}\s*)?{AMOUNT}{load}\s*$", amount, "number")},
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
