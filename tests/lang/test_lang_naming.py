"""The names that Python and PyTorch keep for themselves."""

from __future__ import annotations

import keyword

import pytest

from archdsl.graph.ir import MODULE_ATTRIBUTES, attribute_name

torch = pytest.importorskip("torch")


def test_all_attributes_of_modules_are_known() -> None:
    """A submodule under one of these names would break the module that holds it."""
    kept = {name for kind in (torch.nn.Module, torch.nn.Sequential, torch.nn.ModuleList) for name in dir(kind())}
    open_to_all = {name for name in kept if attribute_name(name) == name}
    assert open_to_all == set()


@pytest.mark.parametrize("name", ["class", "lambda", "None", "forward", "training", "_modules", "__init__", "__x", "_"])
def test_a_name_that_is_kept_gets_an_underscore(name: str) -> None:
    found = attribute_name(name)
    assert found.rstrip("_") == name.rstrip("_")
    assert found != name
    assert found.isidentifier()
    assert not keyword.iskeyword(found)
    assert not hasattr(torch.nn.Sequential(), found)


def test_a_name_in_a_class_is_not_mangled() -> None:
    for name in ("__x", "__init__", "_x", "x"):
        found = attribute_name(name)
        names: dict[str, object] = {}
        exec(f"class Net:\n    def __init__(self):\n        self.{found} = 1\nnet = Net()", names)
        assert found in vars(names["net"])


def test_other_names_stay() -> None:
    for name in ("conv", "body", "x1", "Forward", "trainer"):
        assert attribute_name(name) == name
    assert "conv" not in MODULE_ATTRIBUTES
