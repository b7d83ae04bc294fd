"""Results into AnnData and onto disk, with nothing of the user's overwritten."""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path

import anndata as ad
import h5py
import numpy as np

from scmpt_core.errors import FileRefused


def annotate(
    adata: ad.AnnData,
    *,
    obs: Mapping[str, np.ndarray] | None = None,
    obsm: Mapping[str, np.ndarray] | None = None,
    uns: Mapping[str, object] | None = None,
) -> tuple[ad.AnnData, list[str]]:
    """A shallow copy of ``adata`` with results added, and the names they were written under.

    A name that is taken gets ``_2``, ``_3``, …; what stood there stays.
    """
    out = ad.AnnData(
        X=adata.X, obs=adata.obs.copy(), var=adata.var, uns=dict(adata.uns), obsm=dict(adata.obsm),
        varm=dict(adata.varm), layers=dict(adata.layers), obsp=dict(adata.obsp),
        varp=dict(adata.varp),
    )  # fmt: skip
    if adata.raw is not None:
        out.raw = adata.raw.to_adata()
    written = []
    for slot, values in (("obs", obs), ("obsm", obsm), ("uns", uns)):
        for key, value in (values or {}).items():
            target = getattr(out, slot)
            name = free_name(key, target)
            target[name] = value
            written.append(f"{slot}[{name!r}]")
    return out, written


def free_name(key: str, taken: object) -> str:
    """``key``, or ``key_2``, ``key_3``, … where it is taken."""
    name, number = key, 2
    while name in taken:  # type: ignore[operator]
        name, number = f"{key}_{number}", number + 1
    return name


def check_target(path: Path, source: Path | None = None) -> None:
    """Refuse to write over anything but an earlier result of scMPT.

    Raises
    ------
    FileRefused
        The folder is missing, the name is no ``.h5ad``, or a file of the user's stands there.
    """
    if path.suffix != ".h5ad":
        raise FileRefused(f"{path} does not end in .h5ad.", "Name the output with -o OUT.h5ad.")
    if not path.parent.is_dir():
        raise FileRefused(f"The folder {path.parent} does not exist.", "Make it first.")
    if path.is_dir():
        raise FileRefused(f"{path} is a folder.", "Name a file.")
    if source is not None and path.exists() and source.exists() and path.samefile(source):
        raise FileRefused(f"{path} is the input itself.", "Name another output with -o.")
    if path.exists() and not _is_ours(path):
        raise FileRefused(
            f"{path} exists and was not written by scMPT.", "Name another output, or move it away."
        )


def _is_ours(path: Path) -> bool:
    try:
        with h5py.File(path, "r", locking=False) as file:
            return bool(file.attrs.get("scmpt", False))
    except OSError:  # not HDF5, so not ours
        return False


def write_h5ad(adata: ad.AnnData, path: Path) -> None:
    """Write beside the target and rename, so that a file there is always complete."""
    handle, temporary = tempfile.mkstemp(suffix=".h5ad", prefix=".scmpt-", dir=path.parent)
    os.close(handle)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # non-unique names of the user's are kept as they are
            adata.write_h5ad(temporary, compression="gzip")
        with h5py.File(temporary, "a", locking=False) as file:
            file.attrs["scmpt"] = True
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    finally:
        Path(temporary).unlink(missing_ok=True)
