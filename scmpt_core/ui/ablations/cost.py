"""What ablations will cost, before they run: from the rate at which cells are embedded here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from scmpt_core.ablations import Request
from scmpt_core.ablations.run import UNLABELLED
from scmpt_core.device import choose_device
from scmpt_core.encoders.base import Modality
from scmpt_core.jobs.estimate import REFERENCE, START, fit_rate
from scmpt_core.jobs.kinds.ablate import request_of
from scmpt_core.library import embedding_rate, known_rates
from scmpt_core.progress import duration
from scmpt_core.ui.ablations.subject import Subject
from scmpt_core.ui.components import plain
from scmpt_core.ui.state import library


def perturbations(request: Request, encoders: Mapping[str, Modality]) -> tuple[int, Counter[str]]:
    """How many there are, and of these how many each encoder has to read for.

    Parameters
    ----------
    encoders
        Name → what it reads.
    """
    runs, read = 0, Counter()
    for info in request.chosen:
        n = len(request.settings(info, tuple(encoders))) // len(request.regimes)
        runs += n
        if info.mix is None:
            read.update({name: n for name, what in encoders.items() if what in info.acts_on})
    return runs, read


def cost_words(subject: Subject, settings: dict) -> str:
    """How many perturbations of how many cells, and about how long that takes."""
    request = request_of(settings)
    runs, read = perturbations(request, subject.encoders)
    tested, fitted = _cells(subject, request)
    rates = REFERENCE | known_rates(library().home, choose_device().name)
    timed = [name for name in read if embedding_rate(name) in rates]
    refit = "refit" in request.regimes
    cells = tested + (fitted if refit else 0)
    seconds = START + sum(read[n] * cells / rates[embedding_rate(n)] for n in timed)
    text = f"{runs:,} perturbations of {cells:,} cells, of which {tested:,} are tested"
    if refit:
        rate = rates.get(fit_rate(subject.config["head"], "quick"), REFERENCE["fit:neural:quick"])
        seconds += (runs + 1) * fitted / rate
        text += f"; the head is fitted {runs + 1:,} times"
    text += (
        f". Expected: at most about {duration(seconds)}, roughly: a cell that an ablation leaves "
        "as it was is not read again. It can be stopped, and goes on where it was."
    )
    if lacking := [name for name in read if name not in timed]:
        text += f" Not counted, never timed here: {', '.join(lacking)}."
    return plain(text)


def _cells(subject: Subject, request: Request) -> tuple[int, int]:
    """Tested cells, and those that a head is fitted on."""
    split = subject.config["split"]
    own = subject.seen == split["train"]
    tested = split["test"] if own and split["test"] else len(subject.cells)
    if subject.label is None:
        tested = min(tested, UNLABELLED)
    fitted = sum(split[part] for part in ("train", "validation", "calibration"))
    return min(tested, request.cells or tested), fitted
