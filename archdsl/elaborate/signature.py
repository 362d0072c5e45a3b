"""Signatures of ops and blocks: the parameters in order, their types, and what may be given for each.

A type is declared by an op (`archdsl.op`), or by a block's signature (`kernel: size = 1`). `fit` turns a value into
what the parameter takes, or says in words why it does not.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import cache
from math import ceil, floor
from typing import Any, NamedTuple

from archdsl.diagnostics import DiagnosticKind, Text, UnlocatedError, catalog, plural
from archdsl.diagnostics.diagnostic import shortened
from archdsl.elaborate.blame import ElaborationError, nothing_called, together
from archdsl.elaborate.numbers import as_float, as_fraction, is_fraction, is_int, is_number
from archdsl.elaborate.values import (
    BLOCKS,
    NO_BLOCK,
    BlockValue,
    Bound,
    Policy,
    Role,
    Symbol,
    Use,
    Value,
    captures,
    describe,
    is_list,
    is_tensors,
    plain,
)
from archdsl.initializer import INITIALIZERS, Initializer
from archdsl.op import BOOL, FLOAT, INIT, INT, PADDING, SIZE, Declaration, Param, Type, symbol
from archdsl.ops import vocabulary
from archdsl.record import MISSING
from archdsl.syntax import ast
from archdsl.syntax.scopes import (
    FUNCTION_NAMES,
    POLICIES,
    RESERVED,
    TURN_WORDS,
    Definition,
    FileScope,
    Target,
    UserFunction,
)
from archdsl.syntax.synonyms import suggestion


class TypeMismatch(UnlocatedError):
    """A value that a type does not take; with `fraction`, one that would do if that were rounded."""

    def __init__(self, kind: Type, value: Value, fraction: Fraction | None = None) -> None:
        super().__init__(catalog.WRONG_TYPE, lambda: f"{kind.phrase} is needed here, not {describe(value)}")
        self.fraction = fraction


BLOCK = Type("block", "a block")
TENSOR = Type("tensor", "a tensor")
LIST = Type("list", "a list of values")
# The types that a signature may name.
DECLARABLE = {kind.name: kind for kind in (INT, FLOAT, BOOL, SIZE, PADDING, BLOCK, TENSOR, LIST, INIT)}


def of_words(words: tuple[str, ...]) -> Type | None:
    """The type that a block's signature names: one of the types, or the words of an enumeration."""
    return symbol(*words) if len(words) > 1 else DECLARABLE.get(words[0]) if words else None


def fit(kind: Type, value: Value, exact: bool = True) -> Value:
    """The value as the parameter takes it; raises TypeMismatch. Without `exact`, floats become Python's (for ops)."""
    # Fast path: most arguments are ints.
    if kind.name == "int" and is_int(value):
        return value
    if value is None and kind.optional:
        return None
    fitted = FITS[kind.name](value)
    if fitted is None:
        if kind.symbols and (word := word_of(value)) in kind.symbols:
            return Symbol(word)
        raise TypeMismatch(kind, value)
    return inexact(fitted) if not exact and kind.name in {"float", "floats"} else fitted


def word_of(value: Value) -> str:
    """The word that a value is by its text: also that of a block or a policy with nothing set (`tanh`)."""
    match value:
        case Symbol():
            return value
        case Use(given={}, target=target) if not value.given:
            return target.name
        case Policy(given={}, policy=policy) if not value.given:
            return policy
        case Role():
            return word_of(value.body)
        case _:
            return ""


def inexact(value: Value) -> Value:
    """Fractions as floats, the nearest there are."""
    return tuple(map(as_float, value)) if is_list(value) else as_float(value)


def fit_int(value: Value) -> Value:
    """An int; a fraction is said to be none."""
    if is_fraction(value):
        raise TypeMismatch(INT, value, value)
    return value if is_int(value) else None


def fit_float(value: Value) -> Value:
    """A number; an int widens."""
    return as_fraction(value) if is_number(value) else None


def fit_size(value: Value) -> Value:
    """An int, or a pair of ints (a pair of equal ones is one int)."""
    if is_list(value) and len(value) == 2 and all(is_int(side) for side in value):
        # So that `3` and `[3, 3]` are equal ops.
        return value[0] if value[0] == value[1] else value
    return fit_int(value)


def fit_parts(value: Value) -> Value:
    """A share, a number of parts, or counts."""
    if is_number(value):
        return value
    return value if is_list(value) and value and all(is_int(part) for part in value) else None


def fit_list(value: Value) -> Value:
    """A list of values."""
    return value if is_list(value) and not captures(value) else None


def list_of(fit_item: Callable[[Value], Value]) -> Callable[[Value], Value]:
    """A list whose items all fit."""

    def fit_items(value: Value) -> Value:
        items = fit_list(value)
        if items is None:
            return None
        fitted = tuple(fit_item(item) for item in items)
        return None if any(item is None for item in fitted) else fitted

    return fit_items


def of_class(*kinds: type) -> Callable[[Value], Value]:
    """A value of some class."""
    return lambda value: value if isinstance(value, kinds) else None


FITS: dict[str, Callable[[Value], Value]] = {
    "int": fit_int,
    "float": fit_float,
    "bool": of_class(bool),
    "size": fit_size,
    "padding": fit_size,
    "parts": fit_parts,
    "block": of_class(BlockValue),
    "tensor": lambda value: value if is_tensors(value) else None,
    "list": fit_list,
    "init": of_class(Initializer),
    "ints": list_of(fit_int),
    "floats": list_of(fit_float),
    "symbol": lambda value: None,
}


# ---- signatures


# Help for parameters that other libraries have, and blocks here do not.
ELSEWHERE = {
    "stride": "reduce the map before it: `maxpool(3, 2) -> {owner}(...)`",
    **dict.fromkeys(POLICIES, "set it around the block: `with({name} = {value}, {owner}(...))`"),
    **dict.fromkeys(("in_channels", "in_features"), "leave it out: what comes in is known"),
    "inplace": "leave it out: it is in place wherever that is safe",
    "activation": "chain it: `{owner}(...) -> {value}`",
}
WORDS = {"None": "none", "True": "true", "False": "false"}
WHOLE = {"floor", "ceil", "round", "int", "len", "count"}


class Slot(NamedTuple):
    """A parameter: its name and type, whether it goes by name only, and its default, where that is the same always."""

    name: str
    type: Type
    named: bool
    required: bool
    rest: bool = False
    default: Any = MISSING
    bounds: Param | None = None
    # The default as a text says it.
    shown: str = ""

    @property
    def text(self) -> str:
        """The parameter as one writes it in a signature."""
        if self.rest:
            return f"...{self.name}"
        return self.name if self.required else f"{self.name} = {self.shown}"


class Signature:
    """The parameters of an op, an initializer or a block.

    `takes` is `tensor` or `list` for what is applied, and nothing for an initializer.
    `positions` are those that may be given by position; `rest` is the `...name` that takes what is left; `required`
    are the names without a default.
    """

    def __init__(self, owner: str, slots: dict[str, Slot], lenient: bool = False, takes: str = "tensor") -> None:
        self.owner = owner
        self.takes = takes
        self.slots = slots
        self.lenient = lenient
        self.positions = [slot for slot in slots.values() if not slot.named]
        self.rest = next((slot for slot in slots.values() if slot.rest), None)
        self.required = [slot.name for slot in slots.values() if slot.required]
        self.defaults = [(slot.name, plain(slot.default)) for slot in slots.values()]

    def text(self) -> str:
        """The signature as one writes it."""
        parts = [slot.text for slot in self.positions]
        named = [slot.text for slot in self.slots.values() if slot.named]
        return f"{self.owner}({', '.join([*parts, *(['*'] if named else []), *named])})"

    def hint(self) -> str:
        """The help of a message on a call that does not fit it."""
        return f"the signature is {self.text()}"


def signature_of(target: Target) -> Signature:
    """The signature of an op or a block."""
    return of_definition(target) if isinstance(target, Definition) else of_declared(target)


@cache
def of_declared(kind: type[Declaration]) -> Signature:
    """The signature of an op or an initializer."""
    slots = {
        name: Slot(
            name,
            each.type,
            each.named,
            each.default is MISSING,
            default=each.default,
            bounds=each,
            shown=WORDS.get(str(each.default), str(each.default)),
        )
        for name, each in kind.params.items()
    }
    return Signature(kind.name, slots, getattr(kind, "lenient", False), getattr(kind, "takes", ""))


@cache
def enumerated() -> frozenset[str]:
    """The words of all enumerations of ops and initializers."""
    kinds: list[type[Declaration]] = [*vocabulary().values(), *INITIALIZERS.values()]
    types = [each.type for kind in kinds for each in kind.params.values()]
    return frozenset(word for kind in types for word in kind.symbols)


def of_definition(definition: Definition) -> Signature:
    """The signature of a block, worked out once."""
    memos = definition.file.memos
    found: Signature | None = memos.signatures.get(definition)
    if found is None:
        found = Signature(definition.name, of_parameters(definition.parameters, definition.file))
        memos.signatures[definition] = found
    return found


def of_parameters(parameters: tuple[ast.Parameter, ...], file: FileScope) -> dict[str, Slot]:
    """The parameters of a text; raises an error for a type that there is none of."""
    slots: dict[str, Slot] = {}
    for each in parameters:
        add_parameter(slots, each, file)
    return slots


def add_parameter(slots: dict[str, Slot], each: ast.Parameter, file: FileScope) -> None:
    """One more parameter, whose default may use those before it."""
    if each.name in slots:
        raise ElaborationError(catalog.DUPLICATE, each.span, f"a second parameter `{each.name}`")
    if each.name in RESERVED:
        raise ElaborationError(catalog.DUPLICATE, each.span, f"`{each.name}` is a reserved word", "choose another name")
    declared = of_words(each.type)
    if each.type and declared is None:
        help = suggestion(each.type[0], DECLARABLE)
        raise ElaborationError(catalog.UNKNOWN_NAME, each.type_span, f"no type is called `{each.type[0]}`", help)
    # A typo in the default would make the parameter a block, and be found far from here.
    if declared is None and isinstance(each.default, ast.Name) and each.default.id not in slots:
        check_default(each, each.default, slots, file)
    kind = declared or (infer(each.default, slots, file) if each.default is not None else INT)
    shown = "" if each.default is None else " ".join(each.default.span.text.split())
    required = each.default is None and not each.rest
    slots[each.name] = Slot(each.name, kind, each.named, required, each.rest, constant(each.default, kind), shown=shown)


def check_default(each: ast.Parameter, default: ast.Name, slots: dict[str, Slot], file: FileScope) -> None:
    """Raise for a default that gives its parameter no type: a name that stands for no block and nothing before it."""
    word = default.id
    found = file.find(word)
    if word in (*POLICIES, *RESERVED, *TURN_WORDS) or not (found is None or isinstance(found, UserFunction)):
        return
    if word in DECLARABLE:
        help = f"a type follows a colon in a signature: `{each.name}: {word}`"
        raise ElaborationError(catalog.WRONG_TYPE, default.span, f"`{word}` is a type, where a default belongs", help)
    if word in FUNCTION_NAMES or found is not None:
        label = f"`{word}` is a function, where a default belongs"
        raise ElaborationError(catalog.WRONG_TYPE, default.span, label, f"call it: `{word}(...)`")
    if word in file.words or word in enumerated():
        label = f"`{word}` is a word of an enumeration, which gives `{each.name}` no type"
        raise ElaborationError(
            catalog.WRONG_TYPE, default.span, label, f"say what it may be: `{each.name}: {word} | ... = {word}`"
        )
    help = suggestion(word, [*slots, *file.names()]) or "a default may use the parameters before it"
    raise ElaborationError(catalog.UNKNOWN_NAME, default.span, lambda: nothing_called(word), help)


def constant(node: ast.Expression | None, kind: Type) -> Value:
    """A default that is written as a number or a bool, and fits; MISSING for what is worked out at each use."""
    if not isinstance(node, ast.Number | ast.Boolean):
        return MISSING
    try:
        return fit(kind, node.value)
    except TypeMismatch:
        return MISSING


def infer(node: ast.Expression, slots: dict[str, Slot], file: FileScope) -> Type:
    """The type of a parameter that only has a default: the default's own."""
    match node:
        case ast.Number():
            return INT if is_int(node.value) else FLOAT
        case ast.Boolean() | ast.Unary(sign="not"):
            return BOOL
        case ast.Items() | ast.Comprehension():
            return LIST
        case ast.Unary():
            return infer(node.operand, slots, file)
        case ast.Conditional():
            return infer(node.then, slots, file)
        case ast.Binary():
            return infer_binary(node, slots, file)
        case ast.Name(id=name) if name in slots:
            return slots[name].type
        case ast.Call(callee=ast.Name(id=name)) if name in FUNCTION_NAMES and name not in slots:
            return infer_function(node, name, slots, file)
        case ast.Call(callee=ast.Name(id=name)) if isinstance(file.find(name), UserFunction) and name not in slots:
            return INT
        # Items of lists are mostly numbers of channels or of blocks; other lists need a declared type.
        case ast.Attribute(base=ast.Name(id="x")) | ast.Index():
            return INT
        case _:
            return BLOCK


def infer_function(node: ast.Call, name: str, slots: dict[str, Slot], file: FileScope) -> Type:
    """The type of a function's value."""
    if name in WHOLE:
        return INT
    if name in {"range", "zip", "unique"}:
        return LIST
    values = [argument.value for argument in node.arguments]
    values = [item for value in values for item in (value.items if isinstance(value, ast.Items) else (value,))]
    is_float = name == "log2" or any(infer(each, slots, file).name == "float" for each in values)
    return FLOAT if is_float else INT


def infer_binary(node: ast.Binary, slots: dict[str, Slot], file: FileScope) -> Type:
    """The type of an operation's value."""
    if node.sign in {"==", "!=", "<", "<=", ">", ">=", "and", "or"}:
        return BOOL
    kinds = {infer(side, slots, file).name for side in (node.left, node.right)}
    if "block" in kinds:
        return BLOCK
    return FLOAT if node.sign == "/" or "float" in kinds else INT


# ---- arguments -----------------------------------------------------------------------------------------------------


def assign(
    signature: Signature, arguments: tuple[ast.CallArgument, ...], taken: dict[str, Bound], call: ast.Node
) -> list[tuple[str, ast.CallArgument]]:
    """Assign arguments to parameters; raise for the first too many, all unknown ones, and all given twice."""
    most = len(signature.positions)
    extra = [argument for argument in arguments if not argument.target][most:]
    errors = [too_many(signature, extra[0], most)] if extra else []
    positions = iter(signature.positions)
    found: dict[str, ast.CallArgument] = {}
    for argument in arguments:
        slot = None if argument.target else next(positions, None)
        if slot is None and not argument.target:
            continue  # one too many
        try:
            name = slot.name if slot else argument.target[-1]
            check_known(signature, argument, name)
            if name in found or name in taken:
                label = f"`{name}` is already given"
                raise ElaborationError(
                    catalog.REPEATED_ARGUMENT,
                    argument.span,
                    label,
                    lambda argument=argument: arrow(call, argument) or signature.hint(),
                )
            found[name] = argument
        except ElaborationError as error:
            errors.append(error)
    if errors:
        raise together(errors)
    return list(found.items())


def arrow(call: ast.Node, argument: ast.CallArgument) -> str:
    """Help for a block that is called with a tensor, as a module of PyTorch is."""
    tensor = argument.value
    if not (isinstance(call, ast.Call) and isinstance(call.callee, ast.Call) and isinstance(tensor, ast.Name)):
        return ""
    return f"blocks take tensors by an arrow, not by a call: `{tensor.id} -> {call.callee.span.text}`"


def check_known(signature: Signature, argument: ast.CallArgument, name: str) -> None:
    """Raise for a name that the signature does not have."""
    slot = signature.slots.get(name)
    if len(argument.target) > 1:
        raise ElaborationError(catalog.UNKNOWN_PARAMETER, argument.span, "settings like this one belong in `with(...)`")
    if (slot is None or slot.rest) and signature.rest is None:
        known = [slot.name for slot in signature.slots.values()]
        form = ELSEWHERE.get(name, "").format(
            owner=signature.owner, name=name, value=shortened(argument.value.span.text)
        )
        help = form or suggestion(name, known)
        label = f"`{signature.owner}` has no parameter `{name}`"
        raise ElaborationError(catalog.UNKNOWN_PARAMETER, argument.span, label, lambda: help or signature.hint())


def too_many(signature: Signature, argument: ast.CallArgument, most: int) -> ElaborationError:
    """An argument by position where none is left."""
    by_name = [slot.name for slot in signature.slots.values() if slot.named]
    if most == 1 and signature.owner in vocabulary() and signature.positions[0].name == "out":
        return ElaborationError(
            catalog.BY_NAME_ONLY,
            argument.span,
            f"`{signature.owner}` takes {plural(most, 'argument')} by position; the others go by name",
            f"what comes in is known: `{signature.owner}({shortened(argument.value.span.text)})`",
        )
    if by_name and most:
        return ElaborationError(
            catalog.BY_NAME_ONLY,
            argument.span,
            lambda: f"`{signature.owner}` takes {plural(most, 'argument')} by position; the others go by name",
            signature.hint,
        )
    takes = f"no more than {plural(most, 'argument')}" if most else "no arguments"
    label = f"`{signature.owner}` takes {takes} by position"
    help = signature.hint() + ("" if most else instead(signature, argument.value))
    return ElaborationError(catalog.BY_NAME_ONLY, argument.span, label, help)


def instead(signature: Signature, value: ast.Expression) -> str:
    """Help for a positional argument of a block without positional parameters."""
    if signature.takes == "list":
        return f"; it joins a list, `fork(a, b) -> {signature.owner}`"
    if not isinstance(value, ast.Name):
        return ""
    named = [slot.name for slot in signature.slots.values() if value.id in slot.type.symbols]
    if named:
        return f"; write `{named[0]} = {value.id}`"
    return f"; a tensor is passed by an arrow, `{value.id} -> {signature.owner}`" if signature.takes else ""


def fitted(slot: Slot, bound: Bound, exact: bool, owner: Signature | None = None) -> Bound:
    """An argument as its parameter takes it; raises an error at the argument's place. `owner` is what is called."""
    try:
        value = fit(slot.type, bound.value, exact)
    except TypeMismatch as error:
        raise misfitting(slot, bound, owner, error) from None
    if (declared := slot.bounds) is not None and (trouble := out_of_bounds(declared, value)):
        raise blamed(
            catalog.OUT_OF_RANGE,
            bound,
            lambda: f"`{slot.name}` is {describe(bound.value)}; {trouble}",
            lambda: positive(declared, value),
        )
    # Most values fit as they are, and are not copied.
    return bound if value is bound.value else Bound(value, bound.span, bound.origin, bound.reads)


def misfitting(slot: Slot, bound: Bound, owner: Signature | None, error: TypeMismatch) -> ElaborationError:
    """The error for an argument of another type than its parameter's."""

    def help() -> str:
        return meant(slot, bound.value, owner) if error.fraction is None else rounded(error.fraction, bound)

    return blamed(error.rule, bound, lambda: f"`{slot.name}`: {error}", help)


def blamed(rule: DiagnosticKind, bound: Bound, label: Text, help: Text = "") -> ElaborationError:
    """An error at an argument."""
    error = ElaborationError(rule, bound.span, label, help)
    error.blame(bound)
    return error


def meant(slot: Slot, value: Value, owner: Signature | None) -> str:
    """Help for a value of another type."""
    if slot.type.name == "bool" and value in (0, 1):
        return f"write `{'true' if value else 'false'}`"
    if slot.type.name == "block" and isinstance(value, Symbol):
        return f"say what it may be: `{slot.name}: {value} | ...`" if owner is None else owner.hint()
    if slot.type.name == "block" and value is None:
        return NO_BLOCK
    if slot.type.name == "block" and is_list(value):
        return BLOCKS
    mixed_up = (slot.type.name == "block") != isinstance(value, BlockValue)
    return owner.hint() if owner is not None and mixed_up else ""


def rounded(fraction: Fraction, bound: Bound) -> str:
    """Help for a fraction where an int is needed."""
    if fraction == floor(fraction) and (is_list(bound.value) or not bound.reads):
        return f"write `{floor(fraction)}`"
    if bound.origin.kind == "literal" or is_list(bound.value):
        return f"the nearest ints are `{floor(fraction)}` and `{ceil(fraction)}`"
    return f"round it: `round({shortened(bound.span.text)})`, or `floor`, `ceil`"


def positive(declared: Param, value: Value) -> str:
    """The number without its minus, where that would do."""
    if not is_int(value) or value >= 0 or out_of_bounds(declared, -value):
        return ""
    return f"did you mean `{-value}`?"


BOUNDS: tuple[tuple[str, Callable[[Any, Any], bool], str], ...] = (
    ("minimum", lambda value, bound: value >= bound, "at least {:g} is needed"),
    ("maximum", lambda value, bound: value <= bound, "at most {:g} is possible"),
    ("above", lambda value, bound: value > bound, "more than {:g} is needed"),
)
LARGEST = 10**9


def out_of_bounds(declared: Param, value: Value) -> str:
    """The bound that a number (or a number of a list) violates, in words; empty if none."""
    if is_int(value) and declared.maximum is declared.above is None and (declared.minimum or 0) <= value <= LARGEST:
        return ""  # fast path
    numbers = value if is_list(value) else (value,)
    for number in numbers:
        if not (is_int(number) or isinstance(number, float)):
            continue
        if abs(number) > LARGEST:
            return f"at most {LARGEST:,} is possible"
        for field, holds, phrase in BOUNDS:
            bound = getattr(declared, field)
            if bound is not None and not holds(number, bound):
                return phrase.format(bound)
    return ""
