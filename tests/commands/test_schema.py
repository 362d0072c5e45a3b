"""The JSON Schema: it is the shipped one, takes every spec of ours, and refuses what the reader refuses."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from archdsl.commands._run import main
from archdsl.commands.schema import text
from archdsl.diagnostics import ArchError, Source
from archdsl.driver import SHIPPED
from archdsl.elaborate.signature import signature_of
from archdsl.frontend import read
from archdsl.initializer import Initializer
from archdsl.ops import vocabulary

jsonschema = pytest.importorskip("jsonschema")
TOP = Path(__file__).parents[2]
SHIPPED_SCHEMA = TOP / "grammar" / "archdsl.schema.json"
LOADERS = [yaml.SafeLoader, yaml.BaseLoader]
"""An editor that guesses types as YAML 1.1 has it; and one that takes all for text."""


@cache
def validator() -> Any:
    """The schema at work."""
    found = json.loads(SHIPPED_SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(found)
    return jsonschema.Draft202012Validator(found)


def faults(spec: str, loader: type[Any] = yaml.SafeLoader) -> list[str]:
    """What the schema says of a spec."""
    return [f"{list(each.path)}: {each.message}" for each in validator().iter_errors(yaml.load(spec, Loader=loader))]


def test_the_shipped_schema_is_up_to_date() -> None:
    """`python -m tests.update` writes it."""
    assert SHIPPED_SCHEMA.read_text(encoding="utf-8") == text()


def test_the_command_writes_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", "-o", str(tmp_path / "schema.json")]) == 0
    assert (tmp_path / "schema.json").read_text(encoding="utf-8") == text()
    assert main(["schema"]) == 0
    assert capsys.readouterr().out.endswith(text())


@pytest.mark.parametrize("loader", LOADERS)
@pytest.mark.parametrize("path", sorted((TOP / "specs").glob("*.yaml")), ids=lambda path: path.stem)
def test_a_shipped_spec_fits(path: Path, loader: type[Any]) -> None:
    assert faults(path.read_text(encoding="utf-8"), loader) == []


def test_the_examples_of_the_docs_fit() -> None:
    page = (TOP / "docs" / "yaml.md").read_text(encoding="utf-8")
    examples = re.findall(r"^```yaml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert len(examples) > 5
    assert [fault for example in examples for fault in faults(example)] == []


def test_every_block_op_and_parameter_is_known_and_explained() -> None:
    found = validator().schema
    names = {each["const"] for each in found["$defs"]["name-of-a-block"]["anyOf"]}
    callees = {**vocabulary(), **{name: SHIPPED.block(name) for name in SHIPPED.blocks()}}
    assert {*callees} <= names
    for name, callee in callees.items():
        properties = found["$defs"][f"args.{name}"]["properties"]
        slots = [slot.name for slot in signature_of(callee).slots.values() if not slot.rest]  # type: ignore[arg-type]
        assert list(properties) == slots
        assert all(each["description"] for each in properties.values())
        assert {f"{name}.{slot}" for slot in slots} <= set(found["$defs"]["settings"]["properties"])
    assert {each["const"] for each in found["$defs"]["initializer"]["anyOf"]} == {
        kind.name for kind in Initializer.__subclasses__()
    }


WRONG = {
    "a key": ("name: net\nstagess: {c2: cna(3)}", "stagess"),
    "a key of a network": ("backbones: {net: {stagess: {}}}", "stagess"),
    "no name": ("stem: cna(3)", "name"),
    "a name": ("name: my-net", "my-net"),
    "an edition": ("archdsl: 2", "2"),
    "keys beside backbones": ("name: net\nbackbones: {a: {}}", "False schema"),
    "sections beside stages": ("name: net\nsections: {a: cna(3)}\nstages: {c2: cna(3)}", "False schema"),
    "a stage": ("name: net\nstages: {c3 / two: cna(3)}", "c3 / two"),
    "a section": ("name: net\nsections: {input: cna(3)}", "input"),
    "an output": ("name: net\noutputs: {aux while training: cna(3)}", "aux while"),
    "an input": ("name: net\ninput: 3x224xx224", "3x224xx224"),
    "a negative input": ("name: net\ninput: [3, -224, 224]", "-224"),
    "a setting of a block": ("name: net\nset: {bottleneck.grops: 32}", "bottleneck.grops"),
    "a setting of an op": ("name: net\nset: {conv.biass: true}", "conv.biass"),
    "a setting's type": ("name: net\nset: {bn.affine: 3}", "3"),
    "a setting's bound": ("name: net\nset: {grouped.groups: {a: b}}", "a"),
    "a constant's name": ("name: net\nset: {output: 3}", "output"),
    "an argument": ("name: net\nstem: {block: conv, args: {out: 3, kernal: 3}}", "kernal"),
    "an argument's type": ("name: net\nstem: {block: conv, args: {out: 2.5}}", "2.5"),
    "an argument's bound": ("name: net\nstem: {block: conv, args: {out: 0}}", "0"),
    "an argument's bound in a size": ("name: net\nstem: {block: conv, args: {out: 3, kernel: 0}}", "0"),
    "an argument's bound in a pair": ("name: net\nstem: {block: maxpool, args: {kernel: [3, -3]}}", "-3"),
    "an argument's padding": ("name: net\nstem: {block: conv, args: {out: 3, padding: -1}}", "-1"),
    "a setting's bound in a size": ("name: net\nset: {conv.stride: -2}", "-2"),
    "an argument by position": ("name: net\nstem: {block: conv, args: [8, 3, false]}", "False"),
    "too many by position": ("name: net\nstem: {block: conv, args: [8, 3, 1, 1]}", "1"),
    "an argument of what takes none": ("name: net\nstem: {block: relu, args: [1]}", "[1]"),
    "an initializer's setting": ("name: net\nset: {conv.init: {block: normal, args: {sd: 1}}}", "sd"),
    "a pair": ("name: net\nstem: {block: conv, args: {out: 8, kernel: [1, 2, 3]}}", "[1, 2, 3]"),
    "a block": ("name: net\nparams: {n: 3}\nstem: {repeat: n, block: botleneck}", "botleneck"),
    "a block inside": ("name: net\nstages: {c2: {block: csp, args: {body: {block: botleneck}}}}", "botleneck"),
    "a key of plain data": ("name: net\nstem: {blck: conv}", "blck"),
    "no block": ("name: net\nstem: {repeat: 3}", "block"),
    "a repeat": ("name: net\nstem: {repeat: 2.5, block: cna}", "2.5"),
    "a negative repeat": ("name: net\nstem: {repeat: -2, block: cna}", "-2"),
    "a constant in with": ("name: net\nstem: {block: cna, with: {n: 3}}", "n"),
    "a name of a link": ("name: net\nstem: {block: cna, as: a b}", "a b"),
    "an empty chain": ("name: net\nstem: []", "[]"),
    "nothing": ("name: net\nstem:", "None"),
    "a figure": ("name: net\nexpect: {parms: 25_028_904}", "parms"),
    "a figure of a section": ("name: net\nexpect: {c2.parms: 25_028_904}", "c2.parms"),
    "a bound": ("name: net\nexpect: {params: about 4M}", "about 4M"),
    "a definition": ("blocks: {a: {args: out}}", "body"),
    "a definition's key": ("blocks: {a: {arg: out, body: relu}}", "arg"),
    "a block's name": ("blocks: {concat: relu}", "concat"),
    "a list at the top": ("[a, b]", "object"),
}


@pytest.mark.parametrize(("spec", "named"), WRONG.values(), ids=WRONG)
def test_a_wrong_spec_is_refused_by_schema_and_by_archdsl(spec: str, named: str) -> None:
    found = faults(spec)
    assert found
    assert any(named in each for each in found), found
    if spec not in LATER:
        with pytest.raises(ArchError):
            read(Source("net.yaml", spec))


RIGHT = {
    "a block of the file": "name: net\nblocks: {mine: relu}\nstem: {block: mine}",
    "a block of another file": "import: mine.arch\nname: net\nstem: {block: mine}",
    "a block of an installed package": "name: net\nstem: {block: acme.swish}\nset: {acme.swish.beta: 2}",
    "a constant": "name: net\nset: {layer: nac(32), conv.bias: true}\nstem: {block: layer}",
    "a parameter": "name: net\nparams: {layer: nac(32)}\nstem: {block: layer}",
    "a parameter of a signature": 'name: net\nparams: "layer: block"\nstem: {block: layer}',
    "a name of the parent": "name: net\nextends: parent\nstem: {block: layer}",
    "an initializer": "name: net\nset: {conv.init: {block: normal, args: {std: 0.1}}}",
    "an initializer inside": "name: net\nstem: {block: conv, args: {out: 3, init: {block: normal, args: {std: 0.1}}}}",
    "branches": "name: net\nstem: {block: concat, args: [relu, {block: conv, args: [3]}]}",
    "an expression": "name: net\nstem: {block: cna(3) -> relu, repeat: n + 1}",
    "lists of mappings": "name: net\nset: [{act: mish}, {conv.bias: true}]\nexpect: [{macs: <= 1G}, {macs: '>= 1K'}]",
    "a padding in a pair": "name: net\nstem: {block: conv, args: {out: 3, padding: [1, 2]}}",
    "a padding in a word": "name: net\nstem: {block: conv, args: {out: 3, padding: same}}",
    "a padding that is worked out": "name: net\nstem: {block: conv, args: {out: 3, padding: n // 2}}",
    "sections": "name: net\nsections: {stem: cna(3), stage c2 / 2: cna(3), neck: cna(3)}\ndrop: aux",
    "a load": "name: net\nexpect: {peak_memory: <= 200MB at batch 8 fp16, c2.macs: 3, c2: 3x4x4, head: 10}",
    "only blocks": "archdsl: 1\nblocks: {a: relu, b: {args: 'out, *, n = 3', body: [relu, conv(out)]}}",
    "several": "backbones: {a: {input: [3, 32, 32], stem: relu}, b: {extends: a}, c: }",
}


@pytest.mark.parametrize("loader", LOADERS)
@pytest.mark.parametrize("spec", RIGHT.values(), ids=RIGHT)
def test_a_right_spec_fits(spec: str, loader: type[Any]) -> None:
    if loader is yaml.SafeLoader or not spec.endswith("c: }"):
        assert faults(spec, loader) == []
    read(Source("net.yaml", spec))


LATER = [text for name, (text, _) in WRONG.items() if "setting" in name or "argument" in name or "figure" in name]
LATER += [
    WRONG[name][0]
    for name in (
        "a block",
        "a block inside",
        "too many by position",
        "a pair",
        "a repeat",
        "a negative repeat",
        "a constant in with",
        "a bound",
    )
]
LATER += [WRONG["a block's name"][0]]
"""Only when the network is worked out does archdsl see what is wrong with these."""
