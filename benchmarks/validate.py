"""`archdsl validate`, as a user has it, against `import torch`: cold, from the cache, and all shipped specs.

Run `python benchmarks/validate.py` where archdsl and torch are installed, archdsl as a wheel with its bytecode compiled
(`pip install .`): an editable install builds the parser's tables on every run. Each round measures everything once, one
after the other, so that the ratios hold on a machine that does other things as well; the medians are reported.

The goals are ratios of wall time: at most 0.15 cold, 0.03 from the cache, 0.5 for all specs in one process.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

GOALS = {"cold": 0.15, "hit": 0.03, "all specs": 0.5}
BASE = "import torch"


def commands(python: str, specs: Path) -> dict[str, list[str]]:
    """What is measured."""
    validate = [python, "-m", "archdsl", "validate"]
    return {
        BASE: [python, "-c", "import torch"],
        "python": [python, "-c", "pass"],
        "cold": [*validate, "--no-cache", str(specs / "resnext50.yaml")],
        "hit": [*validate, str(specs / "resnext50.yaml")],
        "all specs": [*validate, "--no-cache", str(specs)],
        "all specs, hits": [*validate, str(specs)],
    }


def seconds(command: list[str], environment: dict[str, str], folder: str) -> tuple[float, float]:
    """Wall time and processor time of a command, which has to succeed."""
    before, begin = os.times(), time.perf_counter()
    done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False)
    wall, after = time.perf_counter() - begin, os.times()
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    user = after.children_user - before.children_user
    return wall, user + after.children_system - before.children_system


def specs_of(python: str, folder: str) -> Path:
    """The shipped specs of the archdsl that is installed."""
    code = "from archdsl.resources import folder; print(folder('specs'))"
    done = subprocess.run([python, "-c", code], cwd=folder, capture_output=True, text=True, check=True)
    return Path(done.stdout.strip())


def main() -> None:
    """Measures, and prints the ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", default=sys.executable, help="another interpreter that has archdsl and torch")
    parser.add_argument("--torch-python", help="the interpreter that has torch, if that is yet another one")
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"ARCHDSL_CACHE_DIR": folder}
        work = commands(options.python, specs_of(options.python, folder))
        work[BASE][0] = options.torch_python or options.python
        for command in work.values():
            seconds(command, environment, folder)
        rounds = [
            {name: seconds(command, environment, folder) for name, command in work.items()}
            for _ in range(options.rounds)
        ]
    print(f"{'':<16} {'wall':>8} {'ratio':>7} {'goal':>6} {'processor':>10} {'ratio':>7}")
    for name in work:
        wall, cpu = (statistics.median(each[name][kind] for each in rounds) for kind in (0, 1))
        ratios = [statistics.median(each[name][kind] / each[BASE][kind] for each in rounds) for kind in (0, 1)]
        goal = GOALS.get(name, "")
        print(f"{name:<16} {wall * 1e3:5.0f} ms {ratios[0]:7.3f} {goal:>6} {cpu * 1e3:7.0f} ms {ratios[1]:7.3f}")


if __name__ == "__main__":
    main()
