"""Export a module as a program for other runtimes, with its spec; the program is run and compared before it is kept."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Collection, Generator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from importlib import import_module
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from archdsl.diagnostics import ArchError, catalog, listed
from archdsl.driver.manifest import KEY, MEMBER, Manifest
from archdsl.driver.pretrained import manifest_of
from archdsl.driver.weight_files import add_members, add_table
from archdsl.driver.writing import write_whole

if TYPE_CHECKING:
    from torch import Tensor, nn

AXES = {"batch": 0, "height": 2, "width": 3}
"""Axes of the input that may be left open, by name."""
BATCH = 2
"""Size of the sample batch: torch.export takes a batch of 1 for a constant."""
LIMIT = 1e-3
"""Largest deviation from the module, relative to the largest value of an output; runtimes fold norms, and add in
another order."""
Tell = Callable[[str], None]


class Exported(NamedTuple):
    """A program, as it was compared with its module: the batch sizes, and the largest deviation, relative."""

    path: Path
    batches: tuple[int, ...]
    deviation: float
    size: int

    def __str__(self) -> str:
        batches = " and ".join(map(str, self.batches))
        equal = (
            f"differs from the module by {self.deviation:.1g} of its scale" if self.deviation else "equals the module"
        )
        return f"wrote {self.path}: {self.size:,} bytes; run with a batch of {batches}, it {equal}"


def export(
    model: nn.Module,
    path: str | Path,
    *,
    dynamic: Collection[str] = (),
    force: bool = False,
    tell: Tell = lambda _: None,
) -> Exported:
    """Write a module that `build` made as a program: x.onnx, x.pt2 (torch.export), or x.ts (TorchScript, deprecated).

    `dynamic` leaves sizes of the input open: `batch`, `height`, `width`. The program is of inference. It is run and
    compared with the module before it takes its place, whole or not at all; an existing file is replaced with `force`
    only. `tell` is called with a line before each step that may take long. Raises ArchError.
    """
    place = Path(path)
    check_request(place, dynamic, force)
    text = manifest_of(model)
    writer = WRITERS[place.suffix](place)
    was_training = model.training
    model.eval()
    try:
        sample = images(Manifest.from_json(text, "the module").input, BATCH, model)
        found: list[tuple[tuple[int, ...], float]] = []

        def write(made: Path) -> None:
            tell(f"exporting to {place.suffix[1:]}")
            program = guarded(place, lambda: writer.write(model, sample, dynamic, made, text))
            tell("running the program, and comparing it with the module")
            found.append(compared(place, model, program, sample, dynamic))

        write_whole(place, write)
    finally:
        model.train(was_training)
    ((batches, deviation),) = found
    return Exported(place, batches, deviation, place.stat().st_size)


def check_request(path: Path, dynamic: Collection[str], force: bool) -> None:
    """Raise ArchError for an unknown suffix or axis, and for a file that would be replaced."""
    if path.suffix not in WRITERS:
        help = f"choose from {listed(WRITERS)}; `emit` writes source and JSON, `build -o` weights"
        raise catalog.USAGE.error(None, f"`{path}`: nothing is exported as `{path.suffix}`", help=help)
    if unknown := [axis for axis in dynamic if axis not in AXES]:
        raise catalog.USAGE.error(
            None, f"the input has no axis `{unknown[0][:40]}`", help=f"choose from {listed(AXES)}"
        )
    if path.exists() and not force:
        raise catalog.OUTPUT.error(None, f"{path} exists", help="`--force` replaces it, in Python `force=True`")


def guarded(path: Path, work: Callable[[], Any]) -> Any:
    """The result of an exporter, whose errors and long reports become one sentence."""
    try:
        with quiet():
            return work()
    except (ArchError, OSError, MemoryError):
        raise
    except Exception as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        said = f"{type(error).__name__}: {lines[0][:200] if lines else ''}"
        help = "fewer sizes may be left open: without `--dynamic`, or with `--dynamic batch`"
        raise catalog.UNSUPPORTED.error(
            None, f"{path}: PyTorch cannot export this network: {said}", help=help
        ) from None


@contextmanager
def quiet() -> Generator[None]:
    """Silence the exporters, which flood both streams."""
    names = ("torch.fx.experimental.symbolic_shapes", "torch.onnx", "onnxscript", "torch.export", "onnx_ir")
    loggers = [logging.getLogger(name) for name in names]
    levels = [each.level for each in loggers]
    try:
        for each in loggers:
            each.setLevel(logging.CRITICAL)
        with warnings.catch_warnings(), redirect_stdout(StringIO()), redirect_stderr(StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        for each, level in zip(loggers, levels, strict=True):
            each.setLevel(level)


def images(size: Sequence[int], batch: int, model: nn.Module) -> Tensor:
    """Random images, on the device and of the type of a module, always the same."""
    import torch

    example = next(model.parameters(), torch.empty(0))
    random = torch.Generator().manual_seed(7)
    return torch.randn((batch, *size), generator=random).to(example.device, example.dtype)


# ---- comparing -----------------------------------------------------------------------------------------------------

Program = Callable[["Tensor"], list[Any]]
"""A program: from images to its outputs in order."""


def compared(
    path: Path, model: nn.Module, program: Program, sample: Tensor, dynamic: Collection[str]
) -> tuple[tuple[int, ...], float]:
    """The batch sizes that a program was run with, and its largest deviation; raises ArchError for a large one."""
    import torch

    batches = (BATCH, 3) if "batch" in dynamic else (BATCH,)
    worst = 0.0
    for batch in batches:
        size = list(sample.shape[1:])
        for axis in ("height", "width"):
            size[AXES[axis] - 1] += 32 if axis in dynamic and batch != BATCH else 0
        x = images(size, batch, model)
        with torch.no_grad():
            wanted = tensors(model(x))
        found = guarded(path, lambda x=x: program(x))
        for one, other in zip(found, wanted, strict=True):
            scale = max(other.abs().max().item(), 1e-12)
            same = tuple(one.shape) == tuple(other.shape)
            worst = max(worst, (one.to(other) - other).abs().max().item() / scale if same else float("inf"))
    if not worst <= LIMIT:
        label = f"{path}: the program's outputs differ from the module's by {worst:.2g} of their scale"
        raise catalog.UNFAITHFUL.error(None, label, help="nothing was written; please report it, with the spec")
    return batches, worst


def tensors(output: Any) -> list[Any]:
    """Tensors of an output of any form."""
    if isinstance(output, dict):
        return list(output.values())  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    return list(output) if isinstance(output, list | tuple) else [output]  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]


# ---- formats -------------------------------------------------------------------------------------------------------


class OnnxWriter:
    """ONNX, by torch's exporter; checked in full, and run by onnxruntime."""

    def __init__(self, path: Path) -> None:
        try:
            self.onnx: Any = import_module("onnx")
            self.runtime: Any = import_module("onnxruntime")
            import_module("onnxscript")
        except ImportError:
            help = "pip install 'archdsl[export]'"
            raise catalog.MISSING_PACKAGE.error(
                None, f"{path}: onnx, onnxscript and onnxruntime are needed", help=help
            ) from None

    def write(self, model: nn.Module, sample: Tensor, dynamic: Collection[str], made: Path, text: str) -> Program:
        """Write and check the model; it keeps the names of the weights, so no norm is folded."""
        torch: Any = import_module("torch")
        axes = {AXES[name]: name for name in dynamic}
        named = getattr(model, "feature_info", None)
        program = torch.onnx.export(
            model,
            (sample,),
            dynamo=True,
            dynamic_shapes=(axes,) if axes else None,
            input_names=["image"],
            output_names=[each["name"] for each in named] if named else None,
            external_data=False,
            optimize=False,
            verbose=False,
        )
        program.model.metadata_props[KEY] = text
        target = made.with_name(f"{made.name}.onnx")
        try:
            program.save(str(target), external_data=False)
            target.replace(made)
        finally:
            target.unlink(missing_ok=True)
        self.onnx.checker.check_model(str(made), full_check=True)
        session = self.runtime.InferenceSession(str(made), providers=["CPUExecutionProvider"])

        def run(x: Tensor) -> list[Any]:
            found = session.run(None, {session.get_inputs()[0].name: x.cpu().numpy()})
            return [torch.from_numpy(each) for each in found]

        return run


class Pt2Writer:
    """The archive of torch.export."""

    def __init__(self, path: Path) -> None:
        del path

    def write(self, model: nn.Module, sample: Tensor, dynamic: Collection[str], made: Path, text: str) -> Program:
        """Write the program, and read it back."""
        import torch
        from torch.export import Dim

        shapes = {AXES[name]: Dim.DYNAMIC if name != "batch" else Dim(name) for name in dynamic}
        with torch.no_grad():
            program = torch.export.export(model, (sample,), dynamic_shapes=(shapes,) if shapes else None)
        target = made.with_name(f"{made.name}.pt2")
        try:
            torch.export.save(program, str(target))
            target.replace(made)
        finally:
            target.unlink(missing_ok=True)
        add_members(made, {MEMBER: text})
        add_table(made, model.state_dict())
        with made.open("rb") as file:
            module = torch.export.load(file).module()
        return lambda x: tensors(module(x))


class ScriptWriter:
    """A TorchScript archive, which PyTorch has deprecated; all its sizes are open."""

    def __init__(self, path: Path) -> None:
        del path

    def write(self, model: nn.Module, sample: Tensor, dynamic: Collection[str], made: Path, text: str) -> Program:
        """Write the program, and read it back."""
        torch: Any = import_module("torch")
        torch.jit.script(model).save(str(made))
        add_members(made, {MEMBER: text})
        add_table(made, model.state_dict())
        module = torch.jit.load(str(made))
        return lambda x: tensors(module(x))


WRITERS: dict[str, Any] = {".onnx": OnnxWriter, ".pt2": Pt2Writer, ".ts": ScriptWriter}
