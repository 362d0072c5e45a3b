"""The memos of the package: how long each is kept, and what decides its key. A new one has to be entered here.

A memo whose key leaves out a part of what decides the result gives wrong results to those who ask second. So each is of
one of these kinds, and the tests beside it ask those that outlive a call in different orders and companies.
"""

from __future__ import annotations

from importlib import import_module

import pytest

from tests.caches.memos import memos

OF_THE_PACKAGE = """
analyses/device.py: known_devices           all; a file of the package
backends/torch/module.py: alive             the source, which is all that is executed; weak, and 64 kept
driver/library.py: block_files spec_files   all; the names of files of the package
driver/library.py: files                    the path; a file of the package, read once, and as no other text says it
diagnostics/explain.py: explanations rules       all; a file and the catalog of the package
diagnostics/source.py: without_links              the folder that the user is in
analyses/warnings/network_rules.py: lost_rows_of  the op and the shapes; ops are equal by all their settings
syntax/models.py: simple_keys      the class of the model
syntax/parser.py: short_tree         the text and the rule of the grammar; places come from elsewhere
syntax/parser.py: machine                   all; the grammar of the package
syntax/syntax_errors.py: mistakes           all; a file of the package
syntax/syntax_errors.py: sides              the pattern
elaborate/signature.py: enumerated          all; the ops of the package
elaborate/signature.py: of_declared         the class of the op
op.py: declared_type                        the annotation, and the module that it stands in
ops/__init__.py: installed                  the prefix; what is installed as the process begins
ops/__init__.py: vocabulary                 all; the ops of the package
weights/rules.py: entries own_schemes schemes wrappers  the name; files of the package
"""
"""Kept as long as the process. Tests: `test_orders.py`, and below."""

OF_A_USER = """
commands/_cache.py: stamp                   this archdsl, file by file, Python, and what reads texts
"""
"""Kept among processes; a key holds this, the folder, the path, the input size and the text, an entry the texts of all
imports. Kept is what was found alone. Tests: `test_company.py`, `commands/test_cache.py`."""

OF_A_RUN = """
commands/validate.py: known                 see `elaborate/scope_cache.py`; has no part in findings
elaborate/scope_cache.py: modules             the block, its shapes, and what settings say to all that asked in it
elaborate/op_scopes.py: ops                 the use, and the settings in force
elaborate/op_scopes.py: works               the op, and the shapes
elaborate/context.py: keys              all that is given a number
driver/imports.py: files                    the path; of one file with its imports
backends/crosscheck.py: seen                the module's path, in one pass
"""
"""Shared by the elaborations of a run, by what is read of one file, by a pass. Tests: `test_company.py`,
`lang/test_lang_known.py`."""

OF_A_FILE = """
syntax/scopes.py: meanings                the name; of one file
syntax/static_names.py: lines                 the node, which is kept
syntax/static_names.py: facts                 what the names in a line are, and which are parameters
syntax/static_names.py: statics               the block
elaborate/calls.py: assigned            the node, and what is called; of a text
elaborate/evaluate.py: origins          the node; of a text
elaborate/signature.py: signatures          the block
elaborate/size_inference.py: sizes      what is known of the names, or of a block's arguments, and of the settings
"""
"""Kept with a text, which does not change. Tests: `test_orders.py`."""

OF_AN_ELABORATION = """
elaborate/instantiate.py: scopes            a chain, its shape, and the settings in force; with its marks
elaborate/op_scopes.py: scopes              an op or a block, its shapes, and the settings in force; with its marks
elaborate/lines.py: sizes             all; the settings of one backbone
elaborate/instantiate.py: bodies           the use, and the very settings and blocks given; with its marks
elaborate/scope_cache.py: said                who is told; of a table of settings
"""
"""Kept for one network: the same text comes to the same, whatever was before. Tests: `lang/`."""

OF_A_CALL = """
analyses/diff.py: numbers
analyses/receptive_field.py: known
analyses/memory/liveness.py: known
backends/pictures/labels.py: columns letters
backends/pictures/page.py: built known_rows opened
backends/torch/class_clustering.py: by_shape known
backends/torch/constructor_args.py: inherited
backends/torch/init_calls.py: known
backends/torch/lowering.py: known
backends/torch/memory.py: known variables
backends/torch/class_table.py: known_facts known_numbers
backends/torch/supported.py: known
commands/_cache.py: sources
diagnostics/suppression.py: places
frontend/suppressions.py: ends starts
frontend/format/attach_comments.py: codes inside starts
frontend/format/doc.py: notes
weights/torch_save.py: held kinds
weights/places.py: inserted lifted
"""
"""Made anew for one graph, one text or one file of weights: nobody else asks."""

OF_A_FAMILY = """
analyses/families/engine.py: beginnings     the skeletons of all parameters
analyses/families/engine.py: tries          the line, the names that it reads, the settings, what is alike in the shapes
analyses/families/trie.py: children         the answer
analyses/families/lane.py: lanes ratios numbers  the polynomial; the fraction; the atom
analyses/families/lane.py: answers values   the question and the lane; the atom; of one leader
analyses/families/rows.py: atoms known largest lanes  the atom, the monomial or the lane; of some candidates
analyses/families/costs.py: wrong           the candidate, by number
"""
"""Kept for one spec, or one part of its candidates. Tests: `analyses/test_families.py`."""

OF_AN_OBJECT = """
analyses/advice/rule.py: counts fields ops parts times
analyses/figures.py: all_counts fields memories
analyses/warnings/rule.py: family makers ops placed
backends/pictures/model.py: owners runs tree
backends/pictures/tree.py: form
diagnostics/source.py: line_starts
syntax/syntax_errors.py: code facts first last line opened rest word
graph/ir.py: below by_name ends makers training_only
syntax/scopes.py: parameter_names returns_single words
weights/rules.py: pattern
"""
"""A fact of one object, none of which changes; figures of memory by the load that they are for."""

NO_MEMO = """
backends/pictures/model.py: forms
backends/pictures/page.py: tags
analyses/families/engine.py: states
analyses/families/rows.py: columns
elaborate/apply.py: shared
elaborate/instantiate.py: applied
elaborate/scope_builder.py: children names
elaborate/special_forms.py: declared
elaborate/context.py: declared
elaborate/values.py: by_target
elaborate/lines.py: maps
syntax/naming.py: taken
elaborate/signature.py: slots
syntax/static_names.py: known
"""
"""What a text has done so far, not what has been worked out."""

TABLES = (
    OF_THE_PACKAGE,
    OF_A_USER,
    OF_A_RUN,
    OF_A_FILE,
    OF_AN_ELABORATION,
    OF_A_CALL,
    OF_A_FAMILY,
    OF_AN_OBJECT,
    NO_MEMO,
)


def listed(table: str) -> list[str]:
    """The memos of a table."""
    rows = (line.split("  ")[0].split() for line in table.strip().splitlines())
    return [f"{place} {name}" for place, *names in rows for name in names]


def test_each_memo_is_listed() -> None:
    every = [memo for table in TABLES for memo in listed(table)]
    assert sorted(every) == sorted(memos())


CACHED = [memo for memo in listed(OF_THE_PACKAGE) if not memo.startswith(("driver", "backends"))]


@pytest.mark.parametrize("memo", CACHED)
def test_what_is_kept_with_the_package_is_what_is_found_again(memo: str) -> None:
    place, name = memo.split(": ")
    work = getattr(
        import_module("archdsl." + place.removesuffix(".py").removesuffix("/__init__").replace("/", ".")), name
    )
    if work.cache_parameters()["maxsize"] is None and not work.__wrapped__.__code__.co_argcount:
        assert repr(work.__wrapped__()) == repr(work())
    assert work.cache_info().currsize <= 10_000
