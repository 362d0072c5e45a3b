"""The spec document: models of what a file says, whichever notation it is in.

YAML, data of Python, JSON and the text notation all come to these models, and their validators are the checks: of
names, bounds, editions, keys, and what excludes what. From here on nobody can tell which notation was used. Types,
shapes, and names across files are the elaborator's.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, ClassVar

from pydantic import Field

from archdsl.diagnostics import ArchError, Diagnostic, Source, Span, catalog, listed
from archdsl.diagnostics.characters import is_unseen
from archdsl.syntax.ast import (
    EDITION,
    Block,
    Content,
    Drop,
    Expectation,
    Extends,
    Function,
    Import,
    Nothing,
    Output,
    Parameter,
    Return,
    SectionLine,
    Setting,
    Statement,
)
from archdsl.syntax.models import Key, Model, collected, shown, unknown_key, validated
from archdsl.syntax.nodes import KINDS, Data, Mapping, MappingEntry, Scalar, Sequence
from archdsl.syntax.parser import parse
from archdsl.syntax.text import LINE_WORDS, UNSEEN_IN_PATH, LocatedText, tidy
from archdsl.syntax.values import (
    COMMENT,
    STATEMENT,
    PlainBlock,
    both,
    is_too_deep,
    kind,
    lines,
    name,
    parsed,
    scalar,
    target,
    whole,
)

Body = tuple[Statement, ...]

CALL = re.compile(r"([A-Za-z_]\w*)\s*\((.*)\)", re.DOTALL)
RETURN = re.compile(r"^[ \t]*return\b", re.MULTILINE)
QUOTED = '"""'
PATH = re.compile(r'[^"\\\n]+')
STAGE = re.compile(r"stage[ \t]+")
WORD_BEFORE_NAME = re.compile(r"stage[ \t]+(?=\w)")
"""The word of the text form, which says nothing where all are stages; not a stage that has this name."""
START = "a spec is a mapping: it begins with `name: ...`, `blocks:` or `backbones:`"
SHORT_KEYS = ("stem", "stages", "head")


def items_of(data: Data) -> tuple[Data, ...]:
    """The items of a list; anything else is the only one."""
    return data.items if isinstance(data, Sequence) else (data,)


# ---- definitions


def signature(data: Data) -> tuple[Parameter, ...]:
    """Parameters: a mapping of names to defaults, or a signature in a string."""
    if not isinstance(data, Scalar):
        return tuple(collected(parameter, lines(data, "a signature, or a mapping of names to defaults,")))
    if not data.content.strip():
        return ()
    # The grammar wants parentheses; added ones have no place, so findings stay where the text is.
    bare = not data.content.lstrip().startswith("(")
    return parsed(data, "parameters", data.text.between("(", ")") if bare else None)


def parameter(entry: MappingEntry) -> Parameter:
    """`name: default`."""
    called, default = both(partial(name, entry.key), partial(default_of, entry))
    return Parameter(entry.key.span, False, called, (), default)


def default_of(entry: MappingEntry) -> Any:
    """The default of a parameter."""
    if isinstance(entry.value, Scalar) and not entry.value.content:
        help = f'without one, write the signature in a string: "{entry.key.content}, ..."'
        raise catalog.DOCUMENT.error(entry.key.span, "a default belongs here", help=help)
    default = whole(entry.value, lists=True)
    if is_too_deep(default, 1):
        raise catalog.TOO_DEEP.error(entry.value.span, "as a parameter's default, this is nested too deeply to be read")
    return default


def body(data: Data) -> tuple[str, Body]:
    """The docstring and the statements of a body; an expression is a body, too."""
    # A `return` further down shows that lines were meant, even if the first of them is no statement.
    if isinstance(data, Scalar) and (STATEMENT.match(data.content) or RETURN.search(data.content)):
        return parsed(data, "body")
    value = whole(data)
    return "", (Return(value.span, False, value),)


def doc(data: Data) -> str:
    """A doc, as tidy as the docstrings of the text form."""
    text = kind(data, Scalar, "a text")
    source, end = text.span.source, text.span.end
    # YAML ends a text at ` #`. Behind prose, as in `issue #3`, that is a mistake; a comment has a space after its `#`.
    behind = COMMENT.match(source.text, end) if not text.style else None
    if behind and not source.text[behind.end() : behind.end() + 1].isspace():
        help = "put the doc in quotes; or, for a comment, a space after the `#`"
        raise catalog.YAML.error(text.span, "` #` ends a text without quotes", help=help)
    if QUOTED in text.content:
        label = "three quotes in a row end a docstring in the text form"
        raise catalog.DOCUMENT.error(text.span, label, help="write one quote, or two")
    return tidy("\n" + text.content)


Signature = Annotated[tuple[Parameter, ...], Key(lambda entry: signature(entry.value), "signature")]
Doc = Annotated[str, Key(lambda entry: doc(entry.value), "text")]
DefinitionBody = Annotated[tuple[str, Body], Key(lambda entry: body(entry.value), "block")]


class DefinitionKeys(Model):
    """The keys of a block or function: `{args: ..., doc: ..., body: ...}`."""

    where: ClassVar[str] = "a definition"
    needed: ClassVar[dict[str, str]] = {"body": "this has no `body`"}

    parameters: Signature = Field((), alias="args", description="The parameters: a signature, or names and defaults.")
    doc: Doc = Field("", description="What it is.")
    body: DefinitionBody = Field(description="An expression; or, after `|`, statements.")

    @classmethod
    def content(cls, given: MappingEntry) -> Content:
        """The keys of a mapping; anything else is the body."""
        entries = given.value.entries if isinstance(given.value, Mapping) else None
        values = {"body": given} if entries is None else {entry.key.content: entry for entry in entries}
        return Content(given.key.span, dict(values), {})


def definition(node: type[Block] | type[Function], entry: MappingEntry) -> Block | Function:
    """`name: {args: ..., doc: ..., body: ...}`, or `name: body`."""
    # As in the text form, where it is right.
    if found := CALL.fullmatch(entry.key.content):
        help = f'write `{found[1]}: {{args: "{shown(found[2])}", body: ...}}`'
        raise catalog.DOCUMENT.error(entry.key.span, "the parameters do not stand in the key", help=help)
    called, found = both(partial(name, entry.key), partial(validated, DefinitionKeys, entry))
    inside, statements = found.body
    if found.doc and inside:
        raise catalog.DUPLICATE.error(entry.key.span, "this has both a `doc` and a docstring in its body")
    return node(entry.key.span, False, called, found.parameters, statements, found.doc or inside)


def definitions(entry: MappingEntry, node: type[Block] | type[Function]) -> tuple[Any, ...]:
    """`blocks: {stem: ..., body: ...}`."""
    return tuple(collected(partial(definition, node), lines(entry.value, "a mapping of names to definitions")))


# ---- the keys of a file


def edition(entry: MappingEntry) -> int:
    """`archdsl: 1`."""
    text = scalar(entry.value, "an edition of the language")
    if text.content != str(EDITION):
        label, help = f"edition {text.content[:20]}", f"this version of archdsl reads edition {EDITION}"
        raise catalog.EDITION.error(text.span, label, help=help)
    return EDITION


def imports(entry: MappingEntry) -> tuple[Import, ...]:
    """`import: blocks.arch`, or a list."""
    return tuple(collected(path, items_of(entry.value)))


def path(data: Data) -> Import:
    """The path of a file."""
    text = scalar(data, "the path of a file")
    if not PATH.fullmatch(text.content):
        help = "write `/` between folders" if "\\" in text.content else ""
        raise catalog.DOCUMENT.error(text.span, "a path of an import has no quote, backslash or line end", help=help)
    if any(map(is_unseen, text.content)):
        raise catalog.DOCUMENT.error(text.span, UNSEEN_IN_PATH)
    return Import(text.span, text.content)


Edition = Annotated[int | None, Key(edition, "edition")]
Imports = Annotated[tuple[Import, ...], Key(imports, "imports")]
Blocks = Annotated[tuple[Block, ...], Key(partial(definitions, node=Block), "definitions")]
Functions = Annotated[tuple[Function, ...], Key(partial(definitions, node=Function), "definitions")]


class Definitions(Model):
    """The keys of a file beside its networks: edition, imports, and the blocks and functions that it defines."""

    edition: Edition = Field(None, alias="archdsl", description="The edition of the language.")
    imports: Imports = Field(
        (),
        alias="import",
        description="Files whose blocks, functions and backbones can be used here, relative to this one.",
    )
    blocks: Blocks = Field((), description="Blocks by name.")
    functions: Functions = Field((), description="Functions on values, by name.")


# ---- the keys of a network


def network_name(entry: MappingEntry) -> str:
    """`name: resnext50`."""
    return name(kind(entry.value, Scalar, "the name of the backbone"), "the name of the backbone")


def extends(entry: MappingEntry) -> Extends:
    """`extends: resnet101(depths = [3, 8, 36, 3])`."""
    wanted = "the name of a backbone, with arguments or without,"
    if isinstance(entry.value, Mapping):
        label = f"a mapping, where {wanted} belongs"
        raise catalog.WRONG_TYPE.error(entry.value.span, label, help="write it as `parent(name = value)`")
    return parsed(scalar(entry.value, wanted), "extends_value")


def shape(entry: MappingEntry) -> tuple[int, ...]:
    """`input: 3x224x224`, or a list of the sizes."""
    if isinstance(entry.value, Sequence):
        return tuple(collected(size, entry.value.items))
    return parsed(scalar(entry.value, "a shape, as `3x224x224`,"), "shape")


def size(data: Data) -> int:
    """One number of a shape."""
    found = parsed(scalar(data, "a whole number"), "shape")
    if len(found) > 1:
        raise catalog.WRONG_TYPE.error(data.span, "a shape, where one whole number belongs")
    return found[0]


def setting(entry: MappingEntry) -> Setting:
    """`bottleneck.groups: 32`."""
    # Settings that nest, `bn: {eps: 1e-3}`, have no key of a block in plain data.
    keys = [each.key.content for each in entry.value.entries] if isinstance(entry.value, Mapping) else []
    if isinstance(entry.value, Mapping) and not {*keys}.intersection(PlainBlock.all_keys()):
        first = keys[0] if keys else "param"
        label = "a mapping, where a value belongs: each setting is a line of its own"
        raise catalog.DOCUMENT.error(entry.value.span, label, help=f"write `{entry.key.content}.{first}: ...`")
    found, value = both(partial(setting_name, entry), partial(whole, entry.value, lists=True))
    return Setting(entry.span, found, value)


def setting_name(entry: MappingEntry) -> tuple[str, ...]:
    """The names in the key of a setting."""
    found = target(entry)
    check_free(found[0], entry)
    return found


def check_free(name: str, entry: MappingEntry) -> None:
    """Raises for a name that no section and no setting can have."""
    if name in LINE_WORDS:
        label = f"`{name}` begins a line of its own kind in the text form, so it cannot be a name"
        raise catalog.DOCUMENT.error(entry.key.span, label, help="choose another name")


SectionOrDrop = SectionLine | Drop


def section(entry: MappingEntry) -> SectionOrDrop:
    """`stem: ...`, `head: ...`, or another section."""
    called, value = both(partial(section_name, entry), partial(whole, entry.value))
    return section_line(entry.key.span, called, value)


def section_name(entry: MappingEntry) -> str:
    """The name of a section."""
    found = name(entry.key, "the name of a section")
    check_free(found, entry)
    return found


def section_line(span: Span, called: str, value: Any, *more: Any) -> SectionOrDrop:
    """A section with its value, or, where that is `none`, a section left out."""
    return Drop(span, called) if isinstance(value, Nothing) else SectionLine(span, called, value, *more)


def stage(entry: MappingEntry, key: Scalar | None = None) -> SectionOrDrop:
    """`c3 / 2: ...`; `key` is its key, without the word in front."""
    given = key or entry.key
    called, value = both(lambda: parsed(scalar(given, "the name of a stage"), "stage_key"), partial(whole, entry.value))
    return section_line(given.span, called[0], value, True, called[1])


def stage_alone(entry: MappingEntry) -> SectionOrDrop:
    """A stage among stages."""
    if found := WORD_BEFORE_NAME.match(entry.key.content):
        help = f"write `{entry.key.content[found.end() :]}: ...`"
        raise catalog.DOCUMENT.error(entry.key.span, "all are stages here", help=help)
    return stage(entry)


def section_or_stage(entry: MappingEntry) -> SectionOrDrop:
    """`stem: ...`, or `stage c2: ...`."""
    if found := STAGE.match(entry.key.content):
        return stage(entry, entry.key._replace(text=entry.key.text.after(found.end())))
    return section(entry)


def output(entry: MappingEntry) -> Output | Drop:
    """`p3: ...`, or `aux if training: ...`."""
    called, value = both(
        lambda: parsed(scalar(entry.key, "the name of an output"), "output_key"), partial(whole, entry.value)
    )
    if isinstance(value, Nothing):
        return Drop(entry.key.span, called[0])
    return Output(entry.key.span, called[0], value, called[1])


def drops(entry: MappingEntry) -> tuple[Drop, ...]:
    """`drop: aux`, or a list."""
    wanted = "the name of a section or an output"
    return tuple(collected(lambda each: Drop(each.span, name(each, wanted)), items_of(entry.value)))


def expectation(entry: MappingEntry) -> Expectation:
    """`macs: <= 4.3G`."""
    figure, found = both(partial(target, entry), lambda: parsed(scalar(entry.value, "a bound, as `<= 4.3G`,"), "bound"))
    return Expectation(entry.span, figure, *found)


def of_lines(read: Callable[[MappingEntry], Any], wanted: str, kind: str) -> Key:
    """A key with a mapping whose lines are read one by one."""
    return Key(lambda entry: tuple(collected(read, lines(entry.value, wanted))), kind)


Sections = tuple[SectionLine, ...]
Name = Annotated[str, Key(network_name, "name")]
Parent = Annotated[Extends | None, Key(extends, "parent")]
Shape = Annotated[tuple[int, ...] | None, Key(shape, "shape")]
Settings = Annotated[tuple[Setting, ...], of_lines(setting, "a mapping of settings to values", "settings")]
OneSection = Annotated[Sections, Key(lambda entry: (section(entry),), "block")]
Stages = Annotated[Sections, of_lines(stage_alone, "a mapping of stages to expressions", "stages")]
AllSections = Annotated[Sections, of_lines(section_or_stage, "a mapping of sections to expressions", "sections")]
Outputs = Annotated[tuple[Output, ...], of_lines(output, "a mapping of outputs to expressions", "outputs")]
Drops = Annotated[tuple[Drop, ...], Key(drops, "drops")]
Expectations = Annotated[tuple[Expectation, ...], of_lines(expectation, "a mapping of figures to bounds", "figures")]
SECTION = "A section: a chain of blocks. An expression, a list of blocks (a chain), or a block in plain data."


class Backbone(Model):
    """A network: parameters, settings, the sections of the chain in order, further outputs, and what to expect.

    `stem`, `stages` and `head` are a short way to write `sections`, which holds them all.
    """

    where: ClassVar[str] = "a backbone"
    needed: ClassVar[dict[str, str]] = {"name": "this network has no name"}

    name: Name = Field(description="The network's name.")
    doc: Doc = Field("", description="What the network is, and where it is from.")
    parameters: Signature = Field(
        (), alias="params", description="Its parameters: names and defaults, or a signature in a string."
    )
    extends: Parent = Field(None, description="A network whose lines this one inherits, with new defaults or without.")
    input: Shape = Field(None, description="The input's shape, as `3x224x224`: channels, height, width.")
    settings: Settings = Field(
        (), alias="set", description="Policies (`act`), defaults of parameters (`conv.bias`), and constants, in order."
    )
    stem_line: OneSection = Field((), alias="stem", description=SECTION)
    stage_lines: Stages = Field((), alias="stages", description="The stages, in order: `c2: ...`, `c3 / 2: ...`.")
    head_line: OneSection = Field((), alias="head", description=SECTION)
    sections: AllSections = Field(
        (), description="All sections in order, those of other names as well; a stage's key begins with `stage`."
    )
    outputs: Outputs = Field((), description="Further outputs, which do not advance the chain; `aux if training: ...`.")
    drops: Drops = Field(
        (), alias="drop", description="What is left out of the parent: a section or an output, or several."
    )
    expect: Expectations = Field((), description="The figures that the network must have; validation checks them.")

    @property
    def input_span(self) -> Span | None:
        """The place of the input's shape."""
        return self._places.get("input")

    @classmethod
    def content(cls, given: Any) -> Content:
        """The keys of a network; of one among several, its name is the key that it stands at."""
        if isinstance(given, Content):
            return given
        if not isinstance(given, MappingEntry):
            return content_of(given)
        # `net:` with nothing behind it is a network without keys, as `backbone net` is in the text form.
        is_empty = isinstance(given.value, Scalar) and not given.value.content
        return content_of(Mapping((), given.key.span) if is_empty else given.value, given.key)

    def model_post_init(self, context: Any, /) -> None:
        """Put all sections into one list, and what is left out into another."""
        own: dict[str, Any] = vars(self)  # pyright: ignore[reportAssignmentType]
        lines = [*own["stem_line"], *own["stage_lines"], *own["head_line"], *own["sections"], *own["outputs"]]
        if left_out := [line for line in lines if isinstance(line, Drop)]:
            left_out += own["drops"]
            own["drops"] = tuple(sorted(left_out, key=lambda each: each.span.start if each.span else 0))
        kept = [line for line in lines if not isinstance(line, Drop)]
        own["sections"] = tuple(line for line in kept if isinstance(line, SectionLine))
        own["outputs"] = tuple(line for line in kept if isinstance(line, Output))
        # Emptied, so that networks are equal whichever keys they were written with.
        own["stem_line"] = own["stage_lines"] = own["head_line"] = ()


def content_of(data: Data, outside: Scalar | None = None) -> Content:
    """The keys of a network; its name is among them, or that of several is `outside`."""
    mapping = kind(data, Mapping, "a mapping with the keys of a backbone")
    values: dict[str, Any] = {entry.key.content: entry for entry in mapping.entries}
    places = {key: entry.value.span for key, entry in values.items()}
    wrong: list[Diagnostic] = []
    if "sections" in values and (short := [key for key in SHORT_KEYS if key in values]):
        label = f"`sections` holds all sections in order, so {listed(short)} cannot be used with it"
        wrong.append(catalog.DOCUMENT.at(values["sections"].key.span, label, help="move them into `sections`"))
    if outside is not None:
        if "name" in values:
            wrong.append(unknown_key(values["name"].key, Backbone.all_keys()[1:], Backbone.where))
        values["name"] = MappingEntry(outside, outside)
    first = values["name"].value if "name" in values else mapping.entries[0].key if mapping.entries else mapping
    return Content(first.span, values, places, tuple(wrong))


# ---- files


def networks(entry: MappingEntry) -> tuple[Backbone, ...]:
    """`backbones: {resnet50: {...}, resnet152: {...}}`; or, at another key, the keys of the only one."""
    if entry.key.content != "backbones":
        return (validated(Backbone, entry.value),)
    return tuple(collected(partial(validated, Backbone), lines(entry.value, "a mapping of names to backbones")))


class File(Definitions):
    """A file: what it imports, and the blocks, functions and backbones that it defines."""

    where: ClassVar[str] = "a spec"

    backbones: Annotated[tuple[Backbone, ...], Key(networks, "networks")] = Field(
        (), description="Several networks by name."
    )

    @classmethod
    def content(cls, given: Any) -> Content:
        """The keys at the top; those of a network, if there is but one, are its own."""
        if isinstance(given, Content):
            # What the grammar gives are the contents of networks; here they become models.
            found = tuple(validated(Backbone, each) for each in given.values.get("backbones", ()))
            return given._replace(values=given.values | {"backbones": found})
        if not isinstance(given, Mapping):
            raise catalog.WRONG_TYPE.error(given.span, f"{KINDS[type(given)]}, where a mapping belongs", help=START)
        values: dict[str, Any] = {entry.key.content: entry for entry in given.entries}
        # With `backbones`, these keys are reported: they belong into one of those (`unknown`).
        own = tuple(entry for key, entry in values.items() if key in Backbone.all_keys())
        if own and "backbones" not in values:
            only = MappingEntry(own[0].key, Mapping(own, given.span))
            values = {key: entry for key, entry in values.items() if key not in Backbone.all_keys()} | {
                "backbones": only
            }
        return Content(given.span, values, {})

    @classmethod
    def unknown(cls, key: Scalar) -> Diagnostic:
        """The finding for a key that there is none of, or that would be the only network's."""
        if key.content in Backbone.all_keys():
            label = f"with `backbones`, `{key.content}` belongs to no backbone"
            return catalog.DOCUMENT.at(key.span, label, help="move it into the one that it is meant for")
        return unknown_key(key, (*cls.all_keys(), *Backbone.all_keys()), cls.where)


def parse_file(source: Source) -> File:
    """The document that a `.arch` text says; raises ArchError with all mistakes that are independent of each other."""
    text = LocatedText.of(source)
    try:
        return validated(File, parse(text, "file"))
    except ArchError as error:
        from archdsl.syntax.syntax_errors import all_mistakes

        raise all_mistakes(text, error, lambda rest: validated(File, parse(rest, "file"))) from None
