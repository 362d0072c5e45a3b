"""The block library and the specs that come with the package."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from threading import RLock
from typing import Any

from archdsl.diagnostics import Source
from archdsl.diagnostics.files import read_text
from archdsl.driver.imports import open_file
from archdsl.resources import folder
from archdsl.syntax.detect_format import SUFFIXES
from archdsl.syntax.document import Backbone
from archdsl.syntax.scopes import Definition, FileScope


class Shipped:
    """The block library and the specs that come with the package, each read when it is first asked for."""

    def __init__(self) -> None:
        self.files: dict[Path, FileScope] = {}
        self.lock = RLock()

    def __getstate__(self) -> dict[str, Any]:
        """Without the lock. The files go along, as what refers to their blocks does so by identity."""
        return {name: value for name, value in self.__dict__.items() if name != "lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, lock=RLock())

    @cached_property
    def block_files(self) -> dict[str, Path]:
        """The file of each shipped block: it bears the block's name."""
        return {path.stem: path for path in sorted((folder("grammar") / "blocks").glob("*.arch"))}

    @cached_property
    def spec_files(self) -> dict[str, Path]:
        """The file of each shipped backbone: it bears the backbone's name."""
        return {path.stem: path for path in sorted(folder("specs").iterdir()) if path.suffix in SUFFIXES}

    def block(self, name: str) -> Definition | None:
        """A shipped block."""
        path = self.block_files.get(name)
        return None if path is None else self.file(path).blocks[name]

    def blocks(self) -> list[str]:
        """The names of the shipped blocks."""
        return list(self.block_files)

    def spec(self, name: str) -> tuple[FileScope, Backbone] | None:
        """A shipped backbone, with its file."""
        path = self.spec_files.get(name)
        if path is None:
            return None
        file = self.file(path)
        return (file, file.backbones[name]) if name in file.backbones else None

    def specs(self) -> list[str]:
        """The names of the shipped backbones."""
        return sorted(self.spec_files)

    def opened(self, path: Path, text: str) -> FileScope | None:
        """The file of a shipped spec, if this is one, as the networks that extend it have it: none is read twice."""
        if self.spec_files.get(path.stem) != path or self.text(path) != text:
            return None
        file = self.file(path)
        return file if not file.imports else None

    def text(self, path: Path) -> str:
        """What a shipped file holds: what it held when it was first read, as long as this process lasts."""
        return self.files[path].source.text if path in self.files else read_text(path)

    def file(self, path: Path) -> FileScope:
        """A shipped file; one and the same for all, in whatever threads, as its blocks are told apart by identity."""
        with self.lock:
            if path not in self.files:
                source = Source(path, read_text(path), shipped=True)
                self.files[path] = open_file(self, source, path.parent)
            return self.files[path]


SHIPPED = Shipped()
