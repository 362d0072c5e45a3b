"""The values of expressions: numbers, lists, symbols, blocks, tensors.

Numbers are ints and exact fractions; lists are tuples. A block value is immutable and closed: the names in its text
are resolved. Its `key` is equal for blocks that do the same, whatever their places; whatever is looked up by block
is looked up by that.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable
from fractions import Fraction
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, TypeGuard

from archdsl.diagnostics import Span
from archdsl.elaborate.numbers import ComputationError, Undecided, Varying, as_float, is_int, is_number
from archdsl.graph import Origin
from archdsl.initializer import Initializer
from archdsl.op import Shape
from archdsl.record import Record
from archdsl.syntax.naming import ModuleName

if TYPE_CHECKING:
    from archdsl.syntax.scopes import Target

NO_BLOCK = "`identity` is the block that does nothing"
# Help for none, or a list, where a block is needed.
BLOCKS = "one block after another is `a -> b`; side by side they are `concat(a, b)`, or `a + b`"
# The most items of a list that a message shows.
SHOWN = 4

# int, bool, Fraction, tuple (a list), Symbol, None, an Initializer, a BlockValue, a Tensor or a TensorList.
Value = Any


class Symbol(str):
    """A bare word of an enumeration: `fan_out`, `same`."""

    __slots__ = ()


class Bound(NamedTuple):
    """A value given to a parameter: where, where its number came from, and the one name that its expression reads."""

    value: Value
    span: Span
    origin: Origin
    reads: str = ""


class Rest(NamedTuple):
    """The settings that `...args` took, to pass on."""

    given: dict[str, Bound]

    def values(self) -> list[Value]:
        """The values of the settings."""
        return [bound.value for bound in self.given.values()]


class Tensor(NamedTuple):
    """A tensor of the scope being built: its number there, and its shape."""

    id: int
    shape: Shape


class TensorList(NamedTuple):
    """A list of tensors that a module gave: its number in the scope being built, and the shapes."""

    id: int
    shapes: tuple[Shape, ...]


class BlockValue(Record):
    """Base of all block values."""

    apart: ClassVar[frozenset[str]] = frozenset({"span"})

    key: int
    span: Span

    def contents(self) -> frozenset[type]:
        """The classes among `MARKERS` that this block is of, or holds; computed once."""
        own = self.__dict__
        if "_contents" not in own:
            kind = type(self)
            found = contents_of(INSIDE[kind](self))
            own["_contents"] = found | {kind} if kind in MARKERS else found
        return own["_contents"]


class Use(BlockValue):
    """An op or a defined block, with the settings given so far, and its name among its neighbours."""

    target: Target
    given: dict[str, Bound]
    name: ModuleName
    # The key without the name.
    content: int


class Policy(BlockValue):
    """`norm` or `act`: whatever the settings in force say, with the settings given so far."""

    policy: str
    given: dict[str, Bound]
    name: ModuleName


class Links(BlockValue):
    """`a -> b -> c`."""

    links: tuple[BlockValue, ...]


class Repeat(BlockValue):
    """`n * a`, or `collect(n, a)` where `gathers`: runs of equal blocks, and their name (empty: the index alone)."""

    name: ModuleName
    runs: tuple[tuple[int, BlockValue], ...]
    gathers: bool = False


class Join(BlockValue):
    """Several blocks (and named tensors) on one input: `a + b`, `a * b`, `concat(a, b)`, `fork(a, b)`."""

    kind: Literal["add", "multiply", "concat", "fork"]
    operands: tuple[Operand, ...]
    # The scope under construction whose tensors are among the operands.
    home: object = None


class Operand(NamedTuple):
    """An operand of a join: a block, a tensor or a list, and where it stands."""

    value: Value
    span: Span


class With(BlockValue):
    """A block built under other settings."""

    settings: Settings
    body: BlockValue


class Role(BlockValue):
    """A block that the text calls by a name of its own: a block-valued parameter, or a local name."""

    name: ModuleName
    body: BlockValue
    role: Literal["parameter", "local", "own"]
    binding: object = None


class Shared(BlockValue):
    """`share(a)`: one set of weights, wherever it is applied in the body (`home`) that it stands in."""

    name: ModuleName
    body: BlockValue
    home: object = None


# ---- settings

# The key of a setting: a parameter of one op or block, or (None, policy).
SettingKey = tuple["Target | None", str]


# Settings by their keys, and the keys of their values.
Said = frozenset[tuple["Target | None", str, int]]


class SettingEntry(NamedTuple):
    """A setting: its value, the key of that value, and the text that a message calls it by."""

    bound: Bound
    key: int
    text: str


class Settings:
    """An immutable table of settings; `key` is equal for tables that say the same."""

    def __init__(self, entries: dict[SettingKey, SettingEntry], key: int) -> None:
        self.entries = entries
        self.key = key
        # The settings in force for some targets (`scope_cache`).
        self.said: dict[frozenset[Target | None], Said] = {}
        # All settings in force for a target, by parameter; those of None are the policies.
        self.by_target: defaultdict[Target | None, dict[str, SettingEntry]] = defaultdict(dict)
        for (target, name), entry in entries.items():
            self.by_target[target][name] = entry


TENSORS = (Tensor, TensorList)
# The classes that decide where a block may be used, and whether its key decides what it is equal to.
MARKERS: frozenset[type] = frozenset({*TENSORS, Shared, Policy, Varying})
MARKED = {kind: frozenset({kind}) for kind in MARKERS}
NOTHING: frozenset[type] = frozenset()

# The parts of each kind of block.
INSIDE: dict[type[Value], Callable[[Any], Iterable[Value]]] = {
    Use: lambda block: [bound.value for bound in block.given.values()] if block.given else (),
    Policy: lambda block: (),
    Links: lambda block: block.links,
    Repeat: lambda block: [body for _, body in block.runs],
    Join: lambda block: [operand.value for operand in block.operands],
    With: lambda block: (block.body,),
    Role: lambda block: (block.body,),
    Shared: lambda block: (block.body,),
}


def captures(value: Value) -> bool:
    """Tell if a value is a tensor, or a block (or a list of them) that holds one."""
    return not contents(value).isdisjoint(TENSORS)


def shares(value: Value) -> bool:
    """Tell if a block (or a list of them) holds shared weights."""
    return Shared in contents(value)


def follows_policies(value: Value) -> bool:
    """Tell if a block is a policy, or has one among its parts or arguments."""
    return Policy in contents(value)


def contents(value: Value) -> frozenset[type]:
    """The classes among `MARKERS` of a value, and of all that is inside it."""
    if isinstance(value, BlockValue):
        return value.contents()
    kind = value.__class__
    if kind is tuple:
        return contents_of(value)
    return MARKED[Varying] if isinstance(value, Varying) else MARKED.get(kind, NOTHING)


def contents_of(parts: Iterable[Value]) -> frozenset[type]:
    """The classes among `MARKERS` of several values."""
    found = NOTHING
    for part in parts:
        if type(part) is not int and (inner := contents(part)):
            found |= inner
    return found


# ---- equality


def same_key(value: Value) -> Any:
    """The key of a value in memos: blocks by their own keys, tensors by their shapes; never by what values mean."""
    if isinstance(value, BlockValue):
        return ("block", value.key)
    kind = value.__class__
    if kind is int:
        return value
    if kind is Tensor:
        return ("tensor", value.shape)
    if kind is TensorList:
        return ("tensors", value.shapes)
    if kind is Rest:
        return given_key(value.given)
    if kind is tuple:
        return tuple([same_key(item) for item in value])
    return (kind, value)


def given_key(given: dict[str, Bound]) -> tuple[Any, ...]:
    """The key of settings in memos."""
    values = [(name, given[name].value) for name in (sorted(given) if len(given) > 1 else given)]
    return tuple([(name, value if type(value) is int else same_key(value)) for name, value in values])


def equal(left: Value, right: Value) -> bool:
    """Compare two values by meaning: a bool is equal to no number, and blocks that do the same are equal."""
    return form(left) == form(right)


def distinct(values: Iterable[Value]) -> tuple[Value, ...]:
    """The values without repeats, in order."""
    several = tuple(values)
    found: dict[Hashable, Value] = {}
    for value in several:
        found.setdefault(form(value), value)
    kept = tuple(found.values())
    if Varying not in contents(several):
        return kept
    # The hash of a varying number says nothing of its value, so it is compared with each value before it.
    return tuple([value for at, value in enumerate(kept) if not any(equal(value, each) for each in kept[:at])])


def form(value: Value) -> Hashable:
    """A form that is equal for equal values; raises Undecided for a block that holds varying numbers."""
    if isinstance(value, BlockValue):
        if Varying in value.contents():
            raise Undecided
        return BlockValue, value.content if isinstance(value, Use) else value.key
    if isinstance(value, bool):
        return bool, value
    return tuple(map(form, value)) if is_list(value) else value


# ---- lists and tensors


def is_list(value: Value) -> TypeGuard[tuple[Any, ...]]:
    """Tell if a value is a list (of tensors, too, if it was made in the text)."""
    return type(value) is tuple


def is_tensors(value: Value) -> bool:
    """Tell if a value is a tensor or a list of tensors."""
    kind = value.__class__
    if kind is not tuple:
        return kind is Tensor or kind is TensorList
    return bool(value) and all(type(part) is Tensor or type(part) is TensorList for part in value)


def need_list(value: Value) -> tuple[Value, ...]:
    """The items of a list; raise ComputationError for anything else."""
    if not is_list(value):
        raise ComputationError(lambda: f"a list is needed here, not {describe(value)}", lambda: range_of(value))
    return value


def range_of(value: Value) -> str:
    """Help for a number where a list is needed."""
    return f"`range({value})` is the list of the numbers below {value}" if is_int(value) and value > 0 else ""


def truth(value: Value) -> bool:
    """The bool; raise ComputationError for anything else."""
    if not isinstance(value, bool):
        raise ComputationError(lambda: f"true or false is needed here, not {describe(value)}")
    return value


def describe(value: Value) -> str:
    """A value as it is called in a message."""
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value) if abs(value) < 10**20 else "a huge number"
        case Fraction():
            text = f"{float(value):g}"
            return f"{text}.0" if text.lstrip("-").isdigit() else text
        case None:
            return "none"
        case Symbol():
            return f"`{value}`"
        case Use() | Policy() | Role():
            return f"the block `{label(value)}`"
        case BlockValue():
            return "a block"
        case Tensor():
            return f"a tensor of {'x'.join(map(str, value.shape))}"
        case TensorList():
            return "a list of tensors"
        case tuple():
            return describe_list(value)
        case Initializer():
            return f"the initializer `{value.name}`"
        case _:
            return f"`{value}`"


def describe_list(value: Value) -> str:
    """A list as it is called in a message: a short one of numbers and words as it is written."""
    if is_tensors(value):
        return "a list of tensors"
    if len(value) <= SHOWN and all(is_number(item) or isinstance(item, bool | Symbol) for item in value):
        return f"[{', '.join(map(describe, value))}]"
    return f"a list of {len(value)}"


def core(block: BlockValue) -> BlockValue:
    """A block without the names and settings around it."""
    while isinstance(block, With | Role):
        block = block.body
    return block


def kind_of(block: BlockValue) -> str:
    """The kind of a block as a module, whatever its name."""
    inner = core(block)
    return "chain" if isinstance(inner, Links) else label(inner)


def label(value: Value) -> str:
    """The name of a block for people."""
    match value:
        case Use():
            return value.target.name
        case Policy():
            return value.policy
        case Role():
            return value.name.text
        case With() | Shared():
            return label(value.body)
        case Repeat():
            return label(value.runs[0][1]) if value.runs else "identity"
        case Join():
            return value.kind
        case Links():
            return " -> ".join(label(link) for link in value.links[:4]) + (" -> ..." if len(value.links) > 4 else "")
        case _:
            return describe(value)


def plain(value: Value) -> Value:
    """A value without what belongs to the elaboration."""
    kind = value.__class__
    if kind is int or kind is bool:
        return value
    if kind is Fraction:
        return as_float(value)
    if isinstance(value, BlockValue):
        return label(value)
    if isinstance(value, Rest):
        return tuple(value.given)
    if is_tensors(value):
        return "tensor"
    if is_list(value):
        return tuple(map(plain, value))
    return value


WITHOUT_PLACE = frozenset({bool, Symbol, type(None)})


def has_place(value: Value) -> bool:
    """Tell values that are of one place in the text (blocks, say) from those that are the same wherever they stand."""
    return not (is_number(value) or type(value) in WITHOUT_PLACE)
