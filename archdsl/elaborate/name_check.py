"""Check names and parameters in all of a file's own text, also where elaboration does not get to.

That is: arms of conditionals that no network takes, and blocks that none uses.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from itertools import islice

from archdsl.diagnostics import ArchError, Diagnostic, catalog
from archdsl.diagnostics.diagnostic import MOST_FINDINGS
from archdsl.elaborate.blame import ElaborationError, nothing_called
from archdsl.elaborate.signature import check_known, signature_of
from archdsl.initializer import INITIALIZERS
from archdsl.ops import vocabulary
from archdsl.syntax import ast
from archdsl.syntax.document import Backbone
from archdsl.syntax.inheritance import resolve
from archdsl.syntax.scopes import FORMS, FUNCTION_NAMES, POLICIES, TURN_WORDS, Definition, FileScope
from archdsl.syntax.synonyms import suggestion

ALWAYS = frozenset({"x", *FORMS, *POLICIES, *TURN_WORDS, *FUNCTION_NAMES, *INITIALIZERS})
"""Words that have a meaning in every file, if not at every place."""


def check_names(file: FileScope) -> list[Diagnostic]:
    """Undefined names and unknown parameters in the blocks, functions and backbones of a file, the first so many."""
    return list(islice(mistaken(file), MOST_FINDINGS))


def mistaken(file: FileScope) -> Iterator[Diagnostic]:
    """Undefined names and unknown parameters of a file."""
    for owner in (*file.document.blocks, *file.document.functions):
        defaults = [each.default for each in owner.parameters if each.default is not None]
        bound = {each.name for each in owner.parameters} | set(assigned(owner.body))
        yield from undefined([*defaults, *owner.body], bound, file)
    for backbone in file.backbones.values():
        yield from check_backbone(backbone, file)


def check_backbone(backbone: Backbone, file: FileScope) -> Iterator[Diagnostic]:
    """Undefined names and unknown parameters in a network's own lines, which may use the names that it inherits."""
    try:
        family = resolve(file, backbone)
    except ArchError:
        return  # reported where it is elaborated
    bound = {each.parameter.name for each in family.parameters}
    for line in (*family.settings, *family.sections, *family.outputs):
        content = line.content
        bound.add(content.target[0] if isinstance(content, ast.Setting) else content.name)
    own = [line.value for line in (*backbone.settings, *backbone.sections, *backbone.outputs)]
    yield from undefined(own, bound, file)


def undefined(
    roots: Iterable[ast.Expression | ast.Statement], bound: set[str], file: FileScope
) -> Iterator[Diagnostic]:
    """The findings in expressions and statements in which `bound` are names as well."""
    stack = [(root, frozenset(bound)) for root in reversed(list(roots))]
    while stack:
        node, known = stack.pop()
        match node:
            case ast.Name(id=name):
                if name not in known and not is_word(name, file):
                    help = suggestion(name, [*known, *file.names()])
                    yield catalog.UNKNOWN_NAME.at(node.span, nothing_called(name), help=help)
            case ast.Attribute(base=ast.Name(id=name)) if name not in known:
                pass  # an op of a package, which need not be installed where nothing uses it
            case _:
                if isinstance(node, ast.Call):
                    yield from unknown_parameters(node, known, file)
                if isinstance(node, ast.Comprehension | ast.For):
                    known |= {each.id for each in node.variables}
                stack += [(part, known) for part in reversed(ast.parts(node))]


def unknown_parameters(call: ast.Call, known: frozenset[str], file: FileScope) -> Iterator[Diagnostic]:
    """The arguments of a call that the block or op of that name does not take."""
    if not isinstance(call.callee, ast.Name) or call.callee.id in known:
        return
    target = file.find(call.callee.id)
    if not isinstance(target, Definition | type):
        return
    for argument in call.arguments:
        if len(argument.target) == 1:
            try:
                check_known(signature_of(target), argument, argument.target[0])
            except ElaborationError as error:
                yield error.diagnostic()


def is_word(name: str, file: FileScope) -> bool:
    """Tell if a name means something in a file: a block, an op, a function, or a word of an enumeration."""
    return name in ALWAYS or file.find(name) is not None or name in words_of_ops() or name in file.words


@cache
def words_of_ops() -> frozenset[str]:
    """The words of the enumerations of all ops and initializers."""
    kinds = (*vocabulary().values(), *INITIALIZERS.values())
    return frozenset(word for kind in kinds for each in kind.params.values() for word in each.type.symbols)


def assigned(body: Iterable[ast.Statement]) -> Iterator[str]:
    """The names that the statements of a body bind."""
    for statement in body:
        match statement:
            case ast.Assign():
                yield from (target.id for target in statement.targets)
            case ast.For():
                yield from (variable.id for variable in statement.variables)
                yield from assigned(statement.body)
            case ast.If():
                yield from assigned((*statement.body, *statement.other))
            case _:
                pass
