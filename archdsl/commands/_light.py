"""What makes a short-lived process quick. For the command line only: no library may do this to its users."""

from __future__ import annotations

import gc
import os
import sys
from importlib import import_module
from types import ModuleType
from typing import Any

LOADER = "pydantic.plugin._loader"
YOUNG = 1_000_000
"""So many new objects are looked through for garbage at once: a run makes many, and drops few before its end."""


class NoPlugins(ModuleType):
    """Stands in for pydantic's loader of plugins, of which a command has no use.

    The loader imports importlib.metadata with all that it needs, a tenth of a cold start. If pydantic asks this one
    for anything else, it gets the real one's.
    """

    def get_plugins(self) -> tuple[()]:
        """The plugins."""
        return ()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        sys.modules.pop(LOADER, None)
        return getattr(import_module(LOADER), name)


def lighten() -> None:
    """Looks for no plugins, and seldom for garbage."""
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    sys.modules.setdefault(LOADER, NoPlugins(LOADER))
    gc.set_threshold(YOUNG, 20, 20)


def leave() -> None:
    """Leaves all that was made to the system: Python would look through it for garbage once more before it ends."""
    gc.freeze()
