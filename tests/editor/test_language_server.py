"""The schema in the real yaml-language-server: it completes, explains and checks as one types."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests import copies

TOP = Path(__file__).parents[2]
PACKAGE = "yaml-language-server@1.25.0"
SETTINGS = {"yaml": {"schemaStore": {"enable": False}, "validate": True, "completion": True, "hover": True}}
CAPABILITIES = {"workspace": {"configuration": True}, "textDocument": {"hover": {"contentFormat": ["markdown"]}}}
NET = "# yaml-language-server: $schema=../grammar/archdsl.schema.json\nname: net\n"

pytestmark = pytest.mark.slow


class Server:
    """A language server at the other end of a pipe, for specs of the project in a folder."""

    def __init__(self, program: Path, top: Path = TOP) -> None:
        self.top = top
        self.process = subprocess.Popen(
            ["node", str(program), "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self.count = 0
        self.call("initialize", {"processId": os.getpid(), "rootUri": top.as_uri(), "capabilities": CAPABILITIES})
        self.send({"method": "initialized", "params": {}})

    def send(self, message: dict[str, Any]) -> None:
        """One message to the server."""
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self.process.stdin
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.process.stdin.flush()

    def messages(self) -> Iterator[dict[str, Any]]:
        """What the server says; its questions for settings are answered on the way."""
        stream = self.process.stdout
        assert stream
        while line := stream.readline():
            size = int(line.partition(b":")[2]) if line.lower().startswith(b"content-length") else 0
            while line.strip():
                line = stream.readline()
            message = json.loads(stream.read(size))
            if "id" in message and "method" in message:
                items = message.get("params", {}).get("items", [])
                self.send({"id": message["id"], "result": [SETTINGS.get(item.get("section")) for item in items]})
            else:
                yield message

    def call(self, method: str, params: dict[str, Any]) -> Any:
        """The answer to a request."""
        self.count += 1
        self.send({"id": self.count, "method": method, "params": params})
        return next(each["result"] for each in self.messages() if each.get("id") == self.count)

    def open(self, text: str) -> str:
        """Opens a text as if it were a spec of ours."""
        self.count += 1
        uri = (self.top / "specs" / f"typed{self.count}.yaml").as_uri()
        document = {"uri": uri, "languageId": "yaml", "version": 1, "text": text}
        self.send({"method": "textDocument/didOpen", "params": {"textDocument": document}})
        return uri

    def diagnostics(self, text: str) -> list[tuple[str, str]]:
        """What it says of a text: what is marked, and the message."""
        uri = self.open(text)
        said = (each["params"] for each in self.messages() if each.get("method") == "textDocument/publishDiagnostics")
        found = next(each["diagnostics"] for each in said if each["uri"] == uri)
        lines = text.split("\n")
        return [(marked(lines, each["range"]), each["message"]) for each in found]

    def ask(self, method: str, text: str) -> Any:
        """What it says at the place that `|^` marks."""
        before, _, behind = text.partition("|^")
        position = {"line": before.count("\n"), "character": len(before) - before.rfind("\n") - 1}
        return self.call(method, {"textDocument": {"uri": self.open(before + behind)}, "position": position})

    def completions(self, text: str) -> dict[str, str]:
        """What it offers: words, and what it says of each."""
        items = self.ask("textDocument/completion", text)["items"]
        return {item["label"]: str(item.get("documentation", "")) for item in items}

    def close(self) -> None:
        """End the server."""
        self.process.kill()
        self.process.communicate()


def marked(lines: list[str], range: dict[str, Any]) -> str:
    """The part of a line that a range marks."""
    start, end = range["start"], range["end"]
    return lines[start["line"]][start["character"] : end["character"] if end["line"] == start["line"] else None]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program of the server, installed by npm."""
    if not (npm := shutil.which("npm")) or not shutil.which("node"):
        pytest.skip("npm is not installed")
    folder = tmp_path_factory.mktemp("server")
    command = [npm, "install", "--prefix", str(folder), "--no-audit", "--no-fund", PACKAGE]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"npm cannot install {PACKAGE}: {done.stderr[-300:]}")
    return folder / "node_modules" / "yaml-language-server" / "bin" / "yaml-language-server"


@pytest.fixture(scope="module")
def server(program: Path) -> Iterator[Server]:
    """The server for this project."""
    with closing(Server(program)) as found:
        yield found


@pytest.mark.parametrize("name", ["resnext50", "densenet121", "csp_vovnet39", "googlenet_aux"])
def test_our_specs_are_fine(server: Server, name: str) -> None:
    assert server.diagnostics((TOP / "specs" / f"{name}.yaml").read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("stagess:\n  c2: cna(3)\n", "stagess"),
        ("stages:\n  c2: {block: bottleneck, args: {widht: 3}}\n", "widht"),
        ("stages:\n  c2: {blck: bottleneck}\n", "blck"),
        ("stages:\n  c2: {block: botleneck}\n", "botleneck"),
        ("stages:\n  c3 / two: cna(3)\n", "c3 / two"),
        ("set: {bottleneck.grops: 3}\n", "bottleneck.grops"),
        ("stem: {block: conv, args: {out: 3, bias: 7}}\n", "7"),
        ("expect: {parms: 25_000}\n", "25_000"),
    ],
)
def test_a_typo_is_marked(server: Server, text: str, place: str) -> None:
    assert place in [where for where, _ in server.diagnostics(NET + text)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("input: 3x224x\n", "A shape is channels x height x width, as 3x224x224."),
        ("expect: {macs: =< 4G}\n", "A number, or a bound: <= 4.3G, <= 200MB at batch 8 fp16."),
        ("drop: a b\n", "A name is of letters, digits and _, and does not begin with a digit."),
        ("stem: {block: conv, args: {out: 3, padding: -1}}\n", "Value is below the minimum of 0."),
    ],
)
def test_what_is_wrong_is_said_in_words(server: Server, text: str, said: str) -> None:
    assert [message for _, message in server.diagnostics(NET + text)] == [said]


@pytest.mark.parametrize("key", ["input", "import", "drop"])
def test_a_key_is_explained_once(server: Server, key: str) -> None:
    value = server.ask("textDocument/hover", NET + f"{key}|^: 3\n")["contents"]["value"]
    assert "||" not in value


def test_nothing_is_offered_where_names_are_free(server: Server) -> None:
    assert not server.completions(NET + "outputs:\n  |^")
    assert "block" not in server.completions(NET + "stem:\n  block: cna\n  args:\n    |^")


def test_keys_blocks_and_arguments_are_offered(server: Server) -> None:
    keys = server.completions(NET + "|^")
    assert {"stem", "stages", "head", "set", "expect"} <= set(keys)
    assert "settings" not in keys
    assert "the layer that most networks are made of" in server.completions(NET + "stages:\n  c2: |^")["cna"]
    assert "bottleneck" in server.completions(NET + "stem:\n  block: |^")
    arguments = server.completions(NET + "stem:\n  block: bottleneck\n  args:\n    |^")
    assert list(arguments)[:3] == ["out", "width", "stride"]
    assert "out // 4" in arguments["width"]
    assert set(server.completions(NET + "stem:\n  block: conv\n  args:\n    padding: |^")) >= {"same", "valid"}
    assert "bottleneck.groups" in server.completions(NET + "set:\n  |^")
    assert "macs" in server.completions(NET + "expect:\n  |^")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("set:\n  bottleneck.gr|^oups: 32\n", "groups: an int; 1 unless set"),
        ("stages:\n  c3 / 2|^: cna(3)\n", "a feature map"),
        ("stem:\n  block: bottle|^neck\n", "deeper ResNets"),
        ("stem:\n  block: bottleneck\n  args:\n    wid|^th: 3\n", "width: an int"),
    ],
)
def test_what_the_mouse_rests_on_is_explained(server: Server, text: str, said: str) -> None:
    assert said in server.ask("textDocument/hover", NET + text)["contents"]["value"]


def test_a_field_more_in_a_model_is_offered_and_explained(program: Path, tmp_path: Path) -> None:
    top = copies.copied(tmp_path)
    copies.add_key(top)
    copies.run(top, "-m", "archdsl", "schema", "-o", "grammar/archdsl.schema.json")
    with closing(Server(program, top)) as server:
        assert server.completions(NET + "|^")["license"] == "The license of the weights."
        hover = server.ask("textDocument/hover", NET + "lic|^ense: MIT\n")
        assert "The license of the weights." in hover["contents"]["value"]
        assert [where for where, _ in server.diagnostics(NET + "license: [3]\n")] == ["[3]"]
        assert server.diagnostics(NET + "license: MIT\n") == []
