"""The rules, read from the YAML files beside this one: each file is a project, with a scheme for each way to name.

    project: torchvision
    schemes:
      resnet:
        cases:                                       # each case is a scheme of its own, with its constants
          bottleneck: {last: 3, theirs: layer1.0.conv3.weight, ours: c2.0.body.cna2.conv.weight}
          basic: {last: 2, theirs: layer1.0.conv2.weight, ours: c2.0.body.cna.conv.weight}
        names:
          conv1: stem.cna.conv                       # theirs: ours, without `.weight`
          layer{i}.{j} = c{i+1}.{j}:                 # a group: both beginnings, then what follows them
            conv{last}: body.conv
            conv{k<3}: body.cna{k?}.conv             # of several lines that fit, the first that leads somewhere
          fc: {to: head.conv, ours: 1x1}             # a convolution here, a linear layer there
          output: [head.linear, {to: head.conv, ours: 1x1}]    # the first of these that is there
      densenet: {as: torchvision}                    # the same as in another file

`theirs` and `ours` are keys by which a scheme is known on each side. What can be said of a tensor: `to: [a, b]` (theirs
is ours, one below the other), `swap: halves` (of the inputs), `theirs: 7x7` and `ours: 1x1` (a convolution with such a
kernel there, or here, and a linear layer on the other side).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, cast

from archdsl.weights.key_patterns import Template
from archdsl.weights.transforms import TensorTransform

FOLDER = Path(__file__).parent


class KeyRule(NamedTuple):
    """One line: their module, ours (several, where theirs is cut), and what becomes of its tensors on the way."""

    theirs: Template
    ours: tuple[Template, ...]
    change: TensorTransform

    def here(self, name: str) -> list[str] | None:
        """Our modules for one of theirs, if the line is about it."""
        values = self.theirs.match(name)
        return [each.fill(values) for each in self.ours] if values is not None and self.allows(values) else None

    def there(self, name: str) -> str | None:
        """Their module for one of ours, if the line is about it."""
        found = (each.match(name) for each in self.ours)
        values = next((each for each in found if each is not None), None)
        return self.theirs.fill(values) if values is not None and self.allows(values) else None

    def allows(self, values: Mapping[str, int]) -> bool:
        """Whether the variables go so far."""
        ends = self.theirs.ends.items()
        return all(values[name] < end for name, end in ends)


class Scheme(NamedTuple):
    """A way to name the tensors of a family of networks."""

    project: str
    name: str
    theirs: tuple[str, ...]
    """Keys of theirs by which it is known."""
    ours: tuple[str, ...]
    """Keys of ours that a network must have to be named so."""
    rules: tuple[KeyRule, ...]

    def __str__(self) -> str:
        return f"{self.project} ({self.name})"


def projects() -> list[str]:
    """The names of the projects whose naming is known."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml") if path.stem != "wrappers")


@cache
def schemes(project: str) -> tuple[Scheme, ...]:
    """The schemes of a project, in the order of its file."""
    entries = content(project)["schemes"].items()
    return tuple(each for name, entry in entries for each in cases(project, name, entry))


@cache
def own_schemes(project: str) -> tuple[Scheme, ...]:
    """The schemes of a project but those that it has from another."""
    entries = content(project)["schemes"].items()
    return tuple(each for name, entry in entries if "as" not in entry for each in cases(project, name, entry))


@cache
def content(name: str) -> dict[str, Any]:
    """A file of this folder."""
    import yaml

    return cast("dict[str, Any]", yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8")))


def cases(project: str, name: str, entry: Mapping[str, Any]) -> Iterator[Scheme]:
    """The schemes of an entry: one for each of its cases."""
    if "as" in entry:
        for each in cases(entry["as"], name, content(entry["as"])["schemes"][name]):
            yield each._replace(project=project)
        return
    for case, settings in entry.get("cases", {"": {}}).items():
        constants = {key: value for key, value in settings.items() if isinstance(value, int)}
        yield Scheme(
            project,
            f"{name} {case}".strip(),
            telling(settings.get("theirs"), entry.get("theirs")),
            telling(settings.get("ours"), entry.get("ours")),
            tuple(lines(entry["names"], "", "", constants)),
        )


def telling(*found: str | list[str] | None) -> tuple[str, ...]:
    """Keys, each given as a text or in a list."""
    return tuple(key for each in found if each for key in ([each] if isinstance(each, str) else each))


def lines(table: Mapping[Any, Any], theirs: str, ours: str, constants: Mapping[str, int]) -> Iterator[KeyRule]:
    """The rules of a table whose names begin with `theirs` and `ours`."""
    for key, value in table.items():
        name, equals, here = str(key).partition(" = ")
        if equals or (isinstance(value, dict) and "to" not in value):
            inner = cast("dict[Any, Any]", value)
            yield from lines(inner, f"{theirs}{name}.", f"{ours}{here or name}.", constants)
        else:
            ways = cast("list[Any]", value if isinstance(value, list) else [value])
            yield from (line(f"{theirs}{name}", ours, each, constants) for each in ways)


def line(theirs: str, ours: str, value: Any, constants: Mapping[str, int]) -> KeyRule:
    """One rule."""
    given: dict[str, Any] = {"to": value} if isinstance(value, str) else value
    names = [given["to"]] if isinstance(given["to"], str) else given["to"]
    rule = KeyRule(
        Template(theirs, constants), tuple(Template(ours + each, constants) for each in names), change(given)
    )
    if any(each.variables != rule.theirs.variables for each in rule.ours):
        raise ValueError(f"`{theirs}: {value}` has a variable on one side only")
    return rule


def change(given: Mapping[str, Any]) -> TensorTransform:
    """What a rule says of its tensors."""
    if not isinstance(given["to"], str):
        return TensorTransform("rows")
    if given.get("swap") == "halves":
        return TensorTransform("halves")
    for side, kind in (("theirs", "there"), ("ours", "here")):
        if side in given:
            height, width = map(int, given[side].split("x"))
            return TensorTransform("there" if kind == "there" else "here", (height, width))
    return TensorTransform()
