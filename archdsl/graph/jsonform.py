"""A graph as JSON, and back: for tools in other languages, for caches, for a look at what came out.

The form is a table of the different scopes, children before parents, which refer to each other by number; so it grows
with what is written, not with what is repeated. Places in the source are left out. An op is its name with all its
parameters; what a name means is up to whoever reads (`vocabulary`), so nothing in a file is ever run.
"""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any

from archdsl.errors.characters import visible_json
from archdsl.graph.jsonpart import (
    Part,
    Vocabulary,
    is_bool,
    is_count,
    is_int,
    is_items,
    is_label,
    is_name,
    is_object,
    is_text,
    is_tuple,
    read_op,
    read_plain,
    refuse,
)
from archdsl.graph.scope import (
    Argument,
    Child,
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
from archdsl.graph.verify import Broken, verify
from archdsl.initializer import Initializer
from archdsl.op import Declared
from archdsl.record import MISSING

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


def params_form(declared: Declared) -> dict[str, Any]:
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
        top = Part(json.loads(content), "")
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
    except Broken as broken:
        refuse("", f"the graph does not hold together: {broken}")
    return graph


def read_graph(top: Part, vocabulary: Vocabulary) -> Graph:
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
    )


def pairs(part: Part) -> list[list[Part]]:
    """The pairs of a list."""
    return [each.parts(2) for each in part.parts()]


def read_shape(part: Part) -> Any:
    """The shape of a tensor: sizes from 1."""
    sizes = tuple(size.checked(is_count) for size in part.parts())
    return sizes if sizes and min(sizes) > 0 else refuse(part.path, "a shape is needed here")


def read_shapes(part: Part) -> Any:
    """The shape of a tensor, or the shapes of a list of tensors."""
    items = part.parts()
    return tuple(map(read_shape, items)) if not items or is_items(items[0].value) else read_shape(part)


def read_choice(part: Part, *choices: str) -> Any:
    """One of several words."""
    word = part.checked(is_text)
    return word if word in choices else refuse(part.path, f"one of {', '.join(choices)} is needed here")


def read_section(part: Part) -> Section:
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


def read_map(part: Part) -> Map:
    """A feature map."""
    part.only(Map._fields)
    return Map(part.get("name", is_text), read_shape(part.part("shape")), part.get("reduction", is_count))


def read_scope(part: Part, scopes: list[Scope], vocabulary: Vocabulary) -> Scope:
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


def read_argument(part: Part) -> Argument:
    """An argument of a block: its name, its value, and its default where that is known."""
    name, value, *default = part.parts() if part.value and len(part.value) in {2, 3} else refuse(part.path, ARGUMENT)
    return Argument(name.checked(is_name), read_plain(value), *map(read_plain, default))


def read_child(part: Part, scopes: list[Scope]) -> Child:
    """A child."""
    part.only(Child._fields)
    origins = (each.parts(3) for each in part.part("origins", []).parts())
    kinds = ("literal", "parameter", "input", "computed")
    return Child(
        name=part.get("name", is_label),
        form=read_choice(part.part("form"), "one", "repeat", "list"),
        runs=tuple(Run(count.checked(is_count), known(at, scopes)) for count, at in pairs(part.part("runs"))),
        role=read_choice(part.part("role", "own"), "own", "parameter", "policy", "local"),
        origins=tuple(
            (name.checked(is_name), Origin(read_choice(kind, *kinds), said.checked(is_text)))
            for name, kind, said in origins
        ),
    )


def known(part: Part, scopes: list[Scope]) -> Scope:
    """A scope by its number."""
    number: int = part.checked(is_count)
    if number >= len(scopes):
        refuse(part.path, f"there is no scope {number} before this one")
    return scopes[number]


def read_step(part: Part, scopes: list[Scope]) -> Step:
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


def read_ref(part: Part) -> Any:
    """A value by its number, or a list made of values."""
    if not is_items(part.value):
        return part.checked(is_count)
    return tuple(
        Spread(each.get("spread", is_count)) if is_object(each.value) else each.checked(is_count)
        for each in part.parts()
    )
