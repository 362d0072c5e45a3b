"""The module itself: the emitted text, executed, with its tracebacks, its source and its pickles in order.

Every class of the text is given a `__reduce_ex__` that names this file's `restore`, so that a pickle carries the
source and depends neither on the spec nor on the library's version.
"""

from __future__ import annotations

import linecache
import sys
import weakref
from collections import OrderedDict
from collections.abc import Callable
from hashlib import sha256
from types import ModuleType
from typing import TYPE_CHECKING, Any

from archdsl.backends.interpret import held
from archdsl.backends.torch.source import emit
from archdsl.diagnostics import catalog
from archdsl.graph import Graph
from archdsl.graph.ir import MOST_PARTS, too_many

if TYPE_CHECKING:
    from torch import nn

PREFIX = "archdsl.emitted"
# Number of texts that stay importable by name; older ones live as long as their modules do.
REMEMBERED = 64

alive: weakref.WeakValueDictionary[str, ModuleType] = weakref.WeakValueDictionary()
recent: OrderedDict[str, ModuleType] = OrderedDict()


def build(graph: Graph) -> nn.Module:
    """The network as a module: what `emit` writes, executed; raises ArchError for one of too many parts.

    One that was cut to features says what they are: `feature_info` (for each its `name`, `module`, `channels` and
    `reduction`), `out_channels` and `out_strides` (a number, a list or a dict, as the features are), and `cut_weights`,
    the shapes of the weights that the whole network has beside its own.
    """
    check_torch()
    if graph.root.totals.ops > MOST_PARTS:
        raise too_many(graph.name, "ops")
    model = classes(namespace(emit(graph)))[-1]()
    for name, value in feature_facts(graph).items() if graph.features else ():
        setattr(model, name, value)
    return model


def feature_facts(graph: Graph) -> dict[str, Any]:
    """Attributes of a network that was cut to features."""
    features = graph.features
    left = {name for name, _ in held(graph.root)}
    cut = {name: weight.shape for name, weight in held(graph.whole.root) if name not in left} if graph.whole else {}

    def in_form(values: list[int]) -> Any:
        if features[0].name:
            return dict(zip((each.name for each in features), values, strict=True))
        return values[0] if isinstance(graph.root.result, int) else values

    return {
        "feature_info": [
            {
                "name": each.name or each.path,
                "module": each.path,
                "channels": each.shape[0],
                "reduction": each.reduction,
            }
            for each in features
        ],
        "out_channels": in_form([each.shape[0] for each in features]),
        "out_strides": in_form([each.reduction for each in features]),
        "cut_weights": cut,
    }


def check_torch() -> None:
    """Raise where PyTorch is not installed."""
    try:
        import torch
    except ImportError:
        raise catalog.missing("torch", "torch") from None
    del torch


def restore(source: str, name: str) -> nn.Module:
    """An empty instance of a class of an emitted text: what a pickle is made from."""
    kind = namespace(source).__dict__[name]
    return kind.__new__(kind)


def namespace(source: str) -> ModuleType:
    """The executed text: the same one as long as anything of it is alive."""
    module = alive.get(source)
    if module is None:
        module = alive[source] = execute(source)
    recent[source] = module
    recent.move_to_end(source)
    sys.modules[module.__name__] = module
    while len(recent) > REMEMBERED:
        _, oldest = recent.popitem(last=False)
        sys.modules.pop(oldest.__name__, None)
    return module


def execute(source: str) -> ModuleType:
    """Execute a text as a module of its own, which tracebacks and `inspect` can show."""
    name = f"{PREFIX}.net_{sha256(source.encode()).hexdigest()[:16]}"
    file = f"<{name}>"
    module = ModuleType(name)
    module.__file__ = file
    # Whoever holds a class holds its functions, their globals, and so the module, which `alive` knows.
    module.__dict__["__self__"] = module
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    weakref.finalize(module, linecache.cache.pop, file, None)
    exec(compile(source, file, "exec"), module.__dict__)
    for kind in classes(module):
        kind.__reduce_ex__ = reduction(source, name)
    return module


def classes(module: ModuleType) -> list[Any]:
    """The classes of a text in their order; the network is the last."""
    return [kind for kind in vars(module).values() if isinstance(kind, type) and kind.__module__ == module.__name__]


def reduction(source: str, name: str) -> Callable[[Any, Any], Any]:
    """The `__reduce_ex__` for the classes of a text, executed under a name, but not for what derives from them."""

    def reduce(self: Any, protocol: Any) -> Any:
        if self.__class__.__module__ != name:
            return object.__reduce_ex__(self, protocol)
        return restore, (source, self.__class__.__name__), self.__getstate__()

    return reduce
