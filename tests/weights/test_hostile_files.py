"""Files and dicts that were made to hang, to fill the memory, or to lie: refused for what they are, at once."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

from archdsl import ArchError  # noqa: E402
from archdsl.weights import load_weights  # noqa: E402
from archdsl.weights.files import read  # noqa: E402
from tests.weights.nets import STAGES, net  # noqa: E402
from tests.weights.test_files import GOOD, failure, state, untouched, written, zipped  # noqa: E402


def pickled_zip(pickled: bytes) -> bytes:
    """A zip file of torch.save with another pickle."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(GOOD["zip"])) as old, zipfile.ZipFile(buffer, "w") as new:
        for each in old.infolist():
            new.writestr(each.filename, pickled if each.filename.endswith("data.pkl") else old.read(each))
    return buffer.getvalue()


NUMBER = struct.pack("<I", (1 << 32) - 1)
LARGE = struct.pack("<Q", 1 << 62)
STORAGE = b"(X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpuK\x0ctQ"
REBUILD = b"\x80\x02}X\x01\0\0\0actorch._utils\n_rebuild_tensor_v2\n(" + STORAGE
HOSTILE = {
    "far place of the memo": (b"\x80\x02}r" + NUMBER + b".", "no tensor in it"),
    "place of the memo": (b"\x80\x02}j" + NUMBER + b".", "makes no sense"),
    "length of a text": (b"\x80\x02X" + NUMBER + b".", "makes no sense"),
    "length of bytes": (b"\x80\x04\x8e" + LARGE + b".", "makes no sense"),
    "length of a bytearray": (b"\x80\x05\x96" + LARGE + b".", "makes no sense"),
    "length of a number": (b"\x80\x02\x8b" + struct.pack("<i", -1) + b".", "makes no sense"),
    "a bytearray that is called": (b"\x80\x02cbuiltins\nbytearray\nJ\xff\xff\xff\x7f\x85R.", "`builtins.bytearray`"),
    "an array that is called": (b"\x80\x02cnumpy\nones\nJ\xff\xff\xff\x7f\x85R.", "`numpy.ones`"),
    "a storage that is called": (b"\x80\x02ctorch\nFloatStorage\nJ\xff\xff\xff\x7f\x85R.", "`torch.FloatStorage`"),
    "many lists": (b"\x80\x02" + b"]" * 10_000_000 + b".", "far more values than weights need"),
    "many marks": (b"\x80\x02" + b"(" * 10_000_000 + b".", "far more values than weights need"),
    "many dicts of one list": (
        b"\x80\x02](" + b"K\x01K\x02\x86" * 1000 + b"eq\x01" + b"ccollections\nOrderedDict\nh\x01\x85R" * 10_000 + b".",
        "far more values than weights need",
    ),
    "lists in lists": (b"\x80\x02" + b"]" * 100_000 + b"a" * 99_999 + b".", "an object of type `list`"),
    "pairs of pairs as a key": (b"\x80\x02})" + b"2\x86" * 60 + b"K\x01s.", "is no name"),
    "pairs of pairs in a set": (b"\x80\x04\x8f()" + b"2\x86" * 60 + b"\x90.", "an object of type `list`"),
    "pairs of pairs for a storage": (b"\x80\x02)" + b"2\x86" * 60 + b"Q.", "makes no sense"),
    "axes": (REBUILD + b"K\0(" + b"K\x01" * 65 + b"t(" + b"K\x01" * 65 + b"tK\0NtRs.", "that cannot be"),
    "negative size": (REBUILD + b"K\0(J\xff\xff\xff\xfft(K\x01tK\0NtRs.", "that cannot be"),
    "offset": (REBUILD + b"K\x0c(K\x01t(K\x01tK\0NtRs.", "more numbers than are stored"),
    "step": (REBUILD + b"K\0(K\x02t(K\x0ctK\0NtRs.", "more numbers than are stored"),
    "count": (REBUILD.replace(b"K\x0ctQ", b"J\xff\xff\xff\x7ftQ") + b"K\0(K\x01t(K\x01tK\0NtRs.", "more numbers than"),
    "no such storage": (
        REBUILD.replace(b"\x000X\x03", b"\x009X\x03") + b"K\0(K\x01t(K\x01tK\0NtRs.",
        "no member `data/9`",
    ),
}
"""Pickles that lie about what they need, and what is said of each."""


MODULE = b"(X\x0b\0\0\0_parametersh\x01X\x08\0\0\0_modulesh\x02u"
TENSORS = b"}q\x01(" + b"".join(b"X\x03\0\0\0%03dN" % number for number in range(1000)) + b"u0"
HOSTILE |= {
    "one module many times": (
        b"\x80\x02" + TENSORS + b"}q\x020}(" + b"".join(
            b"X\x06\0\0\0%06d" % number + b"ca\nB\n)\x81}" + MODULE + b"b" for number in range(3000)
        ) + b"u.",
        "far more values than weights need",
    ),
    "a module in itself": (
        b"\x80\x02" + TENSORS + b"}q\x02X\x01\0\0\0aca\nB\n)\x81q\x03}" + MODULE + b"bs0h\x03.",
        "far more values than weights need",
    ),
    "a module whose names are none": (
        b"\x80\x02ca\nB\n)\x81}(X\x0b\0\0\0_parameters}K\x01NsX\x08\0\0\0_modulesK\x03ub.",
        "a dict that is empty",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", HOSTILE)
def test_what_a_pickle_says_does_not_decide_what_it_takes(tmp_path: Path, case: str) -> None:
    pickled, label = HOSTILE[case]
    with pytest.raises(ArchError) as caught:
        read(written(tmp_path, pickled_zip(pickled)))
    assert label in str(caught.value)


def test_a_tensor_of_one_number_that_shows_as_many_as_it_likes(tmp_path: Path) -> None:
    """It is read, as it takes nothing; no network is filled from it."""
    path = written(tmp_path, zipped({"a": torch.zeros(1).expand(1 << 40, 8)}))
    assert read(path)["a"].shape == (1 << 40, 8)
    given = state()
    given["c3.1.body.cna2.conv.weight"] = torch.zeros(1).expand(1 << 40, 16, 3, 3)
    assert "tensors that repeat the few numbers that they hold: c3.1.body.cna2.conv.weight" in untouched(
        written(tmp_path, zipped(given))
    )


def test_members_that_share_their_bytes(tmp_path: Path) -> None:
    """A list of members may name one place many times; were each copied, a small file would fill the memory."""
    parts = {f"x{number}": torch.zeros(10_000) for number in range(3)}
    content = zipped(parts)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        first, *others = [each for each in archive.infolist() if "/data/" in each.filename]
    held = bytearray(content[: first.header_offset] + content[first.header_offset :])
    start = held.find(b"PK\1\2")
    for each in others:
        struct.pack_into("<I", held, held.find(each.filename.encode(), start) - 4, first.header_offset)
    gone = others[-1].header_offset - others[0].header_offset
    small = held[: others[0].header_offset] + held[others[1].header_offset :]
    assert len(small) == len(held) - gone < 3 * 40_000
    end = small.rfind(b"PK\6\6")
    for place in (end + 48, small.rfind(b"PK\6\7") + 8):
        struct.pack_into("<Q", small, place, struct.unpack_from("<Q", small, place)[0] - gone)
    last = small.rfind(b"PK\5\6") + 16
    struct.pack_into("<I", small, last, struct.unpack_from("<I", small, last)[0] - gone)
    assert "more numbers than there are in it" in failure(written(tmp_path, bytes(small)), "E701")


def knot(name: str) -> Any:
    """A dict that holds itself."""
    held: dict[str, Any] = {"w": torch.zeros(1)}
    held[name] = held
    return held


def two() -> Any:
    """Two dicts that hold each other."""
    one: dict[str, Any] = {"w": torch.zeros(1)}
    one["model"] = {"state_dict": one}
    return one


def listed() -> Any:
    """A dict with a list that holds itself, and the dict."""
    held: list[Any] = []
    top = {"w": torch.zeros(1), "model": held}
    held += [held, top]
    return top


KNOTS: dict[str, Callable[[], Any]] = {
    "a dict in itself": lambda: knot("state_dict"),
    "a dict in itself under another name": lambda: knot("anything"),
    "two dicts in each other": two,
    "a list in itself": listed,
    "a dict in itself, beside the weights": lambda: {"state_dict": state(), "meta": knot("meta")},
}


def test_dicts_that_hold_each_other_end(tmp_path: Path) -> None:
    knot: dict[str, Any] = {}
    for _ in range(30):
        knot = {str(number): knot for number in range(200)}
    knot["self"] = knot
    assert "no tensor" in failure(written(tmp_path, zipped(knot)), "E703")


@pytest.mark.parametrize("memory", [True, False], ids=["in memory", "in a file"])
@pytest.mark.parametrize("case", KNOTS)
def test_knots_end(tmp_path: Path, case: str, memory: bool) -> None:
    source = KNOTS[case]()
    given = source if memory else written(tmp_path, zipped(source))
    if case.endswith("beside the weights"):
        model = net(*STAGES.values())
        load_weights(model, given)
    else:
        assert "error[E70" in untouched(given)
