"""Weights survive edits of a spec: what is kept, what is new, what was dropped, and that nothing else changes."""

from __future__ import annotations

import re
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from archdsl.diagnostics import ArchError  # noqa: E402
from archdsl.weights.transfer import Transfer, transfer_weights  # noqa: E402
from tests.weights.nets import HEAD, STAGES, before, edited, net  # noqa: E402


def transferred(old: Any, new: Any) -> Transfer:
    """A transfer of which everything that holds for all has been asserted."""
    mine = {name: tensor.clone() for name, tensor in old.state_dict().items()}
    fresh = {name: tensor.clone() for name, tensor in new.state_dict().items()}
    done = transfer_weights(old, new)
    state = new.state_dict()
    assert {*done.kept, *done.fresh} == {*state}
    assert {*done.kept.values(), *done.dropped} == {*mine}
    assert not done.kept.keys() & done.fresh.keys()
    assert len({*done.kept.values()}) == len(done.kept)
    for name, tensor in state.items():
        assert torch.equal(tensor, mine[done.kept[name]] if name in done.kept else fresh[name]), name
    assert all(torch.equal(tensor, mine[name]) for name, tensor in old.state_dict().items())
    assert not {each.data_ptr() for each in state.values()} & {each.data_ptr() for each in old.state_dict().values()}
    return done


def places(done: Transfer, side: str, depth: int = 2) -> dict[str, set[str]]:
    """The blocks in which something is fresh or dropped, with the reasons."""
    found: dict[str, set[str]] = {}
    for name, left in getattr(done, side).items():
        found.setdefault(".".join(name.split(".")[:depth]), set()).add(left.reason)
    return found


def unmoved(done: Transfer) -> bool:
    """Whether all that was kept has its old name."""
    return all(name == source for name, source in done.kept.items())


def test_same_spec_keeps_all() -> None:
    done = transferred(before(), edited())
    assert (done.fresh, done.dropped) == ({}, {})
    assert unmoved(done)


def test_a_deepened_stage() -> None:
    done = transferred(before(), edited(c3="stage c3 / 2: 4 * bottleneck(64)"))
    assert places(done, "fresh") == {"c3.2": {"absent"}, "c3.3": {"absent"}}
    assert done.dropped == {}
    assert unmoved(done)


def test_a_stage_made_shallower() -> None:
    done = transferred(before(), edited(c3="stage c3 / 2: 1 * bottleneck(64)"))
    assert done.fresh == {}
    assert places(done, "dropped") == {"c3.1": {"absent"}}


def test_another_type_of_block_keeps_its_shortcut() -> None:
    done = transferred(before(), edited(c3="stage c3 / 2: 2 * basic(64)"))
    assert {name for name in done.kept if name.startswith("c3.0.shortcut")} == {
        f"c3.0.shortcut.{name}"
        for name in ("conv.weight", *(f"norm.{each}" for each in ("weight", "bias", "running_mean", "running_var")))
    } | {"c3.0.shortcut.norm.num_batches_tracked"}
    assert done.kept["c3.1.body.norm.weight"] == "c3.1.body.norm.weight"
    assert places(done, "fresh", 4)["c3.0.body.cna"] == {"shape"}
    assert places(done, "dropped", 4)["c3.0.body.cna2"] == {"absent"}
    assert {name.partition(".")[0] for name in done.fresh} == {"c3"}


def test_a_stage_of_other_blocks() -> None:
    done = transferred(before(), edited(c4="stage c4 / 2: cna(64, 3) -> csp(2 * bottleneck(64), cna(128))"))
    assert places(done, "fresh") == {"c4.csp": {"absent"}}
    assert places(done, "dropped") == {"c4.osa": {"absent"}}
    assert "c4.cna.conv.weight" in done.kept


def test_attention_added_and_removed() -> None:
    plain, attentive = STAGES["c4"], "stage c4 / 2: cna(64, 3) -> osa(3, cna(16, 3), 128, ese)"
    done = transferred(before(), edited(c4=attentive))
    assert places(done, "fresh", 3) == {"c4.osa.attention": {"absent"}}
    assert done.dropped == {}
    done = transferred(edited(c4=attentive), edited(c4=plain))
    assert done.fresh == {}
    assert places(done, "dropped", 3) == {"c4.osa.attention": {"absent"}}


def test_another_width() -> None:
    done = transferred(before(), edited(c3="stage c3 / 2: 2 * bottleneck(64, 24)"))
    assert done.fresh["c3.0.body.cna.conv.weight"] == ("shape", "16x32x1x1 before, 24x32x1x1 now")
    assert done.dropped["c3.0.body.cna.conv.weight"] == ("shape", "16x32x1x1 before, 24x32x1x1 now")
    assert {name.partition(".")[0] for name in done.fresh} == {"c3"}


def test_another_number_of_classes() -> None:
    done = transferred(before(), net(*STAGES.values(), head=HEAD.replace("classes", "7")))
    assert [*done.fresh] == [*done.dropped] == ["head.linear.weight", "head.linear.bias"]


def test_another_norm_keeps_what_it_shares() -> None:
    done = transferred(before(), edited(c3="stage c3 / 2: with(norm = group_norm(4), 2 * bottleneck(64))"))
    assert "c3.0.body.cna.norm.weight" in done.kept
    assert {name.rpartition(".")[2] for name in done.dropped} == {"running_mean", "running_var", "num_batches_tracked"}
    assert done.fresh == {}


# ---- what has moved ------------------------------------------------------------------------------------------------


def test_a_renamed_stage() -> None:
    done = transferred(before(), edited(c3="stage middle / 2: 2 * bottleneck(64)"))
    assert (done.fresh, done.dropped) == ({}, {})
    assert done.kept["middle.0.body.cna.conv.weight"] == "c3.0.body.cna.conv.weight"


def test_several_renamed_stages_where_each_is_like_one_only() -> None:
    new = net("stage a: 2 * bottleneck(32)", "stage b / 2: 2 * bottleneck(64)", STAGES["c4"].replace("c4", "c"))
    done = transferred(before(), new)
    assert (done.fresh, done.dropped) == ({}, {})
    assert done.kept["b.1.body.conv.weight"] == "c3.1.body.conv.weight"


def test_a_renamed_stage_that_may_be_either_is_left() -> None:
    old = net("stage c2: cna(8, 3)", "stage c3: cna(8, 3)")
    for lines in (["stage s2: cna(8, 3)", "stage s3: cna(8, 3)"], ["stage s2: cna(8, 3)"]):
        done = transferred(old, net(*lines))
        assert {left for name, left in done.fresh.items() if name.startswith("s2")} == {
            ("ambiguous", "this may be c2 or c3")
        }
        assert {name.partition(".")[0] for name in done.dropped} == {"c2", "c3"}


def test_a_stage_renamed_and_changed_is_left() -> None:
    done = transferred(before(), edited(c3="stage middle / 2: 3 * bottleneck(64)"))
    assert places(done, "fresh", 1) == {"middle": {"absent"}}
    assert places(done, "dropped", 1) == {"c3": {"absent"}}


def test_a_name_that_is_there_goes_before_likeness() -> None:
    old = net("stage c2: cna(8, 3)", "stage c3: cna(8, 5)")
    new = net("stage c3: cna(8, 3)", "stage c4: cna(8, 5)")
    done = transferred(old, new)
    assert done.fresh["c3.cna.conv.weight"].reason == "shape"
    assert done.fresh["c4.cna.conv.weight"].reason == "absent"


ROW = "stage c4 / 2: cna(64, 3) -> 3 * osa(3, cna(16, 3), 128, ese if last else identity)"


def test_a_block_that_has_become_a_row() -> None:
    done = transferred(before(), edited(c4=ROW))
    assert done.kept["c4.0.cna.conv.weight"] == "c4.osa.cna.conv.weight"
    assert places(done, "fresh") == {"c4.1": {"absent"}, "c4.2": {"absent"}}
    assert done.dropped == {}


def test_a_row_that_has_become_a_block() -> None:
    done = transferred(edited(c4=ROW), edited())
    assert done.kept["c4.osa.cna.conv.weight"] == "c4.0.cna.conv.weight"
    assert done.fresh == {}
    assert places(done, "dropped") == {"c4.1": {"absent"}, "c4.2": {"absent"}}


@pytest.mark.parametrize(("old", "new"), [("", "3 * "), ("3 * ", "")])
def test_a_row_in_the_place_of_a_parameter(old: str, new: str) -> None:
    line = "stage c4 / 2: cna(64, 3) -> csp({}bottleneck(64), cna(128))"
    done = transferred(edited(c4=line.format(old)), edited(c4=line.format(new)))
    mine, theirs = ("c4.csp.body.", "c4.csp.body.0.") if new else ("c4.csp.body.0.", "c4.csp.body.")
    assert done.kept[f"{theirs}shortcut.conv.weight"] == f"{mine}shortcut.conv.weight"
    more = {"c4.csp.body.1": {"absent"}, "c4.csp.body.2": {"absent"}}
    assert places(done, "fresh", 4) == (more if new else {})
    assert places(done, "dropped", 4) == ({} if new else more)


# ---- how -----------------------------------------------------------------------------------------------------------


def test_dtype_of_the_target_stays_and_grad_too() -> None:
    old, new = before(), edited().double()
    new.stem.cna.conv.weight.requires_grad_(False)
    transfer_weights(old, new)
    weight = new.c2.get_submodule("0.body.conv").weight
    assert weight.dtype == torch.float64
    assert weight.requires_grad
    assert not new.stem.cna.conv.weight.requires_grad
    assert torch.equal(weight, old.c2.get_submodule("0.body.conv").weight.double())


def test_state_dicts_will_do() -> None:
    old, new = before(), edited()
    done = transfer_weights(old.state_dict(), new.state_dict())
    assert len(done.kept) == len(new.state_dict())
    assert all(torch.equal(a, b) for a, b in zip(old.state_dict().values(), new.state_dict().values(), strict=True))


def test_nothing_in_common_is_no_error_but_told() -> None:
    done = transfer_weights({"a.weight": torch.zeros(1)}, {"b.weight": torch.zeros(2)})
    assert str(done).startswith("0 of 1 tensors kept, 1 new, 1 dropped")


@pytest.mark.parametrize(
    ("source", "label"),
    [
        ({}, "an empty dict"),
        ({"epoch": 3}, "a dict with the keys `epoch`, no tensor in it"),
        ([1], "`from_model` is of type `list`"),
        (None, "`from_model` is of type `NoneType`"),
        ({"a": torch.zeros(1, device="meta")}, "`a` of `from_model` is on the meta device"),
        ({"a." * 3000: torch.zeros(1)}, "tensors by name, of at most 4,000 characters"),
    ],
)
def test_what_holds_no_weights(source: Any, label: str) -> None:
    target = {"a": torch.ones(1)}
    with pytest.raises(ArchError, match=re.escape(label)) as caught:
        transfer_weights(source, target)
    assert caught.value.diagnostics[0].code == "E703"
    assert target["a"] == 1


# ---- the report ----------------------------------------------------------------------------------------------------

TOLD = """\
98 of 136 tensors kept, 38 new, 24 dropped
  stem    6 kept
  c2      42 kept
  middle  42 kept, from c3
  c4      6 kept, 36 new, 24 dropped
    new: c4.csp (36 tensors)
    dropped: c4.osa (24 tensors)
  head    2 kept
  extra   2 new
    new: extra (2 tensors)"""


def test_the_report() -> None:
    stages = [
        STAGES["c2"],
        STAGES["c3"].replace("c3", "middle"),
        "stage c4 / 2: cna(64, 3) -> csp(1 * bottleneck(64), cna(128))",
    ]
    new = net(*stages, "output extra: c4 -> global_avgpool -> flatten -> linear(3)")
    assert str(transfer_weights(before(), new)) == TOLD


def test_the_report_of_other_shapes() -> None:
    lines = str(transfer_weights(before(), edited(c3="stage c3 / 2: 2 * basic(64)"))).splitlines()
    assert lines[3:8] == [
        "  c3    18 kept, 12 new, 24 dropped",
        "    dropped: c3.0.body.cna2 (6 tensors)",
        "    dropped: c3.1.body.cna2 (6 tensors)",
        "    of another shape: c3.0.body.cna (5 tensors)",
        "    of another shape: c3.0.body.conv.weight (64x16x1x1 before, 64x64x3x3 now)",
    ]


def test_the_report_stays_short() -> None:
    old = {f"c2.{number}.weight": torch.zeros(1) for number in range(0, 200, 2)}
    new = {f"c2.{number}.weight": torch.zeros(1) for number in range(100)}
    told = str(transfer_weights(old, new)).splitlines()
    assert len(told) <= 20
    assert "    new: 42 more such places" in told


def test_what_stands_beside_the_old_network_is_told() -> None:
    old = {f"backbone.{name}": tensor for name, tensor in before().state_dict().items()}
    done = transfer_weights({"state_dict": old | {"neck.conv.weight": torch.zeros(3)}, "epoch": 3}, edited())
    assert (done.fresh, done.dropped) == ({}, {})
    assert done.wrappers == ("state_dict", "backbone.")
    assert done.beside == ("neck.conv.weight",)
    assert "taken off: `state_dict` and `backbone.`\nbeside the network, not read: neck" in str(done)
