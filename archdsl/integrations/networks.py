"""Common part of the adapters: a network in two parts, the features and the classifier."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from archdsl.diagnostics import catalog
from archdsl.driver import compile
from archdsl.driver.network import NetworkLike
from archdsl.driver.pretrained import built
from archdsl.graph import Graph, Section
from archdsl.passes.features import levels

if TYPE_CHECKING:
    from torch import nn

    from archdsl.weights.files import Source


def backbone(
    spec: NetworkLike,
    *,
    params: Mapping[str, Any] | None = None,
    input: Sequence[int] | None = None,
    features: Any = None,
    out_indices: Sequence[int] | None = None,
    weights: Source | None = None,
) -> nn.Module:
    """The module of a spec cut to features, filled with `weights` if they are given; arguments as of `build`."""
    graph = compile(spec, params=dict(params or {}), input=input, features=features, out_indices=out_indices)
    model = built(graph)
    if weights is not None:
        from archdsl.weights.loading import load_weights

        load_weights(model, weights)
    return model


class Parts(NamedTuple):
    """A network without its classifier, the classifier, and the number of channels between the two."""

    body: nn.Module
    head: nn.Module
    channels: int


def head_of(graph: Graph) -> Section:
    """The section of the classifier: the last of the chain; raises ArchError for a network of one section."""
    chain = [section for section in graph.sections if section.kind != "output"]
    step = graph.makers[chain[-1].value]
    if len(chain) < 2 or len(step.inputs) != 1 or step.inputs[0] != chain[-2].value:
        label = f"`{graph.name}` has no classifier as its last section"
        raise catalog.UNSUPPORTED.error(
            chain[-1].span, label, help="move the classifier to a section of its own: `head: ...`"
        )
    return chain[-1]


def parts(graph: Graph) -> Parts:
    """The two parts of a network; both have the weights of one initialization."""
    import torch

    head = head_of(graph)
    before = next(section for section in graph.sections if section.value == graph.makers[head.value].inputs[0])
    whole = built(graph)
    with torch.device("meta"):
        body = built(cut_before(graph, before.name))
    state = whole.state_dict()
    body.load_state_dict({key: state[key] for key in body.state_dict()}, assign=True)
    return Parts(body, whole.get_submodule(graph.makers[head.value].target), before.shape[0])


def cut_before(graph: Graph, section: str) -> Graph:
    """A network up to a section."""
    from archdsl.passes.features import with_features

    return with_features(graph, section)


def level_count(graph: Graph) -> int:
    """Number of feature maps of different sizes."""
    return len(levels(graph))


def is_file(spec: Any) -> bool:
    """True for the path of a spec."""
    return isinstance(spec, Path) or "." in str(spec)
