"""Weights as files: the state dict of a network, whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from archdsl.commands._output import write_whole
from archdsl.diagnostics import catalog

if TYPE_CHECKING:
    from torch import Tensor

    State = Mapping[str, Tensor]


def write_weights(path: Path, state: State) -> None:
    """Writes a state dict in the format that the path's ending names; raises ArchError where it cannot be written."""
    save = SAVERS[path.suffix]()
    held = apart(state)
    write_whole(path, lambda made: reported(save, held, made))


def apart(state: State) -> dict[str, Tensor]:
    """Tensors that share no memory, as a file should hold them: a part of a larger one would bring all of it."""
    import torch

    return {name: tensor.detach().clone(memory_format=torch.contiguous_format) for name, tensor in state.items()}


def reported(save: Callable[..., Any], state: dict[str, Tensor], path: Path) -> None:
    """Saves; what a library says of a full disk becomes the error that `write_whole` knows."""
    try:
        save(state, path)
    except OSError:
        raise
    except Exception as error:
        raise OSError(str(error).partition("\n")[0]) from None


def of_torch() -> Callable[..., Any]:
    """What saves in PyTorch's own format."""
    import torch

    return torch.save


def of_safetensors() -> Callable[..., Any]:
    """What saves as safetensors."""
    try:
        from safetensors.torch import save_file  # pyright: ignore[reportUnknownVariableType]
    except ImportError:
        help = "pip install 'archdsl[torch]'"
        raise catalog.MISSING_PACKAGE.error(None, "safetensors is not installed", help=help) from None
    return cast("Callable[..., Any]", save_file)


SAVERS: dict[str, Callable[[], Callable[..., Any]]] = {
    ".pt": of_torch,
    ".pth": of_torch,
    ".safetensors": of_safetensors,
}
