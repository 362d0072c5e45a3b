"""Record in a file of weights or a program: the texts of the spec, parameters, figures, and a hash, as one record.

It is written into every such file, and read from there as outside data: bounded, validated, never run.
"""

from __future__ import annotations

import json
from decimal import Decimal
from fractions import Fraction
from hashlib import sha256
from pathlib import PurePath
from typing import Any, Literal, Self, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from archdsl import __version__
from archdsl.diagnostics import catalog
from archdsl.driver.imports import LARGEST, bundled, open_bundle
from archdsl.driver.library import SHIPPED
from archdsl.driver.loading import Request, compile
from archdsl.driver.network import Network
from archdsl.graph import Graph
from archdsl.passes.features import Features
from archdsl.syntax.text import SUFFIXES

KEY = "archdsl"
"""Name of the record among the metadata of a file."""
MEMBER = "archdsl.json"
"""Name of the record among the members of an archive."""
LONGEST = 4 * LARGEST
"""Longest record in bytes; the texts of a spec have a quarter of that in characters."""
MADE = "it was changed since archdsl wrote it, or damaged: get the file again"


class Manifest(BaseModel):
    """Record of a network: the texts of its spec, how it was built, and what it then comes to.

    `texts` are by path, `main` is the one with the network, `network` its name. Parameters are texts of the language.
    `hash` is that of all the rest.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    format: Literal[1] = 1
    version: str = Field(max_length=100)
    network: str = Field(max_length=200)
    main: str = Field(max_length=1000)
    texts: dict[str, str] = Field(max_length=1000)
    params: dict[str, str] = Field(default={}, max_length=1000)
    input: list[int] = Field(min_length=3, max_length=3)
    features: str | list[str] | dict[str, str] | None = None
    figures: dict[str, int] = Field(max_length=100)
    hash: str = Field(default="", max_length=64)

    @classmethod
    def of(cls, graph: Graph) -> Self:
        """The record of a graph that `compile` made; raises ArchError for one of unknown origin."""
        if not isinstance(graph.request, Request):
            label = f"where `{graph.name}` comes from is not known, so its spec cannot be stored"
            raise catalog.USAGE.error(None, label, help="use a graph that `archdsl.compile` made of a spec")
        network, params = graph.request
        main, text = source_of(network)
        found = cls(
            version=__version__,
            network=network.name,
            main=main,
            texts=bundled(network.scope, main, text),
            params={name: text_of(value) for name, value in params.items()},
            input=list(graph.input),
            features=features_of(graph),
            figures=figures_of(graph),
        )
        return found.model_copy(update={"hash": found.digest()})

    def digest(self) -> str:
        """Hash of all but the hash."""
        return sha256(json.dumps(self.model_dump(exclude={"hash"})).encode()).hexdigest()

    def to_json(self) -> str:
        """The record as text."""
        return json.dumps(self.model_dump())

    @classmethod
    def from_json(cls, text: str | bytes, place: str) -> Self:
        """The record that a text holds; raises ArchError, at the file called `place`, for anything else."""
        if len(text) > LONGEST:
            raise catalog.TOO_LARGE.error(None, f"{place}: its spec has more than {LONGEST:,} bytes")
        try:
            content = json.loads(text)
            found = cls.model_validate(content)
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False, include_input=False)[0]
            field = ".".join(str(part)[:40] for part in first["loc"]) or "the record"
            label = f"{place}: its spec cannot be read: {field} is not as it should be"
            raise catalog.FILE.error(None, label, help=MADE) from None
        except (ValueError, RecursionError):
            raise catalog.FILE.error(None, f"{place}: its spec is no JSON that can be read", help=MADE) from None
        if found.hash != found.digest():
            raise catalog.FILE.error(None, f"{place}: its spec does not have the hash that stands beside it", help=MADE)
        return found

    def load(self, place: str) -> Network:
        """The network, of the stored texts alone; raises ArchError for what is wrong with them."""
        if self.main not in self.texts or not self.main.endswith(SUFFIXES):
            raise catalog.FILE.error(None, f"{place}: it has no text `{self.main[:80]}`", help=MADE)
        file = open_bundle(SHIPPED, self.texts, self.main)
        if self.network not in file.backbones:
            label = f"{place}: its spec has no network `{self.network[:80]}`"
            raise catalog.NO_BACKBONE.error(None, label, help=MADE)
        return Network.of(file, file.backbones[self.network])

    def graph(
        self,
        place: str,
        params: dict[str, Any] | None = None,
        input: Any = None,
        features: Features | None = None,
    ) -> Graph:
        """The graph, with what is given in place of what is stored.

        As stored, it has to come to the stored figures; raises ArchError if it does not.
        """
        network = self.load(place)
        chosen = features or self.features
        graph = compile(network, params=self.params | (params or {}), input=input or self.input, features=chosen)
        if not (params or input or features) and figures_of(graph) != self.figures:
            label = f"{place}: its spec comes to {figures_of(graph)}, and it was written with {self.figures}"
            help = f"it was written by archdsl {self.version[:40]}; build it with that version"
            raise catalog.UNFAITHFUL.error(None, label, help=help)
        return graph


def source_of(network: Network) -> tuple[str, str]:
    """File name and text of a network; that of Python's data is YAML."""
    source = network.scope.source
    name = PurePath(source.name).name
    if source.text:
        # A file's name may hold bytes that are no text, and characters that nobody sees.
        usual = name.endswith(SUFFIXES) and name.isprintable()
        return (name if usual else f"{network.name}{suffix_of(source.text)}"), source.text
    return f"{network.name}.yaml", network.to_yaml()


def suffix_of(text: str) -> str:
    """Suffix of a text without a file's name."""
    from archdsl.syntax.text import is_yaml

    return ".yaml" if is_yaml("", text) else ".arch"


def text_of(value: Any) -> str:
    """A parameter's value as a text of the language."""
    if hasattr(value, "value") and hasattr(value, "span"):
        return value.value.span.text
    if value is None or isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return f"[{', '.join(map(text_of, cast('tuple[Any, ...]', value)))}]"
    if isinstance(value, Fraction) and value.denominator > 1:
        decimal = Decimal(value.numerator) / value.denominator
        return format(decimal, "f") if Fraction(decimal) == value else f"{value.numerator} / {value.denominator}"
    return str(value)


def features_of(graph: Graph) -> Any:
    """The features of a graph, as `compile` takes them."""
    if not graph.features:
        return None
    if isinstance(graph.root.result, int):
        return graph.features[0].path
    if graph.features[0].name:
        return {each.path: each.name for each in graph.features}
    return [each.path for each in graph.features]


def figures_of(graph: Graph) -> dict[str, int]:
    """The figures that tell whether a spec comes to the same network."""
    totals = graph.root.totals
    return {"params": totals.params, "buffers": totals.buffers, "macs": totals.macs, "activations": totals.activations}
