"""Symbols with a few words on what the gene is, from a file of one's own."""

from __future__ import annotations

import csv
import hashlib
import io
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from scmpt_core.errors import DataError, MissingComponent
from scmpt_core.sentences.base import FormatInfo
from scmpt_core.sentences.plain import Plain
from scmpt_core.settings import get_settings

MOST_WORDS = 4  # of a description: with the symbol some 9 tokens, so 28 genes in 256
COLUMNS = ("symbol", "description")
SHAPE = "Give a CSV or TSV file in UTF-8 whose header names the columns symbol and description."


@dataclass(frozen=True)
class Descriptions:
    """Symbol → the first words on it, and SHA-256 of the file."""

    words: dict[str, str]
    sha256: str


class Described(Plain):
    """Plain order; a gene that the file lacks stands as its symbol alone."""

    def __init__(self, info: FormatInfo, descriptions: Descriptions) -> None:
        super().__init__(info)
        self.descriptions = descriptions

    def spell(self, genes: np.ndarray) -> list[str]:
        """Symbol, then its description."""
        words = self.descriptions.words
        return [f"{gene} {words[gene]}" if gene in words else str(gene) for gene in genes]

    def identity(self) -> dict:
        """With the file's hash."""
        return {
            "format": self.info.name, "version": self.info.version,
            "file_sha256": self.descriptions.sha256,
        }  # fmt: skip


def make_described(_text: str) -> Described:
    """The format with the file that SCMPT_GENE_DESCRIPTIONS names.

    Raises
    ------
    MissingComponent
        None is named, or it is not there.
    DataError
        It is no such table.
    """
    path = get_settings().gene_descriptions
    if path is None or not path.is_file():
        where = "none is named" if path is None else f"there is no file {path}"
        raise MissingComponent(
            f"The sentences described need a table of gene descriptions; {where}.",
            "Set SCMPT_GENE_DESCRIPTIONS to a CSV or TSV file with the columns symbol and "
            "description.",
        )
    return Described(DESCRIBED, _read(path, path.stat().st_mtime_ns))


def _ready() -> bool:
    try:
        make_described("")
    except (MissingComponent, DataError):
        return False
    return True


@lru_cache(maxsize=2)
def _read(path: Path, _changed: int) -> Descriptions:
    raw = path.read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path.name} is not UTF-8: {error}.", SHAPE) from error
    head = text.partition("\n")[0]
    delimiter = "\t" if head.count("\t") >= head.count(",") and "\t" in head else ","
    table = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter)
    found = {}
    try:
        names = [name.strip().casefold() for name in table.fieldnames or ()]
        if missing := [column for column in COLUMNS if column not in names]:
            raise DataError(f"{path.name} lacks {' and '.join(missing)} among {names}.", SHAPE)
        table.fieldnames = names
        for row in table:
            symbol, words = ((row[column] or "").strip() for column in COLUMNS)
            if symbol and words:
                found[symbol] = " ".join(words.split()[:MOST_WORDS])
    except csv.Error as error:
        raise DataError(f"{path.name}, line {table.line_num}: {error}.", SHAPE) from error
    if not found:
        raise DataError(f"{path.name} describes no gene.", SHAPE)
    return Descriptions(found, hashlib.sha256(raw).hexdigest())


DESCRIBED = FormatInfo(
    "described", "With descriptions",
    f"plain, each symbol followed by up to {MOST_WORDS} words on the gene, from a file of yours "
    "(SCMPT_GENE_DESCRIPTIONS)",
    "this project", make_described, ready=_ready,
)  # fmt: skip
