"""Compare the emitted module with the interpreter: outputs, buffers and gradients, in evaluation and in training.

Both run in float64 on the same random weights and images. Random ops draw the same numbers in both, as the generator
is seeded anew by the path of each module before it runs.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from math import inf, isfinite, isnan
from sys import float_info
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, cast
from zlib import crc32

from archdsl.backends.interpret import Interpreter, check_runnable, held
from archdsl.backends.torch.module import build, check_torch
from archdsl.diagnostics import Diagnostic, catalog
from archdsl.graph import Graph, Scope
from archdsl.op import Weight

if TYPE_CHECKING:
    from torch import Tensor, nn

# Largest deviation that rounding accounts for in any network, relative to the scale of what is compared.
LIMIT = 1e-9
# Least deviation for which it is worth a pass to find out what rounding does to this network.
NOTABLE = 1e-12
# How much more may deviate than the last bits of the images account for.
MARGIN = 100
# Least scale of a section, relative to the largest: where gradients vanish, rounding errors are all that is left.
FLOOR = 1e-3

Mode = Literal["evaluation", "training"]
Kind = Literal["outputs", "buffers", "gradients"]
# Tensors by name.
Tensors = dict[str, Any]


class Deviation(NamedTuple):
    """The largest deviation among the tensors of one kind, relative to their scale, and the tensor that has it."""

    mode: Mode
    kind: Kind
    size: float
    where: str
    # What the graph's own tensors deviate by where the images change in their last bits, if that was found out.
    rounding: float = 0.0

    @property
    def excessive(self) -> bool:
        """True if rounding cannot account for it."""
        return self.size > max(LIMIT, MARGIN * self.rounding)


class Crosscheck(NamedTuple):
    """The result of a crosscheck: the deviations, or the problems that left nothing to compare."""

    # The shape of the images, with the batch.
    images: tuple[int, ...]
    deviations: tuple[Deviation, ...] = ()
    problems: tuple[str, ...] = ()
    # Path of the first module, in the order of the graph, whose output deviates.
    first: str = ""

    @property
    def agrees(self) -> bool:
        """True if the module computes what the graph says."""
        return not self.problems and not any(each.excessive for each in self.deviations)

    @property
    def findings(self) -> list[Diagnostic]:
        """The problems, or the first excessive deviation."""
        help = "if archdsl built the module as it is, this is a bug: please report it, with the spec"
        excessive = [each for each in self.deviations if each.excessive]
        labels = [*self.problems, *([sentence(excessive[0], self.first)] if excessive else [])]
        return [catalog.UNFAITHFUL.at(None, label, help=help) for label in labels]

    def __str__(self) -> str:
        batch, *size = self.images
        verdict = "computes" if self.agrees else "does NOT compute"
        shown = f"{batch} random images of {'x'.join(map(str, size))}, in float64"
        head = f"check: the module {verdict} what the spec says; on {shown}:"
        return "\n".join([head, *map(line, self.deviations), *(f"  {problem}" for problem in self.problems)])


def line(deviation: Deviation) -> str:
    """A deviation as a line of the report."""
    shown = f"{extent(deviation.size)} ({deviation.where})" if deviation.size else "equal to the bit"
    return f"  {deviation.mode:<10}  {deviation.kind:<9}  {shown}"


def sentence(deviation: Deviation, first: str) -> str:
    """A deviation as the label of a finding."""
    label = f"in {deviation.mode}, {deviation.kind} {extent(deviation.size)} ({deviation.where})"
    return f"{label}; the first module whose output differs is `{first}`" if first else label


def extent(size: float) -> str:
    """The size of a deviation in words."""
    return f"differ by {size:.1g} of their scale" if isfinite(size) else "differ in shape, or are missing"


def deviations(found: Tensors, wanted: Tensors) -> dict[str, float]:
    """The largest difference of each tensor, relative to the largest value among the tensors of its section.

    So a bias before a norm, whose gradient is rounding errors alone, is held to the scale of the gradients beside it.
    """
    sizes = {name: difference(found[name], wanted[name]) for name in wanted}
    scales = scales_of(wanted) if any(sizes.values()) else {}
    return {name: size / scales[section(name)] if size else 0.0 for name, size in sizes.items()}


def difference(found: Any, wanted: Any) -> float:
    """The largest difference between two tensors, or between none and none."""
    if found is None or wanted is None:
        return 0.0 if found is wanted else inf
    if found.shape != wanted.shape:
        return inf
    if bool((found == wanted).all()):
        return 0.0
    size = (found.double() - wanted.double()).abs().max().item()
    return inf if isnan(size) else size


def scales_of(tensors: Tensors) -> dict[str, float]:
    """The largest value among the tensors of each section, within the bounds of `FLOOR`."""
    largest: dict[str, float] = {}
    for name, tensor in tensors.items():
        value = tensor.abs().max().item() if tensor is not None and tensor.numel() else 0.0
        largest[section(name)] = max(largest.get(section(name), 0.0), value)
    least = FLOOR * max(largest.values(), default=0.0) or float_info.min
    return {name: max(value, least) for name, value in largest.items()}


def section(name: str) -> str:
    """The name of the section that holds a tensor."""
    return name.partition(".")[0]


BATCH = 2
# Number of names in a message.
FEW = 5
COMPARED: dict[Mode, tuple[Kind, ...]] = {
    "evaluation": ("outputs", "gradients"),
    "training": ("outputs", "buffers", "gradients"),
}
# The bounds between which the buffers of norms are drawn.
STATISTICS = {"running_mean": (-0.3, 0.3), "running_var": (0.7, 2.0)}


def crosscheck(graph: Graph, model: nn.Module | None = None) -> Crosscheck:
    """Compare a module, by default the emitted one, with what the graph says; the module is left as it is."""
    check_torch()
    check_runnable(graph)
    weights = dict(held(graph.root))
    images = (BATCH, *graph.input)
    with own_random_numbers():
        module: Any = (build(graph) if model is None else deepcopy(model).cpu()).double()
        if problems := misfits(weights, module):
            return Crosscheck(images, problems=problems)
        trial = CheckRun(graph, module, weights, images)
        try:
            found = [each for mode in COMPARED for each in trial.deviations(mode)]
            wrong = next((each for each in found if each.excessive and each.kind == "outputs"), None)
            return Crosscheck(images, tuple(found), first=trial.first_deviating(wrong.mode) if wrong else "")
        except Failure as failure:
            return Crosscheck(images, problems=(str(failure),))


@contextmanager
def own_random_numbers() -> Generator[None]:
    """Leave PyTorch's generator as it was."""
    import torch

    before = torch.random.get_rng_state()
    try:
        yield
    finally:
        torch.random.set_rng_state(before)


def misfits(weights: Mapping[str, Weight], module: Any) -> tuple[str, ...]:
    """The names, shapes and kinds of tensors in which a module differs from the graph."""
    parameters = {name for name, _ in module.named_parameters(remove_duplicate=False)}
    found = {name: (name in parameters, tuple(each.shape)) for name, each in module.state_dict().items()}
    wanted = {name: (each.kind == "parameter", each.shape) for name, each in weights.items()}
    missing = [name for name in wanted if name not in found]
    left_over = [name for name in found if name not in wanted]
    unlike = [name for name in wanted if name in found and wanted[name] != found[name]]
    return (
        *([f"the module has no {listed(missing)}"] if missing else []),
        *([f"the spec has no {listed(left_over)}"] if left_over else []),
        *(f"`{name}` is a {told(*found[name])}, in the spec a {told(*wanted[name])}" for name in unlike),
    )


def told(parameter: bool, shape: tuple[int, ...]) -> str:
    """The kind and shape of a tensor."""
    return f"{'parameter' if parameter else 'buffer'} of shape {list(shape)}"


def listed(names: list[str]) -> str:
    """Some names, and how many more there are."""
    more = f" and {len(names) - FEW:,} more" if len(names) > FEW else ""
    return ", ".join(f"`{name}`" for name in names[:FEW]) + more


class Failure(Exception):
    """Nothing to compare: one of the two did not run, or gave no finite numbers."""


class Pass(NamedTuple):
    """The tensors that a forward and backward pass leaves, and whether the result was a dict."""

    outputs: Tensors
    buffers: Tensors
    gradients: Tensors
    named: bool


class CheckRun:
    """A module and a graph on the same random weights and images."""

    def __init__(self, graph: Graph, module: Any, weights: Mapping[str, Weight], images: tuple[int, ...]) -> None:
        import torch

        self.torch: Any = torch
        self.graph = graph
        self.module = module
        self.weights = weights
        self.random = torch.Generator().manual_seed(7)
        self.images = torch.randn(images, generator=self.random, dtype=torch.float64)
        self.state = {name: self.drawn(weights[name], each) for name, each in module.state_dict().items()}

    def drawn(self, weight: Weight, own: Tensor) -> Tensor:
        """Random values that hide no fault, with scales of both signs, nothing at 0 or 1; fixed filters stay."""
        if weight.kind == "counter":
            return own + 2
        if weight.kind == "buffer":
            return self.uniform(weight, *STATISTICS[weight.name]) if weight.name in STATISTICS else own.clone()
        if weight.name == "bias":
            return self.uniform(weight, -0.5, 0.5)
        if len(weight.shape) > 1:
            bound = (6 * weight.shape[0] / weight.size) ** 0.5  # He et al. 2015, uniform
            return self.uniform(weight, -bound, bound)
        signs = self.torch.randint(0, 2, weight.shape, generator=self.random) * 2 - 1
        return self.uniform(weight, 0.5, 1.5) * signs

    def uniform(self, weight: Weight, low: float, high: float) -> Tensor:
        """Uniformly distributed values in the shape of a weight."""
        empty = self.torch.empty(weight.shape, dtype=self.torch.float64)
        return empty.uniform_(low, high, generator=self.random)

    # ---- running

    def fresh(self) -> Tensors:
        """The state, with copies of what a pass changes: the buffers."""
        return {
            name: tensor.detach() if self.weights[name].kind == "parameter" else tensor.clone()
            for name, tensor in self.state.items()
        }

    def by_graph(self, mode: Mode, images: Any, seen: Tensors | None = None) -> Pass:
        """A pass of the interpreter; `seen` takes the output of each module."""
        state = self.fresh()
        for name, tensor in state.items():
            tensor.requires_grad_(self.weights[name].kind == "parameter")
        executor = Seeded(self.torch, state, mode == "training", seen)
        found = self.step(lambda x: executor.network(self.graph, x), images, "the graph", state)
        for name, output in found.outputs.items():
            if not bool(output.isfinite().all()):
                raise Failure(f"in {mode}, {name} is not finite, so there is nothing to compare")
        return found

    def by_module(self, mode: Mode, seen: Tensors | None = None) -> Pass:
        """A pass of the module; `seen` takes the output of each module."""
        self.module.load_state_dict(self.fresh(), assign=True)
        self.module.train(mode == "training").requires_grad_().zero_grad()
        modules = list(self.module.named_modules())
        hooks = [each.register_forward_pre_hook(seeding(path)) for path, each in modules]
        if seen is not None:
            hooks += [each.register_forward_hook(recording(path, seen)) for path, each in modules]
        try:
            held = dict(self.module.named_parameters()) | dict(self.module.named_buffers())
            return self.step(self.module, self.images, "the module", held)
        finally:
            for hook in hooks:
                hook.remove()

    def step(self, network: Callable[[Any], Any], images: Any, name: str, state: Tensors) -> Pass:
        """A forward and backward pass of a network on images."""
        x = images.clone().requires_grad_()
        try:
            result: Any = network(x)
            named = type(cast("object", result)) is dict
            rows = (
                {f"output {at}": each for at, each in enumerate(result)} if type(cast("object", result)) is list else {}
            )
            outputs: Tensors = result if named else rows or {"the output": result}
            loss: Any = sum((each * self.factors(each)).sum() for each in outputs.values())
            loss.backward()
        except Exception as error:
            said = " ".join(f"{type(error).__name__}: {error}".split())[:300]
            raise Failure(f"{name} cannot be run: {said}") from error
        parameters = {name: state[name] for name, each in self.weights.items() if each.kind == "parameter"}
        return Pass(
            {name: each.detach() for name, each in outputs.items()},
            {name: state[name].clone() for name in self.weights if name not in parameters},
            {name: each.grad for name, each in parameters.items()} | {"the input": x.grad},
            named,
        )

    def factors(self, output: Tensor) -> Tensor:
        """The weight of each value of an output in the loss: always the same random numbers."""
        random = self.torch.Generator().manual_seed(11)
        return self.torch.empty_like(output, requires_grad=False).uniform_(-1, 1, generator=random)

    # ---- comparing

    def deviations(self, mode: Mode) -> list[Deviation]:
        """The largest deviation of each kind in a mode."""
        wanted, found = self.by_graph(mode, self.images), self.by_module(mode)
        if (wanted.named, wanted.outputs.keys()) != (found.named, found.outputs.keys()):
            raise Failure(
                f"in {mode}, the module gives {listed([*found.outputs])}, the spec {listed([*wanted.outputs])}"
            )
        rows: list[Deviation] = []
        for kind in COMPARED[mode]:
            sizes = deviations(getattr(found, kind), getattr(wanted, kind))
            where = max(sizes, key=sizes.__getitem__, default="")
            rounding = self.rounding(mode, kind, wanted) if NOTABLE < sizes.get(where, 0.0) < inf else 0.0
            rows += [Deviation(mode, kind, sizes[where], where, rounding)] if sizes else []
        return rows

    def rounding(self, mode: Mode, kind: Kind, wanted: Pass) -> float:
        """The largest deviation in the graph's own tensors where the images change in their last bits."""
        changes = self.torch.empty_like(self.images).uniform_(-1, 1, generator=self.random)
        nudged = self.by_graph(mode, self.images * (1 + changes * float_info.epsilon))
        return max(deviations(getattr(nudged, kind), getattr(wanted, kind)).values())

    def first_deviating(self, mode: Mode) -> str:
        """The path of the first module, in the order of the graph, that gives another output than the graph's."""
        wanted: Tensors = {}
        found: Tensors = {}
        self.by_graph(mode, self.images, wanted)
        self.by_module(mode, found)
        for path, outputs in wanted.items():
            ours, theirs = ({str(at): each for at, each in enumerate(row)} for row in (outputs, found.get(path, ())))
            if len(ours) == len(theirs) and max(deviations(theirs, ours).values(), default=0.0) > LIMIT:
                return path
        return ""


# ---- at each module ------------------------------------------------------------------------------------------------


class Seeded(Interpreter):
    """An interpreter that seeds each module, and keeps its first output in `seen`."""

    def __init__(self, torch: Any, state: Tensors, training: bool, seen: Tensors | None) -> None:
        super().__init__(torch, state, training)
        self.seen = seen

    def module(self, scope: Scope, inputs: list[Any], path: str) -> Any:
        seed(path)
        result = super().module(scope, inputs, path)
        if self.seen is not None:
            self.seen.setdefault(path, copies(result))
        return result


def seed(path: str) -> None:
    """Start the random numbers of the module at a path."""
    import torch

    torch.default_generator.manual_seed(crc32(path.encode()))


def seeding(path: str) -> Callable[[Any, Any], None]:
    """The hook that starts the random numbers of a module."""
    return lambda module, inputs: seed(path)


def recording(path: str, seen: Tensors) -> Callable[[Any, Any, Any], None]:
    """The hook that keeps the first output of a module, before anything overwrites it."""

    def after(module: Any, inputs: Any, output: Any) -> None:
        seen.setdefault(path, copies(output))

    return after


def copies(result: Any) -> list[Any]:
    """The tensors of a result, as they are now."""
    tensors: Any = [result] if hasattr(result, "detach") else result.values() if hasattr(result, "values") else result
    return [each.detach().clone() for each in tensors]
