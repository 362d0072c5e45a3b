"""Checkpoint files: what is read, what is refused and how it is said, and that nothing in a file is ever run."""

from __future__ import annotations

import contextlib
import io
import pickle
import struct
import tarfile
import zipfile
from argparse import Namespace
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar
from unittest.mock import ANY

import pytest

torch = pytest.importorskip("torch")
safetensors = pytest.importorskip("safetensors.torch")
np = pytest.importorskip("numpy")

from archdsl.diagnostics import ArchError  # noqa: E402
from archdsl.weights import load_weights  # noqa: E402
from archdsl.weights.files import read  # noqa: E402
from archdsl.weights.pickles import Inert  # noqa: E402
from tests.weights.nets import STAGES, net  # noqa: E402

STATE = {"a.weight": torch.arange(12.0).reshape(4, 3), "a.bias": torch.ones(4, dtype=torch.float16)}


def zipped(content: Any, **settings: Any) -> bytes:
    """What torch.save writes."""
    buffer = io.BytesIO()
    torch.save(content, buffer, **settings)
    return buffer.getvalue()


def legacy(content: Any, **settings: Any) -> bytes:
    """What torch.save wrote before 1.6."""
    return zipped(content, _use_new_zipfile_serialization=False, **settings)


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


@pytest.mark.parametrize("kind", GOOD)
def test_nothing_of_torch_reads_or_makes(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """No file comes to `torch.load`, to a pickle of Python's, or to a function that rebuilds tensors."""

    def never(*_: Any, **__: Any) -> None:
        raise AssertionError("called")

    for owner, name in ((torch, "load"), (pickle, "load"), (pickle, "loads"), (pickle, "Unpickler")):
        monkeypatch.setattr(owner, name, never)
    for name in dir(torch._utils):
        if name.startswith("_rebuild"):
            monkeypatch.setattr(torch._utils, name, never)
    read(written(tmp_path, GOOD[kind]))


@pytest.mark.parametrize("kind", ["zip", "safetensors"])
def test_large_files_are_mapped_not_copied(tmp_path: Path, kind: str) -> None:
    """Tensors lie as far from each other in memory as in the file."""
    state = {"a": torch.full((1000,), 2.0), "b": torch.full((5000,), 3.0)}
    content = zipped(state) if kind == "zip" else safetensors.save(state)
    found = read(written(tmp_path, content))
    places = {name: content.find(bytes(memoryview(tensor.numpy()))) for name, tensor in state.items()}
    assert min(places.values()) > 0
    assert found["b"].data_ptr() - found["a"].data_ptr() == places["b"] - places["a"]


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


def tarred() -> bytes:
    """A good file, in a tar archive."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        member = tarfile.TarInfo("weights.pth")
        member.size = len(GOOD["zip"])
        archive.addfile(member, io.BytesIO(GOOD["zip"]))
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
    "pickle of no torch": (pickle.dumps({"a": 1}, 2), "is a pickle, but none that torch.save wrote"),
    "pickle 4": (pickle.dumps({"a": 1}, 4), "is a pickle, but none that torch.save wrote"),
    "pickle of rubbish": (b"\x80\x02" + bytes(range(200, 256)), "makes no sense"),
    "tar": (tarred(), "is a tar archive"),
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


# ---- what a file is ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [640, 896, 1152, 1408, 0x3C * 16, 0x4B50])
def test_a_length_of_a_header_is_no_pickle(tmp_path: Path, length: int) -> None:
    """`80 02` begins a pickle, and a safetensors file whose header has 640 bytes."""
    told = safetensors.save(STATE)[8:]
    size = struct.unpack("<Q", GOOD["safetensors"][:8])[0]
    head = told[:size].ljust(length)
    content = struct.pack("<Q", length) + head + told[size:]
    for suffix in ("safetensors", "pth"):
        found = read(written(tmp_path, content, f"weights.{suffix}"))
        assert all(torch.equal(found[name], tensor) for name, tensor in STATE.items())


def test_the_length_that_a_zip_file_begins_with(tmp_path: Path) -> None:
    told = failure(written(tmp_path, b"PK\3\4\0\0\0\0{" + bytes(1000)), "E701")
    assert "says that its header has 67,324,752 bytes" in told


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
    assert "no weights need that, and an attack would" in told
    assert "nothing of it was run" in told
    with contextlib.closing(pickle.loads(pickle.dumps(kind(proof))) or io.BytesIO()):
        pass
    assert proof.exists(), "the test of the test: it would have run"


@pytest.mark.parametrize("protocol", [0, 1])
def test_the_oldest_pickles_are_not_even_tried(tmp_path: Path, protocol: int) -> None:
    proof = tmp_path / "it_ran"
    failure(written(tmp_path, pickle.dumps(Calls(proof), protocol)), "E701")
    assert not proof.exists()


class Ran:
    """An object that notes when anything makes it, or gives it a state: nothing does while a file is read."""

    times: ClassVar[list[str]] = []

    def __new__(cls, *_: Any) -> Any:
        cls.times.append("made")
        return super().__new__(cls)

    def __setstate__(self, state: Any) -> None:
        self.times.append("given a state")

    def __reduce__(self) -> Any:
        return Ran, (3,), {"a": 1}


class RanDict(dict[str, Any]):
    """A dict of a class of one's own, as configurations are."""

    def __setitem__(self, key: str, value: Any) -> None:
        Ran.times.append("filled")


BESIDE: dict[str, Any] = {
    "argparse": Namespace(lr=1, path=Path("a")),
    "path": Path("a") / "b",
    "numpy scalar": np.float32(3),
    "numpy array": np.ones((3, 4)),
    "numpy type": np.dtype("float64"),
    "random state": np.random.RandomState(0).get_state(),
    "time": datetime(2020, 1, 1, tzinfo=UTC),
    "defaultdict": defaultdict(list, a=[1]),
    "counter": Counter("abba"),
    "deque": deque([1, 2]),
    "set": {1, ("a", 2)},
    "frozenset": frozenset((1, (2, 3))),
    "bytes": b"abc",
    "complex": 1 + 2j,
    "range": range(3),
    "a class": OrderedDict,
    "a function": torch.relu,
    "own": Ran(),
    "own dict": RanDict(a=1),
    "a device": torch.device("cpu"),
    "a type": torch.float16,
    "a size": torch.Size((1, 2)),
    "numbers": {0: 1, -1: 2, 0.5: 3, None: 4, True: 5, (1, 2): 6, b"a": 7, 1 << 70: 8},
    "an optimizer": torch.optim.Adam([torch.nn.Parameter(STATE["a.weight"])]).state_dict(),
}
"""What stands beside the weights in checkpoints of all kinds."""


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("save", [zipped, legacy])
def test_what_stands_beside_is_read_without_running_it(
    tmp_path: Path, save: Callable[..., bytes], protocol: int
) -> None:
    content = save({"state_dict": STATE, **BESIDE}, pickle_protocol=protocol)
    Ran.times.clear()
    found = read(written(tmp_path, content))
    assert Ran.times == []
    assert [*found] == ["state_dict", *BESIDE]
    assert torch.equal(found["state_dict"]["a.weight"], STATE["a.weight"])
    assert (found["defaultdict"], found["counter"]["a"], found["bytes"]) == (
        {"a": [1]},
        2,
        b"abc" if protocol > 2 else ANY,
    )
    assert isinstance(found["argparse"], Inert)
    assert repr(found["own"]) == f"<{__name__}.Ran, not read>"
    pickle.loads(pickle.dumps(BESIDE["own"]))
    assert Ran.times == ["made", "given a state"], "the test of the test: it would have run"


class Blocks(torch.nn.Module):
    """A module of a class of one's own, with all that a state dict has and has not."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 1, bias=False), torch.nn.BatchNorm2d(4))
        self.register_buffer("passing", torch.zeros(1), persistent=False)
        self.none = torch.nn.Identity()
        self.none.register_parameter("bias", None)
        self.again = self.stem
        self.scale = torch.nn.Parameter(torch.ones(2))


@pytest.mark.filterwarnings("ignore:Couldn't retrieve source code")
@pytest.mark.parametrize("save", [zipped, legacy])
def test_a_module_saved_whole_is_its_state_dict(tmp_path: Path, save: Callable[[Any], bytes]) -> None:
    module = Blocks()
    for content in (module, {"epoch": 3, "model": module, "ema": None}):
        found = read(written(tmp_path, save(content)))  # mapped: the file may not change before it is compared
        found = found.get("model", found)
        assert list(found) == list(module.state_dict())
        assert all(torch.equal(tensor, module.state_dict()[name]) for name, tensor in found.items())


def test_old_pickles_of_python_2(tmp_path: Path) -> None:
    """An OrderedDict is called with a list of pairs there, and texts are bytes."""
    storage = b"(U\x07storagectorch\nFloatStorage\nU\x010U\x03cpuK\x02tQ"
    tensor = b"ctorch._utils\n_rebuild_tensor\n(" + storage + b"K\x00(K\x02t(K\x01ttR"
    content = b"\x80\x02ccollections\nOrderedDict\n(((U\x08a.weight" + tensor + b"lltR."
    head = b"".join(pickle.dumps(each, 2) for each in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}))
    file = head + content + pickle.dumps(["0"], 2) + struct.pack("<q", 2) + struct.pack("<2f", 1.5, 2.5)
    assert read(written(tmp_path, file))["a.weight"].tolist() == [1.5, 2.5]


def test_numbers_of_a_machine_with_the_other_end_first(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(GOOD["zip"])) as old, zipfile.ZipFile(buffer, "w") as new:
        for each in old.infolist():
            held = old.read(each)
            width = {"archive/data/0": 4, "archive/data/1": 2}.get(each.filename)
            if width:
                held = b"".join(held[start : start + width][::-1] for start in range(0, len(held), width))
            new.writestr(each.filename, b"big" if each.filename.endswith("byteorder") else held)
    found = read(written(tmp_path, buffer.getvalue()))
    assert all(torch.equal(found[name], tensor) for name, tensor in STATE.items())


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
