"""Random names and docs through every command: what comes out may steer neither a terminal nor a CI.

PYTHONPATH=. python tests/commands/way_out.py 1000
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import random
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from unicodedata import category

from archdsl.commands._run import main, names

UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
CHARACTERS = [chr(code) for code in range(1, 0x110000) if category(chr(code)) in UNSEEN - {"Cs"}]
PIECES = [
    *("a", "net", " ", "é", "網", "👩‍🔬", ":", ",", "%", "#", "|", "`", "'", '"', "=", "-", "x\u0301"),
    *("\n::error file=x::INJECTED", "\nINJECTED", "\r::warning::INJECTED", "##[error]INJECTED", "\n \u00a0::debug::x"),
    *("##vso[task.setvariable]INJECTED", "\x1b[31m", "\x1b]0;title\a", "\x9b1m", "\u202e", "\u200d", "\u2028", "\t"),
]
OURS = re.compile(r"\x1b\[(?:0|1|1;3\d)m|\r\x1b\[K")
"""The colors and the progress line that we put out ourselves."""
WORKFLOW = re.compile(
    r"^::(?:error|warning) (?:file=[^,\n]*,line=\d+,col=\d+,endLine=\d+,endColumn=\d+,)?title=archdsl "
)
SPEC = "name: net\ndoc: {doc}\ninput: 3x16x16\nstem: cna(8, 3)\nhead: global_avgpool -> flatten -> linear(10)\n"
TEXT = 'backbone net:\n    """{doc}"""\n    input 3 x 16 x 16\n    stem: cna(8, 3)  # {doc}\n'


def text(chance: random.Random) -> str:
    """A random text of what is dangerous and of what is not."""
    pieces = (
        chance.choice(CHARACTERS) if chance.random() < 0.5 else chance.choice(PIECES)
        for _ in range(chance.randint(1, 6))
    )
    return "".join(pieces)


def file_name(chance: random.Random) -> str:
    """A random name that a file can have; some are no text in UTF-8."""
    found = text(chance).replace("/", "_")[:60] + ("\udcff" if chance.random() < 0.3 else "")
    return found if found.strip(".") else f"a{found}"


def command_lines(word: str, good: str, bad: str, made: str) -> Iterator[list[str]]:
    """Every command, with a right spec and a wrong one of random names, an output, and a random word anywhere."""
    for form in ("full", "concise", "json", "github", "sarif"):
        yield ["validate", "--no-cache", "--format", form, good, bad, word]
    for form in ("text", "json", "csv", "markdown"):
        yield ["show", good, "--depth", "op", "--format", form]
    yield from (["show", good], ["show", bad], ["show", f"{good}:{word}"], ["show", good, "-p", f"{word}=1"])
    yield from (["show", good, "-p", word], ["show", good, "-p", f"classes={word}"], ["show", good, "--input", word])
    yield from (["show", good, "--figures", word], ["show", good, "--device", word], ["show", good, "--depth", word])
    yield from (["lint", good], ["lint", good, "--format", "json"], ["lint", good, "--select", word], ["lint", bad])
    yield from (["memory", good], ["memory", good, "--checkpoint", word], ["memory", bad, "--format", "json"])
    yield from (["compare", good, good], ["compare", good, "--figures", word], ["compare", good, "--plot", word])
    yield from (["diff", good, bad], ["diff", good, "resnet18", "--format", "markdown"])
    yield from (["draw", good], ["draw", bad], ["draw", good, "-o", word], ["draw", good, "-o", f"{made}.html"])
    yield from (["emit", good], ["emit", good, "--target", "json"], ["emit", good, "--target", word])
    yield from (["emit", good, "-o", f"{made}.py"], ["emit", bad], ["schema", "-o", f"{made}.json"])
    yield from (["export", bad, "-o", f"{made}.onnx"], ["export", good, "-o", word])
    yield from (["build", bad], ["build", good, "-o", word], ["bench", bad], ["bench", good, "--threads", word])
    yield from (["calibrate", "--name", word], ["calibrate", "-o", word], ["list", word], ["help", word])
    yield from (
        ["completion", word],
        ["completion", "bash"],
        [word],
        ["show", f"--{word}"],
        ["fmt", "--to", word, good],
    )
    yield from (["convert", word, "--spec", bad, "-o", f"{made}.pt"], ["convert", word, "--spec", good, "-o", word])
    yield from (["fmt", "--check", good, bad], ["fmt", "--diff", good, bad], ["fmt", good, bad, word])
    yield from (["fmt", "--to", "arch", good], ["fmt", "--to", "arch", "--force", good], ["fmt", "-"])


def run(words: list[str], stdin: str) -> str:
    """All that a command puts out."""
    streams = [io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors="surrogatepass") for _ in range(2)]
    given = io.TextIOWrapper(io.BytesIO(stdin.encode("utf-8", "surrogateescape")), encoding="utf-8")
    before, sys.stdin = sys.stdin, given
    try:
        with contextlib.redirect_stdout(streams[0]), contextlib.redirect_stderr(streams[1]):
            main(words)
    finally:
        sys.stdin = before
    for stream in streams:
        stream.flush()
    out, err = (stream.buffer.getvalue().decode("utf-8", "surrogatepass") for stream in streams)  # type: ignore[attr-defined]
    assert "internal error" not in err, (words, err)
    check_formats(words, out)
    return f"{out}\n{err}"


def check_formats(words: list[str], out: str) -> None:
    """That what is for programs can be read by them."""
    if out and (words[-1] == "json" or ("--format" in words and words[3] in {"json", "sarif"})):
        json.dumps(json.loads(out), ensure_ascii=False).encode()


def trouble(words: list[str], said: str) -> str:
    """What in an output steers a terminal or a CI; nothing for none."""
    if found := {char for char in said if char != "\n" and category(char) in UNSEEN}:
        return f"{sorted(map(ascii, found))} in {said!r}"
    for line in said.split("\n"):
        begins = line.lstrip()
        if words[:2] == ["fmt", "-"]:
            continue  # the file itself, with all its lines as they are
        if begins.startswith("::") and not ("github" in words and WORKFLOW.match(line)):
            return f"a workflow command: {line!r}"
        if "INJECTED" in begins[:8] and words[0] != "emit":  # there it is a docstring's
            return f"a line of a name's own: {line!r}"
        if re.search(r"##(?:\[|vso\[)", line):
            return f"a command inside a line: {line!r}"
    return ""


def spoken(doc: str) -> str:
    """A doc as a YAML text in double quotes, with escapes."""
    return json.dumps(doc.replace("\udcff", "?"))


def case(seed: int, top: Path) -> Iterator[tuple[list[str], str]]:
    """What every command puts out for random names and docs; in a folder that has such a name, too."""
    chance = random.Random(seed)
    folder = top / f"{seed}{file_name(chance)}"
    folder.mkdir()
    doc = text(chance)
    good, bad = folder / f"g{file_name(chance)}.yaml", folder / f"b{file_name(chance)}.arch"
    good.write_text(SPEC.format(doc=spoken(doc)), encoding="utf-8")
    bad.write_text(TEXT.format(doc=doc.replace('"', "")), encoding="utf-8", newline="")
    word = file_name(chance).replace("\0", "")
    stdin = chance.choice([good, bad]).read_text(encoding="utf-8")
    for words in command_lines(word, str(good), str(bad), str(folder / f"m{file_name(chance)}")):
        yield words, run(words, stdin)


def troubles(seeds: range) -> list[str]:
    """All that is wrong for so many names and docs."""
    found: list[str] = []
    here = os.getcwd()
    with tempfile.TemporaryDirectory() as top:
        os.chdir(top)
        try:
            for seed in seeds:
                for words, said in case(seed, Path(top)):
                    if told := trouble(words, said):
                        found.append(f"{seed} {words!r}: {told}")
        finally:
            os.chdir(here)
    return found


if __name__ == "__main__":
    os.environ |= {"NO_COLOR": "1", "ARCHDSL_CACHE_DIR": tempfile.mkdtemp()}
    count = int(sys.argv[1])
    wrong = troubles(range(count))
    told = {words[0] for words in command_lines("w", "g", "b", "m")}
    assert told >= set(names()), set(names()) - told
    print(*wrong[:20], f"{count} names and docs through {len(names())} commands: {len(wrong)} troubles", sep="\n")
