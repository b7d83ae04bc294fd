"""A `Dataset` out of a file, or a clear refusal."""

from scmpt_core.data.backed import BackedDataset, open_backed
from scmpt_core.data.backed_writer import backed_writer
from scmpt_core.data.checks import worst
from scmpt_core.data.dataset import Dataset, load
from scmpt_core.data.demo import DEMO, DEMO_LABEL
from scmpt_core.data.export import annotate, check_target, write_h5ad
from scmpt_core.data.findings import Finding, info, warning
from scmpt_core.data.labels import MIN_CLASS, LabelColumn, check_labels, label_values
from scmpt_core.data.maps import file_map
from scmpt_core.data.quality import Quality, quality
from scmpt_core.data.ranked import ranked_genes
from scmpt_core.data.readers import READERS, SUFFIXES, folder_files
from scmpt_core.data.splits import PARTS, Split, grouped, stratified
from scmpt_core.data.view import View

__all__ = [
    "DEMO",
    "DEMO_LABEL",
    "MIN_CLASS",
    "PARTS",
    "READERS",
    "SUFFIXES",
    "BackedDataset",
    "Dataset",
    "Finding",
    "LabelColumn",
    "Quality",
    "Split",
    "View",
    "annotate",
    "backed_writer",
    "check_labels",
    "check_target",
    "file_map",
    "folder_files",
    "grouped",
    "info",
    "label_values",
    "load",
    "open_backed",
    "quality",
    "ranked_genes",
    "stratified",
    "warning",
    "worst",
    "write_h5ad",
]
