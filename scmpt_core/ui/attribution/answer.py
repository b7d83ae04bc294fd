"""The answer: one type by one method first; the rest in tabs that run when they are open."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from scmpt_core.attribution import Attribution
from scmpt_core.library import Item
from scmpt_core.ui.attribution.agree import agree
from scmpt_core.ui.attribution.cell import cell
from scmpt_core.ui.attribution.chosen import ONE_GENE
from scmpt_core.ui.attribution.databases import choose_database
from scmpt_core.ui.attribution.downloads import downloads
from scmpt_core.ui.attribution.gene import one_gene
from scmpt_core.ui.attribution.genes import top, ways
from scmpt_core.ui.attribution.heat import heat
from scmpt_core.ui.attribution.keep import attribution_of, matches_of
from scmpt_core.ui.attribution.markers import markers
from scmpt_core.ui.attribution.pick import choose_view
from scmpt_core.ui.attribution.scores import method_title
from scmpt_core.ui.components import plain

TABS = {
    "Top genes": top,
    ONE_GENE: one_gene,
    "Known markers": markers,
    "Text, scGPT and fused": ways,
    "Genes by type": heat,
    "Agreement": agree,
    "One cell": cell,
}
WHAT = (
    "A score says how much a gene adds to the logit of the type, by the method's own rule. It "
    "says what the model leans on, not what makes the cell what it is."
)


def answer(item: Item) -> None:
    """The whole result.

    Raises
    ------
    ModelError
        What is kept is damaged, or of another version.
    """
    result = attribution_of(item)
    headline(item, result)
    view = choose_view(item, result)
    database = choose_database()
    if database is not None:
        matches = matches_of(item, result.type_names, database)
        view = replace(view, database=database, matches=matches)
    tabs = st.tabs(list(TABS), key="part", on_change="rerun", bind="query-params")
    for tab, draw in zip(tabs, TABS.values(), strict=True):
        with tab:
            if tab.open:
                draw(view)
    downloads(item, result)


def headline(item: Item, result: Attribution) -> None:
    """What was explained, in two sentences."""
    n, kinds = len(result.ids), len(result.type_names)
    methods = ", ".join(method_title(name) for name in result.methods)
    right = sum(result.predicted[result.ways[0]] == result.types)
    said = (
        f"their known type, which the model named right in {right:,}"
        if result.known
        else "the type that the model predicts"
    )
    st.success(
        f"{plain(item.meta['dataset_name'])}: {n:,} cells of {kinds} type{'s' * (kinds != 1)} "
        f"explained for **{plain(result.model)}** by {plain(methods)}. Scores are for {said}."
    )
    st.caption(f"{WHAT} {_settings(result)}")


def _settings(result: Attribution) -> str:
    """All that the scores depend on, for a reader who wants to repeat them."""
    shown = {**result.settings, **result.settings.get("options", {})}
    words = [f"{name.replace('_', ' ')} {value}" for name, value in shown.items()
             if isinstance(value, str | int | float) and not isinstance(value, bool)]  # fmt: skip
    return plain(f"Settings: {'; '.join(words)}.") if words else ""
