"""Block library and specs that come with the package."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from threading import RLock
from typing import Any

from archdsl.diagnostics import Source
from archdsl.diagnostics.files import read_text
from archdsl.driver.imports import open_file
from archdsl.resources import folder
from archdsl.syntax.document import Backbone
from archdsl.syntax.scopes import Definition, FileScope
from archdsl.syntax.text import SUFFIXES


class Shipped:
    """Block library and specs of the package, each read when first asked for."""

    def __init__(self) -> None:
        self.files: dict[Path, FileScope] = {}
        self.lock = RLock()

    def __getstate__(self) -> dict[str, Any]:
        """State without the lock. The files are pickled, since references to their blocks are by identity."""
        return {name: value for name, value in self.__dict__.items() if name != "lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, lock=RLock())

    @cached_property
    def block_files(self) -> dict[str, Path]:
        """File of each shipped block, which has the block's name."""
        return {path.stem: path for path in sorted((folder("grammar") / "blocks").glob("*.arch"))}

    @cached_property
    def spec_files(self) -> dict[str, Path]:
        """File of each shipped network, which has the network's name."""
        return {path.stem: path for path in sorted(folder("specs").iterdir()) if path.suffix in SUFFIXES}

    def block(self, name: str) -> Definition | None:
        """Shipped block."""
        path = self.block_files.get(name)
        return None if path is None else self.file(path).blocks[name]

    def blocks(self) -> list[str]:
        """Names of the shipped blocks."""
        return list(self.block_files)

    def spec(self, name: str) -> tuple[FileScope, Backbone] | None:
        """Shipped network, with its file."""
        path = self.spec_files.get(name)
        if path is None:
            return None
        file = self.file(path)
        return (file, file.backbones[name]) if name in file.backbones else None

    def specs(self) -> list[str]:
        """Names of the shipped networks."""
        return sorted(self.spec_files)

    def opened(self, path: Path, text: str) -> FileScope | None:
        """File of a shipped spec, if the path and text are one's; shared with the networks that extend it."""
        if self.spec_files.get(path.stem) != path or self.text(path) != text:
            return None
        file = self.file(path)
        return file if not file.imports else None

    def text(self, path: Path) -> str:
        """Text of a shipped file, as it was when first read in this process."""
        return self.files[path].source.text if path in self.files else read_text(path)

    def file(self, path: Path) -> FileScope:
        """Shipped file; one object for all threads, as its blocks are compared by identity."""
        # Two objects for one file would make its blocks differ by identity.
        with self.lock:
            if path not in self.files:
                source = Source(path, read_text(path), shipped=True)
                # Not a memo: see above.
                self.files[path] = open_file(self, source, path.parent)
            return self.files[path]


SHIPPED = Shipped()
