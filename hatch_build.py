"""What a wheel gets beside the package: the grammar, the specs, and the parser's tables, made here once.

Building the tables takes longer than all else in a cold start. They are keyed by lark's version, as another lark may
read them in another way; where they do not fit, they are built in memory. An editable install reads the folders where
they stand, and needs none of this.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class WheelHook(BuildHookInterface):
    """Adds the folders and the tables to a standard wheel."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling before it writes the wheel."""
        if self.target_name != "wheel" or version == "editable":
            return
        top = Path(self.root)
        included = build_data["force_include"]
        included |= {str(top / name): f"archdsl/{name}" for name in ("grammar", "specs")}
        sys.path.insert(0, str(top))
        try:
            from archdsl.syntax.parser import make, name
        finally:
            sys.path.remove(str(top))
        self.folder = tempfile.TemporaryDirectory()
        tables = Path(self.folder.name) / name()
        make(tables)
        included[str(tables)] = f"archdsl/syntax/{name()}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Called when the wheel is written."""
        if folder := getattr(self, "folder", None):
            folder.cleanup()
