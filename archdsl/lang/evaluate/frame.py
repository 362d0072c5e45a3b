"""Where a text is worked out: the names it sees, the settings in force, and the scope that its tensors live in."""

from __future__ import annotations

from collections.abc import Mapping

from archdsl.lang.evaluate.building import Builder
from archdsl.lang.evaluate.session import Session
from archdsl.lang.evaluate.settings import Settings
from archdsl.lang.text.files import File
from archdsl.lang.text.statics import Statics
from archdsl.lang.text.syntax import Node
from archdsl.lang.values.value import Value


class Frame:
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
        session: Session,
        file: File,
        statics: Statics,
        names: dict[str, Value],
        settings: Settings,
        builder: Builder | None = None,
        parameters: frozenset[str] = frozenset(),
    ) -> None:
        self.session = session
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

    def copy(self) -> Frame:
        """The same frame, of which single parts may be set anew."""
        frame = Frame.__new__(Frame)
        frame.__dict__.update(self.__dict__)
        return frame

    def inner(self, node: Node, names: dict[str, Value], listed: bool | None = None) -> Frame:
        """This frame with more names, for a node (a turn of a repeat or a loop): each is copied, and so counted."""
        self.session.budget.item(node.span, len(self.names))
        frame = self.copy()
        frame.names = {**self.names, **names}
        if listed is not None:
            frame.listed = listed
        return frame

    def expecting(self, words: tuple[str, ...]) -> Frame:
        """This frame where one of some words may be meant."""
        if words == self.words:
            return self
        frame = self.copy()
        frame.words = words
        return frame

    def place(self, node: object, kind: str) -> str:
        """The name of the module that is applied at a place of the text; it ends in a dot where there is one a turn."""
        name = self.statics.names.get(id(node), kind)
        return f"{name}." if self.listed and name else name
