"""A network as Python code has it: the document of one, with the file that its names are looked up in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import PrivateAttr, ValidationError, model_serializer

from archdsl.diagnostics import ArchError, Source, catalog
from archdsl.driver.imports import open_document
from archdsl.driver.library import SHIPPED
from archdsl.syntax.ast import Content
from archdsl.syntax.document import Backbone, Definitions, File
from archdsl.syntax.inheritance import in_one
from archdsl.syntax.models import Model, as_findings, in_order, validated
from archdsl.syntax.nodes import of_python
from archdsl.syntax.scopes import FileScope


def base_initializer(function: Callable[..., None]) -> Callable[..., None]:
    """An `__init__` that pydantic may pass by, as its own."""
    function.__pydantic_base_init__ = True  # type: ignore[attr-defined]
    return function


class Network(Backbone, Definitions):
    """The document of one network, with its imports, blocks and functions: `Network(name=..., stages={...})`.

    The keys are those of a YAML spec, the values texts of the language, numbers, lists and dicts. A network can be a
    field of another pydantic model; `model_dump` and `model_dump_json` give the keys again. Raises ArchError with all
    that is wrong with the text; `validate`, `compile` and the rest check what the network comes to.
    """

    where: ClassVar[str] = "a spec"

    _scope: FileScope | None = PrivateAttr(None)
    _base: Path | None = PrivateAttr(None)

    @base_initializer
    def __init__(self, **keys: Any) -> None:
        try:
            super().__init__(**keys)
        except ValidationError as error:
            raise ArchError(in_order(as_findings(error))) from None

    @classmethod
    def content(cls, given: Any) -> Content:
        """The parts of a file with one network."""
        file = given if isinstance(given, File) else validated(File, of_python(given))
        if len(file.backbones) != 1:
            label = f"{len(file.backbones)} networks, where one belongs"
            raise catalog.NO_BACKBONE.error(
                file.span, label, help="give the keys of one: `name`, `input`, `stages`, ..."
            )
        (backbone,) = file.backbones
        return Content(backbone.span, parts(file, Definitions) | parts(backbone, Backbone), backbone.places)

    @classmethod
    def of(cls, scope: FileScope, backbone: Backbone) -> Self:
        """A backbone in its file."""
        content = fields(scope.document, Definitions) | fields(backbone, Backbone)
        found = cls.model_construct(**content).placed(backbone.span, backbone.places)
        found._scope = scope
        return found

    def within(self, base: str | Path) -> Self:
        """The same network, whose imports are relative to a folder."""
        found = self.model_copy()
        found._base, found._scope = Path(base), None
        return found

    @property
    def scope(self) -> FileScope:
        """The file of the network, with all that it imports."""
        if self._scope is None:
            self._scope = open_document(SHIPPED, self.document, Source(self.name, ""), self._base)
        return self._scope

    @property
    def document(self) -> File:
        """A file with this network alone."""
        backbone = Backbone.model_construct(**fields(self, Backbone)).placed(self.span, self.places)
        return File.model_construct(**fields(self, Definitions), backbones=(backbone,))

    def alone(self) -> File:
        """A file with this network alone, which holds the lines of the parents that it has in its own file."""
        document = self.document
        if self._scope is None or not self.extends:
            return document
        return document.model_copy(update={"backbones": (in_one(self._scope, document.backbones[0]),)})

    def to_yaml(self) -> str:
        """The network as a YAML spec."""
        from archdsl.frontend.format import to_yaml

        return to_yaml(self.alone())

    def to_arch(self) -> str:
        """The network as a spec in the text notation."""
        from archdsl.frontend.format import to_arch

        return to_arch(self.alone())

    @model_serializer(mode="plain")
    def data(self) -> dict[str, Any]:
        """The network as plain data: the keys of a YAML spec, whose values are texts, lists and dicts."""
        from archdsl.frontend.format import to_data

        return to_data(self.alone())

    def __repr__(self) -> str:
        return f"<Network {self.name}>"

    def _repr_svg_(self) -> str | None:
        from archdsl.driver.pictures import shown

        return shown(self)

    __str__ = __repr__


NetworkLike = Network | Mapping[str, Any] | str | Path
"""What can be loaded: a network, a dict of its keys, a file's path, or the name of a shipped spec."""


def fields(model: Model, kind: type[Model]) -> dict[str, Any]:
    """The fields of a model that another kind of model has, too."""
    own = vars(model)
    return {name: own[name] for name in kind.model_fields}


def parts(model: Model, kind: type[Model]) -> dict[str, Any]:
    """The fields of a model that another kind has, by their keys."""
    return {kind.model_fields[name].alias or name: value for name, value in fields(model, kind).items()}
