"""The spec travels with the weights: what is written into files is enough to build the network again, and never run."""

from __future__ import annotations

import json
import shutil
import zipfile
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

import archdsl
from archdsl import ArchError
from archdsl.commands._run import main
from archdsl.driver.containers import read_manifest
from archdsl.driver.manifest import Manifest
from archdsl.driver.pretrained import manifest_of

NET = """
import "lib/layers.arch"
backbone net(classes = 10, n = 2):
    input 3 x 32 x 32
    stem: mine(8)
    stage c2 / 2: n * basic(16)
    head: global_avgpool -> flatten -> linear(classes)
"""


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    """A spec that imports a file, which imports another."""
    (tmp_path / "lib").mkdir()
    layers = 'import "deep.arch"\nblock mine(out) = cna(out, 3, 2) -> other(out)\n'
    (tmp_path / "lib" / "layers.arch").write_text(layers)
    (tmp_path / "lib" / "deep.arch").write_text("block other(out) = cna(out, 3)\n")
    (tmp_path / "net.arch").write_text(NET)
    return tmp_path / "net.arch"


def same(one: Any, other: Any) -> bool:
    """Tell whether two modules give the same on a random image."""
    x = torch.randn(2, 3, 32, 32)
    found, wanted = one.eval()(x), other.eval()(x)
    pairs = zip(found, wanted, strict=True) if isinstance(found, list) else [(found, wanted)]
    return all(torch.equal(a, b) for a, b in pairs)


# ---- there and back ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".safetensors", ".pt", ".pth"])
def test_a_file_of_weights_is_enough(spec: Path, tmp_path: Path, suffix: str) -> None:
    model = archdsl.build(spec, params={"n": 1, "classes": 3}, features=["stem.mine.cna", "c2"])
    path = tmp_path / "elsewhere" / f"w{suffix}"
    path.parent.mkdir()
    archdsl.save(model, path)
    shutil.rmtree(spec.parent / "lib")
    spec.unlink()
    back = archdsl.from_pretrained(path)
    assert same(back, model)
    assert not back.training
    manifest = read_manifest(path)
    assert set(manifest.texts) == {"net.arch", "lib/layers.arch", "lib/deep.arch"}
    assert (manifest.params, manifest.features) == ({"n": "1", "classes": "3"}, ["stem.mine.cna", "c2"])


def test_what_commands_write_is_enough(spec: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    weights, other = tmp_path / "w.safetensors", tmp_path / "v.pt"
    assert main(["build", str(spec), "-p", "n=1", "-o", str(weights)]) == 0
    assert main(["convert", str(weights), "--spec", str(spec), "-p", "n=1", "-o", str(other)]) == 0
    assert same(archdsl.from_pretrained(weights), archdsl.from_pretrained(other))
    capsys.readouterr()
    assert main(["show", str(weights), "--format", "json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert found["params"] == archdsl.cost(spec, params={"n": 1}).totals.params
    assert main(["show", str(weights), "-p", "n=3", "--features", "c2"]) == 0
    assert "features: c2 16x8x8 (1/4)" in capsys.readouterr().out


def test_pytorch_reads_what_we_write(spec: Path, tmp_path: Path) -> None:
    model = archdsl.build(spec)
    archdsl.save(model, tmp_path / "w.pt")
    assert torch.load(tmp_path / "w.pt").keys() == model.state_dict().keys()
    assert torch.load(tmp_path / "w.pt", mmap=True).keys() == model.state_dict().keys()


@pytest.mark.parametrize(
    "data",
    [
        {"name": "q", "input": "3x32x32", "stages": {"c1": "cna(8)"}},
        {"name": "r", "extends": "resnet18", "input": "3x32x32"},
    ],
    ids=lambda data: data["name"],
)
def test_networks_of_python_data(data: dict[str, Any], tmp_path: Path) -> None:
    model = archdsl.build(data)
    archdsl.save(model, tmp_path / "w.safetensors")
    assert same(archdsl.from_pretrained(tmp_path / "w.safetensors"), model)


@pytest.mark.parametrize("value", [2, [1, 2], 0.1, True, "cna(16)", "silu"], ids=str)
def test_parameters_of_all_types(value: Any) -> None:
    kinds = {"cna(16)": "block", "silu": "block"}
    given = kinds.get(str(value), type(value).__name__)
    use = {"block": "p", "list": "cna(len(p))", "int": "cna(p)", "float": "leaky_relu(p)"}
    body = use.get(given, "cna(8 if p else 4)")
    default = {"block": "identity", "list": "[3]", "int": "4", "float": "0.3", "bool": "false"}[given]
    spec = archdsl.loads(f"backbone a(p: {given} = {default}):\n    input 3 x 8 x 8\n    c: cna(4) -> {body}\n")
    graph = archdsl.compile(spec, params={"p": value})
    manifest = Manifest.from_json(Manifest.of(graph).to_json(), "here")
    assert archdsl.emit(manifest.graph("here")) == archdsl.emit(graph)


def test_a_module_of_unknown_origin_has_no_spec() -> None:
    with pytest.raises(ArchError, match="does not know the spec"):
        archdsl.save(torch.nn.Linear(2, 2), "w.safetensors")


# ---- what is read is outside data ----------------------------------------------------------------------------------


def written(text: str | None, folder: Path) -> Path:
    """A safetensors file with some text in place of the manifest."""
    path = folder / "w.safetensors"
    save_file({"a": torch.zeros(1)}, path, {"archdsl": text} if text is not None else None)
    return path


def changed(changes: dict[str, Any], *, hashed: bool = True) -> str:
    """The manifest of a network with some changes, and the hash that fits them."""
    graph = archdsl.compile({"name": "q", "input": "3x32x32", "stages": {"c1": "cna(8)"}})
    data = Manifest.of(graph).model_dump() | changes
    rest = {name: value for name, value in data.items() if name != "hash"}
    digest = sha256(json.dumps(rest).encode()).hexdigest()
    return json.dumps(data | {"hash": digest if hashed else data["hash"]})


BROKEN = [
    (None, "does not say of which spec it is"),
    ("", "is no JSON"),
    ("[" * 100_000, "is no JSON"),
    ("[]", "cannot be read"),
    ('{"format": 2}', "cannot be read: format"),
    (changed({"params": {"n": 3}}), "cannot be read: params.n"),
    (changed({"network": "p"}, hashed=False), "does not have the hash"),
    (changed({"network": "p"}), "has no network `p`"),
    (changed({"main": "p.yaml"}), "has no text `p.yaml`"),
    (changed({"figures": {"params": 1}}), "was written with {'params': 1}"),
    (changed({"texts": {"q.yaml": "name: q\nstages: {c1: cnaa(8)}\n"}}), "cnaa"),
    (changed({"texts": {"q.yaml": "import: [/etc/passwd]\nname: q\n"}}), "import"),
    (changed({"texts": {"q.yaml": "import: [../../b.arch]\nname: q\nstages: {c1: cna(8)}\n"}}), "not among the texts"),
    (changed({"texts": {"q.yaml": "name: q\ninput: 3x32x32\nstages: {c1: 100000000000 * identity}\n"}}), "too large"),
    (changed({"texts": {"q.yaml": "a" * 4_000_001}}), "has more than"),
    (changed({"params": {"n": "__import__('os')"}}), "__import__"),
]


@pytest.mark.parametrize(("text", "said"), BROKEN, ids=[said for _, said in BROKEN])
def test_broken_or_hostile(text: str | None, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(text, tmp_path)
    assert main(["show", str(path)]) == 1
    error = capsys.readouterr().err
    assert said in error
    assert "internal" not in error


def test_other_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty.onnx").touch()
    (tmp_path / "text.onnx").write_text("this is text\n" * 100)
    (tmp_path / "endless.onnx").write_bytes(b"\x08\x00" * 1_100_000)
    (tmp_path / "cut.pt2").write_bytes(b"PK\3\4" + bytes(100))
    (tmp_path / "long.safetensors").write_bytes((1 << 40).to_bytes(8, "little") + b"{}")
    with zipfile.ZipFile(tmp_path / "bomb.pt2", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/extra/archdsl.json", bytes(50_000_000))
    for name in ("empty.onnx", "text.onnx", "endless.onnx", "cut.pt2", "long.safetensors", "bomb.pt2", "none.onnx"):
        assert main(["show", str(tmp_path / name)]) == 1, name
        error = capsys.readouterr().err
        assert name in error
        assert "internal" not in error


def test_the_manifest_is_part_of_pickles() -> None:
    model = archdsl.build("resnet18", input=(3, 32, 32))
    assert Manifest.from_json(manifest_of(model), "here").network == "resnet18"


def test_features_keep_their_order(tmp_path: Path) -> None:
    """Outputs of programs are told apart by their place."""
    model = archdsl.build("resnet18", input=(3, 32, 32), features={"stem": "low", "c2": "high"})
    archdsl.save(model, tmp_path / "w.safetensors")
    assert list(archdsl.from_pretrained(tmp_path / "w.safetensors")(torch.randn(1, 3, 32, 32))) == ["low", "high"]
