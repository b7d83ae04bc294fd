"""The answer: the best model, what the numbers allow one to say, what the labels are worth."""

from __future__ import annotations

import streamlit as st

from scmpt_core import plots
from scmpt_core.data import Finding
from scmpt_core.encoders import get_spec
from scmpt_core.evaluation import (
    StoredComparison,
    in_words,
    paired_tests,
    ranked,
    score_file,
    score_table,
    with_interval,
)
from scmpt_core.library import Item
from scmpt_core.sentences import PLAIN, get_format
from scmpt_core.ui.compare.settings import LONG_WORDS
from scmpt_core.ui.components import plain, plot

SIGNS = {"error": ":red[:material/error:]", "warning": ":orange[:material/warning:]",
         "info": ":gray[:material/info:]"}  # fmt: skip
PROMISE = {
    True: ("the promise of fusion holds here", ":material/check_circle:", "green"),
    False: ("the promise of fusion is not shown here", ":material/help:", "orange"),
    None: ("no interval, so the promise of fusion is not tested", ":material/help:", "gray"),
}
PROMISED = (
    "To lose at most 1 point of macro F1 to its better half, whatever the cells. A half is one of "
    "its encoders alone, under a head of the same kind."
)


def answer(item: Item, result: StoredComparison) -> None:
    """In sentences, then as a picture."""
    summary = result.summary
    _best(result)
    if any(len(row["encoders"]) > 1 for row in summary["models"]):
        text, icon, colour = PROMISE[summary["verdict"]["promise"]]
        st.badge(text, icon=icon, color=colour, help=PROMISED)
    st.markdown("\n".join(f"- {plain(text)}" for text in summary["verdict"]["sentences"]))
    worth(result.findings)
    rows = ranked(summary["models"])
    plot(plots.scores(rows), "scores", _caption(item, result))


def _best(result: StoredComparison) -> None:
    """The best model that can be saved, and any baseline that is better."""
    best, split = result.best, result.summary["split"]
    score, runs = best["macro_f1"], best["macro_f1"]["n"]
    tested = sum(s["test"] for s in split["splits"])
    st.success(
        f"Best by macro F1: **{plain(best['name'])}** ({plain(in_words(best))}), "
        f"{_scored(score)} on {plain(result.summary['dataset']['name'])}: mean of {runs} "
        f"split{'s' if runs > 1 else ''}, {tested:,} test cells in all."
    )
    better = [r for r in ranked(result.summary["models"]) if r["kind"] == "baseline"
              and r["macro_f1"]["mean"] > score["mean"]]  # fmt: skip
    if better:
        names = ", ".join(f"{plain(r['name'])} {_scored(r['macro_f1'])}" for r in better)
        st.warning(
            f"Plain baselines score higher: {names}. They read expression alone, without "
            "any encoder, and cannot be saved here."
        )


def _scored(metric: dict) -> str:
    text, interval = with_interval(metric), metric["interval"]
    return (
        text
        if interval is None
        else text.replace("(", f"({100 * interval['level']:.0f} % interval ")
    )


def worth(findings: list[Finding]) -> None:
    """What a score on these labels does and does not show."""
    if not findings:
        return
    with st.container(border=True):
        st.markdown("**What these labels are worth**")
        for finding in sorted(findings, key=lambda f: list(SIGNS).index(f.severity)):
            st.markdown(f"{SIGNS[finding.severity]} {plain(finding.message)} {plain(finding.hint)}")


def _caption(item: Item, result: StoredComparison) -> str:
    """What the picture of scores shows, and on what."""
    data, split = result.summary["dataset"], result.summary["split"]
    group = f"by {split['group']}" if split["group"] else "at random, stratified"
    return (
        f"Label {data['label']}, {len(data['classes'])} classes, {data['cells']:,} cells, "
        f"split {group}. {_spread(result.best['macro_f1'], split['runs'])} Colours: what a model "
        f"reads. {_long_cells(item)}{_sentences(item)}Normalisation: {data['normalisation']}."
    )


def _spread(metric: dict, runs: int) -> str:
    interval = metric["interval"]
    if interval is not None:
        return (
            f"Bars: {100 * interval['level']:.0f} % bootstrap intervals over {interval['n']:,} "
            f"{interval['unit']}{'' if interval['unit'] == 'cells' else ' groups'}."
        )
    if runs > 1:
        return f"Bars: standard deviation over {runs} splits, as too few groups give no interval."
    return "No bars: one split, and too few groups for an interval."


def _long_cells(item: Item) -> str:
    """What scGPT read of long cells, where it took part."""
    if not any(get_spec(name).info.modality == "genes" for name in item.meta["encoders"]):
        return ""
    kept = LONG_WORDS[item.meta.get("long_cells", "random")]
    return f"Of cells with more genes than it reads, scGPT read {kept}. "


def _sentences(item: Item) -> str:
    """How text encoders read the cells, where they took part and it was not the plain way."""
    name, prefix = item.meta.get("sentence", PLAIN.name), item.meta.get("prefix", "")
    texts = any(get_spec(encoder).info.modality == "text" for encoder in item.meta["encoders"])
    if name == PLAIN.name or not texts:
        return ""
    form = get_format(name)
    text = f" “{prefix}”" if prefix else ""
    return f"Sentences of text encoders: {form.title.lower()}{text}. "


def tables(item: Item, result: StoredComparison) -> None:
    """All scores, baselines in grey below; the tests behind the sentences."""
    rows = result.summary["models"]
    table = score_table(rows).dropna(axis=1, how="all")  # one split has no sd
    models = sum(row["kind"] == "model" for row in rows)
    style = table.style.format(precision=3, na_rep="–").format("{:.1f}", subset="seconds")
    style = style.apply(
        lambda row: ["color: #8C8C8C" if row.name >= models else ""] * len(row), axis=1
    )
    st.dataframe(
        style, hide_index=True, height="content", key="score_table",
        alt="Scores of each model and baseline, mean over splits with 95 % interval.",
        column_config={
            "model": st.column_config.TextColumn(pinned=True),
            "what it is": st.column_config.TextColumn(help="Baselines stand in grey."),
            "macro F1": st.column_config.TextColumn(help="F1 of each type, averaged: rare types "
                                                    "count as much as common ones. 0–1."),
            "sd of macro F1": st.column_config.NumberColumn(help="Over splits."),
            "ECE": st.column_config.NumberColumn(
                help="Expected calibration error after calibration: how far the probabilities "
                "are from the shares labelled right. 0 is best."),
            "seconds": st.column_config.NumberColumn(help="To fit, a split."),
        },
    )  # fmt: skip
    st.download_button(
        "Download the scores", lambda: score_file(rows).to_csv(index=False),
        f"scores_{item.id}.csv", "text/csv", on_click="ignore", icon=":material/download:",
        key="get_scores",
    )  # fmt: skip
    _tests(result.summary["verdict"])


def _tests(verdict: dict) -> None:
    table = paired_tests(verdict)
    if table.empty:
        return
    with st.expander(f"The tests behind the sentences ({len(table)})"):
        st.caption(
            "Two-sided, on the same test cells, each split by itself: cells recur in other splits, "
            "so p values are not pooled. Holm's correction over all tests of a split. Above 0: "
            "the first is better."
        )
        st.dataframe(
            table, hide_index=True, key="test_table",
            alt="Paired tests between models, with p values before and after Holm's correction.",
            column_config={
                "difference (points)": st.column_config.NumberColumn(format="%+.1f"),
                "p": st.column_config.NumberColumn(format="%.3g"),
                "p (Holm)": st.column_config.NumberColumn(format="%.3g"),
            },
        )  # fmt: skip
