"""The module around a function, for ops that PyTorch has as functions only, where a module is needed."""

from __future__ import annotations

from archdsl.backends.torch.grouping import Group
from archdsl.backends.torch.layout import lines, number, signature
from archdsl.backends.torch.numbers import Frame, Hint
from archdsl.backends.torch.registry import Class, Registry
from archdsl.backends.torch.sketch import expression
from archdsl.backends.torch.text import docstring
from archdsl.backends.torch.writing import type_of

BODY = "        "


def function_class(registry: Registry, group: Group, name: str, doc: str) -> list[str]:
    """The lines of such a class, which the registry knows from then on."""
    frame = Frame(group.scopes, registry.words)

    def fact(word: str) -> str:
        return frame.attribute([registry.facts(scope)[word] for scope in group.scopes], Hint("", word))

    registry.facts(group.first)
    value = expression(group.first, fact)
    registry.classes[group.index] = Class(name, tuple(frame.parameters), ())
    head = [f"class {name}(nn.Module):", *docstring(doc), ""]
    if frame.stored:
        parameters = [f"{each.name}: {each.annotation}" for each in frame.parameters]
        head += signature("__init__", ["self", *parameters])
        head += ["        super().__init__()"]
        head += [line for key, text in frame.stored.items() for line in lines(number(text), BODY, f"self.{key} = ")]
        head += [""]
    forward = signature("forward", ["self", f"x: {type_of(group.first.inputs[0])}"], type_of(group.first.output))
    return [*head, *forward, f"        return {value.text}"]
