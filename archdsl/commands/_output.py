"""Output files: texts and weights, written whole or not at all."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from errno import EACCES
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from archdsl.diagnostics import catalog
from archdsl.diagnostics.source import shown

if TYPE_CHECKING:
    from torch import Tensor

    from archdsl.driver import Network
    from archdsl.syntax.scopes import FileScope

    State = Mapping[str, Tensor]

NO_FOLDER = "make the folder first, or choose another"


def check_output(path: Path, specs: Iterable[Network] = ()) -> None:
    """Raise ArchError, before any work, if a file cannot be written, or would replace a spec that is read."""
    try:
        target = path.resolve()
        if is_special(target):
            return
        if not target.parent.is_dir():
            raise catalog.OUTPUT.error(None, f"{path}: there is no folder `{path.parent}`", help=NO_FOLDER)
        if target.is_dir():
            raise catalog.OUTPUT.error(None, f"{path}: this is a folder", help="name a file in it")
        if not os.access(target.parent, os.W_OK):
            raise catalog.OUTPUT.error(None, f"{path}: nothing may be written into `{path.parent}`")
    except (OSError, RuntimeError, ValueError) as error:
        raise catalog.OUTPUT.error(None, f"{path}: {getattr(error, 'strerror', None) or error}") from None
    if any(same(target, read) for spec in specs for read in files_of_spec(spec.scope)):
        label = f"`-o {path}` would replace a spec that is read"
        raise catalog.OUTPUT.error(None, label, help="choose another name")


def files_of_spec(file: FileScope) -> Iterator[Path]:
    """Files that a spec is read from: its own and its imports."""
    files = [file]
    for each in files:
        yield Path(each.source.name)
        files += [other for other in each.imports if other not in files]


def same(one: Path, other: Path) -> bool:
    """Tell whether two paths lead to one file."""
    try:
        return one.samefile(other)
    except (OSError, RuntimeError, ValueError):
        return False


def write_whole(path: Path, write: Callable[[Path], None]) -> None:
    """Write a file beside its place, then move it there; raises ArchError if that fails.

    Links are followed; an existing file has to be writable, and keeps its permissions. A device or a pipe is
    written to.
    """
    try:
        target = path.resolve()
        folder = None if is_special(target) else target.parent
        if target.is_file() and not os.access(target, os.W_OK):
            raise PermissionError(EACCES, os.strerror(EACCES))
        # Beside the target, so that the move stays on one file system and is atomic.
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=folder)
        os.close(handle)
        made = Path(name)
        try:
            write(made)
            if folder is None:
                target.write_bytes(made.read_bytes())
            else:
                made.chmod(permissions(target))
                made.replace(target)
        finally:
            made.unlink(missing_ok=True)
    except (OSError, RuntimeError) as error:
        raise catalog.OUTPUT.error(None, f"{shown(path)}: {getattr(error, 'strerror', None) or error}") from None


def is_special(path: Path) -> bool:
    """Tell devices and pipes."""
    return path.exists() and not path.is_file() and not path.is_dir()


def permissions(path: Path) -> int:
    """Permissions of the existing file, or of a new one."""
    return stat.S_IMODE(path.stat().st_mode) if path.exists() else 0o666 & ~current_umask()


def current_umask() -> int:
    """Permissions that new files do not get."""
    # The mask can only be read by setting it.
    mask = os.umask(0)
    os.umask(mask)
    return mask


def write_text(path: Path, text: str) -> None:
    """Write a text, whole or not at all."""

    def write(made: Path) -> None:
        made.write_text(text, encoding="utf-8")

    write_whole(path, write)


# ---- weights ------------------------------------------------------------------------------------------------------


def write_weights(path: Path, state: State) -> None:
    """Write a state dict in the format of the path's suffix; raises ArchError if it cannot be written."""
    save = SAVERS[path.suffix]()
    held = contiguous(state)
    write_whole(path, lambda made: save_to(save, held, made))


def contiguous(state: State) -> dict[str, Tensor]:
    """Contiguous copies of tensors."""
    # A view of a larger tensor would bring all of its storage into the file.
    import torch

    return {name: tensor.detach().clone(memory_format=torch.contiguous_format) for name, tensor in state.items()}


def save_to(save: Callable[..., Any], state: dict[str, Tensor], path: Path) -> None:
    """Save, and raise a library's own errors, such as for a full disk, as the OSError that `write_whole` reports."""
    try:
        save(state, path)
    except OSError:
        raise
    except Exception as error:
        raise OSError(str(error).partition("\n")[0]) from None


def torch_saver() -> Callable[..., Any]:
    """Writer of PyTorch's own format."""
    import torch

    return torch.save


def safetensors_saver() -> Callable[..., Any]:
    """Writer of safetensors."""
    try:
        from safetensors.torch import save_file  # pyright: ignore[reportUnknownVariableType]
    except ImportError:
        raise catalog.missing("safetensors", "torch") from None
    return cast("Callable[..., Any]", save_file)


SAVERS: dict[str, Callable[[], Callable[..., Any]]] = {
    ".pt": torch_saver,
    ".pth": torch_saver,
    ".safetensors": safetensors_saver,
}
