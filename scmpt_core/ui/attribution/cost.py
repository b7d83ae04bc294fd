"""What explaining will cost, before it runs: from the rate at which cells are embedded here."""

from __future__ import annotations

from collections.abc import Sequence

from scmpt_core.attribution import Options, get_method
from scmpt_core.device import choose_device
from scmpt_core.jobs.estimate import REFERENCE, START
from scmpt_core.library import known_rates
from scmpt_core.progress import duration
from scmpt_core.ui.components import plain
from scmpt_core.ui.state import library

# A step asked for, against reading a cell, the whole model and its parts together, doubled steps
# included: 5.3 s on the demo's cells where all encoders read one in 0.033 s, for 16 steps asked.
GRADIENT = 10.0


def readings(method: str, options: Options, genes: float) -> float:
    """How often a cell is embedded for one explanation, about; a gradient counts for several."""
    return {
        "ig": GRADIENT * options.steps,
        "lime": options.samples,
        "occlusion": genes + 1,
        "shap": options.permutations * genes,
    }[method]


def cost_words(
    settings: dict, options: Options, types: int, genes: float, encoders: Sequence[str]
) -> str:
    """How many explanations, and about how long they take.

    Parameters
    ----------
    types
        How many there are, at most.
    genes
        That a cell expresses.
    """
    cells, total, explanations = settings["cells"] * types, 0.0, 0
    for method in settings["methods"]:
        runs = cells * (settings["seeds"] if get_method(method).seeded else 1)
        explanations += runs
        total += runs * readings(method, options, genes)
    rates = REFERENCE | known_rates(library().home, choose_device().name)
    timed = [name for name in encoders if f"embed:{name}" in rates]
    seconds = START + sum(total / rates[f"embed:{name}"] for name in timed)
    text = (
        f"At most {cells:,} cells ({settings['cells']} of each of {types} types), {explanations:,} "
        f"explanations; a cell is read about {total / max(explanations, 1):,.0f} times for each. "
        f"Expected: about {duration(seconds)}, roughly. It can be stopped, and goes on where it "
        "was."
    )
    if lacking := [name for name in encoders if name not in timed]:
        text += f" Not counted, never timed here: {', '.join(lacking)}."
    return plain(text)
