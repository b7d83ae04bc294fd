"""The file of a database: read once, held to a size, with the SHA-256 of its bytes."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import zlib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from scmpt_core.errors import DataError, FileRefused

MOST_BYTES = 64 << 20  # of text; PanglaoDB has 1.1 MB, CellMarker 2 below 2 MB
GZIP = b"\x1f\x8b"


@dataclass(frozen=True)
class Source:
    """A table of text, with the name that an error should say.

    Rows are split by tabs where the first line has one, else by commas, else by semicolons.
    """

    path: Path
    text: str = field(repr=False)
    sha256: str = ""

    @cached_property
    def lines(self) -> list[tuple[int, list[str]]]:
        """Number of the line in the file, from 1, and its cells; empty lines are left out.

        Raises
        ------
        DataError
            The quotes of the file do not close, or a cell is too long for a table.
        """
        reader = csv.reader(io.StringIO(self.text), delimiter=self.delimiter, strict=True)
        out, start = [], 1
        try:
            for row in reader:
                if any(cell.strip() for cell in row):
                    out.append((start, [cell.strip() for cell in row]))
                start = reader.line_num + 1
        except csv.Error as error:
            raise DataError(
                f"{self.path.name}, line {start}: {error}.", "Save the table as CSV anew."
            ) from error
        return out

    @property
    def delimiter(self) -> str:
        """What separates two cells."""
        first = self.text.lstrip("\r\n").partition("\n")[0]
        return next((sign for sign in "\t,;" if sign in first), ",")

    @property
    def header(self) -> list[str]:
        """The cells of the first line; none for an empty file."""
        return self.lines[0][1] if self.lines else []

    def records(self) -> list[tuple[int, dict[str, str]]]:
        """Number of the line and its cells by the header's names.

        Raises
        ------
        DataError
            A line has more or fewer cells than the header.
        """
        width = len(self.header)
        for number, row in self.lines:
            if len(row) != width:
                raise DataError(
                    f"{self.path.name}, line {number} has {len(row)} columns, the header {width}.",
                    "Put that line right, or get the file again.",
                )
        return [(n, dict(zip(self.header, row, strict=True))) for n, row in self.lines[1:]]


def read_source(path: Path) -> Source:
    """Read a table that may be gzipped.

    Raises
    ------
    FileRefused
        There is no such file, it is damaged, not text in UTF-8, or unpacks to more than 64 MiB.
    """
    try:
        with path.open("rb") as handle:
            data = handle.read(MOST_BYTES + 1)
    except OSError as error:
        raise FileRefused(f"{path} cannot be read: {error.strerror}.", "Name a file.") from error
    text = _unpacked(path, data)
    if max(len(text), len(data)) > MOST_BYTES:
        raise FileRefused(
            f"{path.name} holds more than {MOST_BYTES >> 20} MiB of text.",
            "A table of marker genes is smaller; name that.",
        )
    try:
        decoded = text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FileRefused(
            f"{path.name} is not text in UTF-8 (byte {error.start:,}).", "Save it as CSV in UTF-8."
        ) from error
    return Source(path, decoded, hashlib.sha256(data).hexdigest())


def _unpacked(path: Path, data: bytes) -> bytes:
    if not data.startswith(GZIP):
        return data
    try:
        with gzip.open(io.BytesIO(data)) as handle:
            return handle.read(MOST_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise FileRefused(
            f"{path.name} is a damaged gzip file: {error}.", "Get it again."
        ) from error
