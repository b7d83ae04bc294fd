"""PanglaoDB from within the page: fetched, or from a file that was fetched elsewhere."""

from __future__ import annotations

import tempfile
from pathlib import Path

import streamlit as st

from scmpt_core.errors import ScmptError
from scmpt_core.markers.download import MOST_BYTES, download_panglaodb
from scmpt_core.markers.panglaodb import FILE, URL
from scmpt_core.progress import silent
from scmpt_core.ui.components import guarded, plain, size


def get_panglaodb(lack: ScmptError) -> None:
    """Why it cannot be used, and two ways to install it, both held to the published checksum."""
    st.warning(f"**{plain(lack.message)}** The published file is [{plain(FILE)}]({URL}).")
    if st.button("Download it now", key="get_panglaodb", icon=":material/download:",
                 help=f"Fetches {URL}, 0.6 MB, to this machine and checks it."):  # fmt: skip
        _install(None)
    given = st.file_uploader(
        f"Or upload {FILE}, fetched elsewhere", key="panglaodb_file", type=["gz", "tsv"],
        max_upload_size=MOST_BYTES // 1_000_000,
        help=f"At most {size(MOST_BYTES)}. Another version of the file can be used, and is not "
        "kept: choose your own table instead, and upload it there.",
    )  # fmt: skip
    if given is not None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / FILE
            path.write_bytes(given.getvalue())
            _install(path)
    st.caption(f"In a terminal: {plain(lack.hint)}")


def _install(source: Path | None) -> None:
    """Keep it for everybody on this machine; an error says why not."""
    with guarded():
        with st.spinner("Getting PanglaoDB …"):
            download_panglaodb(silent, source)
        st.rerun()
