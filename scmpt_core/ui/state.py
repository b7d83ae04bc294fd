"""Who is looking, what they keep, and what they have open. Nothing here crosses owners."""

from __future__ import annotations

import json
import secrets
from pathlib import Path

import streamlit as st

from scmpt_core import fusion, verbs
from scmpt_core.data import Dataset
from scmpt_core.device import choose_device
from scmpt_core.errors import ScmptError
from scmpt_core.evaluation import StoredComparison, load_stored
from scmpt_core.jobs import Job, JobBook
from scmpt_core.library import LOCAL, Item, Library, open_dataset
from scmpt_core.settings import get_settings

_OPEN = "open_dataset"


def owner() -> str:
    """Who owns what is made here.

    Without login everybody on this machine is one person. On a server that is not local each
    visit is its own owner, until logins exist, so that strangers never see each other's cells.
    """
    if get_settings().local:
        return LOCAL
    return st.session_state.setdefault("owner", f"visit-{secrets.token_hex(16)}")


def library() -> Library:
    """The kept items."""
    return Library(get_settings().home)


def book() -> JobBook:
    """The records of jobs."""
    return JobBook(get_settings().home)


def current_item() -> Item | None:
    """The dataset that is open: of this session, of the link, or the newest one."""
    items = {item.id: item for item in library().list(owner(), "dataset")}
    for id in (st.query_params.get("dataset"), st.session_state.get(_OPEN), next(iter(items), "")):
        if id in items:
            st.session_state[_OPEN] = id
            return items[id]
    return None


def open_item(item: Item) -> None:
    """Make it the open dataset, here and in the link."""
    st.session_state[_OPEN] = item.id
    if "dataset" in st.query_params:
        st.query_params["dataset"] = item.id


def dataset_of(item: Item) -> Dataset:
    """The dataset, opened once; up to three stay in memory.

    Raises
    ------
    ScmptError
        The file cannot be opened any more.
    """
    return _dataset(item.id, json.dumps(item.meta["view"], sort_keys=True), item)


def check_of(item: Item) -> dict:
    """What was found in it, coverage by the encoders included."""
    return _check(item.id, json.dumps(item.meta["view"], sort_keys=True), item)


def comparison_of(item: Item) -> StoredComparison:
    """A finished comparison, read once."""
    return _comparison(item.id, item.created, item)


@st.cache_resource(max_entries=2, show_spinner="Opening the model …")
def model_in(folder: str) -> fusion.ScMPT:
    """The model in a folder, opened once; up to two stay in memory.

    Raises
    ------
    ScmptError
        It cannot be opened any more.
    """
    return fusion.load(Path(folder), choose_device())


@st.cache_resource(max_entries=3, show_spinner="Opening the cells …")
def _dataset(id: str, view: str, _item: Item) -> Dataset:
    return open_dataset(_item)


@st.cache_resource(max_entries=20, show_spinner="Checking the cells …")
def _check(id: str, view: str, _item: Item) -> dict:
    return verbs.check(_dataset(id, view, _item))


@st.cache_resource(max_entries=4, show_spinner="Reading the comparison …")
def _comparison(id: str, created: float, _item: Item) -> StoredComparison:
    return load_stored(_item.folder)


def linked(kind: str, parameter: str) -> Item | None:
    """The result that the link names, if it is the visitor's; its dataset becomes the open one."""
    id = st.query_params.get(parameter)
    if id is None:
        return None
    try:
        found = library().get(owner(), kind, id)
    except ScmptError as error:
        if not _unfinished(id):
            st.warning(plain(str(error)))
            del st.query_params[parameter]
        return None
    for item in library().list(owner(), "dataset"):
        if item.id == found.meta["dataset"]:
            open_item(item)
    return found


def jobs_of(kind: str, item: Item) -> list[Job]:
    """The visitor's jobs of one kind on a dataset, the newest first."""
    jobs = book().list(owner())
    return [job for job in jobs if job.kind == kind and job.settings["dataset"] == item.id]


def _unfinished(id: str) -> bool:
    """Whether a job will make the item, which then bears the job's id."""
    return any(job.id == id for job in book().active(owner()))


def plain(text: str) -> str:
    """Text from a file or a link, shown as text and not as markup."""
    return "".join(f"\\{c}" if c in "\\`*_{}[]()#<>|~$:" else c for c in text)
