"""Read pickles as data, without importing or calling anything that they name.

A pickle is a program for a stack machine with a memo. `Machine` runs all protocols of it with one difference: where
Python would import and call a global, it makes an `Inert` object that keeps the name. The objects that readers need
(tensors, ordered dicts) come from a table of makers, by name.

A hostile file can cost neither time nor memory: each step is charged to a budget that depends on the file's size,
lengths are checked before anything is read, and keys of dicts hash fast.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable, Mapping, Sequence
from mmap import mmap
from sys import getsizeof
from typing import IO, Any, NamedTuple, cast

from archdsl.diagnostics import UnlocatedError, catalog


class Unreadable(UnlocatedError):
    """Reason a file cannot be read: a sentence without its subject, and a help."""

    def __init__(self, label: str, help: str = "") -> None:
        super().__init__(catalog.CHECKPOINT, label, help)


class ByteBudget:
    """Number of bytes that values may still take."""

    def __init__(self, left: int) -> None:
        self.left = left

    def take(self, cost: int) -> None:
        """Deduct the cost of a value; raise Unreadable when the budget is spent."""
        self.left -= cost
        if self.left < 0:
            raise Unreadable("holds far more values than weights need", "save the state dict alone")


# ---- values

# Longest string or number that is read, in bytes. Longer ones are skipped: no weights contain them.
LONGEST = 1 << 20
# Integers below this bound have different hashes. Above it a file could make every key of a dict collide.
LARGEST_KEY = 1 << 60


class GlobalName(NamedTuple):
    """Name of a class or function that a pickle refers to; never imported."""

    name: str


class Inert:
    """Placeholder for an object that only foreign code could make.

    `state` is what its attributes would be set from, `items` what it would hold as a dict.
    """

    __slots__ = ("items", "name", "state")

    def __init__(self, name: str) -> None:
        self.name = name
        self.state: object = None
        self.items: dict[Any, Any] = {}

    def __repr__(self) -> str:
        return f"<{self.name[:80]}, not read>"


Maker = Callable[..., Any]
Makers = Mapping[str, Maker]


class Machine:
    """Interpreter of the pickles of one file.

    `makers` build the globals that they are named after; `stored` loads persistent ids, which torch uses for
    storages.
    """

    def __init__(self, file: mmap, end: int, left: ByteBudget, makers: Makers, stored: Maker) -> None:
        self.file = file
        # The file as `pickletools` takes it; its readers need only what a mapped file offers.
        self.stream = cast("IO[bytes]", file)
        self.end = end
        self.left = left
        made = dict.fromkeys(MAPPINGS, self.mapping) | dict.fromkeys(ROWS, self.row)
        self.makers: Makers = {**makers, **made}
        self.stored = stored
        # Globals that the pickles name, in order.
        self.names: dict[str, None] = {}
        self.stack: list[Any] = []
        # Stacks below the marks.
        self.below: list[list[Any]] = []
        self.memo: dict[int, Any] = {}

    def run(self, start: int) -> Any:
        """Value of the pickle that begins at `start`; leaves the file behind it. Raises Unreadable."""
        self.stack, self.below, self.memo = [], [], {}
        self.file.seek(start)
        try:
            return self.result()
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
            raise Unreadable("holds a pickle that makes no sense") from None

    def result(self) -> Any:
        """Execute steps up to STOP."""
        read, take = self.file.read, self.left.take
        while (code := read(1)) != STOP:
            argument, cost, step = OPERATIONS[code]
            take(cost)
            step(self, argument(self) if argument else None)
        if self.file.tell() > self.end:
            raise Unreadable("holds a pickle without an end")
        return self.stack.pop()

    # ---- arguments -------------------------------------------------------------------------------------------------

    def fixed(self, kind: pickletools.ArgumentDescriptor) -> Any:
        """Argument of a fixed size."""
        return kind.reader(self.stream)

    def counted(self, kind: pickletools.ArgumentDescriptor) -> Any:
        """Argument preceded by its length."""
        # The length is checked before the content is read: a file may claim to hold terabytes.
        start, width = self.file.tell(), WIDTHS[kind.n]
        length = int.from_bytes(self.file.read(width), "little")
        if start + width + length > self.end:
            raise ValueError("longer than the file")
        if length > LONGEST:
            self.file.seek(start + width + length)
            return Inert("a text or number that is too long")
        self.file.seek(start)
        return self.charged(kind.reader(self.stream))

    def line(self, kind: pickletools.ArgumentDescriptor) -> Any:
        """Argument of one line, or of two."""
        start = self.file.tell()
        limit = min(self.end, start + LONGEST)
        stop = self.file.find(b"\n", start, limit)
        if stop < 0 or (kind is pickletools.stringnl_noescape_pair and self.file.find(b"\n", stop + 1, limit) < 0):
            raise ValueError("a line without an end")
        return self.charged(kind.reader(self.stream))

    def charged(self, value: Any) -> Any:
        """Charge a value to the budget by its size."""
        self.left.take(getsizeof(value))
        return value

    # ---- what steps need -------------------------------------------------------------------------------------------

    def marked(self) -> list[Any]:
        """Pop everything above the last mark, and the mark."""
        items, self.stack = self.stack, self.below.pop()
        return items

    def named(self, name: str) -> GlobalName:
        """Record the name of a global."""
        self.names[name] = None
        return GlobalName(name)

    def call(self, what: Any, given: Sequence[Any]) -> Any:
        """Result of a call: a maker's value, or an `Inert` object."""
        if type(given) not in (tuple, list):
            raise TypeError(given)
        if not isinstance(what, GlobalName):
            return Inert("an object")
        maker = self.makers.get(what.name)
        return maker(*given) if maker else Inert(what.name)

    def mapping(self, *given: Any) -> dict[Any, Any]:
        """Dict from the arguments that the various dict classes take: pairs, a dict, a factory before them."""
        content = given[-1] if given and type(given[-1]) in (dict, list, tuple) else ()
        pairs = list(cast("dict[Any, Any]", content).items() if isinstance(content, dict) else content)
        self.left.take(VALUE * len(pairs))
        return {keyed(key): value for key, value in pairs}

    def row(self, items: Any = ()) -> list[Any]:
        """List from a list or a set. Sets become lists, so that nothing in them is hashed."""
        if type(items) not in (list, tuple):
            raise TypeError(items)
        self.left.take(REFERENCE * len(items))
        return list(items)


ROWS = ("builtins.list", "builtins.set", "builtins.frozenset")
MAPPINGS = ("collections.OrderedDict", "collections.defaultdict", "collections.Counter", "builtins.dict")
PLAIN = (str, bytes, float, bool, type(None))


def keyed(key: Any) -> Any:
    """Key of a dict, replaced by an `Inert` object unless it is known to hash fast."""
    plain = type(key) in PLAIN or (type(key) is int and abs(key) < LARGEST_KEY)
    return key if plain else Inert("a key")


# ---- the steps -----------------------------------------------------------------------------------------------------

Step = Callable[[Machine, Any], None]


def push(machine: Machine, value: Any) -> None:
    """Push the argument."""
    machine.stack.append(value)


def pushes(make: Callable[[], Any]) -> Step:
    """Step that pushes a new value."""
    return lambda machine, _: machine.stack.append(make())


def skip(machine: Machine, _: Any) -> None:
    """Ignore what makes no difference to the value, such as the protocol."""


def mark(machine: Machine, _: Any) -> None:
    """Start a new stack above a mark."""
    machine.below.append(machine.stack)
    machine.stack = []


def drop(machine: Machine, _: Any) -> None:
    """Pop everything above the mark, and the mark."""
    machine.marked()


def pop(machine: Machine, _: Any) -> None:
    """Pop a value, or the mark if nothing is above it."""
    if machine.stack:
        machine.stack.pop()
    else:
        machine.marked()


def gathers(make: Callable[[list[Any]], Any]) -> Step:
    """Step that combines everything above the mark."""

    def step(machine: Machine, _: Any) -> None:
        items = machine.marked()
        machine.stack.append(make(items))

    return step


def joins(count: int) -> Step:
    """Step that makes a tuple of the topmost values."""

    def step(machine: Machine, _: Any) -> None:
        if len(machine.stack) < count:
            raise IndexError(count)
        machine.stack[-count:] = [tuple(machine.stack[-count:])]

    return step


def paired(items: list[Any]) -> dict[Any, Any]:
    """Dict of alternating keys and values."""
    return {keyed(key): value for key, value in zip(items[::2], items[1::2], strict=True)}


def extend(machine: Machine, items: list[Any]) -> None:
    """Append items to the list on top of the stack."""
    # An Inert object may be a list subclass; its items are of no use to anyone.
    target = machine.stack[-1]
    if isinstance(target, list):
        cast("list[Any]", target).extend(items)
    elif not isinstance(target, Inert):
        raise TypeError(target)


def update(machine: Machine, items: list[Any]) -> None:
    """Add alternating keys and values to the dict on top of the stack."""
    target = machine.stack[-1]
    content = target.items if isinstance(target, Inert) else target
    if not isinstance(content, dict):
        raise TypeError(target)
    machine.left.take(VALUE * len(items) // 2)
    cast("dict[Any, Any]", content).update(paired(items))


def last(machine: Machine, count: int) -> list[Any]:
    """Pop the topmost values, in the order they were pushed."""
    return [machine.stack.pop() for _ in range(count)][::-1]


def put(machine: Machine, index: int) -> None:
    """Store the topmost value in the memo."""
    machine.memo[index] = machine.stack[-1]


def call(machine: Machine, _: Any) -> None:
    """Call with a tuple of arguments."""
    what, given = last(machine, 2)
    machine.stack.append(machine.call(what, given))


def call_marked(machine: Machine, _: Any) -> None:
    """Call the first value above the mark with the others."""
    what, *given = machine.marked()
    machine.stack.append(machine.call(what, given))


def call_named(machine: Machine, name: str) -> None:
    """Call a global, named by the argument, with everything above the mark."""
    given = machine.marked()
    machine.stack.append(machine.call(machine.named(dotted(name)), given))


def call_with_names(machine: Machine, _: Any) -> None:
    """Call with positional and keyword arguments, which no maker takes."""
    what, _, _ = last(machine, 3)
    machine.stack.append(Inert(what.name if isinstance(what, GlobalName) else "an object"))


def build(machine: Machine, _: Any) -> None:
    """Set the state of an object. The values of makers need none."""
    state, target = machine.stack.pop(), machine.stack[-1]
    if isinstance(target, Inert):
        target.state = state


def name(machine: Machine, text: str) -> None:
    """Push a global."""
    machine.stack.append(machine.named(dotted(text)))


def name_on_stack(machine: Machine, _: Any) -> None:
    """Push the global that the two topmost strings name."""
    module, leaf = last(machine, 2)
    if not (isinstance(module, str) and isinstance(leaf, str)):
        raise TypeError(leaf)
    machine.stack.append(machine.named(f"{module}.{leaf}"))


def dotted(name: str) -> str:
    """Dotted name of a global, from the `module name` of `pickletools`, under Python 3's name of its module."""
    module, _, leaf = name.partition(" ")
    return f"{'builtins' if module == '__builtin__' else module}.{leaf}"


# Costs in bytes. A value: an empty list with its place in the memo, or an entry of a dict.
VALUE = 104
# A reference on the stack, later in a list.
REFERENCE = 16
# A number, with the reference to it.
NUMBER = 48
STOP = b"."

# Cost and action of each operation, by the names in `pickletools`.
TABLE: dict[str, tuple[int, Step]] = {
    "INT BININT BININT1 BININT2 LONG LONG1 LONG4 FLOAT BINFLOAT": (NUMBER, push),
    "STRING BINSTRING SHORT_BINSTRING BINBYTES SHORT_BINBYTES BINBYTES8 BYTEARRAY8": (REFERENCE, push),
    "UNICODE SHORT_BINUNICODE BINUNICODE BINUNICODE8": (REFERENCE, push),
    "PROTO FRAME READONLY_BUFFER": (REFERENCE, skip),
    "NONE": (REFERENCE, pushes(lambda: None)),
    "NEWTRUE": (REFERENCE, pushes(lambda: True)),
    "NEWFALSE": (REFERENCE, pushes(lambda: False)),
    "MARK": (VALUE, mark),
    "POP": (REFERENCE, pop),
    "POP_MARK": (REFERENCE, drop),
    "DUP": (REFERENCE, lambda machine, _: machine.stack.append(machine.stack[-1])),
    "EMPTY_LIST EMPTY_SET": (VALUE, pushes(list[Any])),
    "EMPTY_TUPLE": (REFERENCE, pushes(tuple[()])),
    "EMPTY_DICT": (VALUE, pushes(dict[Any, Any])),
    "LIST FROZENSET": (VALUE, gathers(list)),
    "TUPLE": (VALUE, gathers(tuple)),
    "DICT": (VALUE, gathers(paired)),
    "TUPLE1": (VALUE, joins(1)),
    "TUPLE2": (VALUE, joins(2)),
    "TUPLE3": (VALUE, joins(3)),
    "APPEND": (REFERENCE, lambda machine, _: extend(machine, last(machine, 1))),
    "APPENDS ADDITEMS": (REFERENCE, lambda machine, _: extend(machine, machine.marked())),
    "SETITEM": (VALUE, lambda machine, _: update(machine, last(machine, 2))),
    "SETITEMS": (VALUE, lambda machine, _: update(machine, machine.marked())),
    "PUT BINPUT LONG_BINPUT": (VALUE, put),
    "MEMOIZE": (VALUE, lambda machine, _: put(machine, len(machine.memo))),
    "GET BINGET LONG_BINGET": (REFERENCE, lambda machine, index: machine.stack.append(machine.memo[index])),
    "GLOBAL": (VALUE, name),
    "STACK_GLOBAL": (VALUE, name_on_stack),
    "EXT1 EXT2 EXT4 NEXT_BUFFER": (VALUE, pushes(lambda: Inert("an extension"))),
    "REDUCE NEWOBJ": (VALUE, call),
    "NEWOBJ_EX": (VALUE, call_with_names),
    "INST": (VALUE, call_named),
    "OBJ": (VALUE, call_marked),
    "BUILD": (REFERENCE, build),
    "PERSID": (VALUE, lambda machine, text: machine.stack.append(machine.stored(text))),
    "BINPERSID": (VALUE, lambda machine, _: machine.stack.append(machine.stored(machine.stack.pop()))),
}
STEPS = {name: entry for names, entry in TABLE.items() for name in names.split()}

# Number of bytes that give the length of an argument.
WIDTHS = {
    pickletools.TAKEN_FROM_ARGUMENT1: 1,
    pickletools.TAKEN_FROM_ARGUMENT4: 4,
    pickletools.TAKEN_FROM_ARGUMENT4U: 4,
    pickletools.TAKEN_FROM_ARGUMENT8U: 8,
}


def argument(kind: pickletools.ArgumentDescriptor | None) -> Callable[[Machine], Any] | None:
    """Reader of an operation's argument; None without an argument."""
    if kind is None:
        return None
    if kind.n in WIDTHS:
        return lambda machine: machine.counted(kind)
    if kind.n == pickletools.UP_TO_NEWLINE:
        return lambda machine: machine.line(kind)
    return lambda machine: machine.fixed(kind)


# Reader of the argument, cost and action of each operation, by its byte.
OPERATIONS = {
    each.code.encode("latin-1"): (argument(each.arg), *STEPS[each.name])
    for each in pickletools.opcodes
    if each.name in STEPS
}
