"""Names, literals, lists, conditions, and the parts of lists and tensors."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from archdsl.diagnostics import catalog, did_you_mean, listed
from archdsl.elaborate import budget as limits
from archdsl.elaborate.blame import ElaborationError, ambiguous, every, nothing_called
from archdsl.elaborate.budget import LONGEST_LIST
from archdsl.elaborate.context import NOWHERE, Environment, placed, renamed
from archdsl.elaborate.numbers import ComputationError, clamped, is_int
from archdsl.elaborate.signature import enumerated
from archdsl.elaborate.values import (
    BLOCKS,
    NO_BLOCK,
    BlockValue,
    Bound,
    Join,
    Links,
    Policy,
    Role,
    Shared,
    Symbol,
    Tensor,
    TensorList,
    Use,
    Value,
    captures,
    describe,
    is_list,
    is_tensors,
    need_list,
    shares,
    truth,
)
from archdsl.graph import Origin
from archdsl.initializer import INITIALIZERS
from archdsl.op import Type
from archdsl.ops import vocabulary
from archdsl.syntax import ast
from archdsl.syntax.naming import is_single
from archdsl.syntax.scopes import FORMS, FUNCTION_NAMES, POLICIES, RESERVED, TURN_WORDS, Clash, UserFunction
from archdsl.syntax.synonyms import suggestion


def evaluate(environment: Environment, node: ast.Expression) -> Value:
    """Evaluate an expression; raise ElaborationError at the innermost place that fails."""
    context = environment.context
    budget = context.budget
    budget.steps += 1  # inlined: this is the hottest function of all
    if budget.steps > limits.MOST_STEPS:
        budget.too_many_steps(node.span)
    try:
        return context.expressions[type(node)](environment, node)
    except ComputationError as error:
        raise ElaborationError(error.rule, node.span, *error.texts) from None


def is_true(environment: Environment, node: ast.Expression) -> bool:
    """Evaluate a condition; raise ElaborationError at its place for anything but a bool."""
    return checked(node, truth, evaluate(environment, node))


def checked(node: ast.Node, work: Callable[[Value], Any], value: Value) -> Any:
    """Compute something of a value; raise ElaborationError at a node where that fails."""
    try:
        return work(value)
    except ComputationError as error:
        raise ElaborationError(error.rule, node.span, *error.texts) from None


def check_words(environment: Environment, node: ast.Expression, kind: Type) -> None:
    """Raise for a bare word that an enumeration does not have, in both arms of a condition."""
    match node:
        case ast.Conditional():
            every((node.then, node.other), lambda arm: check_words(environment, arm, kind))
        case ast.Name(id=word) if word not in environment.names and word not in kind.symbols:
            if kind.name == "symbol" or environment.file.find(word) is None:
                help = did_you_mean(word, kind.symbols)
                raise ElaborationError(catalog.UNKNOWN_NAME, node.span, f"`{word}` is not a choice here", help)
        case _:
            pass


def origin_of(environment: Environment, node: ast.Expression) -> Origin:
    """The origin of an argument's value, by its expression."""
    match node:
        case ast.Number() | ast.Boolean():
            return Origin("literal", node.span.text)
        case ast.Name(id=name):
            return Origin("parameter" if name in environment.parameters else "computed", name)
        case ast.Attribute(base=ast.Name(id="x")):
            return Origin("input", node.span.text)
        case _:
            return Origin("computed", node.span.text)


def bound(environment: Environment, node: ast.Expression, value: Value) -> Bound:
    """A value as an argument: with its place, and without the local name that it went by."""
    if isinstance(value, BlockValue):
        # The name is local to this body; the callee calls the block by its parameter.
        while isinstance(value, Role):
            value = value.body
        if captures(value):
            raise escape(node, value)
        # Checked only where the text has a `share` at all.
        if environment.context.shares and shares(value):
            raise shared_on_its_way(node)
    elif is_list(value):
        environment.context.budget.item(node.span, len(value))
        if captures(value) and not is_tensors(value):
            raise escape(node, value)
    elif type(value) is Symbol and type(node) is ast.Name and node.id not in environment.names:
        return Bound(value, node.span, NOWHERE)
    # Origins depend on the text alone, so they are kept with it.
    known = environment.statics.origins.get(id(node))
    if known is None:
        names = ast.names_in([node])
        known = (origin_of(environment, node), names[0] if len(names) == 1 else "")
        environment.statics.origins[id(node)] = known
    return Bound(value, node.span, *known)


def escape(node: ast.Node, value: Value) -> ElaborationError:
    """The error for a tensor, or a block that holds one, that would leave the body of the tensor."""
    if is_tensors(value):
        label, else_ = "a tensor cannot leave its body like this", ""
    else:
        label = "this block uses a named tensor, so it cannot leave the body of that tensor"
        else_ = ", or apply the block here"
    return ElaborationError(
        catalog.ESCAPES, node.span, label, f"pass the tensor as a parameter of type `tensor`{else_}"
    )


def shared_on_its_way(node: ast.Node) -> ElaborationError:
    """The error for a block with shared weights that would leave the body of its `share`."""
    help = "apply the block here to each tensor, or write `share` in the block that applies it"
    return ElaborationError(catalog.SHARED, node.span, "shared weights stay in the body of their `share`", help)


def need_block(node: ast.Node, value: Value) -> BlockValue:
    """The value if it is a block; raise ElaborationError for anything else."""
    if isinstance(value, BlockValue):
        return value
    help = NO_BLOCK if value is None else BLOCKS if is_list(value) else ""
    raise ElaborationError(
        catalog.NOT_A_BLOCK, node.span, lambda: f"a block is needed here, not {describe(value)}", help
    )


def run(environment: Environment, body: tuple[ast.Statement, ...]) -> tuple[bool, Value]:
    """Run a body: True and the value if it returned."""
    for statement in body:
        match statement:
            case ast.Return():
                return True, evaluate(environment, statement.value)
            case ast.Assign():
                assign(environment, statement)
            case ast.If():
                chosen = statement.body if is_true(environment, statement.test) else statement.other
                returned, value = run(environment, chosen)
                if returned:
                    return True, value
            case ast.For():
                returned, value = loop(environment, statement)
                if returned:
                    return True, value
            case _:
                raise TypeError(statement)
    return False, None


def loop(environment: Environment, statement: ast.For) -> tuple[bool, Value]:
    """Run a `for` loop; its names stay bound, as each iteration continues the one before."""
    inner = environment.replace(listed=True)
    for value in turns(environment, statement.source):
        bind_names(inner, statement.variables, value)
        returned, result = run(inner, statement.body)
        if returned:
            return True, result
    return False, None


def assign(environment: Environment, statement: ast.Assign) -> None:
    """`a = value`, or `a, b = value` for the items of a list."""
    value = evaluate(environment, statement.value)
    bind_names(environment, statement.targets, value)


def bind_names(environment: Environment, targets: tuple[ast.Name, ...], value: Value) -> None:
    """Bind one name to a value, or several to the items of a list."""
    if len(targets) > 1 and environment.builder is not None and is_tensors(value) and not isinstance(value, Tensor):
        value = environment.builder.items(value)
    names = {target.id: target for target in targets}
    for name, item in unpacked(targets, value):
        set_name(environment, names[name], item)


def set_name(environment: Environment, target: ast.Name, value: Value) -> None:
    """Bind a name in this body."""
    if isinstance(value, Role) and value.role == "parameter":
        value = value.body
    environment.names[target.id] = value
    if environment.builder is not None:
        environment.builder.bind(target.id, value)


def chain(environment: Environment, node: ast.Chain) -> Value:
    """Blocks in a row, or a tensor on its way through them."""
    first = evaluate(environment, node.links[0])
    if is_tensors(first):
        refuse_gate(node.links[0])
        return through(environment, first, node.links[1:])
    values = [first, *[evaluate(environment, link) for link in node.links[1:]]]
    links: list[BlockValue] = []
    for link, value in zip(node.links, values, strict=True):
        block = need_link(link, value)
        # A chain inside a chain is one chain, so that brackets change no names.
        links += block.links if type(block) is Links else (block,)
    environment.context.budget.list(node.span, tuple(links))
    return environment.context.links(tuple(links), node.span)


def through(environment: Environment, value: Value, links: tuple[ast.Expression, ...]) -> Value:
    """A tensor, or a list of them, through the links of a chain."""
    assert environment.builder is not None
    for link in links:
        block = need_link(link, evaluate(environment, link))
        value = environment.context.apply(environment.builder, block, value, environment.settings)
    return value


def need_link(node: ast.Expression, value: Value) -> BlockValue:
    """The value of a link if it is a block; raise for anything else, and for a gate without brackets."""
    if type(value) is Join:
        refuse_gate(node)
    if isinstance(value, BlockValue) or not is_tensors(value):
        return need_block(node, value)
    help = "a tensor comes first in a chain, or is joined: `(identity + y)`, `concat(identity, y)`"
    raise ElaborationError(catalog.NOT_A_BLOCK, node.span, f"a block is needed here, not {describe(value)}", help)


def refuse_gate(node: ast.Expression) -> None:
    """Raise for a gate without brackets around it."""
    inner = node.body if isinstance(node, ast.Named) else node
    if isinstance(inner, ast.Binary) and inner.sign == "*" and not inner.grouped:
        help = f"write `({inner.span.text}) -> ...` or `{inner.left.span.text} * ({inner.right.span.text} -> ...)`"
        raise ElaborationError(catalog.MIXED, inner.span, "a gate beside `->` can be read in two ways", help)


def named(environment: Environment, node: ast.Named) -> Value:
    """`link as name`: the link under another name."""
    return renamed(
        environment, need_block(node, evaluate(environment, node.body)), environment.place(node, node.name), node.span
    )


NUMBERED = re.compile(r"[a-z]+[0-9]+")
# Prefixes of layers in other libraries, which are no packages of ops.
FRAMEWORKS = {"nn", "torch", "F", "tf", "keras", "layers", "timm", "torchvision"}
SIDES = {"channels": 0, "height": 1, "width": 2}


def constant(environment: Environment, node: ast.Number | ast.Boolean) -> Value:
    """A number, `true` or `false` is itself."""
    return node.value


def name(environment: Environment, node: ast.Name) -> Value:
    """Look up a name: a local value, a policy, or a name of the file."""
    word = node.id
    # Local names hide words of enumerations; `first` and `last` of a repeat do not.
    names, read = environment.names, environment.read
    if word in names and not (word in environment.words and of_repeat(word, names[word])):
        if word not in read:
            read.add(word)
        value = names[word]
        return named_block(environment, node, word, value) if isinstance(value, BlockValue) else value
    if word in environment.words:
        return Symbol(word)
    if word in POLICIES:
        place = environment.place(node, word)
        return Policy(environment.context.keys["policy", word, (), place], node.span, word, {}, place)
    if word in TURN_WORDS or word == "x":
        raise absent(node)
    # `split` is an op, too, so its bare name is a block.
    if word in FORMS and word != "split":
        return form(environment, node)
    found = environment.file.find(word)
    if found is None or isinstance(found, UserFunction | Clash):
        if not isinstance(found, Clash):
            # A word may be passed on by a function before any parameter knows its enumeration.
            if environment.free or word in environment.file.words or word in enumerated():
                return Symbol(word)
            if found is None and word in INITIALIZERS:
                return INITIALIZERS[word]()
        raise unknown(environment, node)
    return environment.context.use(found, {}, environment.place(node, word), node.span)


def of_repeat(word: str, value: Value) -> bool:
    """Tell if a word is the `index`, `first` or `last` of a repeat, which is never a word of an enumeration."""
    return word in TURN_WORDS and (is_int(value) or isinstance(value, bool))


def named_block(environment: Environment, node: ast.Name, word: str, value: BlockValue) -> BlockValue:
    """A block of this body, under the name that the text gives it."""
    parameter = word in environment.parameters
    place = environment.place(node, word)
    if isinstance(value, Shared):
        return value.replace(span=node.span, name=place._replace(listed=place.listed and value.name.listed))
    builder = environment.builder
    once = environment.once and not parameter
    binding = (builder.token, word, builder.bindings.get(word, 0)) if once and builder is not None else None
    if isinstance(value, Role) and value.role == "local":
        # A name for a name is the same block, which may still be applied once only.
        binding, value = value.binding, value.body
    kind = "parameter" if parameter else "local"
    return Role(environment.context.keys[kind, place, value.key], node.span, place, value, kind, binding)


def form(environment: Environment, node: ast.Name) -> Value:
    """A form by its bare name: `concat` joins a list that reaches it; the others need their arguments."""
    if node.id == "concat":
        return environment.context.use(vocabulary()["concat"], {}, environment.place(node, "concat"), node.span)
    raise ElaborationError(catalog.MISSING_ARGUMENT, node.span, f"`{node.id}` needs arguments: `{node.id}(...)`")


def absent(node: ast.Name) -> ElaborationError:
    """The error for a word that has a meaning elsewhere only."""
    if node.id == "x":
        label = "`x` is the input of a block; it exists only inside a block's body"
        help = "in a backbone, `identity` is the input of the section; name other tensors by their section: `c4 -> ...`"
        return ElaborationError(catalog.NO_INPUT, node.span, label, help)
    return ElaborationError(
        catalog.UNKNOWN_NAME, node.span, f"`{node.id}` is known only to the right of `n *` and in `collect`"
    )


DECLARE = "declare it, or import the file that does"


def unknown(environment: Environment, node: ast.Name) -> ElaborationError:
    """The error for an undefined name, or a function without brackets."""
    found = environment.file.find(node.id)
    if isinstance(found, Clash):
        return ambiguous(found, node.span)
    if node.id in FUNCTION_NAMES or isinstance(found, UserFunction):
        return ElaborationError(catalog.UNKNOWN_NAME, node.span, f"`{node.id}` is a function: `{node.id}(...)`")
    if node.id in environment.outputs:
        label = f"`{node.id}` is an output; sections cannot read outputs, which come after all of them"
        help = f"have `{node.id}` a section, or repeat its expression here"
        return ElaborationError(catalog.UNKNOWN_NAME, node.span, label, help)
    if node.id in environment.later:
        return ElaborationError(
            catalog.UNKNOWN_NAME, node.span, f"`{node.id}` comes later; a line can only read what stands above it"
        )
    error = ElaborationError(
        catalog.UNKNOWN_NAME, node.span, nothing_called(node.id), lambda: nearest_name(environment, node.id)
    )
    error.unknown = node.id
    return error


def nearest_name(environment: Environment, word: str) -> str:
    """Help for an undefined name."""
    valid = [*environment.words, *environment.around, *environment.file.names(), "true", "false", "none"]
    return suggestion(word, valid) or sections(environment, word) or DECLARE


def sections(environment: Environment, word: str) -> str:
    """Help for an undefined name that looks like a section's: the sections."""
    known = [name for name, value in environment.around.items() if is_tensors(value)]
    if not known or "x" in known or not NUMBERED.fullmatch(word):
        return ""
    return f"the sections that can be named here are {listed(known)}"


def items(environment: Environment, node: ast.Items) -> Value:
    """A list; `...` puts in the items of another, or the tensors of a list of tensors."""
    found: list[Value] = []
    for item in node.items:
        if isinstance(item, ast.Unpack):
            value = evaluate(environment, item.value)
            several = [value] if isinstance(value, TensorList) else checked(item, need_list, value)
            found += [placed(environment, item, each) for each in several]
        else:
            found.append(evaluate(environment, item))
        if len(found) > LONGEST_LIST:
            break
    return counted(environment, node, tuple(found))


def counted(environment: Environment, node: ast.Expression, values: tuple[Value, ...]) -> tuple[Value, ...]:
    """A new list, within the limits."""
    environment.context.budget.list(node.span, values)
    return values


def spread(environment: Environment, node: ast.Unpack) -> Value:
    """Raise for a `...` outside of lists and calls."""
    raise ElaborationError(
        catalog.WRONG_TYPE, node.span, "`...` belongs among the items of a list or the arguments of a call"
    )


def comprehension(environment: Environment, node: ast.Comprehension) -> Value:
    """`[item for variable in source if test]`."""
    found: list[Value] = []
    # One environment for all items: copying the names for each would be quadratic.
    inner = environment.inner(node, {}, listed=True)
    for value in turns(environment, node.source):
        inner.names.update(unpacked(node.variables, value))
        if node.test is None or is_true(inner, node.test):
            found.append(evaluate(inner, node.item))
    return counted(environment, node, tuple(found))


def unpacked(targets: tuple[ast.Name, ...], value: Value) -> list[tuple[str, Value]]:
    """Names with their values: one for the whole, or several for the items of a list."""
    for target in targets:
        check_free(target)
    if len(targets) == 1:
        return [(targets[0].id, value)]
    if not is_list(value) or len(value) != len(targets):
        label = f"{amount_of(value)} for {len(targets)} names"
        help = "a list of tensors is what `split`, `fork` and `collect` give" if isinstance(value, Tensor) else ""
        raise ElaborationError(catalog.WRONG_TYPE, targets[0].span.to(targets[-1].span), label, help)
    return [(target.id, item) for target, item in zip(targets, value, strict=True)]


def amount_of(value: Value) -> str:
    """The number of values, for the message where names are too many or too few."""
    if not is_list(value):
        return f"one value, {describe(value)},"
    noun = "tensor" if is_tensors(value) else "value"
    return f"{len(value)} {noun}{'s' * (len(value) != 1)}"


def check_free(target: ast.Name) -> None:
    """Raise for a reserved word where a new name is needed."""
    if target.id in RESERVED:
        raise ElaborationError(
            catalog.DUPLICATE, target.span, f"`{target.id}` is a reserved word", "choose another name"
        )


def turns(environment: Environment, source: ast.Expression) -> tuple[Value, ...]:
    """The values that a loop iterates over, counted before the first iteration."""
    value = evaluate(environment, source)
    if isinstance(value, TensorList) and environment.builder is not None:
        value = environment.builder.items(value)
    values = value if is_tensors(value) and not isinstance(value, Tensor) else checked(source, need_list, value)
    environment.context.budget.turn(source.span, len(values))
    return values


def conditional(environment: Environment, node: ast.Conditional) -> Value:
    """Only the arm that the test chooses is worked out.

    Names of modules do not depend on the choice: one block, beside an arm that is a chain, is a chain of one link.
    """
    value = evaluate(environment, node.then if is_true(environment.expecting(()), node.test) else node.other)
    if isinstance(value, Use | Policy | Role) and not is_single(node) and not environment.context.is_identity(value):
        return environment.context.links((value,), node.span)
    return value


def attribute(environment: Environment, node: ast.Attribute) -> Value:
    """`x.channels`, `x.height`, `x.width`; or the op of an installed package, `acme.swish`."""
    if isinstance(node.base, ast.Name) and node.base.id not in environment.names:
        dotted = f"{node.base.id}.{node.name}"
        found = environment.file.find(dotted)
        if isinstance(found, type):
            return environment.context.use(found, {}, environment.place(node, node.name), node.span)
        if node.base.id not in ("x", *TURN_WORDS):
            package = f"an op `{dotted}` comes with a package that provides ops as `{node.base.id}`"
            help = suggestion(node.name, environment.file.names()) if node.base.id in FRAMEWORKS else package
            raise ElaborationError(catalog.UNKNOWN_NAME, node.span, lambda: nothing_called(dotted), help)
    value = evaluate(environment, node.base)
    if not isinstance(value, Tensor):
        hint = "take one of its tensors: `x[0]`" if is_tensors(value) else ""
        raise ElaborationError(
            catalog.NOT_A_TENSOR, node.span, lambda: f"{describe(value)} has no shape of its own", hint
        )
    side = SIDES.get(node.name)
    if side is None:
        raise ElaborationError(
            catalog.UNKNOWN_NAME, node.span, f"a tensor has no `{node.name}`", lambda: did_you_mean(node.name, SIDES)
        )
    if side >= len(value.shape):
        raise ElaborationError(catalog.NOT_A_MAP, node.span, lambda: f"{describe(value)} has no {node.name}")
    return value.shape[side]


def index(environment: Environment, node: ast.Index) -> Value:
    """An item of a list, counted from 0, or from the end where negative."""
    base, at = evaluate(environment, node.base), evaluate(environment, node.index)
    if not is_int(at):
        raise ElaborationError(
            catalog.WRONG_TYPE, node.index.span, lambda: f"an int is needed here, not {describe(at)}"
        )
    if isinstance(base, TensorList) and environment.builder is not None:
        return environment.builder.pick(base, checked_index(node, at, len(base.shapes)))
    if not is_list(base):
        help = f"some of its channels are `{node.base.span.text}[:8]`" if isinstance(base, Tensor) else ""
        raise ElaborationError(catalog.WRONG_TYPE, node.base.span, lambda: f"{describe(base)} is not a list", help)
    items = environment.builder.items(base) if environment.builder is not None and is_tensors(base) else base
    return placed(environment, node, items[checked_index(node, at, len(items))])


def checked_index(node: ast.Index, at: int, size: int) -> int:
    """An index counted from 0, if the list has such an item."""
    if not -size <= at < size:
        help = f"items are counted from 0: the last is `{node.base.span.text}[{size - 1}]`" if size else ""
        label = f"the list has {size} item{'s' * (size != 1)}; there is no item {at}"
        error = ElaborationError(catalog.OUT_OF_RANGE, node.index.span, label, help)
        error.blamed = node.base.id if isinstance(node.base, ast.Name) else ""
        raise error
    return at % size


def part(environment: Environment, node: ast.ListSlice) -> Value:
    """Some items of a list, or some channels of a tensor."""
    base = evaluate(environment, node.base)
    start, stop = (None if end is None else evaluate(environment, end) for end in (node.start, node.stop))
    for place, end in ((node.start, start), (node.stop, stop)):
        if place is not None and not is_int(end):
            raise ElaborationError(catalog.WRONG_TYPE, place.span, f"an int is needed here, not {describe(end)}")
    if isinstance(base, Tensor):
        size = base.shape[0]
        return channels(environment, node, base, clamped(start, size, 0), clamped(stop, size, size))
    if isinstance(base, TensorList) and environment.builder is not None:
        base = environment.builder.items(base)
    return counted(environment, node, (base if is_tensors(base) else checked(node.base, need_list, base))[start:stop])


def channels(environment: Environment, node: ast.ListSlice, base: Tensor, start: int, stop: int) -> Value:
    """The channels of a tensor from `start` up to `stop`."""
    assert environment.builder is not None
    if start >= stop:
        raise ElaborationError(catalog.OUT_OF_RANGE, node.span, f"no channels are left of {base.shape[0]}")
    given = {key: Bound(value, node.span, NOWHERE) for key, value in (("start", start), ("stop", stop))}
    return environment.context.in_place(environment.builder, "slice", base, environment.settings, node.span, given)


EXPRESSIONS: dict[type[ast.Expression], Callable[[Environment, Any], Value]] = {
    ast.Chain: chain,
    ast.Named: named,
    ast.Number: constant,
    ast.Boolean: constant,
    ast.Nothing: lambda environment, node: None,
    ast.Name: name,
    ast.Items: items,
    ast.Unpack: spread,
    ast.Comprehension: comprehension,
    ast.Conditional: conditional,
    ast.Attribute: attribute,
    ast.Index: index,
    ast.ListSlice: part,
}
