"""Jobs: what runs, what ran, and where the results are."""

import time

import streamlit as st

from scmpt_core.jobs import Job
from scmpt_core.progress import duration
from scmpt_core.ui.components import ago, empty, guarded, plain
from scmpt_core.ui.shell import through_app
from scmpt_core.ui.state import book, owner
from scmpt_core.ui.tray import ICONS, result_link, watch

through_app("jobs")
st.title("What is running, and what has run?")


def finished(job: Job) -> None:
    """One job that has ended: how, its result, its log."""
    with st.container(border=True):
        took = f", took {duration(job.seconds)}" if job.seconds is not None else ""
        sign = f":material/{ICONS[job.state]}:"
        how = f"{job.state}, {ago(job.created)}{took}"
        st.markdown(f"{sign} **{plain(job.title)}** · {how}")
        if job.error:
            st.error(f"{plain(job.error)} {plain(job.hint or '')}")
        left, right = st.columns([4, 1.4], vertical_alignment="center")
        with left:
            result_link(job)
            with st.expander("Log and settings", key=f"log_{job.id}", on_change="rerun") as log:
                if log.open:
                    details(job)
        if right.button("Forget", key=f"forget_{job.id}", help="Removes this line; results stay."):
            with guarded():
                book().remove(owner(), job.id)
                st.rerun()


def details(job: Job) -> None:
    """Everything noted about it."""
    lines = book().log_of(owner(), job.id)
    st.code("\n".join(f"{time.strftime('%H:%M:%S', time.localtime(t))} {s}" for t, s in lines),
            language=None)  # fmt: skip
    st.json(job.settings, expanded=False)


jobs = book().list(owner())
if not jobs:
    empty("No job has run yet. Comparing models, computing a map and labelling cells are jobs.",
          "start", "Try it on demo cells")  # fmt: skip
watch(jobs)
for job in jobs:
    if not job.active:
        finished(job)
