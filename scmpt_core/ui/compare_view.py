"""The Compare page's parts: settings with the expected time, the answer, saving a model."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import streamlit as st

from scmpt_core import plots, verbs
from scmpt_core.data import DEMO_LABEL, Dataset
from scmpt_core.data.splits import MAX_FOLDS
from scmpt_core.device import choose_device
from scmpt_core.encoders import DEFAULT_ENCODERS, LONG_CELLS, get_spec
from scmpt_core.evaluation import MAJORITY, StoredComparison
from scmpt_core.jobs import Job, estimate_compare, submit
from scmpt_core.library import Item
from scmpt_core.metrics import HEADLINE
from scmpt_core.progress import duration
from scmpt_core.ui.components import guarded, plain, plot
from scmpt_core.ui.state import library, owner

NONE = "none: split at random"
LONG_WORDS = {"random": "a random subset", "highest": "the highest"}
READS = {"text": "a sentence of genes", "genes": "genes and binned values",
         "expression": "all expression"}  # fmt: skip


def settings(item: Item, dataset: Dataset, busy: bool) -> None:
    """What to compare; the expected time follows each choice."""
    columns = [c.column for c in dataset.labels]
    start = columns.index(DEMO_LABEL) if DEMO_LABEL in columns else 0
    encoders = verbs.list_encoders(library().home, choose_device().name)
    label = st.selectbox("Label to learn", columns, start, key=f"label_{item.id}",
                         persist_state="session")  # fmt: skip
    group = st.selectbox(
        "Keep together (donor, batch)", [NONE, *(c for c in columns if c != label)],
        key=f"group_{item.id}", persist_state="session",
        help="Whole groups go to training or to test, never to both: the honest way to learn how "
        "a model does on a new donor.",
    )  # fmt: skip
    names = st.multiselect(
        "Encoders", [e["name"] for e in encoders if e["ready"]], list(DEFAULT_ENCODERS),
        key="encoders", persist_state="session",
        help="Each is tested alone; the fused model scmpt joins exactly these. The baseline "
        "(pca) is always there.",
    )  # fmt: skip
    seeds = st.number_input(
        "Repeats with new splits", 1, 20, 1, key="seeds", persist_state="session",
        help="More repeats show how much the scores depend on the split.",
    )  # fmt: skip
    long_cells = st.radio(
        "Cells with more genes than scGPT reads keep", list(LONG_CELLS), horizontal=True,
        format_func=LONG_WORDS.get, key="long_cells", persist_state="session",
        help="scgpt-human reads at most 1,199 genes a cell, scgpt-mini 2,399; a longer cell keeps "
        "some of them. Upstream draws them anew at each run; here the draw belongs to the cell, "
        "so the same cell always gets the same vector. Random genes keep the mix of high and low "
        "that scGPT was trained on. The highest expressed are much the same genes in all cells, "
        "and weakly expressed markers are then never read. Shorter cells are read whole.",
    )  # fmt: skip
    chosen = None if group == NONE else group
    if names:
        expected(item, dataset, chosen, tuple(names), int(seeds))
    if st.button("Compare", type="primary", width="stretch", disabled=busy, key="compare",
                 help="One comparison of a dataset runs at a time." if busy else None):  # fmt: skip
        with guarded():
            job = start_comparison(item, label, chosen, list(names), int(seeds), long_cells)
            st.query_params["comparison"] = job.id  # the result will bear its id
            st.rerun()
    missing = sum(not e["ready"] for e in encoders)
    with st.expander(f"About the encoders ({missing} not on this machine)"):
        about(encoders)


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


def start_comparison(
    item: Item,
    label: str,
    group: str | None,
    names: list[str],
    seeds: int,
    long_cells: str = "random",
) -> Job:
    """Queue it."""
    return submit(
        library().home, owner(), "compare",
        {"dataset": item.id, "view": item.meta["view"], "label": label, "group": group,
         "encoders": names, "seeds": seeds, "long_cells": long_cells},
    )  # fmt: skip


def expected(
    item: Item, dataset: Dataset, group: str | None, names: tuple[str, ...], seeds: int
) -> None:
    """How long it will take here, and why that is believed."""
    folds, device = 1, choose_device()
    if group is not None:
        groups = next(len(c.classes) for c in dataset.labels if c.column == group)
        folds = min(groups, MAX_FOLDS)
    estimate = estimate_compare(
        library().home, device.name, dataset.adata.n_obs, names, seeds, folds
    )
    source = "rates measured on this machine" if estimate.measured else "a 2-core reference machine"
    text = f"Expected: about **{duration(estimate.seconds)}** ({source}; "
    text += f"{seeds * folds} split{'s' if seeds * folds > 1 else ''}). {device.reason}."
    if estimate.unknown:
        text += f" Without {', '.join(estimate.unknown)}, never timed here."
    st.caption(text)


def answer(item: Item, result: StoredComparison) -> None:
    """The best model, in a sentence; then the table and its picture."""
    rows, best = result.summary["models"], result.best
    data, split = result.summary["dataset"], result.summary["split"]
    tested = sum(s["test"] for s in split["splits"])
    runs = best["macro_f1"]["n"]
    times = f"{runs} run{'s' if runs > 1 else ''}"
    st.success(
        f"Best by macro F1: **{best['name']}**, {best['macro_f1']['mean']:.3f} on "
        f"{plain(data['name'])} (mean of {times}, {tested:,} test cells in all)."
    )
    fused = next((row for row in rows if row["name"] == "scmpt"), None)
    if fused is not None:
        halves = [r for r in rows if r["name"] in {f"{e}+mlp" for e in fused["encoders"]}]
        better = max(halves, key=lambda row: row["macro_f1"]["mean"])
        gain = fused["macro_f1"]["mean"] - better["macro_f1"]["mean"]
        word = "above" if gain >= 0 else "below"
        st.markdown(
            f"The fused model scmpt is {abs(gain):.3f} {word} its better half, {better['name']}. "
            "No interval is computed yet, so a small difference may be chance."
        )
    for finding in result.findings:
        st.warning(f"{plain(finding.message)} {plain(finding.hint)}")
    frame = pd.DataFrame([_table_row(row) for row in rows]).dropna(axis=1, how="all")
    style = frame.style.format(precision=3, na_rep="–").format("{:.1f}", subset="seconds")
    bold = {"subset": "macro f1", "props": "font-weight: bold"}
    st.dataframe(style.highlight_max(**bold), hide_index=True)
    group = f"by {split['group']}" if split["group"] else "at random, stratified"
    spread = f"Bars: standard deviation over {runs} runs."
    if runs == 1:
        spread = "One run, so nothing shows how much the scores depend on the split."
    plot(
        plots.scores(rows), "scores",
        f"Label {data['label']}, {len(data['classes'])} classes, {data['cells']:,} cells, "
        f"split {group}. {spread} "
        f"{_long_cells(item)}"
        f"Normalisation: {data['normalisation']}.",
    )  # fmt: skip


def _long_cells(item: Item) -> str:
    """What scGPT read of long cells, where it took part."""
    if not any(get_spec(name).info.modality == "genes" for name in item.meta["encoders"]):
        return ""
    kept = LONG_WORDS[item.meta.get("long_cells", "random")]
    return f"Of cells with more genes than it reads, scGPT read {kept}. "


def _table_row(row: dict) -> dict:
    means = {name.replace("_", " "): row[name]["mean"] for name in HEADLINE}
    spread = {"sd of macro f1": row["macro_f1"]["sd"]}
    return {"model": row["name"], **means, **spread, "seconds": row["seconds"]["mean"]}


def save_model(item: Item, result: StoredComparison) -> None:
    """Keep one of the fitted models under a name."""
    fitted = [row for row in result.summary["models"] if row["name"] != MAJORITY]
    names = [row["name"] for row in fitted]
    best = max(fitted, key=lambda row: row["macro_f1"]["mean"])["name"]
    with st.form("save_model"):
        st.markdown("**Save a model to label other cells with**")
        left, right = st.columns(2)
        model = left.selectbox("Model", names, names.index(best))
        name = right.text_input(
            "Name", placeholder=f"{item.meta['dataset_name']} {item.meta['label']} {best}",
            help="Empty: the name that stands there in grey, with the model you chose.",
        )  # fmt: skip
        if st.form_submit_button("Save model", icon=":material/save:"):
            with guarded():
                kept = keep(item, result, model, name)
                st.session_state["saved_model"] = kept.id
    saved = st.session_state.get("saved_model")
    if saved in {m.id for m in library().list(owner(), "model")}:
        st.success("Saved.", icon=":material/check:")
        st.page_link("pages/classify.py", label="Label other cells with it",
                     icon=":material/label:", query_params={"model": saved})  # fmt: skip


def keep(item: Item, result: StoredComparison, model: str, name: str) -> Item:
    """Copy a fitted model of the first split into the library."""
    row = next(row for row in result.summary["models"] if row["name"] == model)
    name = name.strip() or f"{item.meta['dataset_name']} {item.meta['label']} {model}"

    def fill(folder: Path) -> dict:
        shutil.copytree(item.folder / "models" / model, folder / "model")
        # its own scores: the comparison's are means over several fitted models
        test = json.loads((folder / "model" / "config.json").read_text("utf-8"))["test"]
        return {
            "model": model, "encoders": row["encoders"], "comparison": item.id,
            "dataset_name": item.meta["dataset_name"], "label": item.meta["label"],
            "group": item.meta["group"], "classes": result.classes,
            "palette": result.summary["dataset"]["palette"],
            "test": test, "test_cells": result.summary["split"]["splits"][0]["test"],
        }  # fmt: skip

    return library().add(owner(), "model", name, fill)
