"""What to compare and how hard to try, with the time that each effort takes here."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from scmpt_core import verbs
from scmpt_core.data import DEMO_LABEL, Dataset
from scmpt_core.data.splits import MAX_FOLDS
from scmpt_core.device import choose_device
from scmpt_core.encoders import DEFAULT_FUSED, LONG_CELLS
from scmpt_core.evaluation import BASELINES, EFFORTS, MAX_SEEDS, get_effort
from scmpt_core.fusion import HEADS, RECOMMENDED, get_head
from scmpt_core.jobs import Estimate, Job, estimate_compare, submit
from scmpt_core.jobs.kinds.compare import plan_of
from scmpt_core.library import Item
from scmpt_core.progress import duration
from scmpt_core.sentences import FORMATS, MOST_PREFIX, PLAIN, PREFIX, get_format
from scmpt_core.ui.compare.forecast import forecast
from scmpt_core.ui.components import guarded
from scmpt_core.ui.state import library, owner

DEMO_CELLS = 700
NONE = "none: split at random"
LONG_WORDS = {"random": "a random subset", "highest": "the highest"}
EXAMPLE = "human cell:"  # of a prefix
READS = {"text": "a sentence of genes", "genes": "genes and binned values",
         "expression": "all expression"}  # fmt: skip


def settings(item: Item, dataset: Dataset, busy: bool) -> None:
    """What to compare; the expected times follow each choice."""
    encoders = verbs.list_encoders(library().home, choose_device().name)
    label, group = _columns(item, dataset)
    names = st.multiselect(
        "Encoders", [e["name"] for e in encoders if e["ready"]], list(DEFAULT_FUSED),
        key="encoders", persist_state="session", wrap=True,
        help="Each is tested alone; the fused models join exactly these.",
    )  # fmt: skip
    effort = _effort(dataset, group, names)
    chosen = _more(effort, len(names))
    given = comparison_settings(item, label, group, names, effort, **chosen)
    written = chosen["sentence"] != PREFIX.name or bool(chosen["prefix"].strip())
    if names and written:
        st.caption(_believed(expected(dataset, given), choose_device().reason))
    if st.button("Compare", type="primary", width="stretch", disabled=busy, key="compare",
                 help="One comparison of a dataset runs at a time." if busy else None):  # fmt: skip
        with guarded():
            job = start_comparison(given)
            st.query_params["comparison"] = job.id  # the result will bear its id
            st.rerun()
    if written:
        forecast(item, dataset, given)
    missing = sum(not e["ready"] for e in encoders)
    with st.expander(f"About the encoders ({missing} not on this machine)"):
        about(encoders)


def _columns(item: Item, dataset: Dataset) -> tuple[str, str | None]:
    """The label, and the groups that are kept together."""
    columns = [c.column for c in dataset.labels]
    start = columns.index(DEMO_LABEL) if DEMO_LABEL in columns else 0
    label = st.selectbox("Label to learn", columns, start, key=f"label_{item.id}",
                         persist_state="session")  # fmt: skip
    group = st.selectbox(
        "Keep together (donor, batch)", [NONE, *(c for c in columns if c != label)],
        key=f"group_{item.id}", persist_state="session",
        help="Whole groups go to training or to test, never to both: the honest way to learn how "
        "a model does on a new donor.",
    )  # fmt: skip
    return label, None if group == NONE else group


def _effort(dataset: Dataset, group: str | None, names: list[str]) -> str:
    """Each effort with its time here; the time follows what was chosen for it below."""
    times = {}
    for effort in EFFORTS if names else ():
        given = {"encoders": names, "group": group, "effort": effort.name, **_chosen(effort.name)}
        times[effort.name] = f"about {duration(expected(dataset, given).seconds)}: "
    # times stand in the captions: a choice whose own words change is shown as not chosen
    return st.radio(
        "Effort", [e.name for e in EFFORTS], key="effort", persist_state="session",
        captions=[times.get(e.name, "") + e.summary for e in EFFORTS],
    )  # fmt: skip


def _chosen(effort: str) -> dict:
    """What the widgets of :func:`_more` hold for an effort, or will when they are drawn."""
    preset, kept = get_effort(effort), st.session_state
    sentence = kept.get("sentence_format", PLAIN.name)
    prefix = kept.get("sentence_prefix", "").strip() or EXAMPLE
    return {
        "splits": kept.get(f"splits_{effort}", preset.seeds),
        "heads": kept.get(f"heads_{effort}", [h for h in preset.heads if h != RECOMMENDED]),
        "baselines": kept.get(f"baselines_{effort}", list(preset.baselines)),
        "long_cells": kept.get("long_cells", LONG_CELLS[0]),
        "sentence": sentence,
        "prefix": prefix if sentence == PREFIX.name else "",
    }


def _more(effort: str, encoders: int) -> dict:
    """What the effort comes with, to be changed; each effort keeps its own choices."""
    now = _chosen(effort)
    with st.expander("More choices"):
        splits = st.number_input(
            "Repeats with new splits", 1, MAX_SEEDS, now["splits"], key=f"splits_{effort}",
            persist_state="session", help="More show how much the scores depend on the split.",
        )  # fmt: skip
        heads = st.multiselect(
            f"Fusions beside the recommended ({get_head(RECOMMENDED).title.lower()})",
            [h.name for h in HEADS if h.name != RECOMMENDED], now["heads"],
            key=f"heads_{effort}", persist_state="session", disabled=encoders < 2,
            format_func=lambda name: get_head(name).title,
            help=" ".join(f"**{h.title}**: {h.summary} ({h.reference})." for h in HEADS),
        )  # fmt: skip
        baselines = st.multiselect(
            "Baselines", [b.name for b in BASELINES], now["baselines"],
            key=f"baselines_{effort}", persist_state="session",
            help=" ".join(f"**{b.name}**: {b.summary} ({b.reference})." for b in BASELINES),
        )  # fmt: skip
        long_cells = st.radio(
            "Cells with more genes than scGPT reads keep", list(LONG_CELLS), horizontal=True,
            format_func=LONG_WORDS.get, key="long_cells", persist_state="session",
            help="scgpt-human reads at most 1,199 genes a cell, scgpt-mini 2,399; a longer cell "
            "keeps some of them. Upstream draws them anew at each run; here the draw belongs to "
            "the cell, so the same cell always gets the same vector. Random genes keep the mix of "
            "high and low that scGPT was trained on. The highest expressed are much the same "
            "genes in all cells, and weakly expressed markers are then never read. Shorter cells "
            "are read whole.",
        )  # fmt: skip
        sentence, prefix = _sentence()
    return {
        "splits": int(splits), "heads": heads, "baselines": baselines, "long_cells": long_cells,
        "sentence": sentence, "prefix": prefix,
    }  # fmt: skip


def _sentence() -> tuple[str, str]:
    """How text encoders read a cell: the format, and its text where it takes one."""
    offered = [f for f in FORMATS if f.ready()]
    sentence = st.selectbox(
        "Sentences of text encoders", [f.name for f in offered], key="sentence_format",
        persist_state="session", format_func=lambda name: get_format(name).title,
        help=" ".join(
            f"**{f.title}**: {f.summary}{' (fitted to the training cells)' * f.fitted}."
            for f in offered
        ),
    )  # fmt: skip
    if sentence != PREFIX.name:
        return sentence, ""
    prefix = st.text_input(
        "Text before each cell's genes", EXAMPLE, max_chars=MOST_PREFIX, key="sentence_prefix",
        persist_state="session", help="Such as tissue and organism; it takes the place of genes.",
    )  # fmt: skip
    return sentence, prefix.strip()


def comparison_settings(
    item: Item, label: str, group: str | None, names: Sequence[str], effort: str, **more: object
) -> dict:
    """Of the job; without ``more``, splits, heads and baselines are the effort's own."""
    return {"dataset": item.id, "view": item.meta["view"], "label": label, "group": group,
            "encoders": list(names), "effort": effort, **more}  # fmt: skip


def start_comparison(given: dict) -> Job:
    """Queue it."""
    return submit(library().home, owner(), "compare", given)


def expected(dataset: Dataset, given: dict) -> Estimate:
    """How long a comparison with these settings will take here, its cells not embedded yet."""
    folds = 1
    if given["group"] is not None:
        groups = next(len(c.classes) for c in dataset.labels if c.column == given["group"])
        folds = min(groups, MAX_FOLDS)
    return estimate_compare(
        library().home, choose_device().name, dataset.adata.n_obs, plan_of(given), folds
    )


def demo_seconds() -> float:
    """How long the quick comparison of the demo will take here."""
    plan = plan_of({"encoders": DEFAULT_FUSED, "effort": "quick"})
    return estimate_compare(library().home, choose_device().name, DEMO_CELLS, plan, 1).seconds


def _believed(estimate: Estimate, device: str) -> str:
    """Why the times are believed."""
    source = "rates measured on this machine" if estimate.measured else "a 2-core reference machine"
    text = f"Times: {source}. {device}."
    if estimate.unknown:
        text += f" Without {', '.join(estimate.unknown)}, never timed here."
    return text


def about(encoders: list[dict]) -> None:
    """What each encoder is, how large, and how fast it was here; what to do for a missing one."""
    for e in encoders:
        facts = [f"{READS[e['modality']]} → {e['dimension']:,} numbers", e["licence"]]
        if e["megabytes"] is not None:
            facts.insert(1, f"{e['megabytes']:,.0f} MB")
        if e["cells_per_second"] is not None:
            facts.append(f"{e['cells_per_second']:,.0f} cells/s here")
        elif e["ready"]:
            facts.append("not timed here yet")
        missing = "" if e["ready"] else f" **Missing:** {e['how_to_get']}"
        st.caption(
            f"**{e['name']}**, {e['summary']} ({' · '.join(facts)}). {e['reference']}.{missing}"
        )
    st.caption("`python -m scmpt_core encoders --measure` times all that are here.")
