"""A field more in a model is a key of the YAML notation, of the schema, of what editors offer, and of the docs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests import copies
from tests.copies import run
from tests.docs import keys_page


def test_the_tables_of_keys_are_up_to_date() -> None:
    """`python -m tests.update` writes them."""
    assert keys_page.PAGE.read_text("utf-8") == keys_page.page()


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project with a field more in one model."""
    top = copies.copied(tmp_path_factory.mktemp("copy"))
    copies.add_key(top)
    return top


def test_the_schema_has_it(copied: Path) -> None:
    schema = json.loads(run(copied, "-m", "archdsl", "schema"))
    new = {"description": "The license of the weights.", "type": "string"}
    assert schema["properties"]["license"] == new
    assert schema["$defs"]["network"]["properties"]["license"] == new
    assert schema["dependentSchemas"]["license"] == {"required": ["name"]}


def test_the_docs_have_it(copied: Path) -> None:
    page = run(copied, "-c", "from tests.docs import keys_page; print(keys_page.page())")
    assert "| `license` | The license of the weights. |" in page


def test_yaml_and_dicts_have_it(copied: Path) -> None:
    (copied / "net.yaml").write_text("name: net\nlicense: MIT\ninput: 3x8x8\nstem: cna(8)\n", "utf-8")
    code = "import archdsl; net = archdsl.load('net.yaml'); print(net.license, archdsl.load({**%r}).license)"
    given = {"name": "net", "license": "BSD", "input": "3x8x8", "stem": "cna(8)"}
    assert run(copied, "-c", code % given).split() == ["MIT", "BSD"]
    code = "import archdsl; net = archdsl.load('net.yaml'); print(archdsl.load(net.model_dump()).to_yaml())"
    assert "\nlicense: MIT\n" in run(copied, "-c", code)
    (copied / "net.yaml").write_text("name: net\nlicens: MIT\n", "utf-8")
    code = "import archdsl; print(archdsl.validate('net.yaml')[0].help)"
    assert "did you mean `license`?" in run(copied, "-c", code)
