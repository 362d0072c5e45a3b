"""The whole text: what is imported, the helpers, the classes, the network."""

from __future__ import annotations

import re

from archdsl.backends.torch.class_clustering import ClassGroup, Grouping
from archdsl.backends.torch.class_table import Registry, called, class_names, homes_of
from archdsl.backends.torch.classes import Writer
from archdsl.backends.torch.docstrings import docs
from archdsl.backends.torch.forward import function_class
from archdsl.backends.torch.pysource import docstring
from archdsl.backends.torch.supported import check_supported
from archdsl.graph import Graph, Scope

CHAIN = '''
def chain(**modules: nn.Module) -> nn.Sequential:
    """Return a sequence of named modules."""
    return nn.Sequential(OrderedDict(modules))
'''
NUMBERED = '''
def numbered(*modules: nn.Module) -> dict[str, nn.Module]:
    """Return modules under their indices, as `nn.Sequential` names them."""
    return {str(index): module for index, module in enumerate(modules)}
'''
IMPORTS = (
    {"import math": r"(?<![\w.])math\.", "from collections import OrderedDict": r"\bOrderedDict\b"},
    {"import torch": r"(?<![\w.])torch\.", "from torch import Tensor, nn": r"\bTensor\b"},
)
"""Each import, with what shows that it is needed. (Every class has `nn`, and every `forward` takes a Tensor.)"""


def emit(graph: Graph) -> str:
    """A network as PyTorch source: one file that needs torch alone."""
    check_supported(graph)
    grouping = Grouping(graph)
    homes = homes_of(graph)
    names, told = class_names(graph, grouping, homes), docs(graph, grouping, homes)
    registry = Registry(graph, grouping, names.values())
    texts: dict[int, list[str]] = {}
    for group in sorted(grouping.groups, key=lambda group: group.first.op is None):
        name, doc = names[group.index], told[group.index]
        if group.first.op is not None:
            texts[group.index] = function_class(registry, group, name, doc)
        else:
            texts[group.index] = Writer(registry, group, name).text(graph, doc)
    helpers = [text.strip("\n").split("\n") for text in (*helpers_of(registry), *registry.helpers)]
    classes = [texts[group.index] for group in in_order(grouping, homes)]
    body = "\n\n\n".join("\n".join(part) for part in (*helpers, *classes))
    head = "\n".join(docstring(title(graph), indent=""))
    return f"{head}\n\n{imports(body)}\n\n\n{body}\n"


def in_order(grouping: Grouping, homes: dict[Scope, str]) -> list[ClassGroup]:
    """The groups as they are written: functions first, those of one definition together, the network last."""
    *rest, root = grouping.groups
    first: dict[str, int] = {}
    for group in rest:
        first.setdefault(called(group.first, homes), group.index)
    return [*sorted(rest, key=lambda group: (group.first.op is None, first[called(group.first, homes)])), root]


def helpers_of(registry: Registry) -> list[str]:
    """The functions that put sequences together."""
    return [text for name, text in (("chain", CHAIN), ("numbered", NUMBERED)) if name in registry.needed]


def imports(body: str) -> str:
    """The imports that a text needs."""
    blocks = ([line for line, used in block.items() if re.search(used, body)] for block in IMPORTS)
    return "\n\n".join("\n".join(block) for block in blocks if block)


def title(graph: Graph) -> str:
    """The docstring of the text: the network's name, size and cost, and its author's first paragraph."""
    totals, size = graph.root.totals, "x".join(map(str, graph.input))
    head = f"{graph.name}: {totals.params:,} parameters, {totals.macs:,} multiply-adds at {size}."
    said = graph.doc.strip().partition("\n\n")[0]
    return f"{head}\n\n{said}" if said else head
