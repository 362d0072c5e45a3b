"""Files and the names in them: what a name in a text refers to.

A file sees its own definitions, then those of its imports, then the library's blocks, then the ops.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from archdsl.diagnostics import ArchError, Note, Span, catalog
from archdsl.op import Op
from archdsl.ops import installed, vocabulary
from archdsl.syntax.naming import returns_single

if TYPE_CHECKING:
    from archdsl.diagnostics import Source
    from archdsl.syntax.ast import Block, Function, Parameter, Statement
    from archdsl.syntax.document import Backbone, File

FORMS = ("fork", "concat", "collect", "split", "with", "share")
DEFAULT_POLICIES = {"norm": "bn", "act": "relu"}
POLICIES = tuple(DEFAULT_POLICIES)
FUNCTION_NAMES = (
    "min",
    "max",
    "abs",
    "round",
    "floor",
    "ceil",
    "int",
    "log2",
    "len",
    "range",
    "zip",
    "sum",
    "unique",
    "count",
)
"""The functions on values that the language has."""
MOST_NOTES = 8
RESERVED = ("x", *FORMS)
TURN_WORDS = ("index", "first", "last")
"""The words of a repeat for its iterations. Elsewhere values may have these names, but no definitions."""


class Definition:
    """A block as a file defines it."""

    def __init__(self, node: Block, file: FileScope) -> None:
        self.node = node
        self.file = file
        self.name = node.name
        self.doc = node.doc
        self.parameters: tuple[Parameter, ...] = node.parameters
        self.body: tuple[Statement, ...] = node.body

    @cached_property
    def parameter_names(self) -> frozenset[str]:
        """The names in the signature."""
        return frozenset(parameter.name for parameter in self.parameters)

    @cached_property
    def tensor_names(self) -> tuple[str, ...]:
        """The parameters that take further tensors."""
        return tuple(parameter.name for parameter in self.parameters if parameter.type == ("tensor",))

    @cached_property
    def returns_single(self) -> bool:
        """True if the body is one block by its text, on all paths."""
        return returns_single(self.body)

    def __repr__(self) -> str:
        return f"Definition({self.name})"


class UserFunction:
    """A function on values as a file defines it."""

    def __init__(self, node: Function, file: FileScope) -> None:
        self.node = node
        self.file = file
        self.name = node.name


class Clash:
    """A name that several imports define, each in its own way."""

    def __init__(self, name: str, found: tuple[Definition | UserFunction, ...]) -> None:
        self.name = name
        self.found = found


def clash(name: str, places: Iterable[Span | None]) -> tuple[str, str, tuple[Note, ...]]:
    """The finding for a name that several imports define: label, help, and notes."""
    notes = tuple(Note(span, "defined here") for span in places)
    return f"several imports define `{name}`", "give them different names", notes[:MOST_NOTES]


Target = Definition | type[Op]
"""The targets of block values: blocks and ops."""

Meaning = Definition | UserFunction | type[Op] | Clash | None


class Library(Protocol):
    """The shipped blocks and specs."""

    def block(self, name: str) -> Definition | None:
        """A shipped block."""
        ...

    def blocks(self) -> list[str]:
        """The names of the shipped blocks."""
        ...

    def spec(self, name: str) -> tuple[FileScope, Backbone] | None:
        """A shipped backbone, with its file."""
        ...

    def specs(self) -> list[str]:
        """The names of the shipped backbones."""
        ...


class TextMemos:
    """Facts derived from a file's text, worked out once. A copy of the file, or another process, begins without them.

    They know nodes and definitions by identity, which a copy does not keep.
    """

    __slots__ = ("lines", "signatures", "sizes", "statics")

    def __init__(self) -> None:
        self.lines: dict[int, Any] = {}
        """The lines of the networks, by the identity of their nodes (`static_names`)."""
        self.statics: dict[Definition, Any] = {}
        """The names of the modules of each block (`static_names`)."""
        self.signatures: dict[Definition, Any] = {}
        """The signature of each block (`elaborate.signature`)."""
        self.sizes: dict[tuple[Definition, Any, Any], Any] = {}
        """The answers for calls of each block, by arguments and settings (`elaborate.size_inference`)."""

    def __reduce__(self) -> tuple[type[TextMemos], tuple[()]]:
        return TextMemos, ()


class FileScope:
    """A document, and what the names in it refer to."""

    def __init__(self, document: File, source: Source, library: Library, imports: tuple[FileScope, ...] = ()) -> None:
        self.document = document
        self.source = source
        self.library = library
        self.imports = imports
        self.blocks = {node.name: Definition(node, self) for node in document.blocks}
        self.functions = {node.name: UserFunction(node, self) for node in document.functions}
        self.backbones = {backbone.name: backbone for backbone in document.backbones}
        self.meanings: dict[str, Meaning] = {}
        self.memos = TextMemos()
        check_names(document)

    @property
    def is_empty(self) -> bool:
        """True if the file defines and imports nothing."""
        return not (self.blocks or self.functions or self.backbones or self.imports)

    @cached_property
    def words(self) -> frozenset[str]:
        """The words of the enumerations that this file and its imports declare."""
        declared = [
            parameter
            for file in (self, *self.imports)
            for owner in (*file.document.blocks, *file.document.functions, *file.document.backbones)
            for parameter in owner.parameters
        ]
        return frozenset(word for each in declared if len(each.type) > 1 for word in each.type)

    def find(self, name: str) -> Meaning:
        """Resolve a name in this file (`acme.swish` for an op of an installed package); None if it is undefined."""
        # Each name is looked up for every call site, and never changes its meaning.
        if name not in self.meanings:
            self.meanings[name] = self.look_up(name)
        return self.meanings[name]

    def look_up(self, name: str) -> Meaning:
        """Resolve a name, by file, imports, library and ops."""
        if found := self.defined(name):
            return found
        # The same definition by two paths is no clash.
        imported = dict.fromkeys(found for file in self.imports if (found := file.defined(name)))
        if imported:
            return next(iter(imported)) if len(imported) == 1 else Clash(name, tuple(imported))
        # A name with a dot is an op of an installed package, which can never take the place of a built-in one.
        prefix, dot, _ = name.rpartition(".")
        if dot:
            return installed(prefix).get(name)
        return self.library.block(name) or vocabulary().get(name)

    def defined(self, name: str) -> Definition | UserFunction | None:
        """The block or function that this file itself defines."""
        return self.blocks.get(name) or self.functions.get(name)

    def backbone(self, name: str) -> tuple[FileScope, Backbone] | None:
        """A backbone of this file, of its imports, or shipped."""
        found = self.backbones_called(name)
        return found[0] if found else self.library.spec(name)

    def backbones_called(self, name: str) -> list[tuple[FileScope, Backbone]]:
        """The backbone of this file; or else those of its imports, of which there should be one."""
        # An import that is reached on two ways is one file.
        files = [self] if name in self.backbones else dict.fromkeys(self.imports)
        return [(file, file.backbones[name]) for file in files if name in file.backbones]

    def block_names(self) -> Iterator[str]:
        """All names that a block can be called by here."""
        for file in (self, *self.imports):
            yield from file.blocks
        yield from self.library.blocks()
        yield from vocabulary()
        yield from (*FORMS, *POLICIES)

    def names(self) -> Iterator[str]:
        """All names of this file's scope."""
        yield from self.block_names()
        for file in (self, *self.imports):
            yield from file.functions
        yield from FUNCTION_NAMES


def check_names(document: File) -> None:
    """Raise for two definitions of one name, and for those whose name means something else in the language.

    And for a function's parameters to which nothing could be handed.
    """
    findings = [
        catalog.DUPLICATE.at(node.span, f"`{node.name}` is a reserved word", help="choose another name")
        for node in (*document.blocks, *document.functions)
        if node.name in (*RESERVED, *TURN_WORDS, *POLICIES, *FUNCTION_NAMES)
    ]
    for node in document.functions:
        for each in node.parameters:
            if each.named:
                label = f"functions take their arguments by position, so `{each.name}` could not be given"
                help = "remove it" if each.rest else "leave out the `*` before it"
                findings.append(catalog.BY_NAME_ONLY.at(each.span, label, help=help))
    for nodes in ((*document.blocks, *document.functions), document.backbones):
        seen: dict[str, Span | None] = {}
        for node in nodes:
            if node.name in seen:
                first = Note(seen[node.name], "first here")
                label = f"a second `{node.name}` in one file"
                findings.append(catalog.DUPLICATE.at(node.span, label, notes=(first,)))
            seen.setdefault(node.name, node.span)
    if findings:
        raise ArchError(findings)
