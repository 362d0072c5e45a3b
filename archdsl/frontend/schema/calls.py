"""What blocks, ops and initializers take: as arguments in plain data, and as keys of `set`."""

from __future__ import annotations

import inspect
from collections.abc import Mapping

from archdsl.frontend.schema.values import NAME, Json, choices, ref, typed
from archdsl.initializer import Initializer
from archdsl.lang.text.files import FORMS, POLICIES, Definition
from archdsl.lang.text.signature import Signature, Slot, signature_of
from archdsl.lang.values.types import Type
from archdsl.op import Declared, Op

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
        """What each takes."""
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


def explained(signature: Signature, callee: Definition | type[Declared]) -> str:
    """The signature, and the first paragraph of the docs."""
    doc = callee.doc if isinstance(callee, Definition) else inspect.cleandoc(callee.__doc__ or "")
    return f"`{signature.text()}`\n\n{doc.partition(chr(10) * 2)[0]}".strip()


def subclasses(kind: type[Initializer]) -> set[type[Initializer]]:
    """All classes below one."""
    return {below for direct in kind.__subclasses__() for below in ({direct} | subclasses(direct))}
