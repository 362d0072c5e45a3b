"""Advice: each rule on its own examples, and on the networks that the literature speaks of."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from archdsl import driver
from archdsl.analyses.advice import ADVICE, advise
from archdsl.analyses.cost import Load
from archdsl.analyses.device import device
from archdsl.analyses.rule import Finding
from archdsl.commands._run import main
from archdsl.diagnostics.catalog import explanations

SETTING = Load(device=device("v100"))


def advice(text: str) -> list[Finding]:
    """The advice on a shipped network, or on one written out."""
    spec = driver.loads(text, "net.arch") if "\n" in text else driver.load(text)
    return advise(driver.compile(spec), SETTING)


def codes(text: str) -> set[str]:
    """The codes of the rules that find something."""
    return {told.kind.code for told in advice(text)}


@pytest.mark.parametrize("code", ADVICE)
def test_rule_speaks_on_its_bad_example_and_not_on_its_good_one(code: str) -> None:
    page = explanations()[code]
    assert code in codes(page.wrong)
    assert code not in codes(page.right)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        # Lee et al. 2019 on DenseNet: unequal widths, 1x1 layers, many small kernels, concatenation.
        ("densenet121", {"A101": 2, "A102": 2, "A103": 2, "A104": 4}),
        ("densenet40_k12_cifar10", {"A101": 3, "A104": 3, "A106": 3}),
        # Ma et al. 2018 on bottlenecks, and nothing else on ResNet.
        ("resnet50", {"A101": 2, "A102": 2}),
        ("resnet18", {}),
        # What they were designed to avoid.
        ("vovnet39", {}),
        ("vovnet57", {}),
        ("darknet53", {}),
        # Ma et al. 2018 on groups; Luo et al. 2016 on fields.
        ("resnext50", {"A105": 1}),
        ("vgg16", {"A108": 1}),
        ("osa_densenet40", {"A106": 3}),
    ],
)
def test_advice_is_what_the_literature_says(name: str, expected: dict[str, int]) -> None:
    assert Counter(told.kind.code for told in advice(name)) == expected


def test_findings_have_their_place_and_figures() -> None:
    told = next(each for each in advice("densenet121") if each.kind.code == "A104")
    assert told.span is not None
    assert told.span.text == "dense(layers[0], layer)"
    assert told.figures == {"concatenations": 6, "written": 3_311_616, "kept": 802_816}


def test_places_are_as_near_as_the_section_tells() -> None:
    text = "backbone net:\n    input 16 x 64 x 64\n    stem: cna(16, 3) -> with(act = mish, cna(20, 3) -> cna(32, 3))\n"
    (told,) = [each for each in advice(text) if each.kind.code == "A106"]
    assert told.span is not None
    assert told.span.text.startswith("cna(20, 3)")


def test_the_device_matters() -> None:
    graph = driver.compile("densenet121")
    found = advise(graph, Load(device=device("peak=14T, bandwidth=900G, launch=0")))
    assert "A103" not in {told.kind.code for told in found}


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """Exit code, output, errors."""
    code = main(["lint", *words])
    out, err = capsys.readouterr()
    return code, out, err


def test_command_in_text(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "densenet121", "vovnet39")
    assert code == 1
    assert "advice[A104]: concatenations of concatenations grow quadratically" in out
    assert "specs/densenet121.yaml:16:" in out
    assert "Lee et al. 2019" in out
    assert "vovnet39: nothing to advise" in out
    assert run(capsys, "vovnet39")[0] == 0


def test_command_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "resnet50", "--format", "json", "--select", "A101")
    (found,) = json.loads(out)
    assert code == 1
    assert [each["section"] for each in found["advice"]] == ["c2", "c3"]
    first = found["advice"][0]
    assert Path(first["file"]).name == "resnet50.yaml"
    spec = Path(first["file"]).read_text(encoding="utf-8").splitlines()
    assert (first["code"], spec[first["line"] - 1].strip()[:2]) == ("A101", "c2")
    assert first["figures"] == {"memory_access": 7_839_744, "at_equal_widths": 6_635_520, "ratio": 1.181}


def test_command_selects_and_ignores(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "resnet50", "--ignore", "a101, A102")[0] == 0
    assert run(capsys, "resnet50", "--select", "A104")[0] == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("resnet50", "--select", "A999"), "no rule has the code `A999`"),
        (("resnet50", "--device", "v1000"), "did you mean `v100`?"),
        (("resnet50", "--batch", "0"), "a batch of 0"),
        (("resnet50", "--batch", "two"), "`--batch two`"),
        (("resnet50", "--precision", "fp12"), "no precision is called `fp12`"),
        ((), "required: SPEC"),
    ],
)
def test_command_refuses(capsys: pytest.CaptureFixture[str], words: tuple[str, ...], message: str) -> None:
    code, _, err = run(capsys, *words)
    assert (code, message in err) == (2, True), err
