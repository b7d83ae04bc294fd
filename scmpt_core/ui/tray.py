"""Jobs as every page shows them: what runs, how long it will take, stop, where the result is."""

from __future__ import annotations

import streamlit as st

from scmpt_core.jobs import Job
from scmpt_core.progress import duration, without_time_left
from scmpt_core.ui.components import PAGES, guarded, plain
from scmpt_core.ui.state import book, owner

ICONS = {"done": "check_circle", "failed": "error", "stopped": "stop_circle"}
EVERY = 1.0  # seconds between two looks while a job is unfinished
PARAMETER = {"dataset": "dataset", "compare": "comparison", "classify": "result",
             "attribution": "attribution", "ablations": "ablation"}  # fmt: skip


def tray() -> None:
    """In the sidebar: unfinished jobs; looks again only while there are any."""
    active = book().active(owner())
    seen = {job.id for job in active}
    st.session_state["tray"] = seen
    st.fragment(_tray, run_every=EVERY if active else None)()


def _tray() -> None:
    active = book().active(owner())
    gone = st.session_state["tray"] - {job.id for job in active}
    if gone:
        for job in book().list(owner()):  # one forgotten in another tab is not among them
            if job.id in gone:
                _tell(job)
        st.rerun()
    if not active:
        return
    st.caption("Jobs")
    for job in active:
        job_progress(job, "tray")


def _tell(job: Job) -> None:
    st.toast(f"{plain(job.title)}: {job.state}", icon=f":material/{ICONS[job.state]}:")


def job_progress(job: Job, place: str) -> None:
    """A bar with what it does and the time left, and a stop button."""
    left = f" · about {duration(job.seconds_left)} left" if job.seconds_left else ""
    with st.container(key=f"{place}_{job.id}"):
        st.markdown(f"**{plain(job.title)}**")
        if job.state == "waiting":
            ahead = book().ahead(job)
            if ahead:
                st.caption(f"{ahead} before it")
        if not book().worker_alive():
            st.warning(
                "No worker is running, so this waits. Start the app with `make app`, or a worker "
                "with `python -m scmpt_core worker`."
            )
        told = job.fraction or job.state == "waiting"
        # the message tells the time left of a step, the record that of the whole job: one is enough
        message = without_time_left(job.message) if left else job.message
        words = plain(message) + left if told else "starting …"
        st.progress(min(job.fraction, 1.0), text=words)
        if st.button(
            "Stop", key=f"stop_{place}_{job.id}", icon=":material/stop_circle:",
            disabled=job.stop, help="Within two seconds; what was computed is kept.",
        ):  # fmt: skip
            with guarded():
                book().request_stop(owner(), job.id)
                st.rerun(scope="app")


def watch(jobs: list[Job]) -> None:
    """In a page: the unfinished ones among ``jobs``, looked at every second."""
    ids = [job.id for job in jobs if job.active]
    if ids:
        st.fragment(_watch, run_every=EVERY)(ids)


def _watch(ids: list[str]) -> None:
    for job in book().active(owner()):
        if job.id in ids:
            with st.container(border=True):
                job_progress(job, "page")


def result_link(job: Job, label: str = "Open the result") -> None:
    """Lead to what a finished job made."""
    if job.state == "done" and job.result:
        page, result = job.result["page"], job.result
        # what a job made of a model is kept with it: then the model is what to open
        of_model = "item" not in result
        query = {"model": result["model"]} if of_model else {PARAMETER[page]: result["item"]}
        st.page_link(
            PAGES[page], label=label, icon=":material/open_in_new:", query_params=query
        )  # fmt: skip


def failed(jobs: list[Job]) -> None:
    """Why the newest of ``jobs`` ended without a result."""
    if not jobs:
        return
    job = jobs[0]
    if job.state == "failed":
        st.error(f"**{plain(job.title)}: {plain(job.error or '')}**\n\n{plain(job.hint or '')}")
    elif job.state == "stopped":
        st.info(f"{plain(job.title)}: {plain(job.message)}. Run it again to go on.")
