"""The file of a database: read once, held to a size, with the SHA-256 of its bytes."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from pathlib import Path

from scmpt_core.errors import DataError, FileRefused

MOST_BYTES = 64 << 20  # of text; PanglaoDB has 1.1 MB, CellMarker 2 below 2 MB
GZIP = b"\x1f\x8b"
WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")  # .xlsx and every zip archive; .xls
SEPARATOR_LINE = re.compile("sep=([,;|\t])\n", re.IGNORECASE)  # how Excel is told of the separator
QUOTED = re.compile('"[^"]*"')


@dataclass(frozen=True)
class Source:
    """A table of text, with the name that an error should say.

    Parameters
    ----------
    text
        Its lines end in a line feed.
    sign
        What separates two cells, where the file says so; None: the first of :attr:`separators`.
    """

    path: Path
    text: str = field(repr=False)
    sha256: str = ""
    sign: str | None = None

    @cached_property
    def lines(self) -> list[tuple[int, list[str]]]:
        """Number of the line in the file, from 1, and its cells; empty lines are left out.

        Raises
        ------
        DataError
            The quotes of the file do not close, or a cell is too long for a table.
        """
        return list(self._rows())

    def head(self, lines: int) -> list[tuple[int, list[str]]]:
        """As :attr:`lines`, the first of them only."""
        return list(islice(self._rows(), lines))

    def _rows(self) -> Iterator[tuple[int, list[str]]]:
        sign = self.sign or self.separators[0]
        reader = csv.reader(io.StringIO(self.text), delimiter=sign, strict=True)
        start = 1
        try:
            for row in reader:
                cells = [cell.strip() for cell in row]
                if any(cells):
                    yield start, cells
                start = reader.line_num + 1
        except csv.Error as error:
            raise DataError(
                f"{self.path.name}, line {start}: {error}.", "Save the table as CSV anew."
            ) from error

    @property
    def separators(self) -> tuple[str, ...]:
        """What may separate two cells: tabs where the first line has one, else "," and ";"."""
        first = QUOTED.sub("", self.text.lstrip("\n").partition("\n")[0])
        there = tuple(sign for sign in "\t,;" if sign in first) or (",",)
        return (self.sign,) if self.sign else there[:1] if "\t" in there else there

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
        There is no such file, it is a workbook, damaged, not text in UTF-8, or unpacks to more
        than 64 MiB.
    """
    try:
        with path.open("rb") as handle:
            data = handle.read(MOST_BYTES + 1)
    except OSError as error:
        raise FileRefused(f"{path} cannot be read: {error.strerror}.", "Name a file.") from error
    text = _unpacked(path, data)
    if text.startswith(WORKBOOKS):
        raise FileRefused(
            f"{path.name} is an Excel workbook or another archive, not a table of text.",
            "Open it, and save the sheet with the markers as CSV in UTF-8.",
        )
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
    if "\0" in decoded:
        raise FileRefused(
            f"{path.name} holds a NUL character (character {decoded.index(chr(0)):,}), which no "
            "table of text does.",
            "Save it as CSV in UTF-8.",
        )
    lines = decoded.replace("\r\n", "\n").replace("\r", "\n")
    told = SEPARATOR_LINE.match(lines)
    if told:  # its line stays, empty, so that errors name the right lines
        lines = lines[told.end() - 1 :]
    sign = told.group(1) if told else None
    return Source(path, lines, hashlib.sha256(data).hexdigest(), sign)


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
