"""The sentence of one cell before and after an ablation, gene by gene."""

from __future__ import annotations

import html

import streamlit as st

from scmpt_core.ablations import Ablated, get_ablation
from scmpt_core.ablations.show import Change, Sentences, Word, perturbed_cell, sentences
from scmpt_core.cells import Cells
from scmpt_core.ui.ablations.shown import flipped_first
from scmpt_core.ui.ablations.subject import Subject
from scmpt_core.ui.ablations.words import way_words
from scmpt_core.ui.components import plain
from scmpt_core.ui.state import dataset_of, model_in

OFFERED = 60  # cells to choose from
# each change has a sign and a frame of its own, so that none is told by its colour alone
LOOKS: dict[Change, tuple[str, str, str]] = {
    "same": ("", "1px solid rgba(128,128,128,.35)", "transparent"),
    "moved": ("⇄", "1px dashed rgba(128,128,128,.9)", "rgba(230,159,0,.22)"),
    "renamed": ("≈", "3px double rgba(128,128,128,.9)", "rgba(204,121,167,.22)"),
    "new": ("+", "2px solid #0072B2", "rgba(0,114,178,.22)"),
    "lost": ("−", "2px dotted #D55E00", "rgba(213,94,0,.18)"),
    "format": ("", "none", "transparent"),
}
MEANS: dict[Change, str] = {
    "moved": "at another place among the genes read both times",
    "renamed": "under another name",
    "new": "not read before",
    "lost": "no longer read",
}


def sentence(subject: Subject, result: Ablated, ablation: str, place: str) -> None:
    """Choose a cell; see what a text encoder read of it, and what the model said."""
    info = get_ablation(ablation)
    texts = [name for name, modality in subject.encoders.items() if modality == "text"]
    if info.mix is not None or "text" not in info.acts_on:
        st.caption("It changes no sentence: text encoders read what they read before.")
        return
    if not texts:
        st.caption("This model has no text encoder, so it reads no sentence.")
        return
    settings = [s for s in result.settings_of("fixed") if s.ablation == ablation]
    first, second, third = st.columns([3, 2, 1])
    name = texts[0] if len(texts) == 1 else second.selectbox("Encoder", texts, key=f"text_{place}")
    seeds = [s.seed for s in settings]
    seed = seeds[0] if len(seeds) == 1 else third.selectbox("Draw", seeds, key=f"draw_{place}")
    setting = next(s for s in settings if s.seed == seed)
    at = result.settings_of("fixed").index(setting)
    rows = flipped_first(result, at, result.ways[0])[:OFFERED].tolist()
    row = first.selectbox(
        "Cell (flipped ones first)", rows, key=f"sentence_cell_{place}",
        format_func=lambda row: f"{result.ids[row]}: {_said(result, at, result.ways[0], row)[0]}",
    )  # fmt: skip
    model = model_in(str(subject.offer.folder))
    before, after = perturbed_cell(
        model, _shared(subject), result, setting, name, row, subject.markers
    )
    found = sentences(model.encoders[name], before, after)
    _labels(result, at, row)
    st.html(_legend(found))
    left, right = st.columns(2, gap="medium")
    for column, title, words in ((left, "Before", found.before), (right, "After", found.after)):
        with column:
            genes = sum(word.gene is not None for word in words)
            st.markdown(f"**{title}**: {genes} genes read by {plain(name)}")
            st.html(chips(words))
    st.caption(
        "In reading order; the last gene may be read in part. The place on the other side is told "
        "when you point at a word."
    )


def _shared(subject: Subject) -> Cells:
    view = str(subject.item.meta["view"])
    return _restricted(subject.item.id, view, str(subject.offer.folder), subject)


@st.cache_resource(max_entries=2, show_spinner=False)
def _restricted(id: str, view: str, folder: str, _subject: Subject) -> Cells:
    return dataset_of(_subject.item).usable().restrict(set(_subject.model_genes))


def _said(result: Ablated, at: int, way: str, row: int) -> tuple[str, float, float]:
    """``B → T``, and the probabilities of the label before."""
    names = [*result.classes, "no label (no gene left)"]
    before, after = result.before["fixed", way], result.after["fixed", way]
    first, now = (names[int(code)] for code in (before.predicted[row], after.predicted[at][row]))
    words = first if first == now else f"{first} → {now}"
    return words, float(before.probability[row]), float(after.probability[at][row])


def _labels(result: Ablated, at: int, row: int) -> None:
    """What each way says of the cell."""
    true = f"Known type: **{plain(result.classes[result.codes[row]])}**. " if result.known else ""
    parts = []
    for way in result.ways:
        words, first, now = _said(result, at, way, row)
        label = plain(words.split(" → ")[0])
        parts.append(
            f"{plain(way_words(way, result.ways))} says **{plain(words)}**, p({label}) "
            f"{first:.3f} → {now:.3f}"
        )
    st.markdown(true + "; ".join(parts) + ".")


def _legend(found: Sentences) -> str:
    """Only what occurs, with how often."""
    parts = [
        f"{_chip(Word(change, None, 0, None, change))} {found.count(change)}: {html.escape(words)}"
        for change, words in MEANS.items()
        if found.count(change)
    ]
    told = parts or ["The encoder reads the same sentence."]
    return (
        '<div style="display:flex;flex-wrap:wrap;gap:.3rem 1.2rem;font-size:.85rem">'
        + "".join(f"<span>{part}</span>" for part in told)
        + "</div>"
    )


def chips(words: tuple[Word, ...]) -> str:
    """Words in a row, as HTML; names come from files and are text."""
    return (
        '<div style="display:flex;flex-wrap:wrap;gap:.25rem;font-family:monospace;'
        'font-size:.82rem;max-height:22rem;overflow-y:auto">'
        + "".join(map(_chip, words))
        + "</div>"
    )


def _chip(word: Word) -> str:
    sign, border, background = LOOKS[word.change]
    gone = "text-decoration:line-through;" if word.change == "lost" else ""
    where = "not read there" if word.was is None else f"{word.was} on the other side"
    told = f"{word.gene}, place {word.place}, {where}" if word.gene else ""
    old = ""
    if word.gene is not None and word.text != word.gene and word.change in ("renamed", "new"):
        old = f' <small style="opacity:.75">{html.escape(word.gene)}</small>'
    return (
        f'<span title="{html.escape(told)}" style="border:{border};background:{background};{gone}'
        f'border-radius:.3rem;padding:0 .3rem;white-space:nowrap">{sign}{html.escape(word.text)}'
        f"{old}</span>"
    )
