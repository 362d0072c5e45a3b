"""Hugging Face hub: a folder with the spec in `config.json`, and the weights in `model.safetensors`.

from archdsl.integrations.hub import from_pretrained, push_to_hub, save_pretrained

save_pretrained(model, "my_net")
model = from_pretrained("my_net")  # a folder, or a repository of the hub
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archdsl import __version__
from archdsl.diagnostics import catalog
from archdsl.driver import pretrained
from archdsl.driver.containers import CONFIG, WEIGHTS
from archdsl.driver.manifest import KEY
from archdsl.driver.writing import write_text

if TYPE_CHECKING:
    from torch import nn


def save_pretrained(model: nn.Module, folder: str | Path) -> None:
    """Write a module that `archdsl.build` made into a folder, which is made if need be."""
    text = pretrained.manifest_of(model)
    place = Path(folder)
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise catalog.OUTPUT.error(None, f"{place}: {error.strerror}") from None
    pretrained.save(model, place / WEIGHTS)
    config = {"library_name": "archdsl", "archdsl_version": __version__, KEY: json.loads(text)}
    write_text(place / CONFIG, json.dumps(config, indent=2) + "\n")


def from_pretrained(name: str | Path, **options: Any) -> nn.Module:
    """The module of a folder, or of a repository of the hub; `options` are those of `snapshot_download`."""
    place = Path(name)
    if not place.is_dir():
        place = Path(hub().snapshot_download(str(name), allow_patterns=[CONFIG, WEIGHTS], **options))
    return pretrained.from_pretrained(place)


def push_to_hub(model: nn.Module, name: str, **options: Any) -> None:
    """Upload a module to a repository of the hub; `options` are those of `upload_folder`."""
    from tempfile import TemporaryDirectory

    api: Any = hub().HfApi()
    with TemporaryDirectory() as folder:
        save_pretrained(model, folder)
        api.create_repo(name, exist_ok=True)
        api.upload_folder(repo_id=name, folder_path=folder, **options)


def hub() -> Any:
    """The client of the hub."""
    try:
        import huggingface_hub
    except ImportError:
        help = "pip install huggingface_hub"
        raise catalog.MISSING_PACKAGE.error(None, "huggingface_hub is not installed", help=help) from None
    return huggingface_hub
