"""Models that ship with scMPT, for people without labels of their own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from scmpt_core.device import Device
from scmpt_core.errors import MissingComponent, SettingError
from scmpt_core.fusion.folder import load
from scmpt_core.fusion.model import ScMPT
from scmpt_core.registry import find

FOLDER = Path(__file__).parents[1] / "assets" / "models"


@dataclass(frozen=True)
class Reference:
    """The metadata record of a model that ships; its card lies beside its weights."""

    name: str
    title: str
    tissue: str
    summary: str

    @property
    def folder(self) -> Path:
        """Where it lies."""
        return FOLDER / self.name


REFERENCES = [
    Reference("pbmc", "Human blood (PBMC)", "blood", "the main types of human blood cells"),
    Reference("islets", "Human pancreatic islets", "pancreas", "the types of pancreatic islets"),
]


def reference_folder(name: str) -> Path:
    """The folder of the model called ``name``.

    Raises
    ------
    SettingError
        None of that name ships.
    MissingComponent
        Its files are not there.
    """
    reference = find(REFERENCES, name, "model that ships")
    if not (reference.folder / "config.json").is_file():
        raise MissingComponent(
            f"The model {name} is not in {reference.folder}.",
            "Restore it, or run scripts/train_reference_models.py.",
        )
    return reference.folder


def model_folder(name: str | Path) -> Path:
    """The folder of a model that ships, by its name, or a folder itself.

    Raises
    ------
    MissingComponent
        It ships, but its files are not there.
    SettingError
        It is neither.
    """
    if str(name) in {r.name for r in REFERENCES} and not Path(name).is_dir():
        return reference_folder(str(name))
    if not Path(name).is_dir():
        ships = ", ".join(r.name for r in REFERENCES)
        raise SettingError(
            f"There is no model {str(name)!r}.",
            f"Name the folder of one that you trained, or one that ships: {ships}.",
        )
    return Path(name)


def open_model(name: str | Path, device: Device) -> ScMPT:
    """A model that ships, by its name, or the one in a folder.

    Raises
    ------
    ModelError, SettingError, MissingComponent
        It is neither, or damaged.
    """
    return load(model_folder(name), device)
