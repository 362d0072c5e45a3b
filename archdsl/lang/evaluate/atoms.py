"""Names, literals, lists, conditions, and the parts of lists and tensors."""

from __future__ import annotations

import re

from archdsl.errors import catalog, did_you_mean, listed
from archdsl.initializer import INITIALIZERS
from archdsl.lang.evaluate.frame import Frame
from archdsl.lang.evaluate.renaming import placed
from archdsl.lang.evaluate.table import checked, evaluate, evaluates, is_true
from archdsl.lang.text import syntax as ast
from archdsl.lang.text.files import FORMS, POLICIES, RESERVED, TURN_WORDS, Clash, Routine
from archdsl.lang.text.naming import is_single
from archdsl.lang.text.signature import enumerated
from archdsl.lang.values.faults import Fault, ambiguous
from archdsl.lang.values.foreign import nothing_called, suggestion
from archdsl.lang.values.functions import FUNCTIONS, need_list
from archdsl.lang.values.limits import LONGEST_LIST
from archdsl.lang.values.types import is_int, is_tensors
from archdsl.lang.values.value import (
    BlockValue,
    Policy,
    Role,
    Shared,
    Symbol,
    Tensor,
    TensorList,
    Use,
    Value,
    describe,
    is_list,
)
from archdsl.ops import vocabulary

NUMBERED = re.compile(r"[a-z]+[0-9]+")
FRAMEWORKS = {"nn", "torch", "F", "tf", "keras", "layers", "timm", "torchvision"}
"""What other libraries' layers stand behind; no package of ops is meant."""
SIDES = {"channels": 0, "height": 1, "width": 2}


@evaluates(ast.Number)
def number(frame: Frame, node: ast.Number) -> Value:
    """A number is itself."""
    return node.value


@evaluates(ast.Boolean)
def boolean(frame: Frame, node: ast.Boolean) -> Value:
    """`true` or `false`."""
    return node.value


@evaluates(ast.Nothing)
def nothing(frame: Frame, node: ast.Nothing) -> Value:
    """`none`."""
    return None


@evaluates(ast.Name)
def name(frame: Frame, node: ast.Name) -> Value:
    """What a name stands for: a value of this body, a policy, or what the file knows it as."""
    word = node.id
    if word in frame.names and not (word in frame.words and of_repeat(word, frame.names[word])):
        frame.read.add(word)
        value = frame.names[word]
        return named_block(frame, node, word, value) if isinstance(value, BlockValue) else value
    if word in frame.words:
        return Symbol(word)
    if word in POLICIES:
        place = frame.place(node, word)
        return Policy(
            key=frame.session.key("policy", word, (), place), span=node.span, policy=word, given={}, name=place
        )
    if word in TURN_WORDS or word == "x":
        raise absent(node)
    if word in FORMS and word != "split":
        return form(frame, node)
    found = frame.file.find(word)
    if found is None or isinstance(found, Routine | Clash):
        if not isinstance(found, Clash):
            if frame.free or word in frame.file.words or word in enumerated():
                return Symbol(word)
            if found is None and word in INITIALIZERS:
                return INITIALIZERS[word]()
        raise unknown(frame, node)
    return frame.session.use(found, {}, frame.place(node, word), node.span)


def of_repeat(word: str, value: Value) -> bool:
    """Whether a word is what a repeat says of its turn, which is never a word of an enumeration."""
    return word in TURN_WORDS and isinstance(value, int)


def named_block(frame: Frame, node: ast.Name, word: str, value: BlockValue) -> BlockValue:
    """A block of this body, under the name that the text gives it."""
    parameter = word in frame.parameters
    place = frame.place(node, word)
    if isinstance(value, Shared):
        return value.replace(span=node.span, name=place if value.name.endswith(".") else place.removesuffix("."))
    once = frame.builder is not None and frame.once and not parameter
    binding = (frame.builder.token, word, frame.versions.get(word, 0)) if once and frame.builder is not None else None
    if isinstance(value, Role) and value.role == "local":
        binding, value = value.binding, value.body
    kind = "parameter" if parameter else "local"
    return Role(
        key=frame.session.key(kind, place, value.key),
        span=node.span,
        name=place,
        body=value,
        role=kind,
        binding=binding,
    )


def form(frame: Frame, node: ast.Name) -> Value:
    """A form by its bare name: `concat` joins a list that reaches it; the others need their arguments."""
    if node.id == "concat":
        return frame.session.use(vocabulary()["concat"], {}, frame.place(node, "concat"), node.span)
    raise Fault(catalog.MISSING_ARGUMENT, node.span, f"`{node.id}` needs arguments: `{node.id}(...)`")


def absent(node: ast.Name) -> Fault:
    """A word that means something elsewhere."""
    if node.id == "x":
        return Fault(
            catalog.NO_INPUT,
            node.span,
            "`x` is the input of a block; it exists only inside a block's body",
            "in a backbone, `identity` is the input of the section; name other tensors by their section: `c4 -> ...`",
        )
    return Fault(catalog.UNKNOWN_NAME, node.span, f"`{node.id}` is known only to the right of `n *` and in `collect`")


def unknown(frame: Frame, node: ast.Name) -> Fault:
    """A name that stands for nothing, or a function without its brackets."""
    found = frame.file.find(node.id)
    if isinstance(found, Clash):
        return ambiguous(found, node.span)
    if node.id in FUNCTIONS or isinstance(found, Routine):
        return Fault(catalog.UNKNOWN_NAME, node.span, f"`{node.id}` is a function: `{node.id}(...)`")
    if node.id in frame.outputs:
        return Fault(
            catalog.UNKNOWN_NAME,
            node.span,
            f"`{node.id}` is an output; sections cannot read outputs, which come after all of them",
            f"have `{node.id}` a section, or repeat its expression here",
        )
    if node.id in frame.later:
        return Fault(
            catalog.UNKNOWN_NAME, node.span, f"`{node.id}` comes later; a line can only read what stands above it"
        )
    return Fault(
        catalog.UNKNOWN_NAME,
        node.span,
        nothing_called(node.id),
        suggestion(node.id, [*frame.words, *frame.around, *frame.file.names(), "true", "false", "none"])
        or sections(frame, node.id),
    )


def sections(frame: Frame, word: str) -> str:
    """The sections that there are, for a name in a backbone that looks like one's."""
    known = [name for name, value in frame.around.items() if is_tensors(value)]
    if not known or "x" in known or not NUMBERED.fullmatch(word):
        return ""
    return f"the sections that can be named here are {listed(known)}"


@evaluates(ast.Items)
def items(frame: Frame, node: ast.Items) -> Value:
    """A list; `...` puts in the items of another, or the tensors of a list of tensors."""
    found: list[Value] = []
    for item in node.items:
        if isinstance(item, ast.Spread):
            value = evaluate(frame, item.value)
            several = [value] if isinstance(value, TensorList) else checked(item, need_list, value)
            found += [placed(frame, item, each) for each in several]
        else:
            found.append(evaluate(frame, item))
        if len(found) > LONGEST_LIST:
            break
    return counted(frame, node, tuple(found))


def counted(frame: Frame, node: ast.Expression, values: tuple[Value, ...]) -> tuple[Value, ...]:
    """A new list, within the limits."""
    frame.session.budget.list(node.span, values)
    return values


@evaluates(ast.Spread)
def spread(frame: Frame, node: ast.Spread) -> Value:
    """`...` on its own means nothing."""
    raise Fault(catalog.WRONG_TYPE, node.span, "`...` belongs among the items of a list or the arguments of a call")


@evaluates(ast.Comprehension)
def comprehension(frame: Frame, node: ast.Comprehension) -> Value:
    """`[item for variable in source if test]`."""
    found: list[Value] = []
    inner = frame.inner(node, {}, listed=True)
    for value in turns(frame, node.source):
        inner.names.update(unpacked(node.variables, value))
        if node.test is None or is_true(inner, node.test):
            found.append(evaluate(inner, node.item))
    return counted(frame, node, tuple(found))


def unpacked(targets: tuple[ast.Name, ...], value: Value) -> list[tuple[str, Value]]:
    """Names with their values: one for the whole, or several for the items of a list."""
    for target in targets:
        check_free(target)
    if len(targets) == 1:
        return [(targets[0].id, value)]
    if not is_list(value) or len(value) != len(targets):
        label = f"{amount_of(value)} for {len(targets)} names"
        help = "a list of tensors is what `split`, `fork` and `collect` give" if isinstance(value, Tensor) else ""
        raise Fault(catalog.WRONG_TYPE, targets[0].span.to(targets[-1].span), label, help)
    return [(target.id, item) for target, item in zip(targets, value, strict=True)]


def amount_of(value: Value) -> str:
    """How many values there are, as it is said where as many names should be."""
    if not is_list(value):
        return f"one value, {describe(value)},"
    noun = "tensor" if is_tensors(value) else "value"
    return f"{len(value)} {noun}{'s' * (len(value) != 1)}"


def check_free(target: ast.Name) -> None:
    """Raises for a word of the language where a new name is needed."""
    if target.id in RESERVED:
        raise Fault(catalog.DUPLICATE, target.span, f"`{target.id}` is a reserved word", "choose another name")


def turns(frame: Frame, source: ast.Expression) -> tuple[Value, ...]:
    """What a loop goes over, counted before the first turn."""
    value = evaluate(frame, source)
    if isinstance(value, TensorList) and frame.builder is not None:
        value = frame.builder.items(value)
    values = value if is_tensors(value) and not isinstance(value, Tensor) else checked(source, need_list, value)
    frame.session.budget.turn(source.span, len(values))
    return values


@evaluates(ast.Conditional)
def conditional(frame: Frame, node: ast.Conditional) -> Value:
    """Only the arm that the test chooses is worked out.

    Names of modules do not depend on the choice: one block, beside an arm that is a chain, is a chain of one link.
    """
    value = evaluate(frame, node.then if is_true(frame.expecting(()), node.test) else node.other)
    if isinstance(value, Use | Policy | Role) and not is_single(node) and not frame.session.is_identity(value):
        return frame.session.links((value,), node.span)
    return value


@evaluates(ast.Attribute)
def attribute(frame: Frame, node: ast.Attribute) -> Value:
    """`x.channels`, `x.height`, `x.width`; or the op of an installed package, `acme.swish`."""
    if isinstance(node.base, ast.Name) and node.base.id not in frame.names:
        dotted = f"{node.base.id}.{node.name}"
        found = frame.file.find(dotted)
        if isinstance(found, type):
            return frame.session.use(found, {}, frame.place(node, node.name), node.span)
        if node.base.id not in ("x", *TURN_WORDS):
            package = f"an op `{dotted}` comes with a package that provides ops as `{node.base.id}`"
            help = suggestion(node.name, frame.file.names()) if node.base.id in FRAMEWORKS else package
            raise Fault(catalog.UNKNOWN_NAME, node.span, nothing_called(dotted), help)
    value = evaluate(frame, node.base)
    if not isinstance(value, Tensor):
        hint = "take one of its tensors: `x[0]`" if is_tensors(value) else ""
        raise Fault(catalog.NOT_A_TENSOR, node.span, f"{describe(value)} has no shape of its own", hint)
    side = SIDES.get(node.name)
    if side is None:
        raise Fault(
            catalog.UNKNOWN_NAME,
            node.span,
            f"a tensor has no `{node.name}`",
            did_you_mean(node.name, SIDES),
        )
    if side >= len(value.shape):
        raise Fault(catalog.NOT_A_MAP, node.span, f"{describe(value)} has no {node.name}")
    return value.shape[side]


@evaluates(ast.Index)
def index(frame: Frame, node: ast.Index) -> Value:
    """An item of a list, counted from 0, or from the end where negative."""
    base, at = evaluate(frame, node.base), evaluate(frame, node.index)
    if not is_int(at):
        raise Fault(catalog.WRONG_TYPE, node.index.span, f"an int is needed here, not {describe(at)}")
    if isinstance(base, TensorList) and frame.builder is not None:
        return frame.builder.pick(base, checked_index(node, at, len(base.shapes)))
    if not is_list(base):
        help = f"some of its channels are `{node.base.span.text}[:8]`" if isinstance(base, Tensor) else ""
        raise Fault(catalog.WRONG_TYPE, node.base.span, f"{describe(base)} is not a list", help)
    items = frame.builder.items(base) if frame.builder is not None and is_tensors(base) else base
    return placed(frame, node, items[checked_index(node, at, len(items))])


def checked_index(node: ast.Index, at: int, size: int) -> int:
    """An index counted from 0, if the list has such an item."""
    if not -size <= at < size:
        help = f"items are counted from 0: the last is `{node.base.span.text}[{size - 1}]`" if size else ""
        label = f"the list has {size} item{'s' * (size != 1)}; there is no item {at}"
        fault = Fault(catalog.OUT_OF_RANGE, node.index.span, label, help)
        fault.blamed = node.base.id if isinstance(node.base, ast.Name) else ""
        raise fault
    return at % size


@evaluates(ast.Slice)
def part(frame: Frame, node: ast.Slice) -> Value:
    """Some items of a list, or some channels of a tensor."""
    base = evaluate(frame, node.base)
    start, stop = (None if end is None else evaluate(frame, end) for end in (node.start, node.stop))
    for place, end in ((node.start, start), (node.stop, stop)):
        if place is not None and not is_int(end):
            raise Fault(catalog.WRONG_TYPE, place.span, f"an int is needed here, not {describe(end)}")
    if isinstance(base, Tensor):
        start, stop, _ = slice(start, stop).indices(base.shape[0])
        return channels(frame, node, base, start, stop)
    if isinstance(base, TensorList) and frame.builder is not None:
        base = frame.builder.items(base)
    return counted(frame, node, (base if is_tensors(base) else checked(node.base, need_list, base))[start:stop])


def channels(frame: Frame, node: ast.Slice, base: Tensor, start: int, stop: int) -> Value:
    """The channels of a tensor from `start` up to `stop`."""
    assert frame.builder is not None
    if start >= stop:
        raise Fault(catalog.OUT_OF_RANGE, node.span, f"no channels are left of {base.shape[0]}")
    given = {key: frame.session.bound_number(value, node.span) for key, value in (("start", start), ("stop", stop))}
    use = frame.session.use(vocabulary()["slice"], given, "", node.span)
    return frame.session.in_place(frame.builder, use, base, frame.settings)
