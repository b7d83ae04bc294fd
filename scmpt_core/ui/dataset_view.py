"""The Dataset page's parts: findings with remedies, distributions, labels, map."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from scmpt_core import plots
from scmpt_core.data import Dataset, Finding, View, label_values
from scmpt_core.library import Item, set_view, undo_view, view_of
from scmpt_core.ui.components import guarded, legend, plain, plot, plot_config
from scmpt_core.ui.maps import map_or_button, names_toggle, picture_words
from scmpt_core.ui.state import library, open_item

_SIGN = {"error": ":red[:material/error:]", "warning": ":orange[:material/warning:]"}
_REMEDY = {
    "matrix": "Use {}", "symbols": "Take gene names from {}", "drop_empty": "Drop empty cells",
    "min_genes": "Leave these cells out", "max_mito": "Leave these cells out",
}  # fmt: skip


def headline(item: Item, dataset: Dataset, result: dict) -> None:
    """Whether these cells can be used, and what they are."""
    findings = [Finding(**finding) for finding in result["findings"]]
    count = {s: sum(f.severity == s for f in findings) for s in ("error", "warning")}
    st.subheader(plain(item.name), divider="gray")
    with st.container(horizontal=True, gap="large"):
        st.metric("Cells", f"{result['cells']:,}", width="content")
        st.metric("Genes", f"{result['genes']:,}", width="content")
        st.metric("Matrix used", result["matrix"], width="content")
        st.metric("Values", result["values"], width="content")
    if count["error"]:
        st.error(f"These cells cannot be used as they are: {count['error']} error(s), see below.")
    else:
        st.success(f"Ready to use, with {count['warning']} warning(s).", icon=":material/check:")
        st.page_link("pages/compare.py", label="Compare models on these cells",
                     icon=":material/leaderboard:", query_params={"dataset": item.id})  # fmt: skip
    past = item.meta.get("past")
    if past and st.button("Undo the last choice", icon=":material/undo:"):
        with guarded():
            undo_view(library(), item)
            st.rerun()


def findings_list(item: Item, findings: list[Finding]) -> None:
    """Errors first, each with its remedy as a button where there is one."""
    serious = [f for s in ("error", "warning") for f in findings if f.severity == s]
    for i, finding in enumerate(serious):
        with st.container(border=True):
            text, action = st.columns([4, 1.4], vertical_alignment="center")
            text.markdown(
                f"{_SIGN[finding.severity]} **{finding.severity}**: {plain(finding.message)} "
                f"{plain(finding.hint)}"
            )
            if finding.remedy and action.button(
                _remedy_name(finding.remedy), key=f"remedy_{finding.code}_{i}", width="stretch"
            ):
                apply(item, view_of(item).remedied(finding.remedy))
    rest = [f for f in findings if f.severity == "info"]
    with st.expander(f"Good to know ({len(rest)})"):
        for finding in rest:
            st.markdown(f"- {plain(finding.message)} {plain(finding.hint)}")


def _remedy_name(remedy: dict) -> str:
    key, value = next(iter(remedy.items()))
    return _REMEDY[key].format(plain(str(value)))


def apply(item: Item, view: View) -> None:
    """Choose anew, and draw the page again."""
    with guarded():
        set_view(library(), item, view)
        open_item(item)
        st.rerun()


def choices(item: Item, dataset: Dataset) -> None:
    """Matrix and gene names, chosen by hand."""
    view = view_of(item)
    with st.form("choices"):
        left, right = st.columns(2)
        matrices = ["automatic", *dataset.matrices]
        matrix = left.selectbox(
            "Matrix", matrices, matrices.index(view.matrix) if view.matrix else 0,
            help="Counts are best, logs next. Scaled values cannot be used.",
        )  # fmt: skip
        names = ["automatic", "var_names", *map(str, dataset.adata.var.columns)]
        names += [view.symbols] if view.symbols and view.symbols not in names else []
        symbols = right.selectbox(
            "Gene names from", names, names.index(view.symbols) if view.symbols else 0,
            help="A column of var with gene symbols or Ensembl ids.",
        )  # fmt: skip
        if st.form_submit_button("Read the file this way"):
            matrix_, symbols_ = (None if x == "automatic" else x for x in (matrix, symbols))
            apply(item, replace(view, matrix=matrix_, symbols=symbols_))


@st.fragment
def distributions(item: Item, dataset: Dataset) -> None:
    """Totals, genes and mitochondrial share of each cell, with thresholds to drag."""
    quality = dataset.quality
    if quality is None or not len(quality.total):
        st.info("There are no usable values to show; see the findings.")
        return
    view = view_of(item)
    what = "counts per cell" if quality.counted else "sum of linear values per cell"
    mito = 100 * quality.mitochondrial
    columns = st.columns(3)
    with columns[0]:
        low = _slider(
            "Fewest " + what, 0.0, float(quality.total.max()), view.min_counts, f"total_{item.id}"
        )
        plot_part(plots.histogram(quality.total, what, low=low), "total", what)
    with columns[1]:
        top = int(quality.genes.max())
        fewest, most = st.slider(
            "Genes per cell, from and to", 0, max(top, 1),
            (min(view.min_genes, top), min(view.max_genes or top, top)), key=f"genes_{item.id}",
        )  # fmt: skip
        plot_part(plots.histogram(quality.genes, "genes per cell", fewest, most), "genes", "genes")
    with columns[2]:
        if mito.any():
            limit = float(np.ceil(10 * mito.max()) / 10)
            share = st.slider(
                "Highest mitochondrial share (%)", 0.0, limit, min(100 * view.max_mito, limit),
                0.1, format="%.1f", key=f"mito_{item.id}",
            )  # fmt: skip
            share = 100.0 if share >= limit else share
            plot_part(plots.histogram(mito, "mitochondrial share (%)", high=share), "mito", "share")
        else:
            share = 100.0
            st.caption("No mitochondrial genes (MT-…) are among the genes.")
    new = replace(view, min_counts=low, min_genes=fewest, max_mito=share / 100,
                  max_genes=None if most >= top else most)  # fmt: skip
    keep = new.keep(quality)
    st.markdown(f"**{int(keep.sum()):,} of {len(keep):,} cells stay** with these thresholds.")
    if st.button("Leave the others out", disabled=new == view, key="threshold",
                 help="The file itself is not changed; you can undo this."):  # fmt: skip
        apply(item, new)


def _slider(label: str, low: float, high: float, value: float, key: str) -> float:
    step = max(round(high / 200), 1) if high > 200 else max(high / 200, 1e-6)
    return st.slider(label, low, max(high, step), min(value, high), float(step), key=key)


def plot_part(figure: go.Figure, key: str, what: str) -> None:
    """A small figure whose title is its slider's label."""
    st.plotly_chart(figure, key=f"hist_{key}", alt=f"Histogram of {what} over the cells.",
                    config=plot_config(key))  # fmt: skip


def labels(dataset: Dataset) -> None:
    """Every column that could be a label or a group, with its counts."""
    if not dataset.labels:
        st.info("No column of obs could be a label (2 to 200 classes that recur). You can still "
                "label these cells with a saved model.")  # fmt: skip
        return
    names = [c.column for c in dataset.labels]
    name = st.selectbox("Column", names, key="label_column")
    column = dataset.labels[names.index(name)]
    missing = f", {column.missing:,} cells without" if column.missing else ""
    plot(
        plots.class_counts(column.classes), "classes",
        f"{len(column.classes)} classes of “{name}” over {sum(column.classes.values()):,} cells"
        f"{missing}. Classes under 10 cells are left out of training.",
    )  # fmt: skip


@st.fragment
def cell_map(item: Item, dataset: Dataset) -> None:
    """The file's own map, or one computed here."""
    found = map_or_button(item, dataset)
    if found is None:
        return
    points, source = found
    columns = [c.column for c in dataset.labels]
    left, right = st.columns([5, 1], vertical_alignment="bottom")
    by = left.selectbox(
        "Colour by",
        [*columns, *(["genes per cell", "a gene"] if dataset.cells is not None else [])],
        key="map_colour",
    )
    written = names_toggle(right)
    caption = f"{len(points):,} cells, {source}."
    if by in columns:
        values = label_values(dataset.obs, by)
        palette = sorted(set(values) - {""})
        codes = np.searchsorted(palette, values)
        codes = np.where(values == "", -1, codes)
        drawn = plots.class_map(
            points, codes, palette, f"coloured by {by}", height=560, names=written
        )
        legend(palette, palette)
    elif by == "a gene":
        gene = gene_picker(dataset)
        values = expression_of(dataset, gene)
        drawn = plots.expression_map(points, values, gene, height=560)
        caption += f" {plots.expressed_words(values)}"
    else:
        cells = dataset.usable()
        drawn = plots.value_map(
            points, np.diff(cells.expression.indptr), "genes per cell", "genes", height=560
        )
    plot(drawn.figure, "map", caption + picture_words(len(points)))


def gene_picker(dataset: Dataset) -> str:
    """A gene, typed or chosen."""
    return st.selectbox("Gene", sorted(dataset.usable().genes), key="gene", persist_state="session")


def expression_of(dataset: Dataset, gene: str) -> np.ndarray:
    """Log-normalised expression of one gene, (cells,)."""
    cells = dataset.usable()
    return cells.expression[:, int(np.flatnonzero(cells.genes == gene)[0])].toarray().ravel()


def table_of(dataset: Dataset) -> pd.DataFrame:
    """The first rows of obs, as they came."""
    return dataset.obs.head(100)
