"""Compare models: which model labels my cells best?"""

import pandas as pd
import streamlit as st

from scmpt_core import evaluation, plots, verbs
from scmpt_core.data import DEMO_LABEL, Dataset
from scmpt_core.device import choose_device
from scmpt_core.embeddings import EmbeddingStore
from scmpt_core.encoders import DEFAULT_ENCODERS
from scmpt_core.evaluation import Comparison
from scmpt_core.fusion import make_task
from scmpt_core.metrics import HEADLINE
from scmpt_core.settings import get_settings
from scmpt_core.ui import current_dataset, guarded, plot, progress_bar
from scmpt_core.ui.state import results


def settings_form(dataset: Dataset) -> None:
    """Label, encoders, seeds; then run."""
    columns = [c.column for c in dataset.labels]
    start = columns.index(DEMO_LABEL) if DEMO_LABEL in columns else 0
    encoders = verbs.list_encoders()
    missing = [e for e in encoders if not e["ready"]]
    with st.form("compare"):
        label = st.selectbox("Label to learn", columns, index=start, key="label")
        group = st.selectbox(
            "Keep together (donor, batch)", ["none", *columns], key="group",
            help="Whole groups go to training or to test, never to both.",
        )  # fmt: skip
        names = st.multiselect(
            "Encoders", [e["name"] for e in encoders if e["ready"]], list(DEFAULT_ENCODERS),
            key="encoders", help="The fused model scmpt joins exactly these.",
        )  # fmt: skip
        seeds = st.number_input("Repeats with new splits", 1, 20, 3, key="seeds")
        run = st.form_submit_button("Compare", type="primary", width="stretch")
    for e in missing:
        st.caption(f"{e['name']} is not on this machine. {e['how_to_get']}")
    if run:
        with guarded():
            compare(dataset, label, None if group == "none" else group, tuple(names), int(seeds))


def compare(
    dataset: Dataset, label: str, group: str | None, names: tuple[str, ...], seeds: int
) -> None:
    """Run, keep the result for this session."""
    settings, device = get_settings(), choose_device()
    st.caption(device.reason)
    task = make_task(dataset, label, group)
    report = progress_bar("starting …")
    store = EmbeddingStore(settings.embeddings)
    results()["comparison"] = evaluation.compare(
        dataset.name, task, names, seeds, store, device, report
    )
    results().pop("maps", None)


def show(result: Comparison) -> None:
    """The answer first."""
    data = result.to_json()
    rows = data["models"]
    best = max(rows, key=lambda row: row["macro_f1"]["mean"])
    tested = sum(s["test"] for s in data["split"]["splits"])
    st.success(
        f"Best by macro F1: **{best['name']}**, {best['macro_f1']['mean']:.3f} "
        f"(mean of {best['macro_f1']['n']} runs, {tested:,} test cells in all)."
    )
    for finding in result.task.findings:
        st.warning(f"{finding.message} {finding.hint}")
    frame = pd.DataFrame([_table_row(row) for row in rows]).dropna(axis=1, how="all")
    st.dataframe(frame.style.format(precision=3, na_rep="–"), hide_index=True)
    plot(plots.scores(rows), "scores", "Bars: standard deviation over runs. n: see above.")
    details(result)


def _table_row(row: dict) -> dict:
    means = {name.replace("_", " "): row[name]["mean"] for name in HEADLINE}
    spread = {"sd of macro f1": row["macro_f1"]["sd"]}
    return {"model": row["name"], **means, **spread, "seconds": row["seconds"]["mean"]}


def details(result: Comparison) -> None:
    """Confusion, maps and learning curve of one model."""
    fitted = [m for m in result.models if m != "majority"]
    model = st.selectbox("Model in detail", fitted, key="model")
    confusion, maps, curve = st.tabs(
        ["Confusion matrix", "Maps", "Learning curve"], key="tab", on_change="rerun"
    )
    task = result.task
    if confusion.open:
        with confusion:
            matrix = result.confusion(model)
            plot(plots.confusion(matrix, task.classes, model), "confusion",
                 f"Rows: true type; n = {int(matrix.sum()):,} test cells.")  # fmt: skip
    if maps.open:
        with maps:
            names = [task.classes[c] if c >= 0 else "left out" for c in task.codes]
            for encoder, points in umaps(result).items():
                plot(
                    plots.scatter(
                        points, pd.array(names).to_numpy(str), [*task.classes, "left out"], encoder
                    ),
                    f"umap_{encoder}",
                    f"UMAP of {encoder}, {len(points):,} cells, coloured by {task.label}.",
                )
    if curve.open:
        with curve:
            run = result.of(model)[0]
            plot(
                plots.learning_curves(run.history, model),
                "curve",
                f"Seed {run.seed}; training stops when the validation loss no longer falls.",
            )


def umaps(result: Comparison) -> dict:
    """Computed once a comparison."""
    if "maps" not in results():
        with st.spinner("Drawing maps (some seconds an encoder) …"):
            results()["maps"] = {n: evaluation.umap_of(e) for n, e in result.embeddings.items()}
    return results()["maps"]


st.title("Which model labels your cells best?")
dataset = current_dataset()
if dataset is None:
    st.info("No cells are open yet.")
    st.page_link("pages/dataset.py", label="Open a dataset, or the demo", icon="⬅️")
elif dataset.cells is None or not dataset.labels:
    reason = "has errors" if dataset.cells is None else "has no column that could be a label"
    st.warning(f"{dataset.name} {reason}; a comparison needs usable cells with known labels.")
    st.page_link("pages/dataset.py", label="See what was found", icon="⬅️")
else:
    side, answer = st.columns([1, 2.2])
    with side:
        settings_form(dataset)
    with answer:
        if "comparison" in results():
            show(results()["comparison"])
        else:
            st.info(
                "Choose a label on the left and press **Compare**; the demo takes about a minute."
            )
