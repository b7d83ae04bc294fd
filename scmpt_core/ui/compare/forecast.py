"""Before the run: which row will win, as far as a sample tells."""

from __future__ import annotations

import json
from dataclasses import replace

import pandas as pd
import streamlit as st

from scmpt_core import plots, verbs
from scmpt_core.data import Dataset
from scmpt_core.device import choose_device
from scmpt_core.embeddings import EmbeddingStore
from scmpt_core.forecast import CELLS, LEVEL, PROBES, Forecast, get_probe
from scmpt_core.fusion import make_task
from scmpt_core.fusion.logistic import FOLDS
from scmpt_core.jobs import estimate_compare
from scmpt_core.jobs.kinds.compare import plan_of
from scmpt_core.library import Item, noting
from scmpt_core.progress import duration
from scmpt_core.settings import get_settings
from scmpt_core.ui.components import guarded, plain, plot
from scmpt_core.ui.state import library

PROBING = 5.0  # seconds, once the sample is embedded
HELP = (
    "Embeds a few hundred cells and asks, without training a model, how well each encoder's "
    "vectors tell the types apart. It takes seconds, and changes nothing of the comparison."
)


def forecast(item: Item, dataset: Dataset, given: dict) -> None:
    """A button, and what was found for the settings as they are now."""
    names = given["encoders"]
    if len(names) < 2:
        return
    found: dict[str, Forecast] = st.session_state.setdefault("forecasts", {})
    options = plan_of(given).options
    read = [given[k] for k in ("dataset", "view", "label", "group", "encoders")]
    key = json.dumps([*read, vars(options)], sort_keys=True)
    if key in found:
        return show(found[key])
    seconds = duration(_seconds(dataset, given))
    if st.button(f"Forecast which will win (about {seconds})", key="forecast", help=HELP,
                 width="stretch"):  # fmt: skip
        with guarded():
            found[key] = _made(dataset, given)
            st.rerun()  # without the button


def _seconds(dataset: Dataset, given: dict) -> float:
    """How long it will take here, the sample not embedded yet."""
    cells, plan = min(CELLS, dataset.adata.n_obs), replace(plan_of(given), seeds=1)
    fits = FOLDS + 1  # of the encoders that are fitted: without each fold, and to all
    expected = estimate_compare(library().home, choose_device().name, cells, plan, fits)
    return expected.seconds - expected.training - expected.maps + PROBING


def _made(dataset: Dataset, given: dict) -> Forecast:
    settings, device = get_settings(), choose_device()
    store = EmbeddingStore(settings.embeddings, noting(settings.home, device.name))
    bar = st.progress(0.0)
    try:
        return verbs.forecast_task(
            make_task(dataset, given["label"], given["group"]), given["encoders"], store, device,
            lambda fraction, text: bar.progress(min(fraction, 1.0), text=plain(text)),
            options=plan_of(given).options,
        )  # fmt: skip
    finally:
        bar.empty()


def show(found: Forecast) -> None:
    """In sentences, as a picture, and what it rests on."""
    with st.container(border=True):
        first, *others = found.ranking()
        st.markdown(f"**Forecast:** {plain(first)}")
        plot(plots.forecast([row.to_json() for row in found.rows]), "forecast_chart",
             _caption(found))  # fmt: skip
        for text in others:
            st.caption(plain(text))
        st.markdown("\n".join(f"- {plain(text)}" for text in found.worth()))
        with st.expander("What it rests on"):
            lines = [(what, plain(value)) for what, value in found.properties.lines()]
            st.table(pd.DataFrame(lines, columns=["of the cells", ""]).set_index("of the cells"))
            st.dataframe(_probes(found), hide_index=True)
            for info in PROBES:
                st.caption(f"**{info.title}**: {info.scale} ({info.reference}).")
            if found.record is not None:
                _kept(found)


def _caption(found: Forecast) -> str:
    title = get_probe(found.probe).title.lower()
    return (
        f"From {found.cells} cells, by {title}; {found.n} {found.unit} resampled. Above: "
        f"probability to come out best. Below: expected macro F1 less that of "
        f"{found.rows[0].name}, with its {LEVEL:.0%} interval."
    )


def _probes(found: Forecast) -> pd.DataFrame:
    """What each probe said of each row."""
    titles = {info.name: info.title for info in PROBES}
    return pd.DataFrame(
        [
            {"row": row.name, **{titles[k]: round(v, 3) for k, v in row.probes.items()}}
            for row in found.rows
        ]
    )


def _kept(found: Forecast) -> None:
    """Whether stated probabilities held, on the datasets that forecasts were held against."""
    record = found.record
    bins = [
        {"stated probability": f"{b['low']:g} to {b['high']:g}", "said, mean": round(b["said"], 2),
         "came out best": round(b["best"], 2), "rows": b["n"]}
        for b in record.bins
    ]  # fmt: skip
    st.dataframe(pd.DataFrame(bins), hide_index=True)
    st.caption(
        f"Brier score {record.brier:.3f}, rank agreement (Kendall's τ) {record.tau:+.2f}; "
        f"datasets: {', '.join(record.sets)}; rows: {', '.join(record.encoders)} and their fusion."
    )
