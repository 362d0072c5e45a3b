"""Texts of boxes: ops in the words of papers, and numbers that differ among a card's variants as names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple, cast

from archdsl.backends.pictures.model import Card, is_soft
from archdsl.backends.pictures.tree import Layer, Place, Site
from archdsl.graph import Scope, is_list
from archdsl.op import Op, Shapes

LETTERS = {"width": "abcdefgh", "count": "nmk", "other": "pqrtuv"}
SHORT_NAMES = {"stride": "s"}


class Line(NamedTuple):
    """Line of text in a box: bold if it is the main one."""

    text: str
    main: bool = False


class Numbers:
    """Names for numbers that vary among the owners of a tree: its parameters', `C`, `out`, or letters."""

    def __init__(self, card: Card | None = None) -> None:
        self.owners: Sequence[Scope] = card.owners if card else ()
        self.columns: dict[tuple[Any, ...], str] = {}
        self.letters: dict[str, tuple[Any, ...]] = {}
        self.used: set[str] = set()
        self.taken: set[str] = set()
        if card:
            self.learn()

    def learn(self) -> None:
        """Take up the columns that have a name of their own."""
        owners = self.owners
        self.taken = {argument.name for owner in owners for argument in owner.arguments} | {"C", "out", "s"}
        columns = {
            "out": [channels(each.output) for each in owners],
            "C": [channels(owner.inputs[0]) for owner in owners],
        }
        for argument in owners[0].arguments:
            columns[argument.name] = [value_of(owner, argument.name) for owner in owners]
        for name, column in columns.items():
            if all(type(value) is int for value in column):
                self.columns.setdefault(tuple(column), name)
        self.named = {name: tuple(column) for name, column in columns.items()}

    def text(self, values: Iterable[tuple[Scope, Any]], hint: str = "", kind: str = "width") -> str:
        """Number of a part by owner: itself if it is one, else a name, else its range."""
        by_owner: dict[Scope, set[Any]] = {}
        for owner, value in values:
            by_owner.setdefault(owner, set()).add(value)
        every = {value for some in by_owner.values() for value in some}
        if len(every) == 1:
            return shown(every.pop())
        if all(len(some) == 1 for some in by_owner.values()) and (
            name := self.name({owner: next(iter(some)) for owner, some in by_owner.items()}, hint, kind)
        ):
            self.used.add(name)
            return SHORT_NAMES.get(name, name)
        return "…".join(dict.fromkeys(map(shown, (min(every, key=size), max(every, key=size)))))

    def name(self, by_owner: Mapping[Scope, Any], hint: str, kind: str) -> str:
        """Name of a column, a new letter if there is none yet; empty if there are no letters left."""
        owners = self.owners
        if not all(owner in owners for owner in by_owner):
            return ""

        def agrees(column: Sequence[Any]) -> bool:
            return all(by_owner.get(owner, value) == value for owner, value in zip(owners, column, strict=True))

        if hint and hint in getattr(self, "named", {}) and agrees(self.named[hint]):
            return hint
        known = [name for column, name in self.columns.items() if agrees(column) and self.suits(name, kind)]
        if known:
            return known[0]
        free = [each for each in LETTERS[kind] if each not in self.taken and each not in self.letters]
        if not free:
            return ""
        column = tuple(by_owner.get(owner, "–") for owner in owners)
        self.columns[column] = free[0]
        self.letters[free[0]] = column
        return free[0]

    def suits(self, name: str, kind: str) -> bool:
        """Tell whether a letter is of a kind, so that a count and a width are not called the same."""
        return name in LETTERS[kind] if name in self.letters else (name not in {"C", "out"} or kind == "width")


def value_of(owner: Scope, name: str) -> Any:
    """Argument of a block by name."""
    return next((argument.value for argument in owner.arguments if argument.name == name), None)


def channels(shapes: Shapes) -> Any:
    """Channels of a tensor; of a list, of each."""
    return "+".join(str(each[0]) for each in shapes) if is_list(shapes) else shapes[0]  # type: ignore[index]


def size(value: Any) -> Any:
    """Key that orders numbers and pairs."""
    if isinstance(value, tuple):
        return cast("tuple[Any, ...]", value)
    return (value, 0) if isinstance(value, int | float) else (0, 0)


def shown(value: Any) -> str:
    """Number, or pair of numbers, as text."""
    if isinstance(value, tuple):
        return "×".join(map(shown, cast("tuple[Any, ...]", value)))
    return f"{value:g}" if isinstance(value, float) else str(value)


def shape_text(shapes: Shapes) -> str:
    """Shape of a tensor, or of each of a list."""
    if is_list(shapes):
        return " + ".join(map(shape_text, shapes[:3])) + (" + …" if len(shapes) > 3 else "")  # type: ignore[arg-type]
    return " × ".join(map(str, shapes))


def square(value: Any) -> str:
    """Kernel: always a pair."""
    return shown(cast("Any", value) if isinstance(value, tuple) else (value, value))


# ---- ops -----------------------------------------------------------------------------------------------------------

Text = tuple[str, str]
"""Main text of an op, and a remark for the small print."""


class Words:
    """Texts of ops in terms of some numbers."""

    def __init__(self, numbers: Numbers) -> None:
        self.numbers = numbers

    def op(self, site: Site) -> Text:
        """Text of an op."""
        if site.op is None:
            return f"{sum(place.scope.totals.ops for place in site.places)} ops", ""
        return OPS.get(site.op.name, plain)(self, site)

    def field(self, site: Site, name: str, kind: str = "other") -> str:
        """Number of an op's field."""
        found = [(place.owner, field_of(place, name)) for place in site.places]
        return self.numbers.text(found, site.names.get(name, ""), kind)

    def out(self, site: Site) -> str:
        """Number of output channels."""
        return self.numbers.text(
            [(place.owner, channels(place.scope.output)) for place in site.places], site.names.get("out", "")
        )

    def stride(self, site: Site) -> str:
        """Stride as ` /2`; nothing for 1."""
        found = self.field(site, "stride")
        return "" if found in {"1", "1×1"} else f" /{found}"

    def layer(self, layer: Layer) -> list[Line]:
        """Lines of a layer's box: the main op in bold, the others above and below it in small print."""
        sites = [site for site in layer.ops if site.name != "identity"]
        hard = [at for at, site in enumerate(sites) if site.op is None or not is_soft(site.op)]
        if not hard:
            return [Line(", ".join(self.op(site)[0] for site in sites))]
        main = hard[-1]
        text, remark = self.op(sites[main])
        above = ", ".join(self.op(site)[0] for site in sites[:main])
        below = ", ".join(filter(None, [remark, *(self.op(site)[0] for site in sites[main + 1 :])]))
        return [line for line in (Line(above), Line(text, True), Line(below)) if line.text]


def field_of(place: Place, name: str) -> Any:
    """Field of a place's op; a pair of equal numbers is the number."""
    value = fact(place.scope.op, name)
    return value if name == "kernel" else one_of(value)


def fact(op: Op | None, name: str, default: Any = None) -> Any:
    """Parameter of an op."""
    return getattr(op, name, default)


def one_of(value: Any) -> Any:
    """The number of a pair of equal ones; anything else as it is."""
    if not isinstance(value, tuple):
        return value
    pair = cast("tuple[Any, ...]", value)
    return pair[0] if len(set(pair)) == 1 else pair


def plain(words: Words, site: Site) -> Text:
    """Name of an op without numbers worth telling."""
    return site.name.replace("_", " ").replace("avgpool", "avg pool").replace("maxpool", "max pool"), ""


def conv(words: Words, site: Site) -> Text:
    """`3×3 conv /2, 64`, and what is special in the small print."""
    kernels = {square(fact(place.scope.op, "kernel")) for place in site.places}
    kernel = kernels.pop() if len(kernels) == 1 else f"{words.field(site, 'kernel')} sq."
    noun = "conv" if site.name == "conv" else "deconv"
    remarks: list[str] = []
    groups = [(fact(place.scope.op, "groups", 1), channels(place.scope.inputs[0])) for place in site.places]
    if all(number == inputs and number > 1 for number, inputs in groups):
        remarks.append("depthwise")
    elif any(number != 1 for number, _ in groups):
        remarks.append(f"{words.field(site, 'groups')} groups")
    if any(field_of(place, "dilation") != 1 for place in site.places if hasattr(place.scope.op, "dilation")):
        remarks.append(f"dilation {words.field(site, 'dilation')}")
    return f"{kernel} {noun}{words.stride(site)}, {words.out(site)}", ", ".join(remarks)


def linear(words: Words, site: Site) -> Text:
    """`linear, 1000`."""
    return f"linear, {words.out(site)}", ""


def pool(noun: str) -> Callable[[Words, Site], Text]:
    """`max pool 3×3 /2`."""

    def text(words: Words, site: Site) -> Text:
        ops = [place.scope.op for place in site.places]
        kernels = {square(fact(op, "kernel")) for op in ops}
        kernel = kernels.pop() if len(kernels) == 1 else words.field(site, "kernel")
        strides = [(place.owner, stride_of(place.scope.op)) for place in site.places]
        stride = words.numbers.text(strides, site.names.get("stride", ""), "other")
        return f"{noun} {kernel}" + ("" if stride == "1" else f" /{stride}"), ""

    return text


def stride_of(op: Op | None) -> Any:
    """Stride of a pool: its kernel if none is given."""
    stride = fact(op, "stride")
    return one_of(fact(op, "kernel") if stride is None else stride)


def adaptive(noun: str) -> Callable[[Words, Site], Text]:
    """`avg pool to 7×7`."""
    return lambda words, site: (f"{noun} to {square(fact(site.op, 'size'))}", "")


def split(words: Words, site: Site) -> Text:
    """`split ½ | ½`, or the numbers of channels."""
    outputs = [place.scope.output for place in site.places]
    if len(set(outputs)) == 1 and len(outputs[0]) <= 4:
        return "split " + " | ".join(str(each[0]) for each in outputs[0]), ""  # type: ignore[index]
    shares = [[Fraction(each[0], sum(one[0] for one in output)) for each in output] for output in outputs]  # type: ignore[index,misc]
    if all(each == shares[0] for each in shares) and len(shares[0]) <= 4:
        return "split " + " | ".join(map(fraction, shares[0])), ""
    return f"split in {len(outputs[0])}", ""


def fraction(share: Fraction) -> str:
    """Share of the channels."""
    return {"1/2": "½", "1/4": "¼", "3/4": "¾"}.get(str(share), str(share))


def concat(words: Words, site: Site) -> Text:
    """`concat, 256`; in a row whose input grows evenly, `concat, + 32`."""
    growth = {channels(place.scope.output) - first_channels(place.scope) for place in site.places}
    by_owner: dict[Scope, set[Any]] = {}
    for place in site.places:
        by_owner.setdefault(place.owner, set()).add(channels(place.scope.output))
    if len(growth) == 1 and any(len(each) > 1 for each in by_owner.values()):
        return f"concat, + {growth.pop()}", ""
    return f"concat, {words.out(site)}", ""


def first_channels(scope: Scope) -> int:
    """Channels of the first tensor that an op joins."""
    first = scope.inputs[0]
    return first[0][0] if is_list(first) and first else channels(first)  # type: ignore[index,return-value]


def resize(words: Words, site: Site) -> Text:
    """`upsample ×2`, or the size that it makes."""
    scales = {fact(place.scope.op, "scale") for place in site.places}
    if len(scales) == 1 and None not in scales:
        return f"upsample ×{shown(scales.pop())}", ""
    sizes = {place.scope.output[1:] for place in site.places}
    return f"upsample to {shown(sizes.pop())}" if len(sizes) == 1 else "upsample", ""


def rate(noun: str) -> Callable[[Words, Site], Text]:
    """`dropout 0.5`."""
    return lambda words, site: (f"{noun} {words.field(site, 'p')}", "")


OPS: dict[str, Callable[[Words, Site], Text]] = {
    "conv": conv,
    "conv_transpose": conv,
    "linear": linear,
    "maxpool": pool("max pool"),
    "avgpool": pool("avg pool"),
    "lppool": pool("lp pool"),
    "blurpool": pool("blur pool"),
    "adaptive_avgpool": adaptive("avg pool"),
    "adaptive_maxpool": adaptive("max pool"),
    "split": split,
    "concat": concat,
    "upsample": resize,
    "dropout": rate("dropout"),
    "drop_path": rate("drop path"),
}
"""Texts of ops with numbers; the others are called by their name."""
