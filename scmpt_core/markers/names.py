"""Names of cell types that are the same words."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable

from scmpt_core.ontology.words import label_key
from scmpt_core.wording import few


def join_names(
    counts: Counter[str], key: Callable[[str], str] = label_key
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Each name → the one under which it stands, and a note on those that were joined.

    "T cell", "T cells" and "T Cell" stand under the name that most rows have, the first of
    several such.

    Parameters
    ----------
    counts
        Rows of each name.
    key
        What is alike for names of the same words; a name without any stands for itself.
    """
    alike: dict[str, list[str]] = defaultdict(list)
    for name in counts:
        alike[key(name) or name].append(name)
    stands = {
        name: max(names, key=counts.__getitem__) for names in alike.values() for name in names
    }
    joined = [f"{name} → {first}" for name, first in stands.items() if name != first]
    if not joined:
        return stands, ()
    return stands, (f"{len(joined)} names joined to another of the same words: {few(joined)}",)
