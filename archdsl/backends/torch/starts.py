"""What an op's weights start from, as statements of PyTorch's."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from archdsl.backends.torch.text import literal
from archdsl.graph import Scope
from archdsl.graph.forward.rules import content, spelling
from archdsl.initializer import Constant, Initializer
from archdsl.op import Op

FIELDS = {"init": "weight", "bias_init": "bias", "gamma": "weight", "beta": "bias"}
"""Which tensor a field of an op is about, where the op's constructor does not take it."""
KAIMING = {"mode": "fan_in", "nonlinearity": "leaky_relu", "a": 0.0}
DEFAULTS = {"kaiming_normal": KAIMING, "kaiming_uniform": KAIMING}
"""PyTorch's defaults, where they are not ours."""
CONSTANTS = {0.0: "nn.init.zeros_", 1.0: "nn.init.ones_"}


class Start(NamedTuple):
    """How a tensor starts: the function and its settings, or nothing where PyTorch's constructor decides.

    `usual` says that it is what PyTorch does anyway.
    """

    function: str = ""
    settings: str = ""
    usual: bool = True

    def statement(self, tensor: str) -> str:
        """The call on a tensor."""
        return f"{self.function}({tensor}{self.settings})"


def starts(scope: Scope) -> dict[str, Start]:
    """How each tensor of an op starts that a spec can say anything about."""
    op, shapes = content(scope)
    held = {weight.name for weight in op.weights(shapes)}
    return {tensor: start(op, field) for field, tensor in settable(op, scope).items() if tensor in held}


def settable(op: Op, scope: Scope) -> dict[str, str]:
    """The fields of an op that say how a tensor starts."""
    spelt = spelling(scope)
    taken = {*spelt.positional, *spelt.keywords}
    return {field: tensor for field, tensor in FIELDS.items() if field in op.fields and field not in taken}


def start(op: Op, field: str) -> Start:
    """What a field says."""
    value: Any = getattr(op, field)
    if isinstance(value, Initializer):
        return written(value)
    if value is None:
        return Start()
    return constant(float(value), usual=value == op.defaults[field])


def written(initializer: Initializer) -> Start:
    """An initializer, with the settings that are not PyTorch's defaults."""
    if isinstance(initializer, Constant):
        return constant(initializer.val)
    usual = DEFAULTS.get(initializer.name, initializer.defaults)
    given = {name: getattr(initializer, name) for name in initializer.fields}
    unusual = (f", {name}={literal(value)}" for name, value in given.items() if value != usual[name])
    return Start(initializer.torch, "".join(unusual), usual=False)


def constant(value: float, usual: bool = False) -> Start:
    """One number everywhere."""
    function = CONSTANTS.get(value)
    return Start(function, "", usual) if function else Start("nn.init.constant_", f", {literal(value)}", usual)


def module_type(scope: Scope) -> str:
    """The class of PyTorch's that an op is: for one of our helpers, what it derives from."""
    spelt = spelling(scope)
    derived = re.search(rf"class {re.escape(spelt.module)}\((nn\.\w+)\)", spelt.helper) if spelt.helper else None
    return derived[1] if derived and derived[1] != "nn.Module" else spelt.module
