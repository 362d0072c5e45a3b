"""Size inference: it proves nothing that is not so, and all that shipped stages need."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any, NamedTuple

import pytest

import archdsl
from archdsl import ArchError, driver
from archdsl.diagnostics import Source
from archdsl.driver import SHIPPED, validation
from archdsl.elaborate import lines, network, size_inference
from archdsl.elaborate.lines import Line, LineContext
from archdsl.graph import distinct
from archdsl.ops import vocabulary
from tests.lang.stage_drawing import Stages
from tests.random_specs.drawing import Drawer

DRAWN = 200
TEXT = """
block pick(out = 4, stride = 1, inner: block = conv(4), *, flag = false) = {body}
block hand(body: block, ...args) = body(...args)
backbone net(s = 1, f = false):
    input 4 x 8 x 8
    {setting}
    part = {constant}
    c1: conv(4)
    stage c2 / 2: {line}
"""

KEPT = """
conv(8, 3)
conv(8, 3, 1)
conv(8, 3, s)
conv(8, 3, dilation = 2)
conv(8, [1, 7]) -> conv(8, [7, 1])
conv(8, 3, padding = same)
conv_transpose(8, 3)
maxpool(3, 1)
avgpool(3, 1, padding = same)
pad_channels(8)
blurpool(3, 1)
reduce_mean(channels)
split(2) -> concat
norm(gamma = 0.5) -> act -> dropout
4 * bottleneck(8)
s * basic(4)
basic(4, attention = se(2))
cna(4) -> eca
cna(4) -> dense(2, nac(4, 3))
cna(4) -> csp(2 * dark(2, 2), cna(4), tail = cna(2))
cna(4) -> osa(2, cna(4, 3), 4, residual = true)
3 * grouped(4, width = 4, groups = 2)
inception(1, 2, 3, 2, 3, 4)
2 * pooled(4)
hand(cna, out = 4, kernel = 3)
hand(basic, out = 4, attention = se(2))
cna(4) + c1
cna(4) * (global_avgpool -> conv(4) -> sigmoid)
concat(cna(4), cna(8)) as wide
fork(cna(4), cna(4)) -> add
with(act = mish, conv.bias = true, cna(4))
maxpool(2) if f else cna(4)
cna(4) if s == 1 else maxpool(2)
conv(4, stride = 2 if f else 1)
collect(3, cna(4)) -> concat
part -> cna(4)                              | constant: conv(4, 3)
pick                                        | body: cna(out, 3, stride)
pick                                        | body: conv(out) if stride == 1 else maxpool(2)
pick                                        | body: conv(out) if x.height > 4 else relu
pick                                        | body: inner -> conv(out, 3, stride)
pick(inner = basic(4))                      | body: inner -> inner
pick                                        | body: inner(stride = stride)
pick(flag = true)                           | body: conv(out) if flag else maxpool(2)
pick                                        | body: (x -> pick(inner = relu)) if flag else x
basic(8)                                    | setting: project.by = pooled
basic(8)                                    | setting: project.by = pad_channels
cna(4)                                      | setting: act = leaky_relu(0.1)
cna(4)                                      | setting: norm = identity
maxpool(3)                                  | setting: maxpool.stride = 1
"""
"""Lines that keep the size, where they can be worked out; behind `|` what else the text says."""

NOT_KEPT = """
conv(8, 3, 2)
conv(8, 3) -> adaptive_avgpool(16)
conv(8, 3) -> adaptive_avgpool(8)
conv(8, 3, padding = 0)
conv(8, 3, padding = 1)
conv(8, 2, padding = 0)
conv(8, 3, [1, 1])
maxpool(2) -> cna(4)
maxpool(3, 2)
maxpool(3, 1, padding = valid)
conv_transpose(8, 3, 1, dilation = 2, output_padding = 1)
blurpool
lppool(1)
cna(4) -> global_avgpool
cna(4) -> flatten
cna(4) -> reduce_mean
upsample(2) -> cna(4)
pad2d(1) -> conv(4, 3, padding = 0)
pixel_shuffle(2)
permute([0, 2, 1])
conv(4, stride = 2 if s == 1 else 1)
cna(4) if c1 else maxpool(2)
csp(maxpool(2), cna(4))
2 * (maxpool(2) if first else cna(4))
concat(...[], maxpool(2))
concat(collect(0, cna(4)), maxpool(2))
with(conv.stride = 2, cna(4))
with(act = maxpool(2), cna(4))
hand(cna, out = 4, stride = 2)
part -> cna(4)                              | constant: maxpool(2)
pick                                        | body: maxpool(2) if stride == 1 else conv(out, 3, stride)
pick                                        | body: maxpool(2) if x.height > 4 else conv(out, 3, stride)
pick(inner = maxpool(2))                    | body: inner -> conv(out, 3, stride)
pick                                        | body: inner(stride = 2)
pick(flag = true)                           | body: maxpool(2) if flag else conv(out, 3, stride)
pick                                        | body: pick(flag = flag) -> conv(out, 3, stride)
conv(4)                                     | setting: conv.stride = 2
cna(4)                                      | setting: cna.stride = 2
conv(4, 3)                                  | setting: conv.padding = valid
cna(4)                                      | setting: act = maxpool(2)
project(8)                                  | setting: project.by = maxpool(2) -> cn
"""
"""Lines that change the size, or of which the analysis does not see that they keep it."""

BODIES = {
    """
    y = x -> conv(4)
    z = y -> norm -> act
    return y + z
    """: True,
    """
    y = x
    for i in range(3):
        y = y -> inner -> act
    return y
    """: False,
    """
    ys = x -> split(2)
    y = x
    for z in ys:
        y = y * (z -> conv(4))
    return y
    """: False,
    """
    y = x
    if x.height > 4:
        y = x -> conv(4)
    return y
    """: True,
    """
    y = x
    if x.height > 4:
        y = x -> maxpool(2)
    return y
    """: False,
    """
    if stride > 1:
        return maxpool(2)
    else:
        a, b = x -> split(2)
        return concat(a, b -> relu)
    """: True,
    """
    if x.height > 4:
        return maxpool(2)
    return conv(4)
    """: False,
    """
    down = maxpool(2)
    cna = down
    return cna
    """: False,
}
"""Bodies of a block, and whether they are seen to keep the size; no loop is followed."""


OWN = """
block pick(stride = 1, inner: block = conv(4)):{body}
backbone net:
    input 4 x 8 x 8
    stage c2 / 2: pick
"""


class Asked(NamedTuple):
    """A line of a backbone: its text, whether that tells that it keeps the size, and what it does as written."""

    line: str
    told: bool
    fails: bool
    keeps: bool
    reduction: int | None = None


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Asked]:
    """All lines that are worked out from here on."""
    found: list[Asked] = []
    work_out = lines.work_out

    def asking(names: LineContext, content: Any, file: Any, shape: Any) -> Any:
        if shape is not None and min(shape[1:], default=1) > 1:
            line = Line(names, content, file, shape)
            told = line.continues and names.keeps_size(content.value, file)
            written = line.trial(strided=False)
            keeps = lines.keeps_size(shape, written.shape)
            reduction = getattr(content, "reduction", None)
            found.append(Asked(content.value.span.text, told, written.error is not None, keeps, reduction))
        return work_out(names, content, file, shape)

    monkeypatch.setattr(network, "work_out", asking)
    return found


def work_out(text: str) -> None:
    """Elaborates a text, as far as that goes."""
    with suppress(ArchError):
        driver.compile(driver.loads(text, "net.arch"))


def outcome(text: str) -> object:
    """All that a text comes to: the graph with its places, and the warnings; or what is wrong."""
    try:
        graph = driver.compile(driver.loads(text, "net.arch"))
    except ArchError as error:
        return str(error)
    places = [(scope.name, str(scope.span)) for scope in distinct(graph.root)]
    return archdsl.emit(graph, "json"), places, list(map(str, validation.validate(Source("net.arch", text), None)))


def rows(table: str) -> Iterator[tuple[str, str]]:
    """The lines of a table, each with its text."""
    for row in table.strip().splitlines():
        line, _, more = row.partition("|")
        name, _, value = more.partition(":")
        gaps = {"body": "conv(4)", "setting": "conv.bias = true", "constant": "relu"} | {name.strip(): value.strip()}
        yield (
            line.strip(),
            TEXT.format(line=line.strip(), **{key: gaps[key] for key in ("body", "setting", "constant")}),
        )


@pytest.mark.parametrize(("line", "text"), list(rows(KEPT)))
def test_what_keeps_the_size_is_seen_to_do_so(line: str, text: str, asked: list[Asked]) -> None:
    work_out(text)
    assert asked[-1][:4] == (line, True, False, True)


@pytest.mark.parametrize(("line", "text"), list(rows(NOT_KEPT)))
def test_what_may_change_the_size_is_not_said_to_keep_it(line: str, text: str, asked: list[Asked]) -> None:
    work_out(text)
    assert (asked[-1].line, asked[-1].told) == (line, False)


@pytest.mark.parametrize("body", BODIES)
def test_bodies_of_several_statements(body: str, asked: list[Asked]) -> None:
    work_out(OWN.format(body=body.rstrip()))
    assert (asked[-1].told, asked[-1].fails) == (BODIES[body], False)


def lies(texts: Iterable[str], asked: list[Asked]) -> tuple[list[Asked], Counter[tuple[bool, bool]]]:
    """The lines of some texts of which more is told than is so; and how many there are, by what is told and so."""
    for text in texts:
        work_out(text)
    counts = Counter((each.told, each.keeps) for each in asked if not each.fails)
    return [each for each in asked if each.told and not each.keeps and not each.fails], counts


def test_nothing_is_told_of_random_stages_that_is_not_so(asked: list[Asked]) -> None:
    found, counts = lies((Stages(seed).text() for seed in range(DRAWN)), asked)
    assert found == []
    assert counts[True, True] > DRAWN / 5
    assert counts[False, False] > DRAWN / 20


def test_nothing_is_told_of_random_networks_that_is_not_so(asked: list[Asked]) -> None:
    drawer = Drawer(seed=29)
    found, counts = lies(map(drawer.spec, range(60)), asked)
    assert found == []
    assert counts[True, True] > 60


@pytest.mark.parametrize("op", ["conv", "maxpool", "global_avgpool"])
def test_a_lie_is_found(op: str, asked: list[Asked], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vocabulary()[op], "keeps_size", ())
    assert lies((Stages(seed).text() for seed in range(150)), asked)[0]


def test_a_stage_comes_to_the_same_as_if_nothing_were_told(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [Stages(seed).text() for seed in range(DRAWN, DRAWN + 120)]
    told = [outcome(text) for text in texts]
    monkeypatch.setattr(LineContext, "keeps_size", lambda *_: False)
    assert told == [outcome(text) for text in texts]
    assert sum(not isinstance(each, str) for each in told) > 10


def test_all_shipped_stages_that_need_a_stride_are_seen_to_need_it(asked: list[Asked]) -> None:
    for name in SHIPPED.specs():
        driver.compile(driver.load(name))
    stages = [each for each in asked if each.reduction]
    assert [each for each in stages if each.told != each.keeps] == []
    assert sum(each.told for each in stages) > 150


@pytest.mark.parametrize(("name", "trials"), [("resnet50", 4), ("preresnet50b", 4), ("vgg16", 5)])
def test_a_shipped_stage_is_worked_out_once(name: str, trials: int, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[bool] = []
    trial = Line.trial
    monkeypatch.setattr(Line, "trial", lambda line, strided: done.append(strided) or trial(line, strided))
    driver.compile(driver.load(name))
    assert len(done) == trials


def answers(specs: Iterable[str]) -> dict[str, list[bool]]:
    """Answers for the lines of some specs, in that order, with empty memos at first."""
    for name in SHIPPED.blocks():
        block = SHIPPED.block(name)
        assert block is not None
        block.file.memos.sizes.clear()
    found: dict[str, list[bool]] = {}
    keeps_size = LineContext.keeps_size
    with pytest.MonkeyPatch.context() as patch:
        for text in specs:
            told = found[text] = []
            patch.setattr(
                LineContext, "keeps_size", lambda *given, told=told: told.append(keeps_size(*given)) or told[-1]
            )
            work_out(text)
    return found


@pytest.mark.parametrize("most", [size_inference.MOST_NODES, 30])
def test_answers_do_not_depend_on_those_before(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(size_inference, "MOST_NODES", most)
    texts = [Stages(seed).text() for seed in range(50)]
    known = answers(texts)
    assert any(any(told) for told in known.values())
    random.Random(0).shuffle(texts)
    assert answers(texts) == known


def test_what_has_no_end_is_not_told(asked: list[Asked]) -> None:
    omega = TEXT.format(
        body="inner(inner = inner)", setting="conv.bias = true", constant="relu", line="pick(inner = pick)"
    )
    grows = TEXT.format(
        body="pick(inner = pick(inner = inner))", setting="conv.bias = true", constant="relu", line="pick"
    )
    for text in (omega, grows):
        work_out(text)
        assert not asked[-1].told
