"""Checkpoints that nobody meant: files of each format, damaged byte by byte or as the format is built."""

from __future__ import annotations

import io
import json
import pickletools
import random
import struct
import zipfile
from argparse import Namespace
from collections import OrderedDict, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors.torch import save

from tests.weights.nets import STAGES, text

State = dict[str, Any]
SPEC = text(STAGES["c2"])


class Damaged(NamedTuple):
    """A checkpoint, and what was done to it: `files` by name, of which the first, or their folder, is to be read."""

    how: str
    files: dict[str, bytes]
    folder: bool = False


# ---- what torch.save is given ---------------------------------------------------------------------------------------


def zipped(content: Any, protocol: int = 2) -> bytes:
    """What torch.save writes today."""
    buffer = io.BytesIO()
    torch.save(content, buffer, pickle_protocol=protocol)
    return buffer.getvalue()


def legacy(content: Any, protocol: int = 2) -> bytes:
    """What torch.save wrote before 1.6."""
    buffer = io.BytesIO()
    torch.save(content, buffer, pickle_protocol=protocol, _use_new_zipfile_serialization=False)
    return buffer.getvalue()


class Own:
    """An object of a class that only this file has."""

    def __init__(self, **held: Any) -> None:
        self.__dict__ |= held


class OwnDict(dict[str, Any]):
    """A dict of a class that only this file has."""


def deep(kind: Callable[[Any], Any], depth: int) -> Any:
    """A value in so many others."""
    held: Any = {}
    for _ in range(depth):
        held = kind(held)
    return held


def knotted(state: State) -> Any:
    """A dict that holds itself under the names of wrappers."""
    held: State = dict(state)
    held["state_dict"] = held["model"] = held
    return held


def shared(state: State) -> Any:
    """Dicts in dicts, each there many times: a walk over all ways to them would not end."""
    held: State = {}
    for _ in range(30):
        held = {str(number): held for number in range(10)}
    return {"state_dict": state, "meta": held, "module": held}


def pairs(state: State) -> Any:
    """Tuples of the same two tuples, as a key: its hash takes 2^40 steps."""
    held: Any = ()
    for _ in range(40):
        held = (held, held)
    return {"state_dict": state, "keys": [held]}


def odd_tensor(chance: random.Random, tensor: torch.Tensor) -> Any:
    """A tensor of another kind, or shape, or with other numbers, or something else in its place."""
    kinds: list[Callable[[], Any]] = [
        lambda: tensor.to(torch.int8),
        tensor.bool,
        lambda: tensor.to(torch.complex64),
        lambda: tensor.to(torch.float8_e4m3fn),
        tensor.double,
        tensor.half,
        lambda: tensor.to(torch.uint16),
        lambda: torch.empty(tensor.shape, device="meta"),
        lambda: tensor.to_sparse() if tensor.ndim else tensor,
        lambda: torch.nn.Parameter(tensor.float()),
        lambda: torch.full(tensor.shape, float("nan")),
        lambda: torch.full(tensor.shape, 1e300, dtype=torch.float64),
        lambda: torch.zeros([1] * tensor.ndim).expand(tensor.shape),
        lambda: torch.zeros(1).expand((1 << 40, *tensor.shape[1:])),
        lambda: torch.zeros((0, 1 << 40)),
        lambda: tensor[None],
        tensor.flatten,
        lambda: torch.zeros([1] * 20),
        lambda: torch.zeros(2 * tensor.numel() + 2)[1 : tensor.numel() + 1].view(tensor.shape),
        tensor.numpy,
        lambda: tensor.tolist() if tensor.numel() < 100 else 0.5,
        lambda: {"weight": tensor},
        lambda: Own(tensor=tensor),
        lambda: None,
        lambda: [tensor],
        lambda: "a" * chance.choice((1, 100_000, 3_000_000)),
    ]
    return chance.choice(kinds)()


def odd_key(chance: random.Random, key: str) -> Any:
    """Another name."""
    kinds = [key + "s", key[1:], key.replace(".", "/"), "module." + key, "a" * 2_000_000, "\x1b[31m" + key, "", 3, None]
    return chance.choice([*kinds, (key,), key.encode(), "\ud800", "." * 5000, 1 << 70, 0.5])


def odd_object(chance: random.Random, state: State) -> tuple[str, Any]:
    """Something else than a state dict, and what it is called."""
    key = chance.choice(list(state))
    kinds: dict[str, Callable[[], Any]] = {
        "a knot": lambda: knotted(state),
        "shared dicts": lambda: shared(state),
        "pairs of pairs": lambda: pairs(state),
        "deep lists": lambda: {"state_dict": state, "deep": deep(lambda held: [held], 200)},
        "deep dicts": lambda: deep(lambda held: {"state_dict": held, "model": held}, 100),
        "deep state": lambda: deep(lambda held: {"state_dict": held or state}, chance.randrange(1, 9)),
        "another tensor": lambda: state | {key: odd_tensor(chance, state[key])},
        "other tensors": lambda: {name: odd_tensor(chance, each) for name, each in state.items()},
        "another key": lambda: {odd_key(chance, name) if name == key else name: each for name, each in state.items()},
        "other keys": lambda: {odd_key(chance, name): each for name, each in state.items()},
        "without a key": lambda: {name: each for name, each in state.items() if name != key},
        "a tensor more": lambda: state | {odd_key(chance, key): state[key]},
        "objects beside it": lambda: {"state_dict": state, "args": Namespace(lr=1, path=Path("a")), "own": Own(x=1)},
        "dicts beside it": lambda: {"state_dict": state, "d": defaultdict(list, a=[1]), "o": OwnDict(a=1)},
        "sets beside it": lambda: {"state_dict": state, "s": {1, (2, 3)}, "f": frozenset(("a", None))},
        "objects alone": lambda: chance.choice((Own(state=state), OwnDict(state), [state], state[key], 3, "text", {})),
        "a module": lambda: torch.nn.Sequential(OrderedDict(a=torch.nn.Conv2d(3, 4, 1), b=torch.nn.BatchNorm2d(4))),
        "an optimizer": lambda: {"model": state, "optimizer": {"state": {0: {"step": state[key]}}, "groups": [{}]}},
        "entries that disagree": lambda: {"model": state, "model_ema": {key: state[key]}, "ema": {}},
        "many keys": lambda: state | {f"x{number}": number for number in range(chance.choice((100, 30_000)))},
        "many tensors": lambda: state | {f"x{number}": state[key].flatten()[:0] for number in range(2_000)},
        "a long list": lambda: {"state_dict": state, "losses": [0.5] * 200_000},
        "long numbers": lambda: {"state_dict": state, "numbers": [1 << 40_000, -1 << 70, float("nan")]},
        "as it should be": lambda: state,
    }  # fmt: skip
    how = chance.choice(list(kinds))
    return how, kinds[how]()


# ---- bytes -----------------------------------------------------------------------------------------------------------


def cut(chance: random.Random, content: bytes) -> bytes:
    """The beginning."""
    return content[: chance.randrange(len(content) + 1)]


def flipped(chance: random.Random, content: bytes) -> bytes:
    """Some bytes are others."""
    held = bytearray(content)
    near = chance.choice((len(held), len(held), min(600, len(held))))
    for _ in range(chance.choice((1, 2, 8, 64))):
        place = chance.choice((chance.randrange(near), len(held) - 1 - chance.randrange(near)))
        held[place] = chance.choice(
            (0, 1, 0x7F, 0x80, 0xFF, held[place] ^ 1 << chance.randrange(8), chance.randrange(256))
        )
    return bytes(held)


def moved(chance: random.Random, content: bytes) -> bytes:
    """A piece is gone, or there twice, or zeros, or elsewhere."""
    first, last = sorted(chance.randrange(len(content) + 1) for _ in range(2))
    last = min(last, first + chance.choice((1, 8, 64, len(content))))
    piece, place = content[first:last], chance.randrange(len(content) + 1)
    return chance.choice((
        content[:first] + content[last:],
        content[:last] + piece + content[last:],
        content[:first] + bytes(len(piece)) + content[last:],
        content[:place] + piece + content[place:],
        content + piece,
        piece + content,
    ))  # fmt: skip


BYTES = {"cut": cut, "flipped": flipped, "moved": moved}


def damaged(chance: random.Random, content: bytes) -> tuple[str, bytes]:
    """A file that was damaged by whatever knows nothing of its format."""
    how = chance.choice(list(BYTES))
    return how, BYTES[how](chance, content)


# ---- pickles ---------------------------------------------------------------------------------------------------------

CODES = [each.code.encode("latin-1") for each in pickletools.opcodes]
NUMBERS = (0, 1, 255, 1 << 16, (1 << 31) - 1, 1 << 31, (1 << 32) - 1, 1 << 40, (1 << 63) - 1, (1 << 64) - 1)


def operations(content: bytes) -> list[bytes]:
    """A pickle, operation by operation."""
    places = [place or 0 for _, _, place in pickletools.genops(content)]
    return [content[a:b] for a, b in zip(places, [*places[1:], places[-1] + 1], strict=True)]


def drawn(chance: random.Random) -> bytes:
    """An operation with any argument."""
    number = chance.choice(NUMBERS)
    kinds = (
        chance.choice(CODES) + bytes(chance.randrange(256) for _ in range(chance.choice((0, 0, 1, 2, 4, 8)))),
        b"X" + struct.pack("<I", number % (1 << 32)),
        b"\x8d" + struct.pack("<Q", number),
        b"\x8e" + struct.pack("<Q", number),
        b"\x96" + struct.pack("<Q", number),
        b"\x95" + struct.pack("<Q", number),
        b"\x8b" + struct.pack("<i", number % (1 << 31)),
        b"r" + struct.pack("<I", number % (1 << 32)),
        b"j" + struct.pack("<I", number % (1 << 32)),
        b"p%d\n" % number,
        b"L%dL\n" % number,
        b"\x8a\x08" + struct.pack("<Q", number),
        b"J" + struct.pack("<i", number % (1 << 31)),
        b"M\xff\xff",
        b"2" * chance.choice((1, 10_000)),
        b"(" * chance.choice((1, 10_000, 2_000_000)),
        b"]" * chance.choice((1, 100_000, 3_000_000)),
        b"(ccollections\nOrderedDict\n)R" * chance.choice((1, 1_000)),
        b"cbuiltins\nbytearray\nJ\xff\xff\xff\x7f\x85R",
        b"cbuiltins\ngetattr\n(cos\nsystem\n)R",
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(J\xff\xff\xff\x7ftC\x01bt" + b"R",
        b"ctorch\nFloatStorage\n(J\xff\xff\xff\x7ftR",
        b"ctorch._utils\n_rebuild_tensor_v2\n(NK\x00(J\xff\xff\xff\x7ft(K\x00tNNtR",
        b"ctorch._utils\n_rebuild_parameter\n(NNNtR",
    )
    return chance.choice(kinds)


def repickled(chance: random.Random, content: bytes) -> bytes:
    """A pickle, some operations of which are others, gone, or there twice."""
    held = operations(content)
    for _ in range(chance.choice((1, 1, 2, 5))):
        place = chance.randrange(len(held)) if held else 0
        numbers = [index for index, each in enumerate(held) if each[:1] in {b"K", b"M", b"J"}]
        ways: list[list[bytes]] = [
            [],
            held[place : place + 1] * chance.choice((2, 3, 1_000)),
            [drawn(chance)],
            [*held[place : place + 1], drawn(chance)],
            [chance.choice(held or [b"."])],
        ]
        if numbers and chance.random() < 0.5:
            place = chance.choice(numbers)
            ways = [[b"J" + struct.pack("<i", chance.choice((-1, 0, 1, 7, 1 << 20, (1 << 31) - 1)))]] * 2
            ways.append([b"\x8a\x08" + struct.pack("<q", chance.choice((1 << 62, -(1 << 62), 1 << 40)))])
        held[place : place + 1] = chance.choice(ways)
    return b"".join(held)


# ---- formats ---------------------------------------------------------------------------------------------------------


def rezipped(content: bytes, change: Callable[[str, bytes], bytes | None], method: int = zipfile.ZIP_STORED) -> bytes:
    """A zip file, its members changed or left out."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(buffer, "w", method) as new:
        for each in old.infolist():
            changed = change(each.filename, old.read(each))
            if changed is not None:
                new.writestr(each.filename, changed)
    return buffer.getvalue()


def of_zip(chance: random.Random, state: State) -> Damaged:
    """A damaged file of torch.save."""
    how, content = "as it should be", zipped(state)
    way = chance.randrange(8)
    if way < 2:
        how, held = odd_object(chance, state)
        content = zipped(held, chance.choice((2, 2, 3, 4, 5)))
    elif way < 5:
        how = "another pickle"
        content = rezipped(content, lambda name, held: repickled(chance, held) if name.endswith("data.pkl") else held)
    elif way < 6:
        how, content = members(chance, content)
    else:
        how, content = damaged(chance, content)
    return Damaged(how, {"w.pt": content})


def members(chance: random.Random, content: bytes) -> tuple[str, bytes]:
    """A zip file with other members."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        one = chance.choice(archive.namelist())
    packed = zipfile.ZIP_DEFLATED
    ways: dict[str, Callable[[], bytes]] = {
        "without a member": lambda: rezipped(content, lambda name, held: None if name == one else held),
        "an empty member": lambda: rezipped(content, lambda name, held: b"" if name == one else held),
        "a shorter member": lambda: rezipped(content, lambda name, held: held[:-1] if name == one else held),
        "a longer member": lambda: rezipped(content, lambda name, held: held + bytes(99) if name == one else held),
        "packed": lambda: rezipped(content, lambda name, held: held, packed),
        "a bomb": lambda: rezipped(content, lambda name, held: bytes(1 << 24) if name == one else held, packed),
        "big-endian": lambda: rezipped(content, lambda name, held: b"big" if name.endswith("byteorder") else held),
        "other end": lambda: rezipped(content, lambda name, held: b"\xff" * 9 if name.endswith("byteorder") else held),
        "another directory": lambda: directory(chance, content),
        "another name": lambda: content.replace(one.encode(), bytes(reversed(one.encode()))),
    }  # fmt: skip
    how = chance.choice(list(ways))
    return how, ways[how]()


def directory(chance: random.Random, content: bytes) -> bytes:
    """A zip file whose list of members has other numbers in it."""
    held = bytearray(content)
    start = held.find(b"PK\1\2") if chance.random() < 0.7 else held.rfind(b"PK\6\6")
    for _ in range(chance.choice((1, 3))):
        place = chance.randrange(start, len(held) - 4)
        struct.pack_into("<I", held, place, chance.choice(NUMBERS) % (1 << 32))
    return bytes(held)


def of_legacy(chance: random.Random, state: State) -> Damaged:
    """A damaged file of the older torch.save."""
    way = chance.randrange(8)
    how, content = "as it should be", legacy(state)
    if way < 2:
        how, held = odd_object(chance, state)
        content = legacy(held, chance.choice((2, 2, 3, 4, 5)))
    elif way < 6:
        how, content = row(chance, content)
    else:
        how, content = damaged(chance, content)
    return Damaged(how, {"w.pth": content})


def row(chance: random.Random, content: bytes) -> tuple[str, bytes]:
    """A row of pickles, one of which is another, or the storages behind them."""
    pieces: list[bytes] = []
    rest = io.BytesIO(content)
    for _ in range(5):
        start = rest.tell()
        for _ in pickletools.genops(rest):
            pass
        pieces.append(content[start : rest.tell()])
    storages = content[rest.tell() :]
    which = chance.choice((0, 1, 2, 3, 3, 3, 3, 4, 4, 5, 5))
    if which == 5:
        number = chance.choice((0, 1, -1, 1 << 20, 1 << 40, (1 << 63) - 1))
        return "another count", b"".join(pieces) + struct.pack("<q", number) + storages[8:]
    pieces[which] = repickled(chance, pieces[which])
    return f"another pickle {which}", b"".join(pieces) + storages


def of_safetensors(chance: random.Random, state: State) -> Damaged:
    """A damaged file of safetensors."""
    content = save(state)
    length = struct.unpack("<Q", content[:8])[0]
    header, numbers = json.loads(content[8 : 8 + length]), content[8 + length :]
    way = chance.randrange(8)
    if way < 5:
        how, told = headed(chance, header)
        size = chance.choice(
            (len(told), len(told), len(told), chance.choice(NUMBERS), len(told) + chance.choice((-1, 1)))
        )
        return Damaged(how, {"w.safetensors": struct.pack("<Q", size % (1 << 64)) + told + numbers})
    if way < 6:
        key = chance.choice(list(state))
        changed = odd_tensor(chance, state[key])
        if (
            isinstance(changed, torch.Tensor)
            and changed.numel() < 1e6
            and not changed.is_meta
            and not changed.is_sparse
        ):
            return Damaged("another tensor", {"w.safetensors": save(state | {key: changed.clone().contiguous()})})
    how, content = damaged(chance, content)
    return Damaged(how, {"w.safetensors": content})


def headed(chance: random.Random, header: State) -> tuple[str, bytes]:
    """Another header."""
    key = chance.choice(list(header))
    entry = header[key]
    shape, (first, last) = entry["shape"], entry["data_offsets"]
    number = chance.choice((-1, 0, 1, 3, 1 << 31, 1 << 63, 1 << 64, 10**40, 0.5, True, None, "4", [1], {}))
    dtypes = ("I8", "F64", "F16", "BOOL", "C64", "F4", "F8_E5M2", 3, None)
    offsets = ([number, last], [first, number], [last, first], [0], 3)
    nothing = {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}
    renamed = {f"{odd_key(chance, name)}" if name == key else name: each for name, each in header.items()}
    values: dict[str, Callable[[], Any]] = {
        "dtype": lambda: entry | {"dtype": chance.choice(dtypes)},
        "shape": lambda: entry | {"shape": chance.choice(([number], shape[::-1], [], [*shape, 1], number))},
        "offsets": lambda: entry | {"data_offsets": chance.choice(offsets)},
        "entry": lambda: chance.choice((number, [], {}, entry | {"more": 1}, {"dtype": "F32"})),
    }  # fmt: skip
    texts: dict[str, Callable[[], str]] = {
        "names": lambda: json.dumps(renamed),
        "twice": lambda: json.dumps(header)[:-1] + f', "{key}": {json.dumps(entry)}' + "}",
        "metadata": lambda: json.dumps({"__metadata__": chance.choice(({"a": "b"}, {"a": 1}, 3, [[]])), **header}),
        "nested": lambda: "{" * chance.choice((2, 100_000)),
        "lists": lambda: '{"a":' + "[]," * chance.choice((2, 300_000)) + "3}",
        "empty tensors": lambda: json.dumps({f"x{index}": nothing for index in range(5_000)} | header),
        "no text": lambda: "{" + "\udcff" * 3 + "}",
        "long number": lambda: '{"a": ' + "9" * 100_000 + "}",
        "without an entry": lambda: json.dumps({name: each for name, each in header.items() if name != key}),
    }  # fmt: skip
    how = chance.choice([*values, *values, *texts])
    told = json.dumps(header | {key: values[how]()}) if how in values else texts[how]()
    return how, told.encode("utf-8", "surrogateescape")


def of_program(chance: random.Random, state: State) -> Damaged:
    """A damaged TorchScript archive, or one without its program: tensors in objects that nobody makes."""
    content = rezipped(PROGRAM[0], lambda name, held: held)
    if chance.random() < 0.6:
        content = rezipped(content, lambda name, held: None if name.endswith("constants.pkl") else held)
    if chance.random() < 0.4:
        content = rezipped(content, lambda name, held: repickled(chance, held) if name.endswith("data.pkl") else held)
        return Damaged("another pickle", {"w.pt": content})
    how, content = damaged(chance, content)
    return Damaged(how, {"w.pt": content})


PROGRAM: list[bytes] = []
"""A TorchScript archive, once it was made."""


def of_folder(chance: random.Random, state: State) -> Damaged:
    """A folder with an index and two files, something of which is damaged."""
    half = len(state) // 2
    parts = {"a.safetensors": dict(list(state.items())[:half]), "b.safetensors": dict(list(state.items())[half:])}
    table = {name: part for part, held in parts.items() for name in held}
    key = chance.choice(list(table))
    outside = ("../a.safetensors", "/dev/zero", "", ".", "c\0")
    indices: dict[str, Callable[[], Any]] = {
        "as it should be": lambda: {"weight_map": table},
        "outside": lambda: {"weight_map": table | {key: chance.choice(outside)}},
        "no file": lambda: {"weight_map": table | {key: "c.safetensors"}},
        "no text": lambda: {"weight_map": table | {key: chance.choice((3, None, [], {}, "a" * 5000))}},
        "no table": lambda: {"weight_map": chance.choice((3, None, [], {}, "a"))},
        "no map": lambda: chance.choice(({}, [], 3)),
        "nested": lambda: {"weight_map": deep(lambda held: [held], 200)},
        "another table": lambda: {"weight_map": dict.fromkeys(table, "a.safetensors")},
    }  # fmt: skip
    how = chance.choice(list(indices))
    files = {name: save(held) for name, held in parts.items()}
    files["model.safetensors.index.json"] = json.dumps(indices[how]()).encode()
    if chance.random() < 0.6:
        name = chance.choice(list(files))
        ways = [damaged(chance, files[name])]
        if name.endswith("safetensors"):
            ways.append(("a part", next(iter(of_safetensors(chance, parts[name]).files.values()))))
        told, files[name] = chance.choice(ways)
        how = f"{how}, {told}"
    return Damaged(how, files, folder=True)


FORMATS: dict[str, Callable[[random.Random, State], Damaged]] = {
    "safetensors": of_safetensors,
    "zip": of_zip,
    "legacy": of_legacy,
    "program": of_program,
    "folder": of_folder,
}
