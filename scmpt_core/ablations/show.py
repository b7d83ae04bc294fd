"""The sentence of one cell as a text encoder reads it, before and after an ablation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from scmpt_core.ablations.context import context_of, genes_read, known_to_all, mean_expression
from scmpt_core.ablations.registry import get_ablation
from scmpt_core.ablations.result import Ablated, Setting
from scmpt_core.cells import Cells
from scmpt_core.encoders.text import TextEncoder
from scmpt_core.errors import DataError
from scmpt_core.fusion import ScMPT

Change = Literal["same", "moved", "renamed", "new", "lost", "format"]


@dataclass(frozen=True)
class Word:
    """A word that the encoder reads.

    Parameters
    ----------
    text
        As it stands in the sentence.
    gene
        Symbol in the file; ``None`` for a word of the sentence's format, which is no gene.
    place
        In the sentence, from 1.
    was
        Its place in the other of the two sentences; ``None`` where it is not read there.
    change
        "new" and "lost": read in this sentence alone. "renamed": under another name. "moved": at
        another place among the genes that are read both times.
    """

    text: str
    gene: str | None
    place: int
    was: int | None
    change: Change


@dataclass(frozen=True)
class Sentences:
    """What is read of one cell."""

    before: tuple[Word, ...]
    after: tuple[Word, ...]

    def count(self, change: Change) -> int:
        """How many genes are so; the lost ones stand in ``before``, all others in ``after``."""
        words = self.before if change == "lost" else self.after
        return sum(word.change == change for word in words)


def sentences(encoder: TextEncoder, before: Cells, after: Cells) -> Sentences:
    """What ``encoder`` reads of one cell, in order; the last gene may be read in part.

    Parameters
    ----------
    before, after
        The same cell, with the same columns under the same or other names.
    """
    first, now = _read(encoder, before), _read(encoder, after)
    both = {word for word in set(first) & set(now) if word < len(before.genes)}
    order, other = ([word for word in read if word in both] for read in (first, now))
    moved = {word for word, theirs in zip(order, other, strict=True) if word != theirs}
    renamed = set(np.flatnonzero(before.genes != after.genes).tolist())

    def change(word: int, alone: Change) -> Change:
        if word not in both:
            return alone
        return "renamed" if word in renamed else "moved" if word in moved else "same"

    def words(cells: Cells, mine: list[int], other: list[int], alone: Change) -> tuple[Word, ...]:
        genes = [word for word in mine if word < len(cells.genes)]
        spelled = dict(zip(genes, encoder.sentence.spell(cells.genes[genes]), strict=True))
        places = {word: place for place, word in enumerate(other, 1)}
        return tuple(
            Word(spelled[word], str(before.genes[word]), place, places.get(word),
                 change(word, alone))
            if word in spelled
            else Word(encoder.sentence.literals[word - len(cells.genes)], None, place, None,
                      "format")
            for place, word in enumerate(mine, 1)
        )  # fmt: skip

    return Sentences(words(before, first, now, "lost"), words(after, now, first, "new"))


def perturbed_cell(
    model: ScMPT,
    cells: Cells,
    result: Ablated,
    setting: Setting,
    encoder: str,
    row: int,
    markers: Sequence[frozenset[str]] | None = None,
) -> tuple[Cells, Cells]:
    """One tested cell as an encoder reads it, without and with a perturbation.

    Parameters
    ----------
    cells
        Of the whole file, of the genes that the model knows.
    setting
        One of ``result.rows`` that changes what encoders read, so not of the family "encoders".
    row
        Position among the tested cells.
    markers
        As they were given to :func:`~scmpt_core.ablations.run.ablate`.

    Raises
    ------
    DataError
        The file no longer holds the cell.
    """
    at = np.flatnonzero(cells.ids == result.ids[row])
    if len(at) != 1:
        raise DataError(f"The file no longer holds the cell {result.ids[row]}.", "Run it again.")
    cell, reader = cells.take(at), model.encoders[encoder]
    context = context_of(
        reader, cell, result.codes[[row]], _means(model, cells, result),
        known_to_all(model.encoders, cells.genes), markers or (),
        frozenset(result.settings.get("gene_set", ())),
    )  # fmt: skip
    info = get_ablation(setting.ablation)
    return cell, info.perturb(cell, context, setting.strength or 0.0, setting.seed)


def _read(encoder: TextEncoder, cell: Cells) -> list[int]:
    """Words up to the last gene of which a piece is read, of one cell."""
    words = encoder.sentence.arrange(cell).of(0)
    genes = np.flatnonzero(words < len(cell.genes))
    n = int(genes_read(encoder, cell)[0])
    return words[: genes[n - 1] + 1].tolist() if n else []


def _means(model: ScMPT, cells: Cells, result: Ablated) -> np.ndarray:
    """As the run took them, (genes,): over the training cells, or else over the tested ones."""
    if not result.known:  # then no other cell of the file was looked at
        cells = cells.take(np.isin(cells.ids, result.ids))
    train = model.own(cells, "train")
    rows = train if train.any() else np.isin(cells.ids, result.ids)
    return mean_expression(cells, rows)
