"""Damaged checkpoints, one after the other, through `archdsl convert` and `load_weights`.

    PYTHONPATH=. python tests/fuzz/fuzz_checkpoints.py --formats zip legacy --start 0 --count 1000

A case is its format and a number, so a campaign can be taken up where it was left. They run in processes of their own,
whose memory is looked at; a case that does what none should is told, and its files are kept in `fuzz-findings`.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

FINDINGS = Path("fuzz-findings")
PROTECTION = 120
"""Seconds after which a process is stopped: only so that a campaign goes on."""
LONGEST = 5.0
"""Seconds of the processor that a case may take."""
TOGETHER = 10
"""So many cases run in one process, as starting one takes longer than a case."""
FREE = 64 << 20
"""Bytes that memory may grow by, besides twice the files."""


class Outcome(NamedTuple):
    """What became of a case."""

    convert: str
    load: str
    grown: int
    seconds: float
    faults: list[str]


class Case(NamedTuple):
    """A damaged checkpoint: what was done to it, the folder that its files are in, what is to be read, its size."""

    how: str
    place: Path
    path: Path
    size: int


class Campaign:
    """Runs cases: what they need is made once, before the processes are forked."""

    def __init__(self, folder: Path) -> None:
        import torch

        import archdsl
        from tests.fuzz import damaging

        self.folder = folder
        self.peak = 0
        """What a process had in memory when it was started: what was freed since is no reason to have more."""
        (folder / "net.arch").write_text(damaging.SPEC)
        self.model = archdsl.build(archdsl.loads(damaging.SPEC))
        self.state = {name: tensor.clone() for name, tensor in self.model.state_dict().items()}
        if not damaging.PROGRAM:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                buffer = io.BytesIO()
                torch.jit.save(torch.jit.script(torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3))), buffer)
                damaging.PROGRAM.append(buffer.getvalue())
        given = {name: tensor + 1 for name, tensor in self.state.items()}
        self.given = given
        for suffix in ("pt", "safetensors"):  # whatever is imported late is imported now
            path = folder / f"warm.{suffix}"
            path.write_bytes(damaging.save(given) if suffix == "safetensors" else damaging.zipped(given))
            assert self.examined(path, 1 << 30).faults == []
        self.peak = 0

    def cases(self, format: str, numbers: Iterable[int]) -> Iterator[tuple[int, str, Outcome]]:
        """Damaged checkpoints: the number of each, what was done to it, and what became of it.

        They run in one process; where one does what it should not, again in one of its own.
        """
        made = {number: self.made(format, number) for number in numbers}
        outcomes = self.apart(list(made.values()))
        for index, (number, case) in enumerate(made.items()):
            alone = len(outcomes) <= index or outcomes[index].faults
            outcome = self.apart([case])[0] if alone and len(made) > 1 else outcomes[index]
            if outcome.faults:
                FINDINGS.mkdir(exist_ok=True)
                for path in case.place.iterdir():
                    shutil.copy(path, FINDINGS / f"{format}-{number}-{path.name}")
            shutil.rmtree(case.place)
            yield number, case.how, outcome

    def made(self, format: str, number: int) -> Case:
        """A damaged checkpoint, in a folder of its own."""
        from tests.fuzz import damaging

        made = damaging.FORMATS[format](random.Random(f"{format} {number}"), self.given)
        place = self.folder / f"{format}{number}"
        place.mkdir()
        for name, content in made.files.items():
            (place / name).write_bytes(content)
        path = place if made.folder else place / next(iter(made.files))
        return Case(made.how, place, path, sum(map(len, made.files.values())))

    def apart(self, cases: list[Case]) -> list[Outcome]:
        """What becomes of checkpoints in another process, up to the first that ends it."""
        out, into = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(out)
            signal.alarm(PROTECTION)
            for case in cases:
                try:
                    told = self.examined(case.path, case.size)
                except BaseException:
                    told = Outcome("?", "?", 0, 0, [traceback.format_exc()[-1500:]])
                os.write(into, json.dumps(told)[:60_000].encode() + b"\n")
            os._exit(0)
        os.close(into)
        with open(out, "rb") as told:
            found = [Outcome(*json.loads(line)) for line in told]
        _, status = os.waitpid(child, 0)
        if len(found) < len(cases):
            found.append(Outcome("?", "?", 0, 0, [f"the process ended with {status}"]))
        return found

    def examined(self, path: Path, size: int) -> Outcome:
        """What becomes of a file."""
        import torch

        from archdsl import ArchError, load_weights

        before, begin = self.peak or peak(), time.process_time()
        self.peak = before
        faults: list[str] = []
        output = self.folder / f"out{os.getpid()}.pt"
        convert = self.converted(path, output, faults)
        try:
            load_weights(self.model, path)
            load = "loaded"
            self.model.load_state_dict(self.state)
        except ArchError as error:
            load = error.diagnostics[0].code
            said = str(error)
            if len(said) > 6000 or "internal" in said:
                faults.append(f"a message of {len(said)} characters: {said[:300]}")
            held = self.model.state_dict()
            if not all(torch.equal(bits(held[name]), bits(tensor)) for name, tensor in self.state.items()):
                faults.append("the model is another")
        except Exception:
            load = "raw"
            faults.append(traceback.format_exc()[-1500:])
        grown, seconds = peak() - before, time.process_time() - begin
        if convert != load:
            faults.append(f"convert says {convert}, load_weights {load}")
        if output.exists() != (convert == "loaded"):
            faults.append("a file was written, or not, as it should not")
        output.unlink(missing_ok=True)
        if grown > 2 * size + FREE:
            faults.append(f"memory grew by {grown:,} bytes for files of {size:,}")
        if seconds > LONGEST:
            faults.append(f"it took {seconds:.1f} s")
        return Outcome(convert, load, grown, seconds, faults)

    def converted(self, path: Path, output: Path, faults: list[str]) -> str:
        """What `archdsl convert` makes of a file."""
        from archdsl.commands._run import main

        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                code: Any = main(["convert", str(path), "--spec", str(self.folder / "net.arch"), "-o", str(output)])
            except SystemExit as stop:
                code = stop.code
            except Exception:
                faults.append(traceback.format_exc()[-1500:])
                return "raw"
        said = err.getvalue()
        if "Traceback" in said or "internal" in said:
            faults.append(said[:1500])
        return "loaded" if code == 0 else said.partition("error[")[2][:4] or f"code {code}: {said[:80]}"


def bits(tensor: Any) -> Any:
    """The bytes of a tensor."""
    import torch

    return tensor.detach().reshape(-1).contiguous().view(torch.uint8)


def peak() -> int:
    """The most memory that this process has had, in bytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def campaign(formats: list[str], start: int, count: int, folder: Path) -> Iterator[tuple[str, int, str, Outcome]]:
    """All cases: format, number, what was done, what became of it."""
    runs = Campaign(folder)
    for format in formats:
        for first in range(start, start + count, TOGETHER):
            numbers = range(first, min(first + TOGETHER, start + count))
            yield from ((format, *told) for told in runs.cases(format, numbers))


def main() -> None:
    """Runs."""
    from tests.fuzz.damaging import FORMATS

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--formats", nargs="+", default=list(FORMATS), choices=list(FORMATS))
    parser.add_argument("--start", type=int, default=0)
    parser.add_argument("--count", type=int, default=1000)
    options = parser.parse_args()
    reached: dict[str, Counter[str]] = {format: Counter() for format in options.formats}
    worst = {format: [0, 0.0, 0] for format in options.formats}
    with tempfile.TemporaryDirectory() as folder:
        for format, number, how, outcome in campaign(options.formats, options.start, options.count, Path(folder)):
            reached[format][outcome.load] += 1
            worst[format][0] = max(worst[format][0], outcome.grown)
            worst[format][1] = max(worst[format][1], outcome.seconds)
            if outcome.faults:
                worst[format][2] += 1
                print(f"FINDING {format} {number} ({how}): {outcome.faults}", flush=True)
            if number % 200 == 199:
                print(format, number + 1, dict(reached[format]), flush=True)
    for format in options.formats:
        grown, seconds, faults = worst[format]
        print(f"{format}: {dict(reached[format])}; {faults} findings; at most {grown >> 20} MB, {seconds:.2f} s")


if __name__ == "__main__":
    main()
