"""Comma- and tab-separated tables, with their orientation found from the gene names."""

from __future__ import annotations

import csv
import gzip
import io
from collections import Counter
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import scipy.sparse as sp

from scmpt_core.data.genes import recognised_share
from scmpt_core.errors import FileRefused


def read_table(path: Path) -> ad.AnnData:
    """Read a table; text columns of a cells × genes table become columns of ``obs``.

    Raises
    ------
    FileRefused
        Not a table, ragged, not numeric, or genes found on both or neither side.
    """
    header, frame = _read_frame(path)
    numeric = np.array([pd.api.types.is_numeric_dtype(t) for t in frame.dtypes])
    # Genes in the columns, or in the rows; a text column beside gene columns is a label.
    in_columns = recognised_share(np.array(header)[numeric])
    in_rows = recognised_share(frame.index.to_numpy(str))
    if max(in_columns, in_rows) < 0.05:
        raise FileRefused(
            f"{path.name}: neither its columns ({in_columns:.1%}) nor its rows ({in_rows:.1%}) "
            "are named by human genes; at least 5 % must be.",
            "Give gene symbols or Ensembl ids as column or row names.",
        )
    if not numeric.any() or (in_rows > in_columns and not numeric.all()):
        text = [h for h, ok in zip(header, numeric, strict=True) if not ok]
        raise FileRefused(
            f"{path.name} holds text in column {text[0]!r}.", "Remove it, or fix its numbers."
        )
    matrix = sp.csr_matrix(frame.loc[:, numeric].to_numpy(np.float32))
    names = np.array(header)[numeric]
    if in_rows > in_columns:
        return _adata(matrix.T.tocsr(), pd.DataFrame(index=names), frame.index)
    obs = frame.loc[:, ~numeric].set_axis(np.array(header)[~numeric], axis=1)
    return _adata(matrix, obs.astype("category"), names)


def _adata(matrix: sp.csr_matrix, obs: pd.DataFrame, genes: pd.Index | np.ndarray) -> ad.AnnData:
    obs.index = obs.index.astype(str)
    return ad.AnnData(matrix, obs=obs, var=pd.DataFrame(index=np.asarray(genes, dtype=str)))


def _read_frame(path: Path) -> tuple[list[str], pd.DataFrame]:
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as handle:
            raw = handle.read()
        text = raw.decode("utf-8-sig")
        head = text[: text.find("\n")]
        sep = "\t" if head.count("\t") >= head.count(",") else ","
        rows = csv.reader(io.StringIO(text), delimiter=sep)
        header, first = next(rows), next(rows)
        # R writes no name above its row names; the header is then one short.
        header = header if len(header) == len(first) - 1 else header[1:]
        frame = pd.read_csv(
            io.StringIO(text), sep=sep, header=None, skiprows=1, index_col=0, low_memory=False
        )
    except (UnicodeDecodeError, StopIteration, OSError, EOFError, pd.errors.ParserError) as error:
        raise FileRefused(
            f"{path.name} is not a readable table: {error or 'fewer than two lines'}",
            "Save it as comma- or tab-separated text in UTF-8.",
        ) from error
    if len(header) != frame.shape[1]:
        raise FileRefused(
            f"{path.name} has {len(header)} column names for {frame.shape[1]} columns.",
            "Write the table again.",
        )
    repeated = sorted({h for h, n in Counter(header).items() if n > 1} & _texts(header, frame))
    if repeated:
        raise FileRefused(
            f"{path.name} has several columns named {repeated[0]!r}.", "Give each its own name."
        )
    return header, frame


def _texts(header: list[str], frame: pd.DataFrame) -> set[str]:
    """Names of the text columns; genes may repeat, labels may not."""
    pairs = zip(header, frame.dtypes, strict=True)
    return {name for name, kind in pairs if not pd.api.types.is_numeric_dtype(kind)}
