"""Pickles, read as data: lists, dicts, numbers and texts are made, and nothing that a pickle names is looked up or run.

A pickle is a program for a machine with a stack and a memo. This is such a machine, for all protocols, with one
difference: where Python would import and call something, it makes an `Inert` thing that knows its name. What a reader
does want made (tensors, ordered dicts) stands in a table of makers, by name.

Time and memory are bounded by the file's size, whatever the pickle says: each step takes from an allowance, lengths are
looked at before they are read, and no dict has keys whose hashing takes long.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable, Mapping, Sequence
from mmap import mmap
from sys import getsizeof
from typing import IO, Any, NamedTuple, cast

from archdsl.weights.bounds import ByteBudget, Unreadable

LONGEST = 1 << 20
"""So many bytes a text or a number may have; what is longer is skipped, as nothing of weights is."""
LARGEST_KEY = 1 << 60
"""Below it, different integers have different hashes; above, a file could make a dict as slow as a list."""


class GlobalName(NamedTuple):
    """A class or function that a pickle names: its name, and no more."""

    name: str


class Inert:
    """An object that only code of somebody else could make: what it is named after, and what was to become of it.

    `state` is what the object's attributes would be, `items` what it would hold as a dict.
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
    """What reads one pickle after the other from a file.

    `makers` make what is called by these names; `stored` makes what has an identity outside of the pickle (storages).
    """

    def __init__(self, file: mmap, end: int, left: ByteBudget, makers: Makers, stored: Maker) -> None:
        self.file = file
        self.stream = cast("IO[bytes]", file)
        """The same for `pickletools`, which asks for no more than a mapped file can do."""
        self.end = end
        self.left = left
        made = dict.fromkeys(MAPPINGS, self.mapping) | dict.fromkeys(ROWS, self.row)
        self.makers: Makers = {**makers, **made}
        self.stored = stored
        self.names: dict[str, None] = {}
        """All that was named."""
        self.stack: list[Any] = []
        self.below: list[list[Any]] = []
        """The stacks below the marks."""
        self.memo: dict[int, Any] = {}

    def run(self, start: int) -> Any:
        """The value of the pickle at a place; the file is then behind it. Raises Broken."""
        self.stack, self.below, self.memo = [], [], {}
        self.file.seek(start)
        try:
            return self.result()
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
            raise Unreadable("holds a pickle that makes no sense") from None

    def result(self) -> Any:
        """Steps until the pickle says that it is done."""
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
        """An argument of a fixed size."""
        return kind.reader(self.stream)

    def counted(self, kind: pickletools.ArgumentDescriptor) -> Any:
        """An argument behind its length."""
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
        """An argument that ends with its line, or with the next."""
        start = self.file.tell()
        limit = min(self.end, start + LONGEST)
        stop = self.file.find(b"\n", start, limit)
        if stop < 0 or (kind is pickletools.stringnl_noescape_pair and self.file.find(b"\n", stop + 1, limit) < 0):
            raise ValueError("a line without an end")
        return self.charged(kind.reader(self.stream))

    def charged(self, value: Any) -> Any:
        """A value, once it is paid for by its size."""
        self.left.take(getsizeof(value))
        return value

    # ---- what steps need -------------------------------------------------------------------------------------------

    def marked(self) -> list[Any]:
        """What is on the stack above the last mark, which comes off."""
        items, self.stack = self.stack, self.below.pop()
        return items

    def named(self, name: str) -> GlobalName:
        """What a pickle names."""
        self.names[name] = None
        return GlobalName(name)

    def call(self, what: Any, given: Sequence[Any]) -> Any:
        """What a call gives: something only where there is a maker."""
        if type(given) not in (tuple, list):
            raise TypeError(given)
        if not isinstance(what, GlobalName):
            return Inert("an object")
        maker = self.makers.get(what.name)
        return maker(*given) if maker else Inert(what.name)

    def mapping(self, *given: Any) -> dict[Any, Any]:
        """A dict, from what dicts of all kinds are called with: pairs, another dict, or a factory before them."""
        content = given[-1] if given and type(given[-1]) in (dict, list, tuple) else ()
        pairs = list(cast("dict[Any, Any]", content).items() if isinstance(content, dict) else content)
        self.left.take(VALUE * len(pairs))
        return {keyed(key): value for key, value in pairs}

    def row(self, items: Any = ()) -> list[Any]:
        """A list of a list or a set, as sets are lists here: so nothing in them needs to be hashed."""
        if type(items) not in (list, tuple):
            raise TypeError(items)
        self.left.take(REFERENCE * len(items))
        return list(items)


ROWS = ("builtins.list", "builtins.set", "builtins.frozenset")
MAPPINGS = ("collections.OrderedDict", "collections.defaultdict", "collections.Counter", "builtins.dict")
PLAIN = (str, bytes, float, bool, type(None))


def keyed(key: Any) -> Any:
    """A key of a dict, or something in its place, where finding it might take long."""
    plain = type(key) in PLAIN or (type(key) is int and abs(key) < LARGEST_KEY)
    return key if plain else Inert("a key")


# ---- the steps -----------------------------------------------------------------------------------------------------

Step = Callable[[Machine, Any], None]


def push(machine: Machine, value: Any) -> None:
    """A value of its own."""
    machine.stack.append(value)


def gives(make: Callable[[], Any]) -> Step:
    """The step that makes a value out of nothing."""
    return lambda machine, _: machine.stack.append(make())


def skip(machine: Machine, _: Any) -> None:
    """Says something of the pickle that does not matter here."""


def mark(machine: Machine, _: Any) -> None:
    """Remembers where the stack was."""
    machine.below.append(machine.stack)
    machine.stack = []


def drop(machine: Machine, _: Any) -> None:
    """Drops all above the mark, and the mark."""
    machine.marked()


def pop(machine: Machine, _: Any) -> None:
    """Drops a value, or the mark where there is none above it."""
    if machine.stack:
        machine.stack.pop()
    else:
        machine.marked()


def gathers(make: Callable[[list[Any]], Any]) -> Step:
    """The step that makes a value of all above the mark."""

    def step(machine: Machine, _: Any) -> None:
        items = machine.marked()
        machine.stack.append(make(items))

    return step


def joins(count: int) -> Step:
    """The step that makes a tuple of the last values."""

    def step(machine: Machine, _: Any) -> None:
        if len(machine.stack) < count:
            raise IndexError(count)
        machine.stack[-count:] = [tuple(machine.stack[-count:])]

    return step


def paired(items: list[Any]) -> dict[Any, Any]:
    """A dict of keys and values in turn."""
    return {keyed(key): value for key, value in zip(items[::2], items[1::2], strict=True)}


def extend(machine: Machine, items: list[Any]) -> None:
    """Puts values into the list on the stack."""
    target = machine.stack[-1]
    if isinstance(target, list):
        cast("list[Any]", target).extend(items)
    elif not isinstance(target, Inert):
        raise TypeError(target)


def update(machine: Machine, items: list[Any]) -> None:
    """Puts keys and values into the dict on the stack."""
    target = machine.stack[-1]
    content = target.items if isinstance(target, Inert) else target
    if not isinstance(content, dict):
        raise TypeError(target)
    machine.left.take(VALUE * len(items) // 2)
    cast("dict[Any, Any]", content).update(paired(items))


def last(machine: Machine, count: int) -> list[Any]:
    """The last values on the stack, which come off."""
    return [machine.stack.pop() for _ in range(count)][::-1]


def put(machine: Machine, index: int) -> None:
    """Remembers the last value."""
    machine.memo[index] = machine.stack[-1]


def call(machine: Machine, _: Any) -> None:
    """Calls with a tuple of arguments."""
    what, given = last(machine, 2)
    machine.stack.append(machine.call(what, given))


def call_marked(machine: Machine, _: Any) -> None:
    """Calls with all above the mark, the first of which is what is called."""
    what, *given = machine.marked()
    machine.stack.append(machine.call(what, given))


def call_named(machine: Machine, name: str) -> None:
    """Calls what is named with all above the mark."""
    given = machine.marked()
    machine.stack.append(machine.call(machine.named(dotted(name)), given))


def call_with_names(machine: Machine, _: Any) -> None:
    """Calls with a tuple of arguments, and others by name: no maker takes such."""
    what, _, _ = last(machine, 3)
    machine.stack.append(Inert(what.name if isinstance(what, GlobalName) else "an object"))


def build(machine: Machine, _: Any) -> None:
    """Gives an object its state. What makers made has none that matters."""
    state, target = machine.stack.pop(), machine.stack[-1]
    if isinstance(target, Inert):
        target.state = state


def name(machine: Machine, text: str) -> None:
    """Names a class or function."""
    machine.stack.append(machine.named(dotted(text)))


def name_on_stack(machine: Machine, _: Any) -> None:
    """Names a class or function by the last two texts."""
    module, leaf = last(machine, 2)
    if not (isinstance(module, str) and isinstance(leaf, str)):
        raise TypeError(leaf)
    machine.stack.append(machine.named(f"{module}.{leaf}"))


def dotted(name: str) -> str:
    """A name as `pickletools` gives it, module and leaf apart by a blank, under the name of Python 3's."""
    module, _, leaf = name.partition(" ")
    return f"{'builtins' if module == '__builtin__' else module}.{leaf}"


VALUE = 104
"""What a value costs, in bytes: an empty list with its place in the memo, an entry of a dict."""
REFERENCE = 16
"""What a place on the stack costs, and then in a list."""
NUMBER = 48
"""What a number costs, with its place."""
STOP = b"."

TABLE: dict[str, tuple[int, Step]] = {
    "INT BININT BININT1 BININT2 LONG LONG1 LONG4 FLOAT BINFLOAT": (NUMBER, push),
    "STRING BINSTRING SHORT_BINSTRING BINBYTES SHORT_BINBYTES BINBYTES8 BYTEARRAY8": (REFERENCE, push),
    "UNICODE SHORT_BINUNICODE BINUNICODE BINUNICODE8": (REFERENCE, push),
    "PROTO FRAME READONLY_BUFFER": (REFERENCE, skip),
    "NONE": (REFERENCE, gives(lambda: None)),
    "NEWTRUE": (REFERENCE, gives(lambda: True)),
    "NEWFALSE": (REFERENCE, gives(lambda: False)),
    "MARK": (VALUE, mark),
    "POP": (REFERENCE, pop),
    "POP_MARK": (REFERENCE, drop),
    "DUP": (REFERENCE, lambda machine, _: machine.stack.append(machine.stack[-1])),
    "EMPTY_LIST EMPTY_SET": (VALUE, gives(list[Any])),
    "EMPTY_TUPLE": (REFERENCE, gives(tuple[()])),
    "EMPTY_DICT": (VALUE, gives(dict[Any, Any])),
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
    "EXT1 EXT2 EXT4 NEXT_BUFFER": (VALUE, gives(lambda: Inert("an extension"))),
    "REDUCE NEWOBJ": (VALUE, call),
    "NEWOBJ_EX": (VALUE, call_with_names),
    "INST": (VALUE, call_named),
    "OBJ": (VALUE, call_marked),
    "BUILD": (REFERENCE, build),
    "PERSID": (VALUE, lambda machine, text: machine.stack.append(machine.stored(text))),
    "BINPERSID": (VALUE, lambda machine, _: machine.stack.append(machine.stored(machine.stack.pop()))),
}
"""What operations cost and do, by their names."""
STEPS = {name: entry for names, entry in TABLE.items() for name in names.split()}

WIDTHS = {
    pickletools.TAKEN_FROM_ARGUMENT1: 1,
    pickletools.TAKEN_FROM_ARGUMENT4: 4,
    pickletools.TAKEN_FROM_ARGUMENT4U: 4,
    pickletools.TAKEN_FROM_ARGUMENT8U: 8,
}
"""How many bytes say how long an argument is."""


def argument(kind: pickletools.ArgumentDescriptor | None) -> Callable[[Machine], Any] | None:
    """What reads an operation's argument, if it has one."""
    if kind is None:
        return None
    if kind.n in WIDTHS:
        return lambda machine: machine.counted(kind)
    if kind.n == pickletools.UP_TO_NEWLINE:
        return lambda machine: machine.line(kind)
    return lambda machine: machine.fixed(kind)


OPERATIONS = {
    each.code.encode("latin-1"): (argument(each.arg), *STEPS[each.name])
    for each in pickletools.opcodes
    if each.name in STEPS
}
"""By its byte: what reads an operation's argument, what it costs, what it does."""
