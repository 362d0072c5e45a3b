"""The graph: scopes, shared where they are equal, with steps, static shapes and totals.

A scope is a module of the network: an op, a chain, a block, or the network itself. Equal modules on equal input are one
object, so a walk meets each different module once (`distinct`). Values are local to a scope: its inputs are numbered
first, then each step's output.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import accumulate, islice
from keyword import iskeyword
from typing import Any, ClassVar, Literal, NamedTuple, TypeVar, cast

from archdsl.diagnostics import ArchError, Span, catalog
from archdsl.op import Op, Shape, Shapes
from archdsl.record import MISSING, Record

TAKEN = """
T_destination add_module append apply bfloat16 buffers call_super_init children compile cpu cuda double
dump_patches eval extend extra_repr float forward get_buffer get_extra_state get_parameter get_submodule half
initialize insert ipu load_state_dict modules mtia named_buffers named_children named_modules named_parameters
parameters pop register_backward_hook register_buffer register_forward_hook register_forward_pre_hook
register_full_backward_hook register_full_backward_pre_hook register_load_state_dict_post_hook
register_load_state_dict_pre_hook register_module register_parameter register_state_dict_post_hook
register_state_dict_pre_hook requires_grad_ set_extra_state set_submodule share_memory state_dict to to_empty
train training type xpu zero_grad self
"""
# Attributes of `nn.Module`, `nn.Sequential` and the emitted network.
MODULE_ATTRIBUTES = frozenset(TAKEN.split())


def attribute_name(name: str) -> str:
    """Name for a child that Python and `nn.Module` leave free; names with a leading underscore are theirs."""
    if not (iskeyword(name) or name in MODULE_ATTRIBUTES or name.startswith("_")):
        return name
    mangled = name.startswith("__") and not f"{name}_".endswith("__")
    return f"{name}__" if mangled else f"{name}_"


# Number of ops or blocks to look at one by one. A network of a thousand layers has some ten thousand.
MOST_PARTS = 100_000
INSTEAD = "`show` without `--depth`, `memory`, `compare` and `emit` take it as it is; for the rest, repeat less"


def too_many(name: str, what: str) -> ArchError:
    """Error of a network with more parts."""
    label = f"`{name}` has more than {MOST_PARTS:,} {what}, which are not looked at or built one by one"
    return catalog.TOO_MANY_OPS.error(None, label, help=INSTEAD)


Item = TypeVar("Item")
"""Anything known of a tensor."""


def is_list(shapes: Shapes) -> bool:
    """Tell the shapes of a list of tensors, perhaps empty, from a tensor's shape."""
    return not shapes or isinstance(shapes[0], tuple)


def each_shape(shapes: Shapes) -> tuple[Shape, ...]:
    """Shapes of the tensors of a value."""
    return cast("tuple[Shape, ...]", shapes if is_list(shapes) else (shapes,))


def each_value(ref: Ref) -> tuple[int, ...]:
    """Values that a step's input stands for."""
    if isinstance(ref, int):
        return (ref,)
    return tuple(part.value if isinstance(part, Spread) else part for part in ref)


def values_read(refs: Iterable[Ref]) -> Iterator[int]:
    """Values that the inputs of a step stand for, once for each time they are read."""
    return (value for ref in refs for value in each_value(ref))


def needed(results: Iterable[int], steps: Sequence[Step]) -> set[int]:
    """Values that results depend on, by steps in execution order, and the results."""
    found = set(results)
    for step in reversed(steps):
        if step.output in found:
            found |= set(values_read(step.inputs))
    return found


def gathered(values: Mapping[int, tuple[Item, ...]], refs: Iterable[Ref]) -> tuple[Item, ...]:
    """Items of the tensors that references stand for, given those of each value."""
    return tuple(item for value in values_read(refs) for item in values[value])


def dealt(inputs: Iterable[Shapes], items: Iterable[Item]) -> dict[int, tuple[Item, ...]]:
    """Items of a scope's input tensors, in order, by value."""
    row = iter(items)
    return {at: tuple(islice(row, len(each_shape(shapes)))) for at, shapes in enumerate(inputs)}


class Origin(NamedTuple):
    """Origin of a number: its text, and its kind."""

    kind: Literal["literal", "parameter", "input", "computed"]
    text: str


class Argument(NamedTuple):
    """Evaluated argument of a block; blocks as values are shown by their text.

    `default` is the declared one, if it is a number, a bool or a symbol.
    """

    name: str
    value: Any
    default: Any = MISSING


class Totals(NamedTuple):
    """Sums over all ops below a scope, exact for any number of repeats."""

    ops: int = 0
    params: int = 0
    buffers: int = 0
    macs: int = 0
    activations: int = 0
    n_conv: int = 0
    n_norm: int = 0
    n_linear: int = 0


# Totals of the modules that a scope holds; the others are of its work, and count once per call.
HELD = ("params", "buffers", "n_conv", "n_norm", "n_linear")


class Run(NamedTuple):
    """`count` equal modules in a row."""

    count: int  # pyright: ignore[reportIncompatibleMethodOverride]  (nobody asks a run for tuple's `count`)
    scope: Scope


class Child(NamedTuple):
    """Module that a scope holds under `name`.

    `one` is a module; `repeat` is a row of modules, each on the output of the one before, named `name.0`, `name.1`,
    ... (or `0`, `1`, ... if `name` is empty: the first repeat of a chain); `list` is a row of modules that steps
    call one by one, or `collect`. `role` tells block-valued parameters, policies, and blocks in the scope's own
    text apart. `origins` has, for each argument, the origin of its number in the text that wrote the child.
    """

    name: str
    form: Literal["one", "repeat", "list"]
    runs: tuple[Run, ...]
    role: Literal["own", "parameter", "policy", "local"] = "own"
    origins: tuple[tuple[str, Origin], ...] = ()

    @property
    def scope(self) -> Scope:
        """The only module."""
        return self.runs[0].scope

    @property
    def count(self) -> int:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Number of modules."""
        return sum(run.count for run in self.runs)


class Spread(NamedTuple):
    """All tensors of a list value, one by one, among other inputs."""

    value: int


Ref = int | tuple[int | Spread, ...]
"""Value of a scope, or a list of its values."""


class Step(NamedTuple):
    """Step of a scope's forward.

    kind: `call` of the child `target` (its `index`-th module, if it is a `list`); `repeat`: the row `target`, each
    module on the output of the one before; `collect`: the same, with all outputs as a list; `op`: an op without
    weights, `scope`, in place (a sum, a product, a concat, a slice); `pick`: the `index`-th of a list. `scope` is
    the module called, on the shapes of this call. `name` is the text's name of the output, or empty.
    """

    kind: Literal["call", "repeat", "collect", "op", "pick"]
    target: str
    inputs: tuple[Ref, ...]
    output: int
    shape: Shapes
    scope: Scope | None = None
    index: Any = None
    name: str = ""


# Kinds of steps that run a whole row.
ROWS = frozenset({"repeat", "collect"})


class Scope(Record):
    """Module: see the head of this file. Scopes are compared by identity: equal ones are the same object.

    `names` are the text's names of the inputs. `owner` is, for a chain, the block or section in whose text it
    stands.
    """

    apart: ClassVar[frozenset[str]] = frozenset({"span"})

    kind: Literal["op", "chain", "block", "network"]
    name: str
    inputs: tuple[Shapes, ...]
    output: Shapes
    totals: Totals
    op: Op | None = None
    doc: str = ""
    arguments: tuple[Argument, ...] = ()
    children: tuple[Child, ...] = ()
    steps: tuple[Step, ...] = ()
    result: Ref = 0
    names: tuple[str, ...] = ("x",)
    owner: str = ""
    span: Span | None = None

    # By identity: elaboration makes one object of equal scopes, and comparing contents would take time that doubles
    # with each level of nesting.
    def __eq__(self, other: object) -> bool:
        return self is other

    __hash__ = object.__hash__

    def child(self, name: str) -> Child:
        """Child of that name."""
        return self.by_name[name]

    def module(self, name: str, index: int) -> Scope:
        """One module of the child of that name."""
        # A run may stand for millions of modules, so they are never listed.
        return self.by_name[name].runs[bisect_right(self.ends[name], index)].scope

    @cached_property
    def below(self) -> tuple[Scope, ...]:
        """Different scopes that this one holds or calls."""
        held = [run.scope for child in self.children for run in child.runs]
        called = [step.scope for step in self.steps if step.scope is not None]
        # A dict in place of a set: the emitted text follows this order, and is the same in every process.
        return tuple(dict.fromkeys(held + called))

    @cached_property
    def by_name(self) -> dict[str, Child]:
        """Children by name."""
        return {child.name: child for child in self.children}

    @cached_property
    def ends(self) -> dict[str, list[int]]:
        """For each child, the number of modules up to the end of each of its runs."""
        return {child.name: list(accumulate(run.count for run in child.runs)) for child in self.children}


def op_of(scope: Scope) -> tuple[Op, Shapes]:
    """Op of an op's scope, and its input as the op's rules take it: a shape, or the shapes of a list."""
    assert scope.op is not None
    return scope.op, scope.inputs[0]


class Section(NamedTuple):
    """Named tensor of the network: a section, a stage (with its reduction) or an output."""

    name: str
    kind: Literal["section", "stage", "output"]
    value: int
    shape: Shape
    reduction: int
    training_only: bool = False
    text: str = ""
    span: Span | None = None


class Map(NamedTuple):
    """Feature map: the output of a link of a section's chain, under the path of the module that makes it."""

    name: str
    shape: Shape
    reduction: int


class Feature(NamedTuple):
    """Tensor that a network was cut to: the output of the module at `path`, returned under `name`, if it has one."""

    name: str
    path: str
    value: int
    shape: Shape
    reduction: int


class Graph(Record):
    """Network: its root scope, whose children are the sections in order.

    `features` are what it was cut to, if it was, and `whole` is the network before. The result then is that tensor,
    or a list of them, or a dict where they have names. `request` is what it was compiled from, if that is known.
    """

    apart: ClassVar[frozenset[str]] = frozenset({"whole", "request"})

    name: str
    doc: str
    input: Shape
    root: Scope
    sections: tuple[Section, ...]
    maps: tuple[Map, ...]
    inits: tuple[tuple[str, Any], ...] = ()
    features: tuple[Feature, ...] = ()
    whole: Graph | None = None
    request: Any = None

    def _repr_svg_(self) -> str | None:
        """Picture of a compiled network, as a notebook asks for it; none for a graph of another origin."""
        return None if self.request is None else self.request.picture(self)

    @cached_property
    def makers(self) -> dict[int, Step]:
        """Step of the root that makes each of its values."""
        return {step.output: step for step in self.root.steps}

    def scope_of(self, section: Section) -> Scope:
        """Scope of a section; its module may have another name, as `half` and others mean something in PyTorch."""
        scope = self.makers[section.value].scope
        assert scope is not None
        return scope

    @cached_property
    def training_only(self) -> frozenset[int]:
        """Values of the root that exist in training only."""
        return frozenset(section.value for section in self.sections if section.training_only)


def distinct(root: Scope) -> Iterator[Scope]:
    """Each different scope below `root` once, children before parents, `root` last."""
    # Iterative: a graph may nest more deeply than Python's stack.
    seen: set[Scope] = set()
    stack = [(root, False)]
    while stack:
        scope, done = stack.pop()
        if done:
            yield scope
        elif scope not in seen:
            seen.add(scope)
            if scope.op is not None:
                yield scope
                continue
            stack.append((scope, True))
            stack += [(below, False) for below in reversed(scope.below) if below not in seen]


def called_elsewhere(root: Scope) -> Iterator[tuple[Scope, Scope]]:
    """Modules that are called on other shapes than their own (`share`), as on both."""
    for scope in distinct(root):
        for step in scope.steps:
            if step.kind == "call" and step.scope is not None:
                held = scope.module(step.target, step.index or 0)
                if held is not step.scope:
                    yield held, step.scope
