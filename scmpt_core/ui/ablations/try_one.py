"""Try one ablation: pickers and a slider, an answer in seconds on a sample."""

from __future__ import annotations

import streamlit as st

from scmpt_core.ablations import ABLATIONS, FAMILIES, AblationInfo, Request, Strength
from scmpt_core.ui.ablations.gene_set import chosen_genes
from scmpt_core.ui.ablations.send import run_all
from scmpt_core.ui.ablations.sentence import sentence
from scmpt_core.ui.ablations.shown import shown
from scmpt_core.ui.ablations.subject import Subject
from scmpt_core.ui.ablations.trial import trial
from scmpt_core.ui.ablations.words import FAMILY_WORDS
from scmpt_core.ui.components import guarded, plain

SAMPLE, LEAST, MOST = 100, 20, 1_000  # test cells
DRAWS = 5


@st.fragment
def try_one(subject: Subject, busy: bool) -> None:
    """Choose it, then see what it does."""
    left, right = st.columns(2)
    genes = chosen_genes(subject)
    lacks = {info.name: subject.lacking(info, genes) for info in ABLATIONS}
    able = [info for info in ABLATIONS if lacks[info.name] is None]
    family = left.selectbox(
        "Kind of ablation", FAMILIES, FAMILIES.index(able[0].family) if able else 0,
        key="ablation_family", format_func=FAMILY_WORDS.__getitem__, persist_state="session",
    )  # fmt: skip
    there = {info.name: info for info in ABLATIONS if info.family == family}
    first = next((i for i, name in enumerate(there) if lacks[name] is None), 0)
    name = right.selectbox(
        "Ablation", list(there), first, key=f"ablation_{family}", persist_state="session",
        format_func=lambda n: there[n].title + (" (not here)" if lacks[n] else ""),
    )  # fmt: skip
    info, why = there[name], lacks[name]
    st.caption(plain(_about(info)))
    if why is not None:
        st.info(f"{info.title}: {why}.")
        return
    left, middle, right = st.columns([2, 2, 1])
    with left:
        strength = None if info.strength is None else choose_strength(info.name, info.strength)
    cells = middle.slider("Test cells at most", LEAST, MOST, SAMPLE, 20, key="try_cells")
    seeds = right.number_input(
        "Draws", 1, DRAWS, 1, key="try_seeds", disabled=not info.seeded,
        help="It draws at random; several draws show how far that moves the answer.",
    )  # fmt: skip
    target = ""
    if info.mix is not None:
        target = st.selectbox("Encoder", list(subject.encoders), key="try_target")
    request = Request(
        (name,), ("fixed",), None if strength is None else (strength,), False,
        int(seeds) if info.seeded else 1, cells, genes if "gene set" in info.needs else frozenset(),
    )  # fmt: skip
    with guarded():
        if at_once("try", subject, "Try it"):
            result = trial(subject, request)
            shown(result, name, target, "try")
            st.markdown("**The sentence before and after**")
            sentence(subject, result, name, "try")
    run_all(subject, [name], request.gene_set, "try", busy, info.seeded)


def choose_strength(name: str, strength: Strength) -> float:
    """A slider, in percent for shares."""
    title = strength.what[0].upper() + strength.what[1:]
    if strength.share:
        fine = 0 < strength.low < 0.01
        percent = st.slider(
            title, 100 * strength.low, 100 * strength.high, 100 * strength.default,
            0.1 if fine else 1.0, "%.1f %%" if fine else "%.0f %%", key=f"strength_{name}",
        )  # fmt: skip
        return percent / 100
    most = int(min(strength.high, 2 * max(strength.values)))
    return float(
        st.slider(title, int(strength.low), most, int(strength.default), key=f"strength_{name}")
    )


def at_once(place: str, subject: Subject, label: str) -> bool:
    """Whether it may run: once asked for, every change runs at once."""
    asked = f"asked_{place}_{subject.item.id}_{subject.offer.id}"
    if not st.session_state.get(asked):
        if not st.button(label, type="primary", key=f"go_{place}", icon=":material/play_arrow:"):
            st.caption(
                "Takes seconds: the model stays as it was trained, its cells are perturbed. From "
                "then on every change runs at once."
            )
            return False
        st.session_state[asked] = True
    return True


def _about(info: AblationInfo) -> str:
    """What it does, whom it reaches, where it is from."""
    text = f"{info.summary[0].upper()}{info.summary[1:]}."
    if len(info.acts_on) < 3:
        reached = {"text": "text encoders", "genes": "scGPT", "expression": "pca"}
        text += f" Reaches {' and '.join(reached[m] for m in info.acts_on)} alone."
    return text + (f" Reference: {info.reference}." if info.reference else "")
