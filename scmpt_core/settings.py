"""Settings, each from an environment variable ``SCMPT_<NAME>``."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from platformdirs import user_data_path
from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from scmpt_core.errors import SettingError


class Settings(BaseSettings):
    """What may differ between machines; read anew at each call of :func:`get_settings`."""

    model_config = SettingsConfigDict(env_prefix="SCMPT_", frozen=True)

    home: Path = Field(default_factory=lambda: user_data_path("scmpt"))  # embeddings, models
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    dtype: Literal["auto", "float32", "bfloat16"] = "auto"
    local: bool = True  # the app serves one person on this machine: paths may be typed in
    max_file_mb: int = Field(4096, gt=0)  # a larger input file is refused
    max_memory_mb: int = Field(16384, gt=0)  # a file that would unpack to more is refused
    ember_folder: Path | None = None  # a sentence-transformers folder of llmrails/ember-v1
    scgpt_human_folder: Path | None = None  # args.json, vocab.json, best_model.pt
    panglaodb_file: Path | None = None  # markers: PanglaoDB_markers_27_Mar_2020.tsv.gz
    cellmarker_file: Path | None = None  # markers: a table of CellMarker 2
    gene_descriptions: Path | None = None  # sentences: a table of symbol and description

    @property
    def embeddings(self) -> Path:
        """Folder of the embedding store."""
        return self.home / "embeddings"

    @property
    def models(self) -> Path:
        """Folder of downloaded encoder weights."""
        return self.home / "models"


def get_settings() -> Settings:
    """Read the settings.

    Raises
    ------
    SettingError
        A variable holds a value that is not allowed.
    """
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = "SCMPT_" + "_".join(str(p) for p in first["loc"]).upper()
        raise SettingError(
            f"{name} is {first['input']!r}: {first['msg']}.", f"Set {name} to an allowed value."
        ) from error
