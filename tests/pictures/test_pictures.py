"""Pictures: nothing overlaps or is cut, what they count is the graph's, and no text in them is more than text."""

from __future__ import annotations

import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

import pytest

import archdsl
from archdsl.backends.pictures.diff import Diff
from archdsl.backends.pictures.model import Model, places
from archdsl.backends.pictures.scene import Scene
from archdsl.backends.pictures.svg import page, svg
from archdsl.commands._run import main
from archdsl.driver.pictures import COLORS, costs, difference, outline, picture
from archdsl.graph import Graph
from archdsl.resources import folder
from tests.pictures.looking import faults, of_boxes, of_lines, of_page, of_panels, of_texts
from tests.pictures.nets import HOSTILE, NETS
from tests.pictures.shown import SHOWN
from tests.working import bounded

sys.path.insert(0, str(Path(__file__).parents[1] / "random_specs"))

import campaign  # pyright: ignore

SHIPPED = sorted(path.stem for path in folder("specs").iterdir())
RANDOM = range(30)
LARGEST = 100_000
"""Bytes of an SVG."""


@cache
def graph_of(name: str) -> Graph:
    return archdsl.compile(archdsl.loads(NETS[name], f"{name}.arch") if name in NETS else name)


def drawn(graph: Graph) -> Scene:
    """A picture in which nothing is wrong."""
    scene = picture(graph)
    assert faults(scene) == []
    assert len(svg(scene).encode()) < LARGEST
    return scene


@pytest.mark.parametrize("name", [*SHIPPED, *NETS])
def test_a_picture_has_no_overlaps_and_counts_what_the_graph_does(name: str) -> None:
    graph = graph_of(name)
    drawn(graph)
    check_counts(graph)


@pytest.mark.parametrize("name", ["inception_v3", "inception_v3_aux", "googlenet_aux", "csppeleenet"])
def test_all_blocks_are_opened(name: str) -> None:
    graph = graph_of(name)
    assert "Not opened" not in svg(picture(graph))


def test_random_networks_have_such_pictures() -> None:
    graphs = [spec.graph for spec in map(campaign.drawn, RANDOM) if isinstance(spec.graph, Graph)]
    assert len(graphs) > 0.8 * len(RANDOM)
    for graph in graphs:
        drawn(graph)
        check_counts(graph)


def check_counts(graph: Graph) -> None:
    """Multiply-adds of the boxes, times their repeats: of the chain, and of each card in all its places."""
    model = Model(graph, costs(graph, "macs"))
    inference = [part for part in model.sections if not part.section.training_only]
    assert sum(model.cost(list(places(part.tree))) for part in inference) == graph.root.totals.macs
    for card in model.cards:
        whole = sum(runs * owner.totals.macs for owner, runs in card.runs.items())
        assert model.cost(list(places(card.tree)), card.runs) == whole


@pytest.mark.parametrize("theme", ["light", "dark", "print"])
def test_a_picture_is_the_same_bytes_each_time(theme: str) -> None:
    code = (
        "import archdsl; from archdsl.driver.pictures import picture, svg;"
        f"print(svg(picture(archdsl.compile('csp_vovnet39')), {theme!r}), end='')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, env={"PYTHONHASHSEED": "7"})
    assert done.stdout.decode() == svg(picture(graph_of("csp_vovnet39")), theme)


def test_a_million_layers_are_drawn_as_fast_as_ten() -> None:
    spec = "archdsl 1\nbackbone deep(n = 10):\n    input 3 x 8 x 8\n    stem: cna(8, 3)\n    body: n * basic(8)\n"
    for count in (10, 100_000):
        graph = archdsl.compile(archdsl.loads(spec, "deep.arch"), params={"n": count})
        with bounded(120_000):
            texts = " ".join(getattr(item, "text", "") for item in drawn(graph).items)
        assert f"{count:,} × basic" in texts


def test_csp_vovnet39_shows_what_its_figure_would() -> None:
    text = svg(picture(graph_of("csp_vovnet39")))
    for words in ("split ½ | ½", "½ C", "concat, b", "residual sum", "gate", "× n", "global avg pool", "hardsigmoid"):
        assert f">{words}<" in text, words


@pytest.mark.parametrize("name", SHOWN)
def test_the_pictures_of_the_docs_are_current(name: str) -> None:
    """`python -m tests.update` writes them."""
    assert (Path(__file__).parents[2] / f"docs/pictures/{name}.svg").read_text("utf-8") == SHOWN[name]()


# ---- differences -----------------------------------------------------------------------------------------------------

PAIRS = [
    ("vovnetv2_39", "csp_vovnet39"),
    ("resnet50", "resnext50"),
    ("darknet53", "cspdarknet53"),
    ("resnet50", "densenet121"),
    ("vgg16", "hybrid_preact_csp_dense"),
    ("long", "many"),
    ("pyramid", "resolutions"),
    ("googlenet", "googlenet_aux"),
    ("hostile", "broad"),
]


@pytest.mark.parametrize(("before", "after"), PAIRS)
def test_a_drawn_diff_has_no_overlaps_and_its_changes_sum_up(before: str, after: str) -> None:
    graphs = graph_of(before), graph_of(after)
    scene = difference(*graphs)
    assert faults(scene) == []
    assert len(svg(scene).encode()) < LARGEST
    pairs = Diff(*(Model(graph, costs(graph, "macs")) for graph in graphs)).pairs
    one, two = (graph.root.totals for graph in graphs)
    assert sum(pair.delta.macs for pair in pairs) == two.macs - one.macs
    assert sum(pair.delta.params for pair in pairs) == two.params - one.params


def test_a_network_does_not_differ_from_itself() -> None:
    graph = graph_of("inception_v3")
    diff = Diff(*(Model(graph, costs(graph, "macs")) for _ in range(2)))
    assert {pair.kind for pair in diff.pairs} == {"same"}
    assert diff.cards == []


def test_a_diff_names_what_changed() -> None:
    texts = [getattr(item, "text", "") for item in difference(graph_of("resnet50"), graph_of("resnext50")).items]
    assert "1 → 32" in texts
    assert "64 → 128" in texts
    assert texts.count("altered") == 2
    settings = [getattr(item, "text", "") for item in difference(graph_of("resnet50"), graph_of("densenet121")).items]
    assert "conv.init" in settings


# ---- colors, forms ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("color", [color for color in COLORS if color != "time"])
def test_colors_show_other_costs(color: str) -> None:
    scene = picture(graph_of("resnext50"), color)  # type: ignore[arg-type]
    assert faults(scene) == []
    assert any("share of" in getattr(item, "text", "") for item in scene.items) == (color != "none")


@pytest.mark.parametrize("form", ["dot", "mmd"])
def test_outlines_name_each_layer_and_card(form: str) -> None:
    text = outline(graph_of("csp_vovnet39"), form)
    assert text.count("hardsigmoid") == 1
    assert "A: csp × 4" in text
    assert "B: osa × 6" in text


def test_notebooks_show_graphs_and_specs() -> None:
    graph = graph_of("resnext50")
    assert graph._repr_svg_() == archdsl.load("resnext50")._repr_svg_() == archdsl.draw("resnext50")
    assert archdsl.load({"name": "wrong", "input": "3x8x8", "stages": {"c1": "cna(0)"}})._repr_svg_() is None


def test_python_draws_as_the_command_does(capsysbinary: pytest.CaptureFixture[bytes], tmp_path: Path) -> None:
    words = ["--device", "v100", "--batch", "16", "--theme", "dark"]
    assert main(["draw", "csp_vovnet39", *words]) == 0
    made = archdsl.draw("csp_vovnet39", color="time", device="v100", batch=16, theme="dark")
    assert capsysbinary.readouterr().out.decode() == made
    for form, begin in (("svg", b"<svg"), ("html", b"<!doctype"), ("dot", b"digraph"), ("mmd", b"flowchart")):
        assert main(["draw", "csp_vovnet39", "-o", str(tmp_path / f"net.{form}"), *words]) == 0
        assert (tmp_path / f"net.{form}").read_bytes().startswith(begin)
    assert main(["diff", "resnet50", "resnext50", "-o", str(tmp_path / "diff.html")]) == 0
    assert b"default-src 'none'" in (tmp_path / "diff.html").read_bytes()


def test_images_are_made_by_cairosvg(tmp_path: Path) -> None:
    pytest.importorskip("cairosvg")
    for form, begin in (("png", b"\x89PNG"), ("pdf", b"%PDF")):
        assert main(["draw", "vgg16", "-o", str(tmp_path / f"net.{form}")]) == 0
        assert (tmp_path / f"net.{form}").read_bytes().startswith(begin)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["draw", "vgg16", "-o", "net.gif"], "a name that ends in one of .svg, .png"),
        (["diff", "vgg16", "vgg11", "-o", "net.dot"], "a name that ends in one of .svg, .png"),
        (["draw", "vgg16", "--color", "time"], "name one: `--device v100`"),
        (["draw", "vgg16", "-o", "none/net.svg"], "there is no folder"),
    ],
)
def test_what_cannot_be_drawn_is_told(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    assert said in capsys.readouterr().err


def test_drawing_needs_no_torch() -> None:
    code = (
        "import sys, archdsl; from archdsl.driver.pictures import picture, svg; svg(picture(archdsl.compile('vgg16')));"
        "print(*[name for name in ('torch', 'numpy', 'cairosvg') if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout.split() == []


# ---- hostile text ----------------------------------------------------------------------------------------------------

ALLOWED = {"svg", "title", "desc", "style", "defs", "marker", "path", "rect", "text", "circle"}


def test_names_and_docs_are_inert() -> None:
    graph = archdsl.compile(archdsl.loads(HOSTILE, "hostile.arch"))
    graph = graph.replace(doc=f"{graph.doc} \u202e \u0007")
    text = svg(drawn(graph))
    root = ElementTree.fromstring(text)
    assert {element.tag.rpartition("}")[2] for element in root.iter()} == ALLOWED
    assert not any(name.startswith("on") or "href" in name for element in root.iter() for name in element.attrib)
    assert not re.search("[\u202e\u0007]", text)
    whole = page(drawn(graph))
    assert "<script" not in whole
    assert "<img" not in whole
    assert "default-src 'none'" in whole


def test_outlines_escape_what_means_something_there() -> None:
    graph = archdsl.compile(archdsl.loads(HOSTILE, "hostile.arch"))
    for form in ("dot", "mmd"):
        text = outline(graph, form)
        assert "<" not in text
        assert all(line.count('"') % 2 == 0 for line in text.splitlines())


# ---- the test of the test: each fault is seen ------------------------------------------------------------------------


def scene_with(**kept: bool) -> Scene:
    """A picture of two boxes with a text and a line each, and one fault."""
    scene = Scene()
    scene.width, scene.height = 200, 200
    scene.rect((20, 20, 60, 20), "bx f0", solid=True)
    scene.rect((20 if kept.get("boxes") else 100, 30, 60, 20), "bx f0", solid=True)
    scene.text((25, 33), "long text" * (1 + 4 * kept.get("wide", False)), 7, inside=(20, 20, 60, 20))
    scene.text(
        (22 if kept.get("texts") else 120, 34 if kept.get("texts") else 80), "other", 5.9 if kept.get("small") else 6
    )
    scene.line([(90, 10), (90, 25), (40, 25)] if kept.get("line") else [(90, 10), (90, 25)])
    if kept.get("panels"):
        scene.rect((125, 60, 30, 30), "pn")
    if kept.get("cut"):
        scene.rect((190, 10, 20, 10), "bx")
    if kept.get("page"):
        scene.height = 900
    return scene


@pytest.mark.parametrize(
    ("fault", "check"),
    [
        ("boxes", of_boxes),
        ("wide", of_texts),
        ("texts", of_texts),
        ("small", of_texts),
        ("line", of_lines),
        ("panels", of_panels),
        ("cut", of_page),
        ("page", of_page),
    ],
)
def test_a_planted_fault_is_seen(fault: str, check: object) -> None:
    assert faults(scene_with()) == []
    assert list(check(scene_with(**{fault: True})))  # type: ignore[operator]


def test_a_lost_layer_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    from archdsl.backends.pictures import model

    whole = model.fused
    monkeypatch.setattr(model, "fused", lambda items: whole(items)[:-1])
    with pytest.raises(AssertionError):
        check_counts(graph_of("resnext50"))


def test_a_count_left_out_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    from archdsl.backends.pictures import model

    monkeypatch.setattr(model, "runs_below", lambda scope: dict.fromkeys(model.distinct(scope), 1))
    check = Model(graph_of("resnet50"), costs(graph_of("resnet50"), "macs"))
    assert sum(check.cards[0].runs.values()) != 16
