"""Dataset: what is in my file, and can it be used?"""

import streamlit as st

from scmpt_core import verbs
from scmpt_core.data import SUFFIXES, Dataset, Finding
from scmpt_core.settings import get_settings
from scmpt_core.ui import (
    current_dataset,
    findings_table,
    forget,
    guarded,
    open_file,
    open_upload,
    set_dataset,
)


def choose() -> None:
    """Demo, upload, or a path on this machine."""
    demo, upload, path = st.columns(3, border=True)
    with demo:
        st.markdown("**Demo cells**")
        st.caption("700 blood cells, 10 types, bundled with scanpy.")
        if st.button("Try it on demo cells", type="primary", key="demo", width="stretch"):
            with guarded(), st.spinner("Opening the demo …"):
                set_dataset(open_file("demo"))
    with upload:
        st.markdown("**Upload**")
        given = st.file_uploader(
            "A file of cells",
            type=[s.lstrip(".") for s in SUFFIXES],
            key="upload",
            help=".h5ad, 10x .h5, a zipped 10x folder, or a table of cells and genes",
        )
        if given is not None and st.button("Open the upload", key="open_upload", width="stretch"):
            with guarded(), st.spinner(f"Reading {given.name} …"):
                set_dataset(open_upload(given))
    with path:
        st.markdown("**A path on this machine**")
        if not get_settings().local:
            st.caption("Switched off on this server; upload your file.")
            return
        with st.form("path", border=False):
            typed = st.text_input("Path", key="typed_path", placeholder="~/data/cells.h5ad")
            if st.form_submit_button("Open the path", width="stretch") and typed:
                with guarded(), st.spinner("Reading …"):
                    set_dataset(open_file(typed))


def describe(dataset: Dataset) -> None:
    """Answer first, findings below."""
    result = verbs.check(dataset)
    findings = [Finding(**finding) for finding in result["findings"]]
    count = {s: sum(f.severity == s for f in findings) for s in ("error", "warning")}
    st.subheader(dataset.name, divider="gray")
    columns = st.columns(4)
    columns[0].metric("Cells", f"{result['cells']:,}")
    columns[1].metric("Genes", f"{result['genes']:,}")
    columns[2].metric("Matrix used", result["matrix"])
    columns[3].metric("Values", result["values"])
    if count["error"]:
        st.error(f"These cells cannot be used as they are: {count['error']} error(s), see below.")
    else:
        st.success(f"Ready to use, with {count['warning']} warning(s).", icon=":material/check:")
        st.page_link("pages/compare.py", label="Compare models on these cells", icon="➡️")
    findings_table(findings)
    for column in dataset.labels:
        with st.expander(f"Column “{column.column}”: {len(column.classes)} classes"):
            st.bar_chart(
                {"cells": column.classes}, horizontal=True, x_label="cells", y_label="class"
            )
    if st.button("Close this dataset", key="close"):
        forget()
        st.rerun()


st.title("Which cells do you have?")
choose()
dataset = current_dataset()
if dataset is None:
    st.info("No cells are open yet. Press **Try it on demo cells** to look around.")
else:
    describe(dataset)
