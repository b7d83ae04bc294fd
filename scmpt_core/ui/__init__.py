"""What pages share. The only part of the core that imports Streamlit."""

from scmpt_core.ui.components import findings_table, guarded, plot, progress_bar
from scmpt_core.ui.state import current_dataset, forget, open_file, open_upload, set_dataset

__all__ = [
    "current_dataset",
    "findings_table",
    "forget",
    "guarded",
    "open_file",
    "open_upload",
    "plot",
    "progress_bar",
    "set_dataset",
]
