"""Adapters: what each project does with a network, in the lines that a user writes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import torch

import archdsl
from archdsl import ArchError

pytest.importorskip("timm")
NET = """
name: my_net
params: {classes: 10}
input: 3x64x64
stem: cna(8, 3, 2) -> cna(8, 3, 2)
stages: {c2: basic(16), c3 / 2: basic(24), c4 / 2: basic(32), c5 / 2: basic(40)}
head: global_avgpool -> flatten -> linear(classes)
"""
KINDS = ("forward", "backward", "default_cfg", "classifier", "features", "script", "fx", "in_chans", "checkpointing")


@pytest.mark.parametrize("kind", KINDS)
def test_what_the_tests_of_timm_ask(kind: str) -> None:
    from tests.integrations.timm_checks import CHECKS

    assert tuple(CHECKS) == KINDS
    CHECKS[kind]("preresnet20_cifar10")


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A user's own network."""
    path = tmp_path / "my_net.yaml"
    path.write_text(NET)
    return path


def test_timm_takes_ones_own_spec_and_smp_takes_it_from_there(mine: Path) -> None:
    import timm

    import archdsl.integrations.timm as adapter

    smp = pytest.importorskip("segmentation_models_pytorch")
    name = adapter.register(mine)
    assert name == "archdsl_my_net"
    assert name in timm.list_models("archdsl_my*")
    model = smp.Unet(f"tu-{name}", encoder_weights=None, classes=2, decoder_channels=(32, 16, 16, 8, 8))
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    output = model(torch.randn(2, 3, 64, 64))
    assert tuple(output.shape) == (2, 2, 64, 64)
    output.mean().backward()
    optimizer.step()
    with pytest.raises(ArchError, match="no pretrained weights"):
        timm.create_model(name, pretrained=True)
    with pytest.raises(ArchError, match="has no parameter `depth`"):
        timm.create_model(name, depth=3)


def test_torchvision_detects_with_ones_own_spec(mine: Path) -> None:
    detection = pytest.importorskip("torchvision.models.detection")
    from archdsl.integrations.torchvision import backbone_with_fpn

    body = backbone_with_fpn(mine, out_channels=16)
    model = detection.FasterRCNN(body, num_classes=3, min_size=64, max_size=64, rpn_post_nms_top_n_train=50)
    optimizer = torch.optim.SGD(model.parameters(), 0.01)
    targets = [{"boxes": torch.tensor([[4.0, 4.0, 40.0, 40.0]]), "labels": torch.tensor([1])}] * 2
    losses: Any = model([torch.rand(3, 60, 80), torch.rand(3, 64, 50)], targets)
    torch.stack(list(losses.values())).sum().backward()
    optimizer.step()
    assert {"boxes", "labels", "scores"} == set(model.eval()([torch.rand(3, 50, 75)])[0])


def test_detectron2(mine: Path) -> None:
    from archdsl.integrations.detectron2 import Backbone

    model = Backbone(mine, {"c3": "res3", "c5": "res5"})
    shapes = model.output_shape()
    assert [(name, each.channels, each.stride) for name, each in shapes.items()] == [("res3", 24, 8), ("res5", 40, 32)]
    assert model.size_divisibility == 32
    maps = model(torch.randn(2, 3, 64, 96))
    assert {name: tuple(each.shape[1:]) for name, each in maps.items()} == {"res3": (24, 8, 12), "res5": (40, 2, 3)}


def test_mmdet(mine: Path, tmp_path: Path) -> None:
    from archdsl.integrations.mmdet import ArchBackbone

    archdsl.save(archdsl.build(mine), tmp_path / "w.safetensors")
    checkpoint = {"checkpoint": str(tmp_path / "w.safetensors")}
    model: Any = ArchBackbone(mine, frozen_stages=1, norm_eval=True, init_cfg=checkpoint)
    model.init_weights()
    stem = archdsl.from_pretrained(tmp_path / "w.safetensors").state_dict()["stem.cna.conv.weight"]
    assert torch.equal(model.network.stem.cna.conv.weight, stem)
    assert [each.shape[1] for each in model.train()(torch.randn(2, 3, 64, 64))] == [16, 24, 32, 40]
    frozen = [name for name, each in model.network.named_parameters() if not each.requires_grad]
    assert {name.partition(".")[0] for name in frozen} == {"stem", "c2"}
    assert not any(each.training for each in model.modules() if isinstance(each, torch.nn.BatchNorm2d))


def test_hub(mine: Path, tmp_path: Path) -> None:
    from archdsl.integrations.hub import from_pretrained, save_pretrained

    model = archdsl.build(mine, params={"classes": 3}).eval()
    folder = tmp_path / "a" / "folder"
    save_pretrained(model, folder)
    assert sorted(each.name for each in folder.iterdir()) == ["config.json", "model.safetensors"]
    x = torch.randn(2, 3, 64, 64)
    assert torch.equal(from_pretrained(folder)(x), model(x))
    (folder / "config.json").write_text("{}")
    with pytest.raises(ArchError, match="does not say of which spec"):
        from_pretrained(folder)


@pytest.mark.parametrize("package", ["timm", "torchvision"])
def test_a_missing_package_is_one_sentence(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == package]:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.delitem(sys.modules, f"archdsl.integrations.{package}", raising=False)
    with pytest.raises(ArchError, match=f"{package} is not installed"):
        __import__(f"archdsl.integrations.{package}")
