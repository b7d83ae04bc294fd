"""What an encoder is, and what is known about it before it is loaded."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Set
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, get_args

import numpy as np

from scmpt_core.device import Device
from scmpt_core.errors import MissingComponent, SettingError
from scmpt_core.progress import Progress
from scmpt_core.sentences import PLAIN, PREFIX, get_format

if TYPE_CHECKING:
    from scmpt_core.cells import Cells

LongCells = Literal["random", "highest"]  # which genes a cell keeps that has too many
LONG_CELLS: tuple[LongCells, ...] = get_args(LongCells)
Modality = Literal["text", "genes", "expression"]


@dataclass(frozen=True)
class EncoderInfo:
    """The metadata record of an encoder.

    Parameters
    ----------
    dimension
        Length of an embedding.
    trained
        The weights come from training (or from a fit to the cells at hand), never from chance.
    fitted
        It is fitted to cells before it encodes; frozen otherwise.
    """

    name: str
    modality: Modality
    dimension: int
    licence: str
    reference: str
    summary: str
    trained: bool = True
    fitted: bool = False


@dataclass(frozen=True)
class Status:
    """Whether an encoder can be used now; if not, what to do."""

    ready: bool
    how_to_get: str


@dataclass(frozen=True)
class EncoderOptions:
    """What a user may choose of how encoders read cells.

    Parameters
    ----------
    long_cells
        Which genes a cell keeps that expresses more than scGPT reads: ``"random"``, a subset
        drawn from the cell's own content, as upstream does (but the same at every call), or
        ``"highest"``, its most expressed genes, ties broken by the same draw.
    sentence
        Name of the format in which text encoders read cells; see :mod:`scmpt_core.sentences`.
    prefix
        The free text of the format ``"prefix"``.

    Raises
    ------
    SettingError
        There is no such way or format, or the prefix does not go with it.
    MissingComponent
        The format needs a file that is not here.
    """

    long_cells: LongCells = "random"
    sentence: str = PLAIN.name
    prefix: str = ""

    def __post_init__(self) -> None:
        if self.long_cells not in LONG_CELLS:
            raise SettingError(
                f"What cells keep that are too long: {self.long_cells!r}.",
                f"Give one of {', '.join(LONG_CELLS)}.",
            )
        chosen = get_format(self.sentence)
        if self.prefix and chosen is not PREFIX:
            raise SettingError(
                f"The sentences {chosen.name} have no prefix; {self.prefix!r} was given.",
                f"Leave it out, or choose the sentences {PREFIX.name}.",
            )
        chosen.make(self.prefix)


class Encoder(Protocol):
    """Frozen: the same cell always gives the same vector."""

    info: EncoderInfo
    chunk: int  # cells worth storing at a time: some seconds of work

    def identity(self) -> dict:
        """All that its vectors depend on besides the cells, as JSON."""

    def encode(self, cells: Cells, progress: Progress) -> np.ndarray:
        """Embeddings, (cells, dimension) float32; ``progress`` hears fractions of ``cells``."""

    def window(self, cells: Cells) -> np.ndarray:
        """Share of the encoder's input that each gene makes up over ``cells``, (genes,), sum 1."""


class FittedEncoder(Encoder, Protocol):
    """One whose ``info.fitted`` holds: it is fitted to cells before it encodes."""

    def fit(self, cells: Cells) -> FittedEncoder:
        """Itself, fitted to ``cells``; a shallow copy can be fitted apart."""

    def state(self) -> dict[str, np.ndarray]:
        """What the fit consists of, besides the genes."""

    def restore(self, genes: np.ndarray, state: dict[str, np.ndarray]) -> FittedEncoder:
        """Itself, with a saved fit."""


@dataclass(frozen=True)
class EncoderSpec:
    """One line of the registry.

    Parameters
    ----------
    vocabulary
        The genes it has a weight for; ``None`` when any name can be read.
    size
        Bytes of its weights on this machine's disk; ``None`` where there are none.
    """

    info: EncoderInfo
    status: Callable[[], Status]
    load: Callable[[Device, EncoderOptions], Encoder]
    vocabulary: Callable[[], Set[str] | None]
    size: Callable[[], int | None]

    @property
    def name(self) -> str:
        """By which a user asks for it."""
        return self.info.name


def check_width(info: EncoderInfo, width: int | None) -> None:
    """Refuse weights of another encoder than ``info`` describes.

    Raises
    ------
    MissingComponent
        Their vectors are of another length.
    """
    if width != info.dimension:
        raise MissingComponent(
            f"The weights given for {info.name} make vectors of {width} numbers, not "
            f"{info.dimension:,}.",
            "Give the folder of that model.",
        )


def identity_hash(encoder: Encoder) -> str:
    """Short hash of :meth:`Encoder.identity`, part of an embedding's key."""
    text = json.dumps(encoder.identity(), sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()
