"""The base of the document's models: how a key is read, and how pydantic's errors carry findings."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from functools import cache
from itertools import islice
from typing import Any, ClassVar, Self, TypeVar, cast

from pydantic import BaseModel, ConfigDict, PrivateAttr, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError, core_schema

from archdsl.diagnostics import ArchError, Diagnostic, Span, catalog, did_you_mean, listed
from archdsl.diagnostics.diagnostic import MOST_FINDINGS
from archdsl.syntax.ast import Content
from archdsl.syntax.nodes import Mapping, MappingEntry, Scalar, Sequence

QUOTES = "put the expression in quotes"
LONGEST_SHOWN = 60
BRACKETS_OR_ARROW = re.compile(r"[(\[]|->")
HINTS = {
    **dict.fromkeys(("settings", "constants", "policies"), "write `set`"),
    **dict.fromkeys(("neck", "body"), "a section of another name goes into `sections`, with all the others"),
    **dict.fromkeys(
        ("num_classes", "nc", "depth_multiple", "width_multiple", "depth", "width"),
        "a parameter of the backbone goes into `params`: `params: {{{name}: ...}}`",
    ),
    **dict.fromkeys(("in_channels", "in_chans", "ch", "input_shape", "input_size"), "write `input: 3x224x224`"),
    "backbone": "`backbones` maps names to networks; the stages of a single one go into `stages`",
    "layers": "stages have names: `stages: {{c2: 3 * bottleneck(256), c3 / 2: ...}}`",
    "name": "the name of a backbone is its key in `backbones`",
}
"""What to do about keys that are like none of those that exist, those of other libraries among them."""
T = TypeVar("T")
M = TypeVar("M", bound="Model")


class Key:
    """Reader of a key's line. `kind` names the part of the JSON Schema that says what the key takes."""

    def __init__(self, read: Callable[[MappingEntry], Any], kind: str) -> None:
        self.read = read
        self.kind = kind

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(self.validated)

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict[str, Any]:
        return {"kind": self.kind}

    def validated(self, given: Any) -> Any:
        """The value of a line. A tree, which the grammar has given, is one already."""
        try:
            return self.read(given) if isinstance(given, MappingEntry) else given
        except ArchError as error:
            raise as_pydantic(error.diagnostics) from None


class Model(BaseModel):
    """Base of the models: frozen, equal by content, wherever they stand."""

    # Deferred: a run that checks one file needs two or three of the models.
    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, defer_build=True)

    where: ClassVar[str] = ""
    """What the keys belong to, in messages."""
    needed: ClassVar[dict[str, str]] = {}
    """What is said where a key is missing."""

    _span: Span | None = PrivateAttr(None)
    _places: dict[str, Span] = PrivateAttr(default_factory=dict[str, Span])

    @property
    def places(self) -> dict[str, Span]:
        """The places of the values of some keys."""
        return self._places

    @property
    def span(self) -> Span | None:
        """The place of the model's name."""
        return self._span

    def placed(self, span: Span | None, places: dict[str, Span]) -> Self:
        """This model, which has just been made, with its place and those of its values."""
        self._span, self._places = span, places
        return self

    @model_validator(mode="wrap")
    @classmethod
    def validated(cls, given: Any, handler: Callable[[Any], Self]) -> Self:
        """The model of what a front end, the grammar or Python code gives."""
        if isinstance(given, cls):
            return given
        try:
            content = cls.content(given)
        except ArchError as error:
            raise as_pydantic(error.diagnostics) from None
        # Fields of Python's types are pydantic's to read: `name: int` is all that a new key needs.
        simple = simple_keys(cls)
        values = {key: plain(each) if key in simple else each for key, each in content.values.items()}
        try:
            found = handler(values)
        except ValidationError as error:
            raise cls.restated(error, content) from None
        # After the fields, so that a file with both kinds of mistakes shows both (`restated` adds these to the others).
        if content.wrong:
            raise as_pydantic([*content.wrong])
        return found.placed(content.span, content.places)

    @classmethod
    def content(cls, given: Any) -> Content:
        """The lines of the model by their keys; raises ArchError for what has none."""
        raise NotImplementedError

    @classmethod
    def all_keys(cls) -> tuple[str, ...]:
        """The keys that there are."""
        return tuple(field.alias or name for name, field in cls.model_fields.items())

    @classmethod
    def restated(cls, error: ValidationError, content: Content) -> ValidationError:
        """Pydantic's errors with findings in place of its own sentences."""
        found = list(islice(error.errors(include_url=False), MOST_FINDINGS))
        if any(each["type"] == "extra_forbidden" for each in found):  # one of them may be what is missing
            found = [each for each in found if each["type"] != "missing"]
        lines = [
            InitErrorDetails(type=as_pydantic(cls.findings(each, content)), loc=each["loc"], input=each["input"])
            for each in found
        ]
        if content.wrong:
            lines.append(InitErrorDetails(type=as_pydantic([*content.wrong]), loc=(), input=None))
        return ValidationError.from_exception_data(cls.__name__, lines)

    @classmethod
    def findings(cls, error: Any, content: Content) -> list[Diagnostic]:
        """The findings that an error carries, or those that say the same as pydantic."""
        if "error" in error.get("ctx", {}):
            return error["ctx"]["error"].diagnostics
        key = str(error["loc"][0]) if error["loc"] else ""
        entry = content.values.get(key)
        if error["type"] == "missing":
            label = cls.needed.get(key, f"this has no `{key}`")
            return [catalog.DOCUMENT.at(content.span, label, help=f"add `{key}: ...`")]
        if error["type"] == "extra_forbidden":
            return [cls.unknown(entry.key)] if isinstance(entry, MappingEntry) else []
        span = entry.value.span if isinstance(entry, MappingEntry) else content.span
        return [catalog.WRONG_TYPE.at(span, f"this is not a value of `{key}`")]

    @classmethod
    def unknown(cls, key: Scalar) -> Diagnostic:
        """The finding for a key that there is none of."""
        return unknown_key(key, cls.all_keys(), cls.where)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash((type(self).__name__, *self.__dict__.values()))


@cache
def simple_keys(model: type[Model]) -> frozenset[str]:
    """The keys whose fields have types of Python's, which pydantic reads by itself."""
    fields = model.model_fields.items()
    return frozenset(
        field.alias or name for name, field in fields if not any(isinstance(each, Key) for each in field.metadata)
    )


def shown(value: object) -> str:
    """A value in a message, cut where it is long."""
    text = str(value)
    return text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 3] + "..."


def unknown_key(key: Scalar, known: Collection[str], where: str) -> Diagnostic:
    """The finding for a key that means nothing; what was meant may be another, or an expression."""
    name = key.content
    help = HINTS.get(name, "").format(name=name) or did_you_mean(name, known) or f"the keys are {listed(known)}"
    if BRACKETS_OR_ARROW.search(name) and not key.style:
        help = QUOTES
    return catalog.DOCUMENT.at(key.span, f"`{shown(name)}` is not a key of {where}", help=help)


def plain(value: Any) -> Any:
    """A line's value as data of Python, for a field that has a type of Python's."""
    match value:
        case MappingEntry():
            return plain(value.value)
        case Scalar():
            return value.content
        case Sequence():
            return [plain(each) for each in value.items]
        case Mapping():
            return {each.key.content: plain(each.value) for each in value.entries}
        case _:
            return value


def as_pydantic(diagnostics: list[Diagnostic]) -> PydanticCustomError:
    """Findings as an error of pydantic's, which carries them, and shows them as archdsl does."""
    return PydanticCustomError(cast("Any", diagnostics[0].code), "{error}", {"error": ArchError(diagnostics)})


def as_findings(error: ValidationError) -> list[Diagnostic]:
    """The findings that pydantic's errors carry."""
    found = error.errors(include_url=False, include_input=False)
    return [each for line in found for each in line.get("ctx", {})["error"].diagnostics]


def in_order(found: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Findings in the order of their places, and one at each: the first says most."""
    first = {each.span: each for each in reversed(list(found))}
    return sorted(first.values(), key=lambda each: each.span.start if each.span else 0)[:MOST_FINDINGS]


def validated(kind: type[M], given: Any) -> M:
    """A model of what is given; raises ArchError with all that is wrong."""
    try:
        return kind.model_validate(given)
    except ValidationError as error:
        raise ArchError(in_order(as_findings(error))) from None


def collected(work: Callable[[Any], T], values: Collection[Any]) -> list[T]:
    """The results of some work on each of some values; raises ArchError with the findings of all, up to a number."""
    found: list[Diagnostic] = []
    results: list[T] = []
    for each in values:
        try:
            results.append(work(each))
        except ArchError as error:
            found += error.diagnostics
            if len(found) >= MOST_FINDINGS:
                break
    if found:
        raise ArchError(found[:MOST_FINDINGS])
    return results
