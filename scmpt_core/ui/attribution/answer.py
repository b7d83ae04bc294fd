"""The answer: one type by one method first; the rest in tabs that run when they are open."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from scmpt_core.attribution import Attribution
from scmpt_core.attribution.quality import doubts
from scmpt_core.library import Item
from scmpt_core.ui.attribution.agree import agree
from scmpt_core.ui.attribution.cell import cell
from scmpt_core.ui.attribution.chosen import ONE_GENE
from scmpt_core.ui.attribution.databases import choose_database
from scmpt_core.ui.attribution.downloads import downloads
from scmpt_core.ui.attribution.gene import one_gene
from scmpt_core.ui.attribution.genes import top, ways
from scmpt_core.ui.attribution.headline import headline, settings_words
from scmpt_core.ui.attribution.heat import heat
from scmpt_core.ui.attribution.keep import attribution_of, matches_of
from scmpt_core.ui.attribution.markers import markers
from scmpt_core.ui.attribution.pick import View, choose_genes_and_cells, choose_view
from scmpt_core.ui.components import plain
from scmpt_core.wording import amount

TABS = {  # a link names the open one, so the names are the same for every model
    "Top genes": top,
    ONE_GENE: one_gene,
    "Known markers": markers,
    "Model and its parts": ways,
    "Genes by type": heat,
    "Agreement": agree,
    "One cell": cell,
}


def answer(item: Item) -> None:
    """The whole result.

    Raises
    ------
    ModelError
        What is kept is damaged, or of another version.
    """
    result = attribution_of(item)
    headline(item, result)
    view = _narrowed(item, result, choose_view(item, result))
    for text in doubts(result, view.method, view.way, view.type, view.correct_only):
        st.warning(plain(text))
    tabs = st.tabs(list(TABS), key="part", on_change="rerun", bind="query-params")
    for tab, draw in zip(tabs, TABS.values(), strict=True):
        with tab:
            if tab.open:
                draw(view)
    downloads(view)
    with st.expander("Settings, to repeat it"):
        st.caption(plain(settings_words(result)))


def _narrowed(item: Item, result: Attribution, view: View) -> View:
    """What is rarely changed, folded: how many genes, which cells, which markers; all said."""
    with st.popover("Top genes, cells, markers", icon=":material/tune:"):
        k, correct = choose_genes_and_cells(result)
        database = choose_database()
    view = replace(view, k=k, correct_only=correct)
    words = f"Top {k} genes; {'' if correct else 'all '}{view.cells}; "
    if database is None:
        st.caption(plain(f"{words}no database of markers: choose one there."))
        return view
    matches = matches_of(item, result.explained_names, database)
    st.caption(
        plain(f"{words}markers of {database.title} ({amount(len(database.entries), 'cell type')}).")
    )
    return replace(view, database=database, matches=matches)
