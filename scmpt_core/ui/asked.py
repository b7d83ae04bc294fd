"""A page that asks a model about cells, and keeps what it answered."""

from __future__ import annotations

from collections.abc import Callable, Set
from dataclasses import dataclass

import streamlit as st

from scmpt_core.data import Dataset
from scmpt_core.library import Item
from scmpt_core.ui.classify.models import Offer, choose_model, describe
from scmpt_core.ui.classify.start import fit
from scmpt_core.ui.components import PAGES, guarded, item_list
from scmpt_core.ui.files import choose_file, dataset_picker
from scmpt_core.ui.results import choose_result, made, results_of
from scmpt_core.ui.state import dataset_of, jobs_of, linked
from scmpt_core.ui.tray import PARAMETER, failed, watch


@dataclass(frozen=True)
class Asked:
    """What such a page has of its own.

    Parameters
    ----------
    page
        Name in ``PAGES``.
    kind
        Of the items that it keeps.
    jobs
        Kinds of jobs that it starts.
    cells, empty, ask, heading, choice, kept
        Words: over the choice of cells, where there are none, over the form, over the answer, over
        the choice of an answer, over the list of all.
    described, listed
        A result in a line: to choose from, and in the list of all.
    start
        The form, for cells that fit the model; told which kinds of jobs are running on them.
    answer
        A result.
    """

    page: str
    kind: str
    jobs: tuple[str, ...]
    cells: str
    empty: str
    ask: str
    heading: str
    choice: str
    kept: str
    described: Callable[[Item], str]
    listed: Callable[[Item], str]
    start: Callable[[Item, Dataset, Offer, Set[str]], None]
    answer: Callable[[Item], None]

    def draw(self) -> None:
        """Cells, the form, what runs, the answer."""
        parameter = PARAMETER[self.page]
        named = linked(self.kind, parameter)
        item = dataset_picker(self.cells)
        with st.expander("Open other cells", expanded=item is None):
            choose_file()
        if item is None:
            st.info(self.empty)
        results = results_of(self.kind, item, named)
        asked = not results or "model" in st.query_params
        with st.expander(self.ask, expanded=asked), guarded():
            self._ask(item)
        for jobs in [jobs_of(kind, item) for kind in self.jobs] if item is not None else ():
            watch(jobs)
            failed([j for j in jobs[:1] if not j.active])
        if results:
            with guarded():
                st.subheader(self.heading, divider="gray")
                self.answer(choose_result(results, named, parameter, self.choice, self._dated))

    def list_kept(self) -> None:
        """All that the page made, of any cells."""
        parameter = PARAMETER[self.page]
        item_list(
            self.kind, self.kept, self.listed,
            lambda r: st.page_link(PAGES[self.page], label="Show", query_params={parameter: r.id}),
        )  # fmt: skip

    def _ask(self, item: Item | None) -> None:
        """A model, whether it fits the cells, and the form."""
        offer = choose_model()
        describe(offer)
        if item is None:
            return
        dataset = dataset_of(item)
        if fit(item, dataset, offer):
            running = {k for k in self.jobs if any(job.active for job in jobs_of(k, item))}
            self.start(item, dataset, offer, running)

    def _dated(self, result: Item) -> str:
        return f"{self.described(result)}, {made(result)}"
