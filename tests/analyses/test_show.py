"""`archdsl show`: depths, columns, orders, formats, devices."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from archdsl import driver
from archdsl.analyses.figures import COLUMNS
from archdsl.commands._run import main


def show(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """Exit code, output, errors."""
    code = main(["show", *words])
    out, err = capsys.readouterr()
    return code, out, err


def test_summary_tells_of_memory_and_field(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = show(capsys, "densenet40_k12_cifar10")
    assert code == 0
    assert "memory access 3,679,504 elements" in out
    assert "receptive field 174" in out
    assert "69,746,192 bytes (fp32), 7.7 FLOP a byte" in out


def test_a_networks_field_is_its_largest_whatever_output_comes_last(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "net.arch"
    path.write_text(
        "backbone net:\n    input 3 x 32 x 32\n    stem: cna(8, 3)\n    stage c2 / 2: cna(16, 3, 2)\n"
        "    output p2: c2 -> conv(8, 1)\n    output p1: stem -> conv(8, 1)\n"
    )
    assert "receptive field 5\n" in show(capsys, str(path))[1]
    (data,) = json.loads(show(capsys, str(path), "--format", "json")[1])
    assert data["receptive_field"]["size"] == [5, 5]
    main(["compare", str(path), "--figures", "field"])
    assert " 5 " in capsys.readouterr().out


def test_summary_tells_of_a_device(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = show(capsys, "resnet50", "--device", "peak=1T, bandwidth=1000T, launch=0")
    assert "on device: at least 8.22 ms, in 174 kernels," in out
    assert "bound by compute 100 %" in out
    assert "497.6 GMAC/s" in out


def test_json_is_exact_and_keeps_its_keys(capsys: pytest.CaptureFixture[str]) -> None:
    words = ("--device", "a100", "--precision", "fp16", "--batch", "8")
    _, out, _ = show(capsys, "densenet121", "--format", "json", *words)
    (data,) = json.loads(out)
    assert (data["params"], data["macs"], data["memory_access"]) == (7_978_856, 2_834_161_664, 28_734_400)
    traffic = data["traffic"]
    assert traffic["bytes"] == 2 * (8 * (traffic["read"] + traffic["written"]) + traffic["weights"])
    assert [line["part"] for line in data["lines"]] == ["stem", "c2", "c3", "c4", "c5", "head"]
    assert sum(line["macs"] for line in data["lines"]) == data["macs"]
    assert data["receptive_field"] == {"size": [2071] * 2, "stride": [32] * 2, "offset": [-1021] * 2, "gated": False}
    assert data["estimate"]["device"] == "a100"
    assert data["estimate"]["seconds"] == pytest.approx(sum(line["time"] for line in data["lines"]))


def test_depth_columns_and_order(capsys: pytest.CaptureFixture[str]) -> None:
    words = ("vovnet39", "--depth", "op", "--figures", "macs, kind", "--sort", "macs", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(show(capsys, *words)[1])))
    assert list(rows[0]) == ["part", "macs", "kind"]
    assert rows[0]["part"] == "c2.osa.cna.conv"
    macs = [int(row["macs"]) for row in rows]
    assert macs == sorted(macs, reverse=True)
    assert sum(macs) == driver.compile("vovnet39").root.totals.macs


@pytest.mark.parametrize(
    ("columns", "total"), [(140, ("25,557,032", "4,089,184,256", "426.00 MB")), (80, ("25.6M", "4.09G", "426MB"))]
)
def test_blocks_have_their_names_and_numbers_are_exact_where_they_fit(
    columns: int, total: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    _, out, _ = show(capsys, "resnet50", "--depth", "block")
    assert "c2.0  " in out
    assert "bottl" in out
    assert all(figure in out for figure in total)


def test_markdown(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = show(capsys, "resnet18", "--format", "markdown", "--figures", "output,macs")
    assert "| part | output | multiply-adds |\n| :-- | :-- | --: |\n| stem | 64x56x56 | 118,013,952 |" in out
    assert "| total |  | 1,814,073,344 |" in out


def test_count_all(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = show(capsys, "resnet18", "--count-all", "--format", "json")
    (data,) = json.loads(out)
    assert data["operations"] > data["macs"]
    assert sum(line["operations"] for line in data["lines"]) == data["operations"]
    assert "operations of all kinds" in show(capsys, "resnet18", "--count-all")[1]


def test_every_column_has_a_value_at_every_depth(capsys: pytest.CaptureFixture[str]) -> None:
    names = ",".join(COLUMNS)
    for depth in ("stage", "block", "op"):
        for form in ("text", "json", "csv", "markdown"):
            words = ("vovnetv2_39", "--depth", depth, "--figures", names, "--format", form, "--device", "laptop")
            assert show(capsys, *words)[0] == 0


@pytest.mark.parametrize("column", [name for name in COLUMNS if name not in ("time", "bound", "efficiency")])
def test_lines_are_sorted_by_any_column(capsys: pytest.CaptureFixture[str], column: str) -> None:
    assert show(capsys, "inception_v3_aux", "--depth", "op", "--sort", column)[0] == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--figures", "mac"), "did you mean `macs`?"),
        (("--sort", "speed"), "no figure is called `speed`"),
        (("--figures", "time"), "`time` is of a device"),
        (("--sort", "bound"), "`bound` is of a device"),
        (("--device", "v1000"), "did you mean `v100`?"),
        (("--device", "peak=1"), "`bandwidth` is missing"),
        (("--batch", "0"), "a batch of 0"),
        (("--batch", "x"), "`--batch x`"),
        (("--precision", "half"), "no precision is called `half`"),
        (("--precision", "int8", "--device", "v100"), "nothing is known of v100's peak in int8"),
    ],
)
def test_what_cannot_be_shown(capsys: pytest.CaptureFixture[str], words: tuple[str, ...], message: str) -> None:
    code, _, err = show(capsys, "resnet18", *words)
    assert (code, message in err) == (2, True), err


def test_nothing_to_show(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = show(capsys)
    assert (code, "required: SPEC" in err) == (2, True)
