"""`archdsl convert` as it is run: files in, files out, whole or not at all."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

torch = pytest.importorskip("torch")
models = pytest.importorskip("torchvision.models")

import archdsl  # noqa: E402
from archdsl.commands._run import main  # noqa: E402
from archdsl.weights.files import read  # noqa: E402
from tests.weights.nets import STAGES, text  # noqa: E402
from tests.weights.test_files import Calls  # noqa: E402

pytestmark = pytest.mark.slow

TOP = Path(__file__).parents[2]


class Done(NamedTuple):
    """How a run of the command ended, and what files there are."""

    code: int
    out: str
    err: str
    files: set[str]


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A checkpoint of torchvision's resnet18, in wrappers, as many are."""
    torch.manual_seed(0)
    state = models.resnet18().state_dict()
    path = tmp_path_factory.mktemp("given") / "theirs.pth"
    torch.save({"epoch": 9, "state_dict": {f"module.{name}": tensor for name, tensor in state.items()}}, path)
    return {"path": path, "state": state}


@pytest.fixture
def convert(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    """Runs the command in a folder of its own; with something to do `before`, in a process of its own."""
    monkeypatch.chdir(tmp_path)

    def run(*words: object, before: Callable[[], None] | None = None) -> Done:
        given = ["convert", *map(str, words)]
        code, out, err = alone(tmp_path, given, before) if before else here(given)
        assert "Traceback" not in err
        return Done(code, out, err, {path.name for path in tmp_path.iterdir()})

    def here(given: list[str]) -> tuple[int, str, str]:
        capsys.readouterr()
        try:
            code = main(given)
        except SystemExit as stop:
            code = stop.code
        assert isinstance(code, int)
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def alone(folder: Path, given: list[str], before: Callable[[], None]) -> tuple[int, str, str]:
    """The command in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "archdsl", *given],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(TOP)},
        preexec_fn=before,
    )
    return done.returncode, done.stdout, done.stderr


def equal(found: dict[str, Any], wanted: dict[str, Any]) -> bool:
    """Whether two state dicts are the same to the bit."""
    return found.keys() == wanted.keys() and all(torch.equal(found[name], wanted[name]) for name in wanted)


@pytest.mark.parametrize("suffix", [".pt", ".pth", ".safetensors"])
def test_there_and_back(tmp_path: Path, convert: Callable[..., Done], given: dict[str, Any], suffix: str) -> None:
    done = convert(given["path"], "--spec", "resnet18", "-o", f"ours{suffix}")
    assert (done.code, done.err) == (0, "")
    assert "122 tensors, named as by torchvision" in done.out
    assert f"wrote ours{suffix}: 122 tensors, named as by archdsl" in done.out
    model = archdsl.build("resnet18")
    model.load_state_dict(read(tmp_path / f"ours{suffix}"))
    done = convert(f"ours{suffix}", "--spec", "resnet18", "--to", "torchvision", "-o", f"back{suffix}")
    assert (done.code, done.err) == (0, "")
    assert equal(read(tmp_path / f"back{suffix}"), given["state"])
    models.resnet18().load_state_dict(read(tmp_path / f"back{suffix}"))


def test_another_number_of_classes_is_told(tmp_path: Path, convert: Callable[..., Done], given: dict[str, Any]) -> None:
    done = convert(given["path"], "--spec", "resnet18", "-p", "classes=7", "-o", "seven.pt")
    assert done.code == 0
    assert "left fresh: head.linear.weight, 1,000 classes in the source, 7 here" in done.out
    assert read(tmp_path / "seven.pt")["head.linear.weight"].shape == (7, 512)


def test_a_file_may_take_the_place_of_its_source(tmp_path: Path, convert: Callable[..., Done]) -> None:
    (tmp_path / "net.arch").write_text(text(*STAGES.values()))
    state = archdsl.build(archdsl.loads(text(*STAGES.values()))).state_dict()
    torch.save(state, tmp_path / "net.pt")
    assert convert("net.pt", "--spec", "net.arch", "-o", "net.pt").code == 0
    assert equal(read(tmp_path / "net.pt"), state)


# ---- an edited spec ------------------------------------------------------------------------------------------------

DEEPER = "backbone deeper extends resnet18:\n    stage c3 / 2: 3 * basic(128)\n"
OTHER = "backbone other:\n    input 3 x 32 x 32\n    body: conv(3, 5)\n"


def test_an_edited_spec(tmp_path: Path, convert: Callable[..., Done], given: dict[str, Any]) -> None:
    (tmp_path / "deeper.arch").write_text(DEEPER)
    done = convert(given["path"], "--spec", "deeper.arch", "--from-spec", "resnet18", "-o", "deeper.safetensors")
    assert (done.code, done.err) == (0, "")
    assert "122 of 134 tensors kept, 12 new, 0 dropped" in done.out
    assert "    new: c3.2 (12 tensors)" in done.out
    state = read(tmp_path / "deeper.safetensors")
    assert torch.equal(state["c3.1.body.conv.weight"], given["state"]["layer2.1.conv2.weight"])
    archdsl.build(archdsl.loads(DEEPER)).load_state_dict(state)


def test_a_classifier_that_did_not_fit_is_not_carried_over(
    tmp_path: Path, convert: Callable[..., Done], given: dict[str, Any]
) -> None:
    (tmp_path / "deeper.arch").write_text(DEEPER)
    words = [given["path"], "--spec", "deeper.arch", "-p", "classes=7", "--from-spec", "resnet18", "-o", "d.pt"]
    done = convert(*words, "--from-param", "classes=7")
    assert "left fresh: head.linear.weight" in done.out
    assert "120 of 134 tensors kept, 14 new, 0 dropped" in done.out
    assert "    new: head (2 tensors)" in done.out
    assert "    of another shape: head.linear.weight" not in done.out
    done = convert(*words)
    assert "    of another shape: head (2 tensors)" in done.out


def test_nothing_to_carry_over(tmp_path: Path, convert: Callable[..., Done], given: dict[str, Any]) -> None:
    (tmp_path / "other.arch").write_text(OTHER)
    done = convert(given["path"], "--spec", "other.arch", "--from-spec", "resnet18", "-o", "d.pt")
    assert done.code == 1
    assert "error[E703]" in done.err
    assert done.files == {"other.arch"}


# ---- what is taken of a checkpoint ----------------------------------------------------------------------------------


def test_a_part_of_a_checkpoint(tmp_path: Path, convert: Callable[..., Done], given: dict[str, Any]) -> None:
    state, other = given["state"], {name: tensor * 2 for name, tensor in given["state"].items()}
    torch.save({"a": state, "b": other}, tmp_path / "both.pth")
    done = convert("both.pth", "--spec", "resnet18", "-o", "o.pt")
    assert (done.code, done.files) == (1, {"both.pth"})
    assert "`a` and `b` fit, and differ" in done.err
    assert "say which, as `--part a`" in done.err
    done = convert("both.pth", "--spec", "resnet18", "-o", "o.pt", "--part", "b")
    assert done.code == 0
    assert torch.equal(read(tmp_path / "o.pt")["stem.cna.conv.weight"], other["conv1.weight"])


def test_a_checkpoint_without_a_classifier(tmp_path: Path, convert: Callable[..., Done], given: dict[str, Any]) -> None:
    """What is said helps as it is written, and names nothing that the command line does not have."""
    torch.save({name: tensor for name, tensor in given["state"].items() if name[:3] != "fc."}, tmp_path / "body.pth")
    done = convert("body.pth", "--spec", "resnet18", "-o", "o.pt")
    assert done.code == 1
    assert "help: --head optional leaves the classifier as it is" in done.err
    assert 'head="' not in done.err
    done = convert("body.pth", "--spec", "resnet18", "-o", "o.pt", "--head", "optional")
    assert (done.code, done.err) == (0, "")
    assert "left fresh: head.linear.weight, the source does not have it" in done.out
    done = convert(given["path"], "--spec", "resnet18", "-p", "classes=7", "-o", "o.pt", "--head", "strict")
    assert "help: --head adapt leaves the classifier as it is" in done.err


def test_a_folder(tmp_path: Path, convert: Callable[..., Done], given: dict[str, Any]) -> None:
    (tmp_path / "folder").mkdir()
    torch.save(given["state"], tmp_path / "folder" / "pytorch_model.bin")
    assert convert("folder", "--spec", "resnet18", "-o", "o.pt").code == 0


def test_weights_of_another_version_of_a_spec(
    tmp_path: Path, convert: Callable[..., Done], given: dict[str, Any]
) -> None:
    (tmp_path / "deeper.arch").write_text(DEEPER)
    done = convert(given["path"], "--spec", "deeper.arch", "-o", "d.pt")
    assert "help: if they are of another version of the spec: `--from-spec OLD`" in done.err
    assert "transfer_weights" not in done.err
    done = convert(given["path"], "--spec", "deeper.arch", "--from-spec", "resnet34", "-o", "d.pt")
    assert "help: is it of the spec of `--from-spec`, with these parameters?" in done.err


# ---- what is wrong -------------------------------------------------------------------------------------------------

WRONG = {
    "no such file": (["none.pth", "--spec", "resnet18", "-o", "o.pt"], 1, "none.pth: No such file"),
    "no such spec": (["GIVEN", "--spec", "resnet19", "-o", "o.pt"], 1, "did you mean `resnet18`?"),
    "another network": (["GIVEN", "--spec", "resnet34", "-o", "o.pt"], 1, "the network has, and the source does not"),
    "another family": (["GIVEN", "--spec", "vovnet27_slim", "-o", "o.pt"], 1, "error[E705]"),
    "no such suffix": (["GIVEN", "--spec", "resnet18", "-o", "o.onnx"], 2, "no weights are written as `.onnx`"),
    "no such naming": (["GIVEN", "--spec", "resnet18", "-o", "o.pt", "--to", "keras"], 2, "invalid choice: 'keras'"),
    "no names there": (["GIVEN", "--spec", "resnet18", "-o", "o.pt", "--to", "vovnet"], 1, "vovnet has no names"),
    "no such folder": (["GIVEN", "--spec", "resnet18", "-o", "none/o.pt"], 2, "error[E503]"),
    "no output": (["GIVEN", "--spec", "resnet18"], 2, "the following arguments are required: -o"),
    "no spec": (["GIVEN", "-o", "o.pt"], 2, "the following arguments are required: --spec"),
    "no equals": (["GIVEN", "--spec", "resnet18", "-p", "classes", "-o", "o.pt"], 2, "write `-p name=value`"),
    "no old spec": (
        ["GIVEN", "--spec", "resnet18", "--from-param", "a=1", "-o", "o.pt"],
        2,
        "is for `--from-spec OLD`",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_said_and_nothing_written(
    convert: Callable[..., Done], given: dict[str, Any], case: str
) -> None:
    words, code, label = WRONG[case]
    done = convert(*(given["path"] if word == "GIVEN" else word for word in words))
    assert done.code == code
    assert label in done.err
    assert done.files == set()


def test_numbers_that_are_not_finite_are_told(tmp_path: Path, convert: Callable[..., Done]) -> None:
    (tmp_path / "net.arch").write_text(text(*STAGES.values()))
    state = archdsl.build(archdsl.loads(text(*STAGES.values()))).state_dict()
    state["c2.0.body.norm.bias"][1] = float("nan")
    torch.save(state, tmp_path / "net.pt")
    done = convert("net.pt", "--spec", "net.arch", "-o", "o.pt")
    assert done.code == 0
    assert "warning: c2.0.body.norm.bias is not finite: 1 of 32 numbers are NaN or infinite" in done.out


def test_integers_are_refused_by_name(tmp_path: Path, convert: Callable[..., Done]) -> None:
    (tmp_path / "net.arch").write_text(text(*STAGES.values()))
    state = archdsl.build(archdsl.loads(text(*STAGES.values()))).state_dict()
    state["c2.0.body.norm.bias"] = state["c2.0.body.norm.bias"].to(torch.int8)
    torch.save(state, tmp_path / "net.pt")
    done = convert("net.pt", "--spec", "net.arch", "-o", "o.pt")
    assert done.code == 1
    assert "the source has integers for weights, as quantized networks have: c2.0.body.norm.bias" in done.err
    assert done.files == {"net.arch", "net.pt"}


def test_a_malicious_file(tmp_path: Path, convert: Callable[..., Done]) -> None:
    torch.save({"a": Calls(tmp_path / "it_ran")}, tmp_path / "evil.pth")
    done = convert("evil.pth", "--spec", "resnet18", "-o", "o.pt")
    assert done.code == 1
    assert "error[E702]" in done.err
    assert done.files == {"evil.pth"}


@pytest.mark.skipif(sys.platform == "win32", reason="limits of files are Unix's")
@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
def test_a_full_disk_leaves_what_was_there(
    tmp_path: Path, convert: Callable[..., Done], given: dict[str, Any], suffix: str
) -> None:
    import resource

    (tmp_path / f"o{suffix}").write_text("as it was")
    limit = (1 << 20, resource.RLIM_INFINITY)
    words = [given["path"], "--spec", "resnet18", "-o", f"o{suffix}"]
    done = convert(*words, before=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limit))
    assert done.code == 2
    assert "error[E503]" in done.err
    assert done.files == {f"o{suffix}"}
    assert (tmp_path / f"o{suffix}").read_text() == "as it was"
