"""Statements: the lines of a body, in order, up to the one that returns."""

from __future__ import annotations

from archdsl.lang.evaluate.atoms import turns, unpacked
from archdsl.lang.evaluate.frame import Frame
from archdsl.lang.evaluate.table import escape, evaluate, is_true
from archdsl.lang.text import syntax as ast
from archdsl.lang.values.types import is_tensors
from archdsl.lang.values.value import Role, Tensor, Value


def run(frame: Frame, body: tuple[ast.Statement, ...]) -> tuple[bool, Value]:
    """Whether a body returned, and what."""
    for statement in body:
        match statement:
            case ast.Return():
                return True, evaluate(frame, statement.value)
            case ast.Assign():
                assign(frame, statement)
            case ast.If():
                chosen = statement.body if is_true(frame, statement.test) else statement.other
                returned, value = run(frame, chosen)
                if returned:
                    return True, value
            case ast.For():
                returned, value = loop(frame, statement)
                if returned:
                    return True, value
            case _:
                raise TypeError(statement)
    return False, None


def loop(frame: Frame, statement: ast.For) -> tuple[bool, Value]:
    """A `for`: its names stay, as each turn goes on from the one before."""
    was_listed, values = frame.listed, turns(frame, statement.source)
    frame.listed = True
    try:
        for value in values:
            bind_names(frame, statement.variables, value)
            returned, result = run(frame, statement.body)
            if returned:
                return True, result
    finally:
        frame.listed = was_listed
    return False, None


def assign(frame: Frame, statement: ast.Assign) -> None:
    """`a = value`, or `a, b = value` for the items of a list."""
    value = evaluate(frame, statement.value)
    bind_names(frame, statement.targets, value)


def bind_names(frame: Frame, targets: tuple[ast.Name, ...], value: Value) -> None:
    """Binds one name to a value, or several to the items of a list."""
    if len(targets) > 1 and frame.builder is not None and is_tensors(value) and not isinstance(value, Tensor):
        value = frame.builder.items(value)
    names = {target.id: target for target in targets}
    for name, item in unpacked(targets, value):
        set_name(frame, names[name], item)


def set_name(frame: Frame, target: ast.Name, value: Value) -> None:
    """Binds a name in this body."""
    if isinstance(value, Role) and value.role == "parameter":
        value = value.body
    frame.names[target.id] = value
    frame.versions[target.id] = frame.versions.get(target.id, 0) + 1
    if frame.builder is not None:
        frame.builder.name_value(value, target.id)


__all__ = ["escape", "run", "set_name"]
