"""timm: every spec is a model of `timm.create_model`, under its name with `archdsl_` before it.

So it is an encoder `tu-archdsl_...` of segmentation-models-pytorch, and a backbone of mmdetection's `TIMMBackbone`.

    import timm
    import archdsl.integrations.timm

    timm.create_model("archdsl_resnext50", num_classes=10, in_chans=1)
    timm.create_model("archdsl_resnext50", features_only=True, out_indices=(1, 2, 3, 4))
    archdsl.integrations.timm.register("my_net.yaml")  # -> "archdsl_my_net"
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, cast

from archdsl.diagnostics import catalog
from archdsl.driver import SHIPPED, compile, load
from archdsl.driver.network import NetworkLike
from archdsl.driver.pretrained import built
from archdsl.graph import Graph
from archdsl.integrations.networks import head_of, parts
from archdsl.passes.features import at_levels, levels, split, stride_of, with_features

try:
    import torch
    from timm.layers.adaptive_avgmax_pool import SelectAdaptivePool2d
    from timm.models import FeatureInfo, register_model
    from torch import Tensor, nn
    from torch.utils.checkpoint import checkpoint  # pyright: ignore[reportUnknownVariableType]
except ImportError:
    raise catalog.MISSING_PACKAGE.error(
        None, "timm is not installed", help="pip install 'archdsl[torch]' timm"
    ) from None

PREFIX = "archdsl_"
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Means and deviations of ImageNet, which all references of the specs were trained with; yours may differ."""
POOL = "global_avgpool"
IGNORED = ("pretrained_cfg", "pretrained_cfg_overlay", "cache_dir", "scriptable", "exportable")


class TimmNetwork(nn.Module):
    """A network with timm's interface: `body` gives the features, `head` the classes.

    Other keywords than timm's are parameters of the spec.
    """

    def __init__(
        self,
        spec: NetworkLike,
        *,
        num_classes: int | None = None,
        in_chans: int = 3,
        drop_rate: float = 0.0,
        global_pool: str | None = None,
        img_size: int | Sequence[int] | None = None,
        **params: Any,
    ) -> None:
        super().__init__()
        network = load(spec)
        declared = compile(network, params=params)
        sides = (img_size, img_size) if isinstance(img_size, int) else tuple(img_size or declared.input[1:])
        chosen = params if num_classes is None else params | {"classes": num_classes}
        graph = compile(network, params=chosen, input=(in_chans, *sides))
        made = parts(graph)
        self.body = made.body
        self.num_features = self.head_hidden_size = made.channels
        self.grad_checkpointing = False
        self.drop_rate = drop_rate
        self.request = (network, params, tuple(graph.input))
        self.feature_info = feature_info(graph)
        self.set_head(made.head, graph, global_pool)
        self.default_cfg = self.pretrained_cfg = default_cfg(graph, self)

    def set_head(self, head: nn.Module, graph: Graph, global_pool: str | None) -> None:
        """Take a classifier over, link by link, with another pool or dropout where they are asked for."""
        links = dict(head.named_children())
        self.classifier = classifier_of(graph, links)
        self.num_classes = graph.root.output[0] if self.classifier else 0
        if global_pool is not None and global_pool != "avg":
            if POOL not in links:
                help = f"`head: {POOL} -> ...` is a pool that can be replaced"
                raise catalog.UNSUPPORTED.error(None, f"the head of `{graph.name}` has no `{POOL}`", help=help)
            links = replaced_pool(links, global_pool)
        if self.drop_rate:
            links = with_dropout(links, self.classifier, self.drop_rate)
        self.global_pool = global_pool or "avg"
        self.head = nn.ModuleDict(links)

    def reset_classifier(self, num_classes: int, global_pool: str | None = None) -> None:
        """Replace the classifier by a fresh one; 0 classes leave none."""
        network, params, size = self.request
        graph = compile(network, params=params | {"classes": num_classes}, input=size)
        example = next(self.parameters())
        fresh = built(graph).get_submodule(graph.makers[head_of(graph).value].target).to(example.device, example.dtype)
        kept = {name: module for name, module in self.head.items() if name != self.classifier}
        for name, module in fresh.named_children():
            if name in kept and next(module.parameters(), None) is not None:
                module.load_state_dict(kept[name].state_dict())
        self.set_head(fresh, graph, self.global_pool if global_pool is None else global_pool)
        self.train(self.training)

    def get_classifier(self) -> nn.Module:
        """The layer that gives the classes."""
        return self.head[self.classifier] if self.classifier else nn.Identity()

    def forward_features(self, x: Tensor) -> Tensor:
        """The last feature map, N x C x H x W."""
        return self.body(x)

    def forward_head(self, x: Tensor, pre_logits: bool = False) -> Tensor:
        """The classes of a feature map; with `pre_logits`, what the classifier would be given."""
        for name, module in self.head.items():
            if not (pre_logits and name == self.classifier):
                x = module(x)
        return x

    def forward(self, x: Tensor) -> Tensor:
        return self.forward_head(self.forward_features(x))

    @torch.jit.ignore  # pyright: ignore
    def set_grad_checkpointing(self, enable: bool = True) -> None:
        """Run the stages again in the backward pass, in place of keeping what is inside them."""
        for module in self.body.children():
            if enable:
                module.forward = partial(checkpoint, type(module).forward.__get__(module), use_reentrant=False)
            else:
                vars(module).pop("forward", None)
        self.grad_checkpointing = enable

    @torch.jit.ignore  # pyright: ignore
    def group_matcher(self, coarse: bool = False) -> dict[str, Any]:
        """Patterns of names that belong to one depth, for layer-wise learning rates."""
        names = [name for name, _ in self.body.named_children()]
        return {
            "stem": rf"^body\.{names[0]}",
            "blocks": rf"^body\.({'|'.join(names[1:])})" if coarse else r"^body\.(\w+)\.(\w+)",
        }


def classifier_of(graph: Graph, links: dict[str, nn.Module]) -> str:
    """Name of the last link of a head that has as many outputs as the network; none where it drops the classes."""
    network = graph.request.network
    declared = any(parameter.name == "classes" for parameter in network.parameters)
    dropped = declared and str(graph.request.params.get("classes", "")) == "0"
    layers = [name for name, module in links.items() if isinstance(module, nn.Linear | nn.Conv2d)]
    return "" if dropped or not layers else layers[-1]


def replaced_pool(links: dict[str, nn.Module], kind: str) -> dict[str, nn.Module]:
    """Links of a head with another global pool; an empty one leaves maps as they are."""
    found = dict(links)
    found[POOL] = SelectAdaptivePool2d(pool_type=kind, flatten=False) if kind else nn.Identity()
    if not kind:
        found = {name: each for name, each in found.items() if not isinstance(each, nn.Flatten)}
    return found


def with_dropout(links: dict[str, nn.Module], classifier: str, rate: float) -> dict[str, nn.Module]:
    """Links of a head with a dropout rate: of its own dropouts, or of one more before the classifier."""
    own = [each for link in links.values() for each in link.modules() if isinstance(each, nn.Dropout)]
    for each in own:
        each.p = rate
    if own or not classifier:
        return links
    found: dict[str, nn.Module] = {}
    for name, module in links.items():
        found |= {"drop": nn.Dropout(rate), name: module} if name == classifier else {name: module}
    return found


# ---- facts ---------------------------------------------------------------------------------------------------------


def feature_info(graph: Graph) -> list[dict[str, Any]]:
    """The account by timm of the feature maps of each size."""
    return [
        {
            "num_chs": each.shape[0],
            "reduction": stride_of(graph.input, each.shape),
            "module": ".".join(split(graph, each.name)),
        }
        for each in levels(graph)
    ]


def default_cfg(graph: Graph, model: TimmNetwork) -> dict[str, Any]:
    """The description by timm of a model. There are no pretrained weights: `archdsl.load_weights` takes many."""
    modules = cast("Iterable[tuple[str, nn.Module]]", model.named_modules())
    first = next((name for name, each in modules if isinstance(each, nn.Conv2d)), "")
    last = next(section for section in reversed(graph.sections) if len(section.shape) == 3)
    return {
        "architecture": f"{PREFIX}{graph.name}",
        "url": "",
        "num_classes": model.num_classes,
        "input_size": graph.input,
        "pool_size": last.shape[1:],
        "crop_pct": 0.875,
        "interpolation": "bilinear",
        "mean": MEAN,
        "std": STD,
        "first_conv": first,
        "classifier": f"head.{model.classifier}" if model.classifier else "",
    }


# ---- features ------------------------------------------------------------------------------------------------------


def feature_model(
    spec: NetworkLike,
    *,
    out_indices: Sequence[int] | None = None,
    in_chans: int = 3,
    img_size: int | Sequence[int] | None = None,
    **params: Any,
) -> nn.Module:
    """A network cut to feature maps, with timm's `feature_info`."""
    network = load(spec)
    declared = compile(network, params=params)
    sides = (img_size, img_size) if isinstance(img_size, int) else tuple(img_size or declared.input[1:])
    graph = compile(network, params=params, input=(in_chans, *sides))
    info = feature_info(graph)
    chosen = tuple(range(len(info))) if out_indices is None else tuple(out_indices)
    paths = at_levels(graph, chosen)
    model: Any = built(with_features(graph, paths))
    model.feature_info = FeatureInfo(info, tuple(index % len(info) for index in chosen))
    model.default_cfg = model.pretrained_cfg = {"input_size": graph.input, "mean": MEAN, "std": STD, "url": ""}
    return model


# ---- the registry --------------------------------------------------------------------------------------------------


def create(spec: NetworkLike, pretrained: bool = False, features_only: bool = False, **kwargs: Any) -> nn.Module:
    """The model of a spec, as `timm.create_model` asks for it."""
    if pretrained:
        label = "archdsl has no pretrained weights of its own"
        raise catalog.UNSUPPORTED.error(
            None, label, help="create the model, then `archdsl.load_weights(model.body, file)`"
        )
    given = {name: value for name, value in kwargs.items() if name not in IGNORED}
    if given.get("output_stride") == 32:
        given.pop("output_stride")
    if not features_only:
        return TimmNetwork(spec, **given)
    for name in ("num_classes", "global_pool", "drop_rate"):
        given.pop(name, None)
    return feature_model(spec, **given)


def register(spec: str | Path) -> str:
    """Register a spec of yours with timm; returns the name of the model, `archdsl_` and the network's."""
    network = load(spec)
    name = f"{PREFIX}{network.name}"
    enter(name, network)
    return name


def enter(name: str, spec: NetworkLike) -> None:
    """Enter a spec into timm's registry."""

    def entry(pretrained: bool = False, **kwargs: Any) -> nn.Module:
        return create(spec, pretrained, **kwargs)

    entry.__name__ = entry.__qualname__ = name
    entry.__module__ = __name__
    entry_point: Callable[..., Any] = register_model(entry)
    setattr(sys.modules[__name__], name, entry_point)


for shipped in SHIPPED.specs():
    enter(f"{PREFIX}{shipped}", shipped)
