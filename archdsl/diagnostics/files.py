"""Texts as they come from outside: from files, or from standard input; bounded, and in UTF-8."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

from archdsl.diagnostics import catalog
from archdsl.diagnostics.diagnostic import ArchError, DiagnosticKind
from archdsl.diagnostics.source import Span, shown, whole

# In bytes. No more is read, whatever a file says of its size.
LARGEST = 4_000_000
TOO_MANY = f"more than {LARGEST:,} bytes"
STDIN = "<stdin>"
BOM = b"\xef\xbb\xbf"
NO_WAIT = getattr(os, "O_NONBLOCK", 0)
BINARY = getattr(os, "O_BINARY", 0)


def resolved(path: Path, span: Span | None) -> Path:
    """A path without symbolic links; raises ArchError for one that goes round in circles."""
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError):
        raise catalog.FILE.error(span or whole(str(path)), f"`{path}` does not lead to a file") from None


def read_text(path: Path, span: Span | None = None) -> str:
    """A file's text; raises ArchError: at the place that asks for the file, if a text does."""
    return decoded(read_bytes(path, span), path, span)


def read_bytes(path: Path, span: Span | None = None) -> bytes:
    """A file's bytes, without byte order mark. What a text names (at `span`) has to be a regular file."""
    try:
        content = file_content(path, regular=span is not None)
    except OSError as error:
        raise at_fault(catalog.FILE, shown(path), span, error.strerror or str(error)) from None
    except ValueError:
        raise at_fault(catalog.FILE, shown(path), span, "this is not a path") from None
    if len(content) > LARGEST:
        raise at_fault(catalog.TOO_LARGE, shown(path), span, TOO_MANY)
    return content.removeprefix(BOM)


def at_fault(rule: DiagnosticKind, name: str, span: Span | None, said: str) -> ArchError:
    """The error for a file, at the file or at the place in a text that asks for it."""
    return rule.error(span, f"{name}: {said}") if span else rule.error(whole(name), said)


def file_content(path: Path, regular: bool) -> bytes:
    """The content of a file, or as much of it as shows that it is too large. Raises OSError.

    A pipe is read where the user names it (`<(...)`), but never waited for where a text does.
    """
    handle = os.open(path, os.O_RDONLY | BINARY | (NO_WAIT if regular else 0))
    with open(handle, "rb") as file:
        if regular and not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(0, "this is not a regular file")
        return file.read(LARGEST + len(BOM) + 1)


def read_input() -> str:
    """The text of standard input; raises ArchError."""
    stream = getattr(sys.stdin, "buffer", None)
    content = sys.stdin.read().encode() if stream is None else stream.read(LARGEST + len(BOM) + 1)
    if len(content) > LARGEST:
        raise at_fault(catalog.TOO_LARGE, STDIN, None, TOO_MANY)
    return decoded(content.removeprefix(BOM), None, None)


def decoded(content: bytes, path: Path | None, span: Span | None) -> str:
    """The text of bytes from a file, or from standard input; raises ArchError."""
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        name = STDIN if path is None else shown(path)
        raise at_fault(catalog.FILE, name, span, f"this is not text in UTF-8 (byte {error.start})") from None
