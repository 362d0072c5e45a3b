"""A fuzz target for atheris: bytes steer the changes of shipped specs, so that coverage leads to new ones.

    pip install atheris
    PYTHONPATH=. python tests/fuzz/fuzz_specs.py -runs=1000000 -len_control=0 -timeout=30 -rss_limit_mb=2048

With `--random SEED COUNT` it needs no atheris: the changes are drawn. A text that does what none should is written to
the folder `fuzz-findings`, with what happened, and the run goes on; at the end (and now and then) it reports.
"""

from __future__ import annotations

import hashlib
import random
import sys
import time
import traceback
from pathlib import Path

FINDINGS = Path("fuzz-findings")
EVERY = 20_000


def main() -> None:
    """Runs."""
    sys.path.insert(0, str(Path(__file__).parent))
    if sys.argv[1:2] == ["--random"]:
        drawn(int(sys.argv[2]), int(sys.argv[3]))
        return
    import atheris

    with atheris.instrument_imports(include=["archdsl"]):  # pyright: ignore
        from examining import Examiner
        from mutation import mutated
    examiner = Examiner()

    def one(data: bytes) -> None:
        attempt(examiner, mutated(Steered(atheris.FuzzedDataProvider(data))))  # pyright: ignore

    atheris.Setup(sys.argv, one)
    atheris.Fuzz()


class Steered(random.Random):
    """Chance that bytes decide, as long as there are any."""

    def __init__(self, provider) -> None:
        super().__init__(0)
        self.provider = provider

    def random(self) -> float:
        """From 0 up to 1."""
        return self.getrandbits(32) / 2**32

    def getrandbits(self, k: int) -> int:
        """A number of so many bits."""
        if not self.provider.remaining_bytes():
            return super().getrandbits(k)
        return int.from_bytes(self.provider.ConsumeBytes((k + 7) // 8).ljust((k + 7) // 8, b"\0"), "big") % 2**k


def drawn(seed: int, count: int) -> None:
    """So many drawn texts."""
    from examining import Examiner
    from mutation import mutated

    examiner, chance = Examiner(), random.Random(seed)
    for _ in range(count):
        attempt(examiner, mutated(chance))
    report(examiner)


def attempt(examiner, sample) -> None:
    """Examines one text, and keeps it where it does what it should not."""
    try:
        examiner.examine(f"fuzz.{sample.ending}", sample.text)
    except Exception:
        said = traceback.format_exc()
        last = "".join(line for line in said.splitlines(keepends=True) if line.startswith("  File "))[-400:]
        name = hashlib.sha256((sample.text if "slow:" in said else last).encode("utf-8", "replace")).hexdigest()[:12]
        FINDINGS.mkdir(exist_ok=True)
        path = FINDINGS / f"{name}.{sample.ending}"
        examiner.reached["FOUND"] += 1
        if not path.exists() or path.stat().st_size > len(sample.text.encode("utf-8", "surrogatepass")):
            path.write_text(sample.text, encoding="utf-8", errors="surrogatepass")
            path.with_suffix(".txt").write_text(said, encoding="utf-8", errors="replace")
            print(f"FOUND {path}\n{said}", flush=True)
    if not sum(examiner.reached.values()) % EVERY:
        report(examiner)


def report(examiner) -> None:
    """How far the texts came."""
    print(f"{time.strftime('%X')} {dict(examiner.reached)}; at most {examiner.most:,} calls", flush=True)
    print(f"  {dict(examiner.codes.most_common())}", flush=True)


if __name__ == "__main__":
    main()
