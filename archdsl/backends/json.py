"""A graph as JSON, and back: for tools in other languages, for caches, for a look at what came out.

The form is a table of the different scopes, children before parents, which refer to each other by number; so it grows
with what is written, not with what is repeated. Places in the source are left out. An op is its name with all its
parameters; what a name means is up to whoever reads (`vocabulary`), so nothing in a file is ever run.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from fractions import Fraction
from keyword import iskeyword
from math import isfinite
from typing import Any, NoReturn

from archdsl.diagnostics import catalog
from archdsl.diagnostics.characters import visible_json
from archdsl.graph.ir import (
    MODULE_ATTRIBUTES,
    Argument,
    Child,
    Feature,
    Graph,
    Map,
    Origin,
    Run,
    Scope,
    Section,
    Spread,
    Step,
    Totals,
    distinct,
)
from archdsl.graph.verify import InvalidGraph, verify
from archdsl.initializer import INITIALIZERS, Initializer
from archdsl.op import Declaration, Op, Param, Type
from archdsl.record import MISSING

LARGEST = 10**18
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

Vocabulary = Mapping[str, type[Op]]


def refuse(path: str, said: str) -> NoReturn:
    """Raises what is wrong with the text, and where."""
    raise catalog.FILE.error(None, f"{path}: {said}" if path else said) from None


class JsonPart:
    """A part of the text, and the path to it."""

    def __init__(self, value: Any, path: str) -> None:
        self.value = value
        self.path = path

    def get(self, name: str, test: Callable[[Any], bool], default: Any = MISSING) -> Any:
        """A field's value, if it passes a test."""
        return self.part(name, default).checked(test)

    def part(self, name: str, default: Any = MISSING) -> JsonPart:
        """A field."""
        path = f"{self.path}.{name}".lstrip(".")
        if not is_object(self.value):
            refuse(self.path, "an object is needed here")
        value = self.value.get(name, default)
        return refuse(path, "this is missing") if value is MISSING else JsonPart(value, path)

    def checked(self, test: Callable[[Any], bool]) -> Any:
        """The value, if it passes a test."""
        return self.value if test(self.value) else refuse(self.path, f"{NEEDED[test]} is needed here")

    def parts(self, length: int = -1) -> list[JsonPart]:
        """The items of a list (of a length)."""
        if not is_items(self.value) or length not in {-1, len(self.value)}:
            refuse(self.path, f"a list{f' of {length}' if length >= 0 else ''} is needed here")
        return [JsonPart(item, f"{self.path}[{at}]") for at, item in enumerate(self.value)]

    def only(self, known: tuple[str, ...]) -> None:
        """Refuses fields that there are none of."""
        if not is_object(self.value):
            refuse(self.path, "an object is needed here")
        for name in self.value:
            if name not in known:
                refuse(self.path, f"there is no field {name!r}")


def is_object(value: Any) -> bool:
    """True if a value has fields."""
    return isinstance(value, dict)


def is_items(value: Any) -> bool:
    """True if a value is a JSON list."""
    return isinstance(value, list)


def is_tuple(value: Any) -> bool:
    """True if a value is a list, as read."""
    return isinstance(value, tuple)


def is_int(value: Any) -> bool:
    """True if a value is an int of a sensible size."""
    return type(value) is int and abs(value) <= LARGEST


def is_count(value: Any) -> bool:
    """True if a value is an int that counts something."""
    return is_int(value) and value >= 0


def is_number(value: Any) -> bool:
    """True if a value is an int or a float."""
    return is_int(value) or (type(value) is float and isfinite(value))


def is_bool(value: Any) -> bool:
    """True if a value is true or false."""
    return type(value) is bool


def is_text(value: Any) -> bool:
    """True if a value is a text."""
    return type(value) is str


def is_name(value: Any) -> bool:
    """True if a value is a name, which may become one in a program."""
    return is_text(value) and NAME.fullmatch(value) is not None


def is_label(value: Any) -> bool:
    """True if a value is a name, or empty."""
    return value == "" or is_name(value)


def is_child(value: Any) -> bool:
    """True if a value is a name that a module can have in another, or empty."""
    return value == "" or (is_name(value) and not (iskeyword(value) or value in MODULE_ATTRIBUTES or value in OBJECT))


OBJECT = frozenset(dir(type))
"""Attributes that every object has, or every class: a module of such a name would take their place."""

NEEDED: dict[Callable[[Any], bool], str] = {
    is_int: "an int",
    is_count: "an int from 0",
    is_number: "a number",
    is_bool: "true or false",
    is_text: "a text",
    is_name: "a name",
    is_label: "a name, or an empty text,",
    is_child: "a name that Python and PyTorch leave free",
}


# ---- ops and their parameters --------------------------------------------------------------------------------------


def read_op(part: JsonPart, vocabulary: Vocabulary) -> Op:
    """An op by its name, with its parameters."""
    kind = vocabulary.get(name := part.get("op", is_text))
    return refuse(f"{part.path}.op", f"no op is called {name!r}") if kind is None else read_params(part, kind)


def read_params(part: JsonPart, kind: type[Any]) -> Any:
    """An op or an initializer with all its parameters, each of its type and within its bounds."""
    given = part.part("params")
    given.only(tuple(kind.params))
    return kind(**{name: read_param(given.part(name), param) for name, param in kind.params.items()})


def read_param(part: JsonPart, param: Param) -> Any:
    """A parameter's value."""
    value = read_plain(part)
    if not fits(param.type, value):
        refuse(part.path, f"{value!r} is not {param.type.phrase}")
    for number in value if is_tuple(value) else (value,):
        if is_number(number) and outside(param, number):
            refuse(part.path, f"{value!r} is out of range")
    return float(value) if param.type.name == "float" and value is not None else value


def outside(param: Param, number: float) -> bool:
    """True if a number is out of a parameter's bounds."""
    return (
        (param.minimum is not None and number < param.minimum)
        or (param.maximum is not None and number > param.maximum)
        or (param.above is not None and number <= param.above)
    )


def fits(kind: Type, value: Any) -> bool:
    """Tell if a value is of a type."""
    if value is None:
        return kind.optional
    return (is_text(value) and value in kind.symbols) or TYPES[kind.name](value)


def ints(value: Any) -> bool:
    """True if a value is a list of ints."""
    return is_tuple(value) and all(map(is_int, value))


def size(value: Any) -> bool:
    """True if a value is an int, or a pair of ints."""
    return is_int(value) or (ints(value) and len(value) == 2)


TYPES: dict[str, Callable[[Any], bool]] = {
    "int": is_int,
    "float": is_number,
    "bool": is_bool,
    "size": size,
    "padding": size,
    "parts": lambda value: is_int(value) or isinstance(value, Fraction) or ints(value),
    "init": lambda value: isinstance(value, Initializer),
    "ints": ints,
    "floats": lambda value: is_tuple(value) and all(map(is_number, value)),
    "symbol": lambda value: False,
}


def read_plain(part: JsonPart) -> Any:
    """A parameter's value, as `plain` writes it."""
    value = part.value
    if is_items(value):
        return tuple(map(read_plain, part.parts()))
    if is_object(value):
        return read_fraction(part) if "fraction" in value else read_initializer(part)
    if value is None or is_bool(value) or is_number(value) or is_text(value):
        return value
    return refuse(part.path, "this number is too large")


def read_fraction(part: JsonPart) -> Fraction:
    """An exact fraction."""
    above, below = (each.checked(is_int) for each in part.part("fraction").parts(2))
    return refuse(part.path, "a fraction by 0") if below == 0 else Fraction(above, below)


def read_initializer(part: JsonPart) -> Initializer:
    """An initializer by its name, with its settings."""
    kind = INITIALIZERS.get(name := part.get("initializer", is_text))
    return refuse(part.path, f"no initializer is called {name!r}") if kind is None else read_params(part, kind)


FORMAT = "archdsl graph"
VERSION = 1

# ---- writing -------------------------------------------------------------------------------------------------------


def to_json(graph: Graph) -> str:
    """The graph as text, always the same: a line for each different scope."""
    numbers = {scope: at for at, scope in enumerate(distinct(graph.root))}
    head = {
        "format": FORMAT,
        "version": VERSION,
        "name": graph.name,
        "doc": graph.doc,
        "input": graph.input,
        "inits": [[path, plain(value)] for path, value in graph.inits],
        "sections": [lean(section, Section, without="span") for section in graph.sections],
        "maps": [each._asdict() for each in graph.maps],
    }
    if graph.features:
        head["features"] = [each._asdict() for each in graph.features]
    lines = [f"{text(name)}: {text(value)}" for name, value in head.items()]
    scopes = ",\n".join(text(scope_form(scope, numbers)) for scope in numbers)
    return "{" + ",\n".join(lines) + ',\n"scopes": [\n' + scopes + "\n]}\n"


def text(value: Any) -> str:
    """A value as JSON, on one line."""
    return visible_json(json.dumps(value, ensure_ascii=True, allow_nan=False))


def lean(record: Any, kind: Any, without: str = "") -> dict[str, Any]:
    """The fields of a named tuple that are not as by default."""
    defaults = kind._field_defaults
    fields = ((name, value) for name, value in record._asdict().items() if name != without)
    return {name: value for name, value in fields if name not in defaults or value != defaults[name]}


def scope_form(scope: Scope, numbers: dict[Scope, int]) -> dict[str, Any]:
    """A scope: an op, or what it holds and does."""
    form: dict[str, Any] = {"kind": scope.kind, "name": scope.name, "inputs": scope.inputs, "output": scope.output}
    form["totals"] = scope.totals._asdict()
    if scope.op is not None:
        return form | {"op": scope.op.name, "params": params_form(scope.op)}
    form |= {"doc": scope.doc, "owner": scope.owner, "names": scope.names}
    form["arguments"] = [
        [each.name, plain(each.value), *([] if each.default is MISSING else [plain(each.default)])]
        for each in scope.arguments
    ]
    form["children"] = [child_form(child, numbers) for child in scope.children]
    form["steps"] = [step_form(step, numbers) for step in scope.steps]
    form["result"] = ref_form(scope.result)
    return form


def child_form(child: Child, numbers: dict[Scope, int]) -> dict[str, Any]:
    """A child: its runs are [count, number of the scope]."""
    form = lean(child, Child, without="runs")
    form["runs"] = [[run.count, numbers[run.scope]] for run in child.runs]
    if child.origins:
        form["origins"] = [[name, origin.kind, origin.text] for name, origin in child.origins]
    return form


def step_form(step: Step, numbers: dict[Scope, int]) -> dict[str, Any]:
    """A step, without what is as by default."""
    form = lean(step, Step) | {"inputs": [ref_form(ref) for ref in step.inputs]}
    return form if step.scope is None else form | {"scope": numbers[step.scope]}


def ref_form(ref: Any) -> Any:
    """A value by its number, a list as a list; a list that is spread in it as {"spread": number}."""
    if isinstance(ref, int):
        return ref
    return [{"spread": part.value} if isinstance(part, Spread) else part for part in ref]


def params_form(declared: Declaration) -> dict[str, Any]:
    """All parameters of an op or an initializer."""
    return {name: plain(getattr(declared, name)) for name in declared.params}


def plain(value: Any) -> Any:
    """A parameter's value: an initializer and a fraction as objects, the rest as JSON has it."""
    if isinstance(value, Initializer):
        return {"initializer": value.name, "params": params_form(value)}
    if isinstance(value, Fraction):
        return {"fraction": [value.numerator, value.denominator]}
    if is_tuple(value):
        return [plain(item) for item in value]
    return value


# ---- reading -------------------------------------------------------------------------------------------------------


def from_json(content: str, vocabulary: Vocabulary) -> Graph:
    """The graph that a text holds, with the ops of a vocabulary; raises ArchError for what is no sound graph."""
    try:
        top = JsonPart(json.loads(content), "")
        if not is_object(top.value) or top.get("format", is_text, "") != FORMAT:
            refuse("format", f"this is not the JSON of a graph ({FORMAT!r})")
        if (version := top.get("version", is_int)) != VERSION:
            refuse("version", f"version {version}; this archdsl reads version {VERSION}")
        graph = read_graph(top, vocabulary)
        verify(graph)
    except ValueError as error:
        refuse("", f"this is not JSON: {error}")
    except RecursionError:
        refuse("", "this nests too deeply")
    except InvalidGraph as broken:
        refuse("", f"the graph does not hold together: {broken}")
    return graph


def read_graph(top: JsonPart, vocabulary: Vocabulary) -> Graph:
    """The graph, from the table of its scopes."""
    scopes: list[Scope] = []
    for part in top.part("scopes").parts():
        scopes.append(read_scope(part, scopes, vocabulary))
    if not scopes:
        refuse("scopes", "there are none")
    return Graph(
        name=top.get("name", is_name),
        doc=top.get("doc", is_text),
        input=read_shape(top.part("input")),
        root=scopes[-1],
        sections=tuple(read_section(part) for part in top.part("sections").parts()),
        maps=tuple(read_map(part) for part in top.part("maps").parts()),
        inits=tuple((path.checked(is_text), read_plain(value)) for path, value in pairs(top.part("inits"))),
        features=tuple(read_feature(part) for part in top.part("features", []).parts()),
    )


def pairs(part: JsonPart) -> list[list[JsonPart]]:
    """The pairs of a list."""
    return [each.parts(2) for each in part.parts()]


def read_shape(part: JsonPart) -> Any:
    """The shape of a tensor: sizes from 1."""
    sizes = tuple(size.checked(is_count) for size in part.parts())
    return sizes if sizes and min(sizes) > 0 else refuse(part.path, "a shape is needed here")


def read_shapes(part: JsonPart) -> Any:
    """The shape of a tensor, or the shapes of a list of tensors."""
    items = part.parts()
    return tuple(map(read_shape, items)) if not items or is_items(items[0].value) else read_shape(part)


def read_choice(part: JsonPart, *choices: str) -> Any:
    """One of several words."""
    word = part.checked(is_text)
    return word if word in choices else refuse(part.path, f"one of {', '.join(choices)} is needed here")


def read_section(part: JsonPart) -> Section:
    """A named tensor of the network."""
    part.only(Section._fields)
    return Section(
        name=part.get("name", is_name),
        kind=read_choice(part.part("kind"), "section", "stage", "output"),
        value=part.get("value", is_count),
        shape=read_shape(part.part("shape")),
        reduction=part.get("reduction", is_count),
        training_only=part.get("training_only", is_bool, False),
        text=part.get("text", is_text, ""),
    )


def read_map(part: JsonPart) -> Map:
    """A feature map."""
    part.only(Map._fields)
    return Map(part.get("name", is_text), read_shape(part.part("shape")), part.get("reduction", is_count))


def read_feature(part: JsonPart) -> Feature:
    """A tensor that the network was cut to."""
    part.only(Feature._fields)
    name, path = (part.get(field, is_text) for field in ("name", "path"))
    return Feature(
        name, path, part.get("value", is_count), read_shape(part.part("shape")), part.get("reduction", is_count)
    )


def read_scope(part: JsonPart, scopes: list[Scope], vocabulary: Vocabulary) -> Scope:
    """A scope, which refers to those before it."""
    part.only((*Scope.fields, "params"))
    totals = part.part("totals")
    totals.only(Totals._fields)
    facts: dict[str, Any] = {
        "kind": read_choice(part.part("kind"), "op", "chain", "block", "network"),
        "name": part.get("name", is_text),
        "inputs": tuple(read_shapes(each) for each in part.part("inputs").parts()),
        "output": read_shapes(part.part("output")),
        "totals": Totals(*[totals.get(name, is_count) for name in Totals._fields]),
    }
    if "op" in part.value:
        return Scope(**facts, op=read_op(part, vocabulary))
    part.get("name", is_name)
    return Scope(
        **facts,
        doc=part.get("doc", is_text),
        owner=part.get("owner", is_label),
        names=tuple(each.checked(is_name) for each in part.part("names").parts()),
        arguments=tuple(read_argument(each) for each in part.part("arguments").parts()),
        children=tuple(read_child(each, scopes) for each in part.part("children").parts()),
        steps=tuple(read_step(each, scopes) for each in part.part("steps").parts()),
        result=read_ref(part.part("result")),
    )


ARGUMENT = "a name, a value, and perhaps a default are needed here"


def read_argument(part: JsonPart) -> Argument:
    """An argument of a block: its name, its value, and its default where that is known."""
    items: list[Any] = part.value if is_items(part.value) else []
    name, value, *default = part.parts() if len(items) in {2, 3} else refuse(part.path, ARGUMENT)
    return Argument(name.checked(is_name), read_plain(value), *map(read_plain, default))


def read_child(part: JsonPart, scopes: list[Scope]) -> Child:
    """A child."""
    part.only(Child._fields)
    origins = (each.parts(3) for each in part.part("origins", []).parts())
    kinds = ("literal", "parameter", "input", "computed")
    return Child(
        name=part.get("name", is_child),
        form=read_choice(part.part("form"), "one", "repeat", "list"),
        runs=tuple(Run(count.checked(is_count), known(at, scopes)) for count, at in pairs(part.part("runs"))),
        role=read_choice(part.part("role", "own"), "own", "parameter", "policy", "local"),
        origins=tuple(
            (name.checked(is_name), Origin(read_choice(kind, *kinds), said.checked(is_text)))
            for name, kind, said in origins
        ),
    )


def known(part: JsonPart, scopes: list[Scope]) -> Scope:
    """A scope by its number."""
    number: int = part.checked(is_count)
    if number >= len(scopes):
        refuse(part.path, f"there is no scope {number} before this one")
    return scopes[number]


def read_step(part: JsonPart, scopes: list[Scope]) -> Step:
    """A step."""
    part.only(Step._fields)
    scope, index = part.part("scope", None), part.part("index", None)
    return Step(
        kind=read_choice(part.part("kind"), "call", "repeat", "collect", "op", "pick"),
        target=part.get("target", is_label),
        inputs=tuple(read_ref(each) for each in part.part("inputs").parts()),
        output=part.get("output", is_count),
        shape=read_shapes(part.part("shape")),
        scope=None if scope.value is None else known(scope, scopes),
        index=None if index.value is None else index.checked(is_count),
        name=part.get("name", is_label, ""),
    )


def read_ref(part: JsonPart) -> Any:
    """A value by its number, or a list made of values."""
    if not is_items(part.value):
        return part.checked(is_count)
    return tuple(
        Spread(each.get("spread", is_count)) if is_object(each.value) else each.checked(is_count)
        for each in part.parts()
    )


def emit(graph: Graph) -> str:
    """The graph's JSON form; `archdsl.backends.json.from_json` reads it back."""
    return f"{to_json(graph)}\n"
