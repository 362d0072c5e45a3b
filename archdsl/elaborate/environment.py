"""Where a text is worked out: the names it sees, the settings in force, and the scope that its tensors live in."""

from __future__ import annotations

from collections.abc import Mapping

from archdsl.elaborate.context import Context
from archdsl.elaborate.scope_builder import ScopeBuilder
from archdsl.elaborate.settings import Settings
from archdsl.elaborate.values import Value
from archdsl.syntax.ast import Node
from archdsl.syntax.scopes import FileScope
from archdsl.syntax.static_names import Statics


class Environment:
    """A body, a section or a setting while it is worked out.

    `parameters` are the names that come from the signature. `builder` is None where there are no tensors. In a loop,
    `listed` says that each place has one module a turn. `used` collects the names that were read (for constants).
    `dropped` is the parameter whose value 0 drops the op that it sizes (`classes`), or empty. `once` says that a
    local name of a block is applied at one place only, and `versions` how often a name was bound anew. `choices` are
    the words that a parameter may be, by its name; `words` are those that may be meant in what is worked out. `later`
    are the sections that come later, `around` all names that there are, whether the text reads them or not. `outputs`
    are those of the later ones that no section reads, wherever they stand.
    """

    def __init__(
        self,
        context: Context,
        file: FileScope,
        statics: Statics,
        names: dict[str, Value],
        settings: Settings,
        builder: ScopeBuilder | None = None,
        parameters: frozenset[str] = frozenset(),
    ) -> None:
        self.context = context
        self.file = file
        self.statics = statics
        self.names = names
        self.settings = settings
        self.builder = builder
        self.parameters = parameters
        self.listed = False
        self.free = False
        self.dropped = ""
        self.once = True
        self.versions: dict[str, int] = {}
        self.choices: dict[str, tuple[str, ...]] = {}
        self.words: tuple[str, ...] = ()
        self.read: set[str] = set()
        self.later: frozenset[str] = frozenset()
        self.outputs: frozenset[str] = frozenset()
        self.around: Mapping[str, Value] = names

    def copy(self) -> Environment:
        """The same environment, of which single parts may be set anew."""
        environment = Environment.__new__(Environment)
        environment.__dict__.update(self.__dict__)
        return environment

    def inner(self, node: Node, names: dict[str, Value], listed: bool | None = None) -> Environment:
        """This environment with more names, for a turn of a repeat or a loop: each is copied, and so counted."""
        self.context.budget.item(node.span, len(self.names))
        environment = self.copy()
        environment.names = {**self.names, **names}
        if listed is not None:
            environment.listed = listed
        return environment

    def expecting(self, words: tuple[str, ...]) -> Environment:
        """This environment where one of some words may be meant."""
        if words == self.words:
            return self
        environment = self.copy()
        environment.words = words
        return environment

    def place(self, node: object, kind: str) -> str:
        """The name of the module that is applied at a place of the text; it ends in a dot where there is one a turn."""
        name = self.statics.names.get(id(node), kind)
        return f"{name}." if self.listed and name else name
