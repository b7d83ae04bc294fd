"""What was explained: whose cells, of which types, for which model, and all settings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import streamlit as st

from scmpt_core.attribution import Attribution, get_method
from scmpt_core.encoders import ENCODERS
from scmpt_core.library import Item
from scmpt_core.ui.attribution.scores import TITLES, method_title
from scmpt_core.ui.classify.models import model_title
from scmpt_core.ui.components import plain
from scmpt_core.wording import amount, few

WHAT = (
    "A score says how much a gene adds to the logit of the type, by the method's own rule. It "
    "says what the model leans on, not what makes the cell what it is."
)
MODALITY = {spec.name: spec.info.modality for spec in ENCODERS}
# option → its method, the kind of encoder that it is for, words
OPTIONS = {
    "samples": ("lime", None, "perturbed cells"),
    "permutations": ("shap", None, "orders of the genes"),
    "steps": ("ig", None, "steps at first"),
    "most_steps": ("ig", None, "steps at most"),
    "tolerance": ("ig", None, "share that may be missing"),
    "text_baseline": ("ig", "text", "a gene of a text starts as"),
    "scgpt": ("ig", "genes", "scGPT's path"),
}


def headline(item: Item, result: Attribution) -> None:
    """Two sentences, and what is wrong with the cells."""
    title = model_title(item.meta)
    model = title if title == result.model else f"{title} ({result.model})"
    methods = ", ".join(method_title(name) for name in result.methods)
    st.success(
        f"{plain(item.meta['dataset_name'])}: {amount(len(result.ids), 'cell')} of "
        f"{plain(types_words(result))} explained for **{plain(model)}** by {plain(methods)}. "
        f"{plain(said_words(result))}"
    )
    origin, warn = origin_words(result)
    if warn:
        st.warning(origin)
    st.caption(" ".join(filter(None, [WHAT, "" if warn else origin, plain(lack_words(result))])))


def encoders_of(kind: str, encoders: Sequence[str]) -> list[str]:
    """Those that read texts (``text``), or genes with values (``genes``: scGPT)."""
    return [name for name in encoders if MODALITY.get(name) == kind]


def types_words(result: Attribution) -> str:
    """ "3 types", or "7 of 8 types (none for: X; fewer than the 2 asked for: Y)"."""
    there, asked = result.type_names, result.settings.get("cells", 0)
    wanted = result.settings.get("types") or list(result.classes)
    none = result.settings.get(
        "types_without_cells", [name for name in wanted if name not in there]
    )
    counts = Counter(result.classes[code] for code in result.types)
    few = [f"{name} ({counts[name]})" for name in there if counts[name] < asked]
    notes = [f"none for: {', '.join(none)}"] if none else []
    notes += [f"fewer than the {asked} asked for: {', '.join(few)}"] if few else []
    text = f"{len(there)} of {len(wanted)} types" if none else amount(len(there), "type")
    return f"{text} ({'; '.join(notes)})" if notes else text


def said_words(result: Attribution) -> str:
    """Whose logit is explained, and how often the model was right."""
    if result.target is not None:
        text = f"Scores are for the logit of {result.target} in every cell."
    elif result.known:
        right = sum(result.predicted[result.ways[0]] == result.types)
        text = f"Scores are for their known type, which the model named right in {right:,}."
    else:
        text = "Scores are for the type that the model predicts."
    if n := int(result.unknown.sum()):
        text += f" {n:,} of the cells it would call Unknown, by the usual rule."
    return text


def origin_words(result: Attribution) -> tuple[str, bool]:
    """Whether the model knew the cells, and whether that is a warning; empty: not kept."""
    n, tested = len(result.ids), result.settings.get("test_cells")
    training = result.settings.get("training_cells", 0)
    if tested is None:
        return "", False
    if training:
        return (
            f"{training:,} of the {amount(n, 'cell')} are the model's training cells: it may lean "
            "on what it learnt by heart. Explain other cells to see what it has learnt of the "
            "types.", True,
        )  # fmt: skip
    if tested == n:
        return "The model was tested on these cells, not trained on them.", False
    if not tested:
        return "These cells are of another file than the model was made from.", False
    return f"The model was tested on {tested:,} of the cells; the others it never met.", False


def lack_words(result: Attribution) -> str:
    """What of the model and of the file plays no part."""
    without = result.settings.get("without_weight", [])
    unknown = result.settings.get("labels_not_known", {})
    out = []
    if without:
        out.append(
            f"The fusion gives {', '.join(without)} the weight 0: the whole model does not read "
            f"{'it' if len(without) == 1 else 'them'}, only the part alone does."
        )
    if unknown:
        names = few(f"{name} ({n:,})" for name, n in unknown.items())
        out.append(f"Left out, since the model does not know the label: {names}.")
    return " ".join(out)


def settings_words(result: Attribution) -> str:
    """All that the scores depend on; options only of methods that ran."""
    known, options = result.settings, result.settings.get("options", {})
    formats = known.get("number_formats", {})
    methods = [
        method_title(name) + (f" ({formats[name]})" if name in formats else "")
        for name in result.methods
    ]
    parts = [f"methods {', '.join(methods)}"]
    parts += [f"cells of each type {known['cells']}"] if "cells" in known else []
    if "seeds" in known and any(get_method(n).seeded for n in result.methods if n in TITLES):
        parts.append(f"seeds {known['seeds']}")
    for name, (method, kind, words) in OPTIONS.items():
        # earlier versions did not keep the encoders' names
        read = kind is None or "encoders" not in known or encoders_of(kind, known["encoders"])
        if name in options and method in result.methods and read:
            value = options[name]
            parts.append(f"{words} {value if isinstance(value, str) else f'{value:,}'}")
    for name, words in (("encoders", "encoders"), ("head", "fusion"), ("trained_on", "trained on"),
                        ("trained_label", "label in training"), ("normalisation", "normalisation"),
                        ):  # fmt: skip
        if value := known.get(name):
            parts.append(f"{words} {value if isinstance(value, str) else ', '.join(value)}")
    return f"{'; '.join(parts)}."
