"""A block as one module: the scope that it is on an input of some shape.

Equal blocks on equal shapes under equal settings are worked out once.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Any

from archdsl.errors import Note, catalog
from archdsl.graph import Argument, Scope
from archdsl.lang.elaborate.leaves import op_scope, policy_block
from archdsl.lang.elaborate.parameters import arguments_of, bind, tensor_inputs
from archdsl.lang.evaluate.bodies import run
from archdsl.lang.evaluate.building import Builder, check_length, reference, shapes_of
from archdsl.lang.evaluate.frame import Frame
from archdsl.lang.evaluate.session import Body, Built, Session
from archdsl.lang.evaluate.settings import Settings, Slot
from archdsl.lang.text.files import Definition
from archdsl.lang.values.faults import Fault
from archdsl.lang.values.types import is_tensors
from archdsl.lang.values.value import (
    TENSORS,
    BlockValue,
    Policy,
    Role,
    Shared,
    Symbol,
    Use,
    Value,
    With,
    captures,
    describe,
    kind_of,
    shares,
)
from archdsl.op import Shapes

WITHOUT_PLACE = frozenset({int, bool, Fraction, Symbol, type(None)})
"""The types of values that are the same wherever they were written."""


def beyond(session: Session, inner: Settings, used: Iterable[Slot]) -> frozenset[Slot]:
    """What was asked for and not set by these settings; those that were take effect."""
    session.trace.effective |= {(slot, inner.entries[slot].key) for slot in used if slot in inner.entries}
    return frozenset(slot for slot in used if slot not in inner.entries)


def module_of(session: Session, block: BlockValue, shape: Shapes, settings: Settings) -> Built:
    """The one scope that a block is, on an input of this shape: an op, a defined block, or a chain."""
    match block:
        case Use():
            return instantiate(session, block, (shape, *map(shapes_of, tensor_inputs(block))), settings)
        case Policy():
            chosen, used = policy_block(session, block, settings)
            built = module_of(session, chosen, shape, settings)
            return built._replace(used=built.used | used)
        case With():
            built = module_of(session, block.body, shape, session.extended(settings, block.settings))
            return built._replace(used=beyond(session, block.settings, built.used))
        case Role():
            check_single(session, block)
            return module_of(session, block.body, shape, settings)
        case Shared():
            raise shared_elsewhere(block)
        case _:
            return chain_scope(session, block, shape, settings)


def child_of(session: Session, name: str, block: BlockValue, shape: Shapes, settings: Settings) -> Built:
    """As `module_of`, for a module of this name; a fault takes the name along."""
    try:
        return module_of(session, block, shape, settings)
    except Fault as fault:
        fault.leaves(name, kind_of(block))
        raise


def check_single(session: Session, role: Role) -> None:
    """Raises where a local name of a block is applied at a second place."""
    binding: Any = role.binding
    if binding is None:
        return
    session.trace.bodies.add(binding[0])
    before = session.applied.setdefault(binding, role.span)
    if before != role.span:
        raise Fault(
            catalog.APPLIED_TWICE,
            role.span,
            f"`{binding[1]}` is already applied elsewhere",
            f"for one result used twice, name the tensor: `y = x -> ...`; "
            f"for two sets of weights, write it twice; for one set, `{binding[1]} = share(...)`",
            (Note(before, "applied here first"),),
        )


def shared_elsewhere(shared: Shared) -> Fault:
    """Shared weights outside of the body in which they are shared."""
    return Fault(
        catalog.SHARED,
        shared.span,
        "a shared block is applied in the body of its `share`, as a link of its own",
        "apply it there to each tensor, and pass the results on",
    )


def chain_scope(session: Session, block: BlockValue, shape: Shapes, settings: Settings) -> Built:
    """Several blocks as one module."""
    key = ("chain", block.key, shape, settings.key)
    found = session.scopes.get(key)
    spared = found is not None
    if found is None:
        found = session.scopes[key] = session.building(lambda: new_chain(session, block, shape, settings))
    session.note(found.marks, spared=spared)
    return found


def new_chain(session: Session, block: BlockValue, shape: Shapes, settings: Settings) -> Built:
    """A chain worked out."""
    builder = Builder((shape,))
    with session.level(block.span):
        result = session.apply(builder, block, builder.input(0), settings)
    return Built(close(builder, result, block, kind="chain", name="chain"), frozenset(builder.used))


def instantiate(session: Session, use: Use, shapes: tuple[Shapes, ...], settings: Settings) -> Built:
    """An op, or a defined block, on inputs of these shapes."""
    key = ("use", use.content, shapes, settings.key)
    found = session.scopes.get(key)
    spared = found is not None
    if found is None:
        try:
            if isinstance(use.target, Definition):
                found = known_scope(session, use, use.target, shapes, settings)
            else:
                found = op_scope(session, use, shapes[0], settings)
        except Fault as fault:
            fault.starts_path()
            leave(fault, use, settings)
            raise
        except RecursionError:
            help = "does a block use itself without an end?"
            raise Fault(catalog.TOO_DEEP, use.span, "blocks and expressions are nested too deeply here", help) from None
        session.scopes[key] = found
    session.note(found.marks, spared=spared)
    return found


def leave(fault: Fault, use: Use, settings: Settings) -> None:
    """A fault leaves a block or an op: it goes to the argument or to the setting that the failing value came from."""
    said = {name: entry.bound for name, entry in settings.of(use.target).items()}
    fault.said += [bound for name, bound in said.items() if name not in use.given]
    if isinstance(use.target, Definition):
        fault.passes(use.given, said, use.span)
    elif fault.param in said and fault.param not in use.given:
        fault.blame_setting(said[fault.param])


def known_scope(
    session: Session, use: Use, definition: Definition, shapes: tuple[Shapes, ...], settings: Settings
) -> Built:
    """A defined block as an earlier elaboration has it, or worked out."""
    known = session.known
    if known is not None and (found := known.find(session, use, shapes, settings)):
        return found
    found = session.building(lambda: block_scope(session, use, definition, shapes, settings))
    if known is not None:
        known.add(use, shapes, settings, found)
    return found


def block_scope(
    session: Session, use: Use, definition: Definition, shapes: tuple[Shapes, ...], settings: Settings
) -> Built:
    """A defined block: its body, worked out for this input. A body that is one block *is* that block."""
    builder = Builder(shapes)
    session.trace.asked.add(definition)
    with session.level(use.span, definition.name):
        body = body_of(session, use, definition, builder, settings)
        builder.used |= body.used
        result = body.result
        if isinstance(result, BlockValue):
            one = is_one(result) and (definition.returns_single or session.is_identity(result))
            if one and not builder.steps and len(shapes) == 1 and not captures(result):
                built = module_of(session, result, shapes[0], settings)
                return built._replace(used=built.used | builder.used)
            result = session.apply(builder, result, builder.input(0), settings)
        elif not is_tensors(result):
            raise Fault(catalog.NOT_A_TENSOR, definition.node.span, f"`{definition.name}` returns {describe(result)}")
    facts = {"kind": "block", "name": definition.name, "doc": definition.doc, "arguments": body.arguments}
    return Built(close(builder, result, use, **facts), frozenset(builder.used))


def body_of(session: Session, use: Use, definition: Definition, builder: Builder, settings: Settings) -> Body:
    """What a block's body comes to. Where it asks nothing of its input, it is worked out once for all inputs.

    What has a place in the text (blocks, settings) is known by identity: a fault in it is told at its own place.
    """
    placed = [id(bound.value) for bound in use.given.values() if type(bound.value) not in WITHOUT_PLACE]
    key = (use.content, id(settings), *placed)
    if (found := session.bodies.get(key)) is not None:
        session.note(found.marks, spared=True)
        session.trace.parts.add(found.token)
        return found
    names: dict[str, Value] = {"x": builder.input(0)}
    frame = Frame(session, definition.file, definition.statics, names, settings, builder, definition.parameter_names)

    def work() -> tuple[tuple[Argument, ...], bool, Value]:
        bind(frame, use, definition)
        return arguments_of(frame, definition), *run(frame, definition.body)

    (arguments, returned, result), marks = session.noting(work)
    session.note(marks)
    if not returned:
        label = f"`{definition.name}` returns nothing"
        raise Fault(catalog.NO_RESULT, definition.node.span, label, "end it with `return`")
    body = Body(arguments, result, frozenset(builder.used), marks, (use, settings), builder.token)
    asks = "x" in frame.read or len(builder.inputs) > 1
    if isinstance(result, BlockValue) and not asks and not (session.shares and shares(result)):
        session.bodies[key] = body
    return body


def is_one(block: BlockValue) -> bool:
    """Whether a body's text comes to one block, which then needs no level of its own."""
    match block:
        case Use() | Policy():
            return True
        case With():
            return is_one(block.body)
        case Role():
            return block.role == "parameter" and is_one(block.body)
        case _:
            return False


def close(builder: Builder, result: Value, block: BlockValue, **facts: Any) -> Scope:
    """The finished scope."""
    if not isinstance(result, TENSORS) and not result:
        raise Fault(catalog.NOT_A_TENSOR, block.span, "this is an empty list")
    output = shapes_of(result)
    check_length(output, block.span)
    reached = reference(result)
    builder.check_use(reached)
    return builder.finish(block.span, result=reached, output=output, **facts)
