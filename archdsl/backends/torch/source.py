"""The whole text: what is imported, the helpers, the classes (docstring, constructor and `forward`), the network."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from archdsl.backends.torch.class_clustering import ClassGroup, Grouping, Path, below
from archdsl.backends.torch.class_table import Class, Registry, called, class_names, docs, homes_of
from archdsl.backends.torch.constructor_args import ClassArguments, Columns, Hint
from archdsl.backends.torch.constructor_exprs import Constructor, Link, Site, positional
from archdsl.backends.torch.forward import RETURN, Writing, expression, merged, printed, type_of
from archdsl.backends.torch.init_calls import Initialization
from archdsl.backends.torch.locals import WIDTH, Outline, identifier, unique
from archdsl.backends.torch.lowering import in_list, numeral
from archdsl.backends.torch.pysource import (
    Doc,
    atom,
    bracketed,
    call,
    docstring,
    lines,
    literal,
    number,
    quoted,
    signature,
)
from archdsl.backends.torch.supported import check_supported
from archdsl.graph import Child, Feature, Graph, Ref, Scope, Section, Step
from archdsl.graph.ir import attribute_name
from archdsl.record import MISSING

BODY = "        "
SUPER = f"{BODY}super().__init__()"


class Target(NamedTuple):
    """The context of a forward: the scopes of a class side by side, its numbers, the places of its modules."""

    scopes: Sequence[Scope]
    columns: Columns
    frame: ClassArguments
    registry: Registry
    dropped: frozenset[Path]
    # The first index of each row without a name.
    places: dict[str, int]


class ForwardWriter(Writing):
    """Writer of the statements of the forward that the scopes of a class share."""

    def __init__(self, target: Target, results: Sequence[Ref], outline: Outline | None = None) -> None:
        super().__init__(target.scopes[0], results, outline, target.registry.words)
        self.target = target

    def does_nothing(self, child: Child) -> bool:
        return (child.name,) in self.target.dropped or super().does_nothing(child)

    def place(self, child: Child) -> int:
        return self.target.places[child.name]

    def facts(self, step: Step) -> Callable[[str], str]:
        child = self.children.get(step.target)
        origins = dict(child.origins) if child else {}
        at = self.order[step.output]
        scopes = [scope for scope in (each.steps[at].scope for each in self.target.scopes) if scope is not None]

        def text(fact: str) -> str:
            found = [self.target.registry.facts(scope)[fact] for scope in scopes]
            return self.target.frame.attribute(self.target.columns, found, Hint(step.target, fact, origins.get(fact)))

        self.target.registry.facts(scopes[0])
        return text


class NetworkForwardWriter(ForwardWriter):
    """Writer of the network's own forward: a statement for each section, and the return of the outputs."""

    def __init__(self, target: Target, graph: Graph) -> None:
        self.outline: Outline = Outline(graph)
        super().__init__(target, self.outline.results, self.outline)

    def text(self) -> list[str]:
        """The whole method."""
        outline, in_training = self.outline, self.outline.only_in_training()
        self.run(step for step in self.scope.steps if step.output not in in_training)
        if outline.training:
            self.write("if self.training:")
            self.indent += "    "
            self.run(step for step in self.scope.steps if step.output in in_training)
            chain = [outline.main] if outline.main and not outline.always else []
            self.give([*outline.training, *outline.always, *chain])
            self.indent = self.indent[4:]
        if outline.always:
            self.give(outline.always)
        else:
            self.finish(outline.result)
        (name,) = self.inputs
        return [*signature("forward", ["self", f"{name}: Tensor"], self.returns()), *printed(self.statements)]

    def returns(self) -> str:
        """The return type of the network."""
        if self.outline.always:
            return "dict[str, Tensor]"
        return "Tensor | dict[str, Tensor]" if self.outline.training else type_of(self.scope.output)

    def give(self, sections: Sequence[Section | Feature]) -> None:
        """The return of a dict."""
        items = [atom(f"{quoted(section.name)}: {self.values[section.value].text}") for section in sections]
        self.write(RETURN, bracketed("{", items, "}"))


def function_class(registry: Registry, group: ClassGroup, name: str, doc: str) -> list[str]:
    """The lines of a class around an op that PyTorch has as a function only; the registry knows it from then on."""
    frame = ClassArguments(group.scopes, registry.words)

    def fact(word: str) -> str:
        return frame.attribute(frame.columns, [registry.facts(scope)[word] for scope in group.scopes], Hint("", word))

    registry.facts(group.first)
    value = expression(group.first, fact)
    registry.classes[group.index] = Class(name, tuple(frame.parameters), ())
    head = [f"class {name}(nn.Module):", *docstring(doc), ""]
    if frame.stored:
        parameters = [f"{each.name}: {each.annotation}" for each in frame.parameters]
        head += signature("__init__", ["self", *parameters], "None")
        head += ["        super().__init__()"]
        head += [line for key, text in frame.stored.items() for line in lines(number(text), BODY, f"self.{key} = ")]
        head += [""]
    forward = signature("forward", ["self", f"x: {type_of(group.first.inputs[0])}"], type_of(group.first.output))
    return [*head, *forward, f"        return {value.text}"]


class Draft(NamedTuple):
    """Constructor of a class: its numbers, the modules that it is given, and its modules with their expressions.

    `flag` is the argument that chooses between the forms of the class, if there is one.
    """

    frame: ClassArguments
    given: dict[Path, str]
    flag: str
    constructor: Constructor
    links: list[Link]


class Writer:
    """Writer of the class of one group of scopes."""

    def __init__(self, registry: Registry, group: ClassGroup, name: str) -> None:
        self.registry = registry
        self.group = group
        self.scope = group.first
        self.name = name
        self.plain = group.plain
        self.dropped = frozenset(path for path, slot in group.slots.items() if slot.dropped)
        self.take(self.draft())
        for path in [path for path in self.given if registry.grouping.alike(group, path)]:
            self.make_inside(path)

    def take(self, draft: Draft) -> None:
        """Write the class by a draft."""
        self.frame, self.given, self.flag, self.constructor, self.links = draft

    def make_inside(self, path: Path) -> None:
        """Make a module in the constructor that it was given, if that takes no new number, and no more arguments."""
        slots, needed = self.group.slots, {*self.registry.needed}
        self.group.slots = {each: slot for each, slot in slots.items() if each != path}
        draft = self.draft()
        fewer = draft.frame.needed + len(draft.given) <= self.frame.needed + len(self.given)
        if fewer and len(draft.frame.fresh) <= len(self.frame.fresh):
            self.take(draft)
        else:
            self.group.slots, self.registry.needed = slots, needed

    def draft(self) -> Draft:
        """Name all numbers and modules of the constructor, with the slots as they are."""
        children = [child.name for child in self.scope.children]
        blocks = [path[-1] for path in self.group.slots]
        root = self.scope.kind == "network"
        given, outer = (self.registry.given, {}) if root else (None, self.registry.outer)
        frame = ClassArguments(self.group.scopes, self.registry.words, blocks, children, given, outer)
        modules = self.names_of_slots(frame)
        flag = self.decide(frame)
        constructor = Constructor(self.registry, frame, modules, self.dropped)
        site = Site(tuple(self.group.scopes), frame.columns, None if root else (), frame.channels)
        return Draft(frame, modules, flag, constructor, list(constructor.links(site, modules=self.plain)))

    def decide(self, frame: ClassArguments) -> str:
        """The argument that chooses between the forms of the class, if there is one."""
        choice = self.group.choice
        if not choice.argument:
            return ""
        values = tuple(self.group.forms[scope] == choice.chosen for scope in self.group.scopes)
        return frame.decide(choice.argument, values)

    def names_of_slots(self, frame: ClassArguments) -> dict[Path, str]:
        """Names for the modules that the constructor is given."""
        names: dict[Path, str] = {}
        for path, slot in self.group.slots.items():
            if not slot.dropped:
                names[path] = unique(identifier(path[-1]), {*self.registry.words, *frame.known, *names.values()})
        frame.taken |= set(names.values())
        return names

    def text(self, graph: Graph, doc: str) -> list[str]:
        """The lines of the class, which the registry knows from then on."""
        links = self.links
        forward = [] if self.plain else self.forward(graph, links)
        starts = Initialization(graph, self.registry).lines() if self.scope is graph.root else []
        body = [*self.body(links), *([f"{BODY}self.initialize()"] if starts else [])]
        base = "nn.Sequential" if self.plain or any(numeral(child) for child, _ in links) else "nn.Module"
        self.registry.classes[self.group.index] = self.known()
        head = [f"class {self.name}({base}):", *docstring(doc)]
        opening = signature("__init__", ["self", *self.parameters()], "None")
        constructor = ["", *opening, *body] if body != [SUPER] else []
        return [*head, *constructor, *(line for part in (starts, forward) if part for line in ("", *part))]

    # ---- constructor

    def body(self, links: Sequence[Link]) -> list[str]:
        """The statements of the constructor."""
        if any(numeral(child) for child, _ in links):
            return self.by_place(links)
        modules = [line for child, link in links for line in self.registration(child, link)]
        return [SUPER, *self.stored(), *modules]

    def registration(self, child: Child, link: Doc | list[Doc]) -> list[str]:
        """The statement that makes a module: a conditional one for the module of one form."""
        module, target = self.constructor.registered(child, link), f"self.{child.name} = "
        if child.name != self.group.choice.child:
            return lines(module, BODY, target)
        trail = f" if {self.flag} else None"
        if not self.plain and module.flat and len(f"{BODY}{target}{module.flat}{trail}") <= WIDTH:
            return [f"{BODY}{target}{module.flat}{trail}"]
        absent = [] if self.plain else [f"{BODY}{target}None"]
        return [*absent, f"{BODY}if {self.flag}:", *lines(module, f"{BODY}    ", target)]

    def stored(self) -> list[str]:
        """Statements that store the numbers `forward` needs."""
        texts = self.frame.stored.items()
        return [line for name, text in texts for line in lines(number(text), BODY, f"self.{name} = ")]

    def by_place(self, links: Sequence[Link]) -> list[str]:
        """The constructor of a class that has numerals among its modules."""
        stored = self.stored()
        if all(numeral(child) for child, _ in links):
            return [*lines(call("super().__init__", *positional(links)), BODY), *stored]
        named = call("OrderedDict", *self.constructor.by_name(links))
        return [*lines(call("super().__init__", named), BODY), *stored]

    def parameters(self) -> list[str]:
        """The constructor's parameters: numbers, modules, then what has a default."""
        numbers = self.registry.of(self.group).parameters
        needed = [f"{each.name}: {each.annotation}" for each in numbers if each.default is MISSING]
        modules = [f"{name}: {self.annotation(path)}" for path, name in self.given.items()]
        optional = [each for each in numbers if each.default is not MISSING]
        return [*needed, *modules, *(f"{each.name}: {each.annotation} = {literal(each.default)}" for each in optional)]

    def annotation(self, path: Path) -> str:
        """The type of a module that is given."""
        return "list[nn.Module]" if in_list(below(self.scope, path)) else "nn.Module"

    def known(self) -> Class:
        """The class as its callers see it: a default that nobody would use is none."""
        parameters = (
            each if each.is_usual(each.default) else each._replace(default=MISSING) for each in self.frame.parameters
        )
        return Class(self.name, tuple(parameters), tuple(self.given.items()))

    # ---- forward

    def forward(self, graph: Graph, links: Sequence[Link]) -> list[str]:
        """The forward of a class that is no pipeline."""
        places: dict[str, int] = {}
        count = 0
        for child, _ in links:
            places[child.name] = count
            count += child.count if numeral(child) else 1
        target = Target(self.group.scopes, self.frame.columns, self.frame, self.registry, self.dropped, places)
        if self.scope is graph.root:
            return NetworkForwardWriter(target, graph).text()
        if not self.flag:
            return ForwardWriter(target, [target.scopes[0].result]).method()
        chosen = self.group.choice.chosen
        usual, special = (self.form(target, form) for form in (1 - chosen, chosen))
        return [*usual.head(), *printed(merged(usual.body(), special.body(), self.condition()))]

    def form(self, target: Target, form: int) -> ForwardWriter:
        """The writer of one form of the forward."""
        columns = Columns(tuple(at for at, scope in enumerate(self.group.scopes) if self.group.forms[scope] == form))
        scopes = [self.group.scopes[at] for at in columns.instances]
        return ForwardWriter(target._replace(scopes=scopes, columns=columns), [scopes[0].result])

    def condition(self) -> str:
        """The condition under which a forward is that of the chosen form."""
        if self.group.choice.child:
            return f"self.{self.group.choice.child} is not None"
        attribute = unique(attribute_name(self.flag), {*self.frame.members, *self.frame.stored})
        self.frame.stored[attribute] = self.flag
        return f"self.{attribute}"


CHAIN = '''
def chain(**modules: nn.Module) -> nn.Sequential:
    """Return a sequence of named modules."""
    return nn.Sequential(OrderedDict(modules))
'''
NUMBERED = '''
def numbered(*modules: nn.Module) -> dict[str, nn.Module]:
    """Return modules under their indices, as `nn.Sequential` names them."""
    return {str(index): module for index, module in enumerate(modules)}
'''
# Each import, with what shows that it is needed. (Every class has `nn`, and every `forward` takes a Tensor.)
IMPORTS = (
    {"import math": r"(?<![\w.])math\.", "from collections import OrderedDict": r"\bOrderedDict\b"},
    {"import torch": r"(?<![\w.])torch\.", "from torch import Tensor, nn": r"\bTensor\b"},
)


def emit(graph: Graph) -> str:
    """A network as PyTorch source: one file that needs torch alone."""
    check_supported(graph)
    grouping = Grouping(graph)
    homes = homes_of(graph)
    names, told = class_names(graph, grouping, homes), docs(graph, grouping, homes)
    registry = Registry(graph, grouping, names.values())
    texts: dict[int, list[str]] = {}
    for group in sorted(grouping.groups, key=lambda group: group.first.op is None):
        name, doc = names[group.index], told[group.index]
        if group.first.op is not None:
            texts[group.index] = function_class(registry, group, name, doc)
        else:
            texts[group.index] = Writer(registry, group, name).text(graph, doc)
    helpers = [text.strip("\n").split("\n") for text in (*helpers_of(registry), *registry.helpers)]
    classes = [texts[group.index] for group in in_order(grouping, homes)]
    body = "\n\n\n".join("\n".join(part) for part in (*helpers, *classes))
    head = "\n".join(docstring(title(graph), indent=""))
    return f"{head}\n\n{imports(body)}\n\n\n{body}\n"


def in_order(grouping: Grouping, homes: dict[Scope, str]) -> list[ClassGroup]:
    """The groups as they are written: functions first, those of one definition together, the network last."""
    *rest, root = grouping.groups
    first: dict[str, int] = {}
    for group in rest:
        first.setdefault(called(group.first, homes), group.index)
    return [*sorted(rest, key=lambda group: (group.first.op is None, first[called(group.first, homes)])), root]


def helpers_of(registry: Registry) -> list[str]:
    """The functions that put sequences together."""
    return [text for name, text in (("chain", CHAIN), ("numbered", NUMBERED)) if name in registry.needed]


def imports(body: str) -> str:
    """The imports that a text needs."""
    blocks = ([line for line, used in block.items() if re.search(used, body)] for block in IMPORTS)
    return "\n\n".join("\n".join(block) for block in blocks if block)


def title(graph: Graph) -> str:
    """The docstring of the text: the network's name, size and cost, and its author's first paragraph."""
    totals, size = graph.root.totals, "x".join(map(str, graph.input))
    head = f"{graph.name}: {totals.params:,} parameters, {totals.macs:,} multiply-adds at {size}."
    said = graph.doc.strip().partition("\n\n")[0]
    return f"{head}\n\n{said}" if said else head
