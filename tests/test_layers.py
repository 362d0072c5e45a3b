"""Imports point one way: the layers of the architecture, as a table, and the test that reads every import.

An import counts wherever it stands: at the top of a module, inside a function, under `if TYPE_CHECKING`, or as
`import_module("...")`. What runs when a module is imported must be in its row's `imports` and `brings`; what waits
inside a function may also be in `lazily`.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
from imports import Arrow, arrows, circles, modules

ANY = "*"


class Row(NamedTuple):
    """What one part of the package may import. Names are apart by blanks; a folder's name stands for all in it."""

    imports: str = ""
    """Parts of archdsl; `.` is its face. Below `ops` a dot matters: `ops` is the folder, `ops.common` one module."""
    brings: str = ""
    """Other packages, at import time. The standard library is free."""
    lazily: str = ""
    """Other packages, or parts `archdsl.…`, inside functions only."""


L0 = "diagnostics record resources"
L1 = f"{L0} op initializer graph"
L3 = f"{L1} ops syntax elaborate"
L5 = f"{L3} frontend passes analyses backends weights coerce driver integrations"

LAYERS = {
    # 0: the ground. Standard library only
    "diagnostics": Row("diagnostics"),
    "record": Row(),
    "resources": Row(),
    # 1: what an op is, and the graph of them
    "op": Row(L0),
    "initializer": Row(f"{L0} op"),
    "graph": Row(f"{L0} op initializer graph"),
    # 2: the vocabulary. A family of ops knows no other family, and no target
    "ops": Row(f"{L1} ops"),
    "ops.*": Row(f"{L1} ops.common"),
    "ops.common": Row(L1),
    # 3: the text and its document, then what it comes to
    "syntax": Row(f"{L1} ops syntax", brings="pydantic pydantic_core"),
    "syntax.parser": Row(f"{L1} ops syntax", lazily="lark"),
    "elaborate": Row(L3),
    # 4: five folders that know nothing of each other
    "frontend": Row(f"{L3} frontend", brings="yaml"),
    "passes": Row(f"{L3} passes"),
    "analyses": Row(f"{L3} analyses", brings="pydantic pydantic_core", lazily="yaml pandas"),
    "analyses.families": Row(f"{L3} analyses", brings="numpy"),
    "backends": Row(f"{L3} backends", lazily="torch numpy onnx onnxscript onnxruntime"),
    "weights": Row(f"{L3} weights", brings="pydantic", lazily="torch numpy safetensors yaml"),
    # 5: adapters to other projects; and load, elaborate, verify, nothing more
    "coerce": Row(f"{L3} frontend"),
    "driver": Row(f"{L3} frontend passes analyses backends weights coerce driver", brings="pydantic"),
    "driver.manifest": Row(f". {L3} passes driver", brings="pydantic"),
    "driver.pretrained": Row(f"{L3} backends weights driver", lazily="torch"),
    "driver.export": Row(f"{L3} driver", lazily="torch onnx onnxscript onnxruntime"),
    "driver.weight_files": Row(f"{L3} weights driver", lazily="torch safetensors"),
    "integrations": Row(f". {L5}", brings=ANY),
    # 6: one file per command, each read only when it is asked for, and the public names
    "api": Row(f"{L5} api", lazily="torch"),
    "many": Row(f"{L5} api many"),
    "commands": Row(f". {L5} api commands", lazily=ANY),
    "commands._run": Row(". diagnostics commands", lazily="archdsl"),
    "__main__": Row("commands"),
    "": Row("", lazily=ANY),
}
HEAVY = ("torch", "numpy", "rich", "importlib.metadata", "pydantic", "lark", "yaml")


def row(module: str) -> Row | None:
    """The row of the table for a module below the package (its name without the package's): the longest that fits."""
    parts = module.split(".")
    inside = [".".join([*parts[:count], ANY]) for count in range(1, len(parts))]
    folders = [".".join(parts[:count]) for count in range(1, len(parts) + 1)]
    fitting = [key for key in (*folders[:-1], *inside, folders[-1]) if key in LAYERS]
    return LAYERS[fitting[-1]] if fitting else None


def allowed(names: str, target: str) -> bool:
    """Whether a row's names hold a module, or the folder that it is in."""
    return names == ANY or any(target == name or target.startswith(f"{name}.") for name in names.split())


def fits(mine: Row, arrow: Arrow, package: str) -> bool:
    """Whether the row of an arrow's module allows it."""
    outside, _, part = arrow.target.partition(".")
    if outside == package:
        early = allowed(mine.imports, part or ".")
    else:
        early = outside in sys.stdlib_module_names or allowed(mine.brings, outside)
    return early or (arrow.late and allowed(mine.lazily, arrow.target))


def wrong(package: Path) -> list[str]:
    """The arrows of a package that the table does not allow, and the modules that it does not know."""
    rows = {name: row(name.partition(".")[2]) for name in modules(package)}
    found = [f"{name} has no layer: give it a row in LAYERS" for name, mine in rows.items() if mine is None]
    for arrow in arrows(package):
        mine = rows[arrow.source]
        if mine and not fits(mine, arrow, package.name):
            place = " inside a function" if arrow.late else ""
            found.append(f"{arrow.source}:{arrow.line} imports {arrow.target}{place}")
    return found


ARCHDSL = Path(__file__).parents[1] / "archdsl"


def test_imports_point_down() -> None:
    assert len(modules(ARCHDSL)) > 10
    assert wrong(ARCHDSL) == []


def test_only_commands_tune_the_garbage_collector() -> None:
    """A library must leave it to its users."""
    touching = {arrow.source for arrow in arrows(ARCHDSL) if arrow.target == "gc"}
    assert touching <= {"archdsl.commands._run"}


def test_imports_make_no_circle() -> None:
    assert circles(ARCHDSL, ["at import"]) == []


def test_import_of_the_package_is_light() -> None:
    code = f"import archdsl, sys; print(*[name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ARCHDSL.parent)
    assert done.stdout.split() == []


def test_compiling_costing_and_emitting_need_no_torch() -> None:
    code = (
        "import sys, archdsl; graph = archdsl.compile('resnext50'); archdsl.cost(graph); archdsl.emit(graph);"
        "from archdsl.commands._run import main; main(['validate', 'specs/vgg16.yaml', '--no-cache']);"
        "print(*[name for name in ('torch', 'numpy', 'rich') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ARCHDSL.parent)
    assert done.stdout.splitlines()[-1] == "", done.stdout


# The test of the test: in a small tree of the same shape, each wrong arrow is found, and each right one is let pass.

WRONG = [
    ("diagnostics/source.py", "from archdsl import record", "archdsl.record"),
    ("record.py", "import archdsl.diagnostics.source", "archdsl.diagnostics.source"),
    ("resources.py", "import yaml", "yaml"),
    ("op.py", "from archdsl.graph import Scope", "archdsl.graph"),
    ("op.py", "import torch", "torch"),
    ("graph.py", "def f():\n    import pydantic", "pydantic inside a function"),
    ("ops/conv.py", "from archdsl.ops.join import Concat", "archdsl.ops.join"),
    ("ops/conv.py", "from archdsl.ops import join", "archdsl.ops.join"),
    ("ops/conv.py", "from . import join", "archdsl.ops.join"),
    ("ops/conv.py", "from archdsl.ops import vocabulary", "archdsl.ops"),
    ("ops/conv.py", "from archdsl.backends.torch import emit", "archdsl.backends.torch"),
    ("ops/common.py", "from archdsl.ops.conv import Conv", "archdsl.ops.conv"),
    ("elaborate/scope.py", "import pydantic", "pydantic"),
    ("elaborate/scope.py", "from lark import Lark", "lark"),
    ("syntax/document.py", "import yaml", "yaml"),
    ("frontend/parser.py", "import pydantic", "pydantic"),
    ("elaborate/scope.py", "from ..frontend.parser import parse", "archdsl.frontend.parser"),
    ("frontend/parser.py", "from archdsl.analyses.cost import cost", "archdsl.analyses.cost"),
    ("frontend/parser.py", "from archdsl import build", "archdsl"),
    ("syntax/parser.py", "from archdsl.elaborate import scope", "archdsl.elaborate.scope"),
    ("frontend/parser.py", "import lark", "lark"),
    ("passes/fold.py", "def f():\n    from archdsl.backends.torch.emit import emit", "archdsl.backends.torch.emit"),
    ("analyses/cost.py", "if typing.TYPE_CHECKING:\n    import torch", "torch inside a function"),
    ("analyses/cost.py", "import_module('archdsl.passes.fold')", "archdsl.passes.fold"),
    ("analyses/cost.py", "def f():\n    importlib.import_module('torch.fx')", "torch.fx inside"),
    ("analyses/cost.py", "import_module(f'archdsl.passes.{1}')", "archdsl.passes"),
    ("backends/torch/emit.py", "import torch.nn as nn", "torch.nn"),
    ("backends/torch/emit.py", "try:\n    import torch\nexcept ImportError:\n    pass", "torch"),
    ("backends/torch/emit.py", "def f():\n    import lark", "lark inside a function"),
    ("weights/rename.py", "from archdsl.driver import load", "archdsl.driver"),
    ("driver/loading.py", "from archdsl.commands import build", "archdsl.commands"),
    ("driver/loading.py", "from archdsl.integrations import timm", "archdsl.integrations"),
    ("commands/build.py", "import torch", "torch"),
    ("commands/build.py", "import yaml", "yaml"),
    ("__init__.py", "import pydantic", "pydantic"),
    ("__init__.py", "from archdsl.graph import Scope", "archdsl.graph"),
    ("misc/helpers.py", "import os", "archdsl.misc.helpers has no layer"),
]
RIGHT = [
    ("diagnostics/render.py", "import re\nfrom archdsl.diagnostics.source import Span"),
    (
        "ops/conv.py",
        "from archdsl.ops.common import window\nfrom archdsl.op import Op\nfrom archdsl import diagnostics",
    ),
    ("ops/__init__.py", "from importlib import import_module\ndef f(n):\n    import_module(f'archdsl.ops.{n}')"),
    ("syntax/document.py", "from .scope import Scope"),
    ("frontend/parser.py", "import yaml\nfrom archdsl.elaborate import scope"),
    ("backends/torch/module.py", "def f():\n    import torch"),
    ("integrations/timm.py", "import torch, timm\nfrom archdsl.driver import load"),
    ("commands/build.py", "from archdsl.driver import load\ndef f():\n    import torch, archdsl.backends.torch.emit"),
    ("__init__.py", "def __getattr__(name):\n    from archdsl.frontend.parser import parse"),
]


def planted(folder: Path, path: str, text: str) -> Path:
    """A package of empty modules, with one that has a text."""
    package = folder / "archdsl"
    others = {case[0] for case in (*WRONG, *RIGHT) if not case[0].startswith("misc/")}
    for each in {path, *others, "diagnostics/__init__.py", "ops/join.py"}:
        file = package / each
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text if each == path else "", encoding="utf-8")
    return package


@pytest.mark.parametrize(("path", "text", "named"), WRONG)
def test_a_wrong_arrow_is_found(tmp_path: Path, path: str, text: str, named: str) -> None:
    found = wrong(planted(tmp_path, path, text))
    assert len(found) == 1
    assert named in found[0]


@pytest.mark.parametrize(("path", "text"), RIGHT)
def test_a_right_arrow_is_let_pass(tmp_path: Path, path: str, text: str) -> None:
    assert wrong(planted(tmp_path, path, text)) == []


def test_a_circle_is_found(tmp_path: Path) -> None:
    package = planted(tmp_path, "elaborate/scope.py", "from archdsl.elaborate import stage")
    assert circles(package, ["at import"]) == []
    (package / "elaborate/stage.py").write_text("from .scope import Scope", encoding="utf-8")
    assert circles(package, ["at import"]) == [{"archdsl.elaborate.scope", "archdsl.elaborate.stage"}]
