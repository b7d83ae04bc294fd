"""What a person keeps: datasets, comparisons, models, labelled cells; each has an owner."""

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

__all__ = [
    "KINDS",
    "LOCAL",
    "SCRATCH",
    "Item",
    "Library",
    "add_dataset",
    "file_of",
    "map_of",
    "open_dataset",
    "save_map",
    "set_view",
    "undo_view",
    "view_of",
]
