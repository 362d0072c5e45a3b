"""Checkpoint files: what is read, what is refused and how it is said, and that nothing in a file is ever run."""

from __future__ import annotations

import contextlib
import io
import pickle
import struct
import sys
import zipfile
from argparse import Namespace
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
safetensors = pytest.importorskip("safetensors.torch")

from archdsl.errors import ArchError  # noqa: E402
from archdsl.weights import load_weights  # noqa: E402
from archdsl.weights.files import read  # noqa: E402
from tests.weights.nets import STAGES, net  # noqa: E402

STATE = {"a.weight": torch.arange(12.0).reshape(4, 3), "a.bias": torch.ones(4, dtype=torch.float16)}


def zipped(content: Any, **settings: Any) -> bytes:
    """What torch.save writes."""
    buffer = io.BytesIO()
    torch.save(content, buffer, **settings)
    return buffer.getvalue()


def legacy(content: Any) -> bytes:
    """What torch.save wrote before 1.6."""
    return zipped(content, _use_new_zipfile_serialization=False)


GOOD = {"zip": zipped(STATE), "legacy": legacy(STATE), "safetensors": safetensors.save(STATE)}


def written(folder: Path, content: bytes, name: str = "weights.pth") -> Path:
    """A file with that content."""
    path = folder / name
    path.write_bytes(content)
    return path


def failure(path: str | Path, code: str) -> str:
    """What is said of a file that cannot be read: one finding, without a traceback."""
    with pytest.raises(ArchError) as caught:
        read(path)
    assert [finding.code for finding in caught.value.diagnostics] == [code]
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    assert "Traceback" not in str(caught.value)
    return str(caught.value)


# ---- what is read --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".pth", ".pt", ".safetensors", ".ckpt", ""])
@pytest.mark.parametrize("kind", GOOD)
def test_content_tells_not_the_suffix(tmp_path: Path, kind: str, suffix: str) -> None:
    found = read(written(tmp_path, GOOD[kind], f"weights{suffix}"))
    assert {*found} == {*STATE}
    for name, tensor in STATE.items():
        assert torch.equal(found[name], tensor)
        assert found[name].dtype == tensor.dtype
        assert found[name].device.type == "cpu"


def test_a_path_may_be_a_text(tmp_path: Path) -> None:
    assert {*read(str(written(tmp_path, GOOD["zip"])))} == {*STATE}


def test_large_files_are_mapped_not_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, Any]] = []
    load = torch.load
    monkeypatch.setattr(torch, "load", lambda *given, **settings: asked.append(settings) or load(*given, **settings))
    for kind in ("zip", "legacy"):
        read(written(tmp_path, GOOD[kind]))
    assert [settings.get("mmap") for settings in asked] == [True, None]
    assert all(settings["weights_only"] is True and settings["map_location"] == "cpu" for settings in asked)


def test_the_file_never_changes(tmp_path: Path) -> None:
    for name, content in GOOD.items():
        path = written(tmp_path, content, name)
        read(path)["a.weight"].zero_()
        assert path.read_bytes() == content


def test_wrappers_stay(tmp_path: Path) -> None:
    content = {"epoch": 3, "state_dict": OrderedDict(STATE), "optimizer": {"state": {0: {"step": 1}}}, "best": 0.5}
    found = read(written(tmp_path, zipped(content)))
    assert [*found] == [*content]
    assert torch.equal(found["state_dict"]["a.weight"], STATE["a.weight"])


def test_parameters_are_tensors(tmp_path: Path) -> None:
    content = {name: torch.nn.Parameter(tensor) for name, tensor in STATE.items()}
    assert torch.equal(read(written(tmp_path, zipped(content)))["a.weight"], STATE["a.weight"])


# ---- what is no checkpoint -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("share", [0.05, 0.3, 0.6, 0.9, 0.99])
@pytest.mark.parametrize("kind", GOOD)
def test_cut_short(tmp_path: Path, kind: str, share: float) -> None:
    content = GOOD[kind]
    told = failure(written(tmp_path, content[: int(len(content) * share)]), "E701")
    assert "it was cut short or damaged on its way" in told


def header(length: int, text: bytes) -> bytes:
    """A safetensors file that says how long its header is."""
    return struct.pack("<Q", length) + text


def repacked() -> bytes:
    """A good file, compressed by another program."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(GOOD["zip"])) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for each in old.infolist():
            new.writestr(each.filename, old.read(each))
    return buffer.getvalue()


def other_zip() -> bytes:
    """A zip file of something else."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("readme.txt", "hello")
    return buffer.getvalue()


TWICE = b'{"a": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}, "b": {"dtype": "F32", "shape": [4], '
OVERLAP = TWICE + b'"data_offsets": [0, 16]}}'
BAD = {
    "empty": (b"", "is empty"),
    "one byte": (b"a", "neither a file of torch.save nor safetensors"),
    "rubbish": (bytes(range(1, 256)) * 9, "neither a file of torch.save nor safetensors"),
    "huge header": (header(1 << 62, b"{}"), "says that its header has 4,611,686,018,427,387,904 bytes; it has 10 in"),
    "header cut": (header(200, b"{" + b" " * 199), "is no valid safetensors file"),
    "no shape": (header(5, b'{"a":'), "is no valid safetensors file"),
    "overlap": (header(len(OVERLAP), OVERLAP) + bytes(16), "is no valid safetensors file"),
    "nested": (header(100_000, b"{" * 100_000), "is no valid safetensors file"),
    "git lfs": (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n", "`git lfs pull` gets the file"),
    "web page": (b"\n <!DOCTYPE html>\n<html>", "a web page"),
    "hdf5": (b"\x89HDF\r\n\x1a\n", "Keras"),
    "gzip": (b"\x1f\x8b\x08\x00", "gzip"),
    "numpy": (b"\x93NUMPY\x01\x00", "NumPy"),
    "text": (b"a.weight: 1\n", "neither"),
    "zip of other things": (other_zip(), "none that torch.save wrote"),
    "repacked": (repacked(), "packed again"),
    "pickle of no torch": (pickle.dumps({"a": 1}, 2), "is broken"),
    "pickle 4": (pickle.dumps({"a": 1}, 4), "pickled otherwise than torch.save does"),
    "pickle of rubbish": (b"\x80\x02" + bytes(range(200, 256)), "damaged"),
    "zip with pickle 4": (zipped(STATE, pickle_protocol=4), "pickled otherwise than torch.save does"),
}


@pytest.mark.parametrize("case", BAD)
def test_no_checkpoint(tmp_path: Path, case: str) -> None:
    content, label = BAD[case]
    assert label in failure(written(tmp_path, content), "E701")


def test_rubbish_that_says_it_is_safetensors(tmp_path: Path) -> None:
    told = failure(written(tmp_path, bytes(range(1, 256)), "weights.safetensors"), "E701")
    assert "says that its header has" in told


def test_what_is_no_file(tmp_path: Path) -> None:
    assert "is a folder" in failure(tmp_path, "E501")
    assert "No such file" in failure(tmp_path / "none.pth", "E501")
    assert "null byte" in failure("a\0b.pth", "E501")
    if Path("/dev/zero").exists():
        assert "no regular file" in failure("/dev/zero", "E501")


@pytest.mark.parametrize(
    ("content", "label"),
    [
        ([1, 2], "an object of type `list`"),
        (torch.zeros(3), "an object of type `Tensor`"),
        (3, "an object of type `int`"),
        ({}, "a dict that is empty"),
        ({"epoch": 3, "inner": {"deep": {}}}, "a dict with the keys `epoch` and `inner`: no tensor in it"),
        ({0: torch.zeros(3)}, "the key 0, which is no name"),
    ],
)
@pytest.mark.parametrize("save", [zipped, legacy])
def test_no_dict_of_tensors(tmp_path: Path, content: Any, label: str, save: Callable[[Any], bytes]) -> None:
    assert label in failure(written(tmp_path, save(content)), "E703")


def test_dicts_that_hold_each_other_end(tmp_path: Path) -> None:
    knot: dict[str, Any] = {}
    for _ in range(30):
        knot = {str(number): knot for number in range(200)}
    knot["self"] = knot
    assert "no tensor" in failure(written(tmp_path, zipped(knot)), "E703")


def test_keys_cannot_steer_a_terminal(tmp_path: Path) -> None:
    told = failure(written(tmp_path, zipped({"\x1b[31m" + "x" * 500: 1})), "E703")
    assert "\x1b" not in told
    assert len(told) < 500


# ---- what would run ------------------------------------------------------------------------------------------------


class Opens:
    """An object whose pickle opens a file for writing, so makes it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return open, (str(self.path), "w")


class Calls(Opens):
    """The same by way of a shell."""

    def __reduce__(self) -> Any:
        import os

        return os.system, (f"touch '{self.path}'",)


WAYS: dict[str, Callable[[Any], bytes]] = {
    "zip": zipped,
    "legacy": legacy,
    "zip, protocol 4": lambda content: zipped(content, pickle_protocol=4),
    "plain 2": lambda content: pickle.dumps(content, 2),
    "plain 3": lambda content: pickle.dumps(content, 3),
    "plain 4": lambda content: pickle.dumps(content, 4),
    "plain 5": lambda content: pickle.dumps(content, 5),
}
EVIL = {Calls: {"posix.system", "nt.system"}, Opens: {"_io.open", "io.open"}}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", EVIL)
def test_a_pickle_that_would_run_is_refused(tmp_path: Path, kind: type[Opens], way: str) -> None:
    proof = tmp_path / "it_ran"
    content = WAYS[way](STATE | {"z": kind(proof)})
    told = failure(written(tmp_path, content), "E702")
    assert not proof.exists()
    assert "asks for `" in told
    assert any(f"`{name}`" in told for name in EVIL[kind])
    assert "only tensors and plain values are read" in told
    assert "convert it yourself, in a place where it can do no harm" in told
    with contextlib.closing(pickle.loads(pickle.dumps(kind(proof))) or io.BytesIO()):
        pass
    assert proof.exists(), "the test of the test: it would have run"


@pytest.mark.parametrize("protocol", [0, 1])
def test_the_oldest_pickles_are_not_even_tried(tmp_path: Path, protocol: int) -> None:
    proof = tmp_path / "it_ran"
    failure(written(tmp_path, pickle.dumps(Calls(proof), protocol)), "E701")
    assert not proof.exists()


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (torch.nn.Linear(2, 2), "torch.nn.modules.linear.Linear"),
        ({"state_dict": STATE, "args": Namespace(lr=1)}, "argparse.Namespace"),
        ({"state_dict": STATE, "path": Path("a")}, f"pathlib.{type(Path()).__name__}"),
    ],
)
def test_what_harmless_pickles_ask_for_is_named(tmp_path: Path, content: Any, name: str) -> None:
    if sys.version_info >= (3, 13):
        name = name.replace("pathlib.", "pathlib._local.")
    assert f"`{name}`" in failure(written(tmp_path, zipped(content)), "E702")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_a_program_is_refused(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), buffer)
    assert "is a TorchScript archive" in failure(written(tmp_path, buffer.getvalue()), "E702")


# ---- in a model ----------------------------------------------------------------------------------------------------


def untouched(source: Any) -> str:
    """What `load_weights` says of a checkpoint that does not fit; the model is as it was."""
    model = net(*STAGES.values())
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    with pytest.raises(ArchError) as caught:
        load_weights(model, source)
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    return str(caught.value)


def state() -> dict[str, Any]:
    """A state dict that fits."""
    return net(*STAGES.values()).state_dict()


@pytest.mark.parametrize("kind", ["pth", "pt", "safetensors"])
def test_files_fill_a_model(tmp_path: Path, kind: str) -> None:
    given = state()
    content = safetensors.save(given) if kind == "safetensors" else zipped(given)
    model = net(*STAGES.values())
    load_weights(model, written(tmp_path, content, f"weights.{kind}"))
    assert all(torch.equal(tensor, given[name]) for name, tensor in model.state_dict().items())


def test_a_renamed_key_is_told(tmp_path: Path) -> None:
    given = state()
    given["c3.0.body.conv.wieght"] = given.pop("c3.0.body.conv.weight")
    told = untouched(written(tmp_path, zipped(given)))
    assert "c3.0.body.conv.weight" in told
    assert "c3.0.body.conv.wieght" in told


def test_a_missing_key_is_told(tmp_path: Path) -> None:
    given = state()
    del given["c2.1.body.norm.running_var"]
    assert "c2.1.body.norm.running_var" in untouched(written(tmp_path, zipped(given)))


def test_a_wrong_shape_is_told(tmp_path: Path) -> None:
    given = state()
    given["c3.1.body.cna2.conv.weight"] = torch.zeros(16, 16, 5, 5)
    told = untouched(written(tmp_path, zipped(given)))
    assert "c3.1.body.cna2.conv.weight" in told
    assert "16x16x5x5" in told
    assert "16x16x3x3" in told


def test_a_broken_or_malicious_file_leaves_the_model_alone(tmp_path: Path) -> None:
    content = zipped(state())
    assert "E701" in untouched(written(tmp_path, content[:-100]))
    proof = tmp_path / "it_ran"
    assert "E702" in untouched(written(tmp_path, zipped(state() | {"z": Calls(proof)})))
    assert not proof.exists()
