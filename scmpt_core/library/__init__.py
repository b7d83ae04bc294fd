"""What a person keeps: datasets, comparisons, models, labelled cells; each has an owner."""

from scmpt_core.library.choices import CHOICES, choices_of, choose, undo_choice
from scmpt_core.library.datasets import (
    add_dataset,
    file_of,
    map_of,
    open_dataset,
    save_map,
    set_view,
    undo_view,
    view_of,
)
from scmpt_core.library.items import KINDS, LOCAL, SCRATCH, Item, Library
from scmpt_core.library.rates import embedding_rate, known_rates, note_rate, noting

__all__ = [
    "CHOICES",
    "KINDS",
    "LOCAL",
    "SCRATCH",
    "Item",
    "Library",
    "add_dataset",
    "choices_of",
    "choose",
    "embedding_rate",
    "file_of",
    "known_rates",
    "map_of",
    "note_rate",
    "noting",
    "open_dataset",
    "save_map",
    "set_view",
    "undo_choice",
    "undo_view",
    "view_of",
]
