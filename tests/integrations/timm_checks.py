"""What timm's own tests ask of a model, for any spec: `python -m tests.integrations.timm_checks [NAME...]` runs all.

The checks are those of timm's `tests/test_models.py`: forward, backward, default configuration, classifier and pool,
features, script, fx, and the number of input channels.
"""

from __future__ import annotations

import sys
import time
import traceback
import warnings
from collections.abc import Callable
from typing import Any

import timm
import torch
from torch import Tensor, nn

import archdsl.integrations.timm as adapter
from archdsl import driver

BATCH = 2
PREFIX = "archdsl_"


def side_of(name: str) -> int:
    """The smallest side of images that leaves several places in the last map."""
    size = driver.compile(name).input[1]
    return size if size <= 32 or "aux" in name else 96 if "inception" in name else 64


def model_of(name: str, **kwargs: Any) -> Any:
    """A model of timm's, on small images."""
    torch.manual_seed(0)
    return timm.create_model(PREFIX + name, img_size=side_of(name), **kwargs)


def images(name: str, channels: int = 3) -> Tensor:
    """Random images for it."""
    torch.manual_seed(1)
    return torch.randn(BATCH, channels, side_of(name), side_of(name))


def check_forward(name: str) -> None:
    model = model_of(name).eval()
    output = model(images(name))
    assert tuple(output.shape) == (BATCH, model.num_classes)
    assert not torch.isnan(output).any()
    assert torch.equal(model.forward_head(model.forward_features(images(name))), output)
    assert tuple(model.forward_features(images(name)).shape[:2]) == (BATCH, model.num_features)


def check_backward(name: str) -> None:
    model = model_of(name, num_classes=7).train()
    model(images(name)).mean().backward()
    for parameter, tensor in model.named_parameters():
        assert tensor.grad is not None, parameter


def check_default_cfg(name: str) -> None:
    model = model_of(name).eval()
    cfg, state = model.default_cfg, model.state_dict()
    x = images(name)
    assert tuple(x.shape[1:]) == cfg["input_size"]
    for key in ("first_conv", "classifier"):
        assert f"{cfg[key]}.weight" in state
        assert isinstance(model.get_submodule(cfg[key]), nn.Conv2d | nn.Linear)
    assert model.get_submodule(cfg["classifier"]) is model.get_classifier()
    assert tuple(model.forward_features(x).shape[-2:]) == cfg["pool_size"]


def check_classifier(name: str) -> None:
    """Fewer classes, none, and none with the map left as it is; by `reset_classifier`, and when created."""
    x = images(name)
    model = model_of(name).eval()
    features = model.forward_head(model.forward_features(x), pre_logits=True)
    model.reset_classifier(0)
    assert torch.equal(model.eval()(x), features)
    assert model.num_classes == 0
    model.reset_classifier(5)
    assert tuple(model.eval()(x).shape) == (BATCH, 5)
    none = model_of(name, num_classes=0).eval()
    assert none(x).shape == features.shape
    if "global_avgpool" in none.head:
        model.reset_classifier(0, "")
        output = model.eval()(x)
        assert output.dim() == 4
        assert output.shape[-2:] == model.forward_features(x).shape[-2:]
        pooled = model_of(name, num_classes=5, global_pool="max").eval()
        assert tuple(pooled(x).shape) == (BATCH, 5)


def check_features(name: str) -> None:
    model = model_of(name, features_only=True).eval()
    outputs = model(images(name))
    info = model.feature_info
    assert len(outputs) == len(info.channels()) == len(info)
    for output, channels, reduction in zip(outputs, info.channels(), info.reduction(), strict=True):
        assert output.shape[1] == channels
        assert abs(side_of(name) / output.shape[2] / reduction - 1) < 0.3
    chosen = model_of(name, features_only=True, out_indices=(1, -1)).eval()
    assert [each.shape for each in chosen(images(name))] == [outputs[1].shape, outputs[-1].shape]
    assert chosen.feature_info.channels() == [outputs[1].shape[1], outputs[-1].shape[1]]


def check_script(name: str) -> None:
    for kwargs in ({}, {"features_only": True}):
        model = model_of(name, **kwargs).eval()
        scripted = torch.jit.script(model)
        with torch.no_grad():
            outputs, wanted = scripted(images(name)), model(images(name))
        for one, other in zip(outputs, wanted, strict=True):
            torch.testing.assert_close(one, other)


def check_fx(name: str) -> None:
    from torchvision.models.feature_extraction import create_feature_extractor, get_graph_node_names

    model = model_of(name).eval()
    nodes, _ = get_graph_node_names(model)
    extractor = create_feature_extractor(model, [nodes[-1]])
    assert torch.equal(extractor(images(name))[nodes[-1]], model(images(name)))


def check_in_chans(name: str) -> None:
    for channels in (1, 4):
        model = model_of(name, in_chans=channels, num_classes=3).eval()
        assert tuple(model(images(name, channels)).shape) == (BATCH, 3)


def check_checkpointing(name: str) -> None:
    model = model_of(name, num_classes=3).eval()
    x = images(name)
    model(x).sum().backward()
    wanted = {key: each.grad.clone() for key, each in model.named_parameters()}
    model.zero_grad()
    model.set_grad_checkpointing(True)
    model(x).sum().backward()
    model.set_grad_checkpointing(False)
    assert all(torch.allclose(each.grad, wanted[key], atol=1e-5, rtol=1e-4) for key, each in model.named_parameters())


CHECKS: dict[str, Callable[[str], None]] = {
    name.removeprefix("check_"): check for name, check in globals().items() if name.startswith("check_")
}


def main(names: list[str]) -> int:
    """Run all checks on some specs, and print what fails."""
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    failed = done = 0
    start = time.time()
    for name in names or driver.SHIPPED.specs():
        for kind, check in CHECKS.items():
            if "1001" in name and kind in {"backward", "checkpointing", "fx"}:
                continue
            done += 1
            try:
                check(name)
            except Exception:
                failed += 1
                print(f"{name} {kind}: {traceback.format_exc(limit=-1).strip()[-400:]}", flush=True)
    print(f"{done} checks, {failed} failed, {time.time() - start:.0f} s; adapter {adapter.__name__}", flush=True)
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
