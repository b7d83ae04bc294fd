"""Labels of new cells: what the model says, the rule, the clusters' votes, the user's edits."""

from scmpt_core.labelling.agreement import Agreement, agreement, disputed
from scmpt_core.labelling.edits import (
    cluster_sizes,
    confirm_term,
    name_clusters,
    same_clusters,
    unname_clusters,
)
from scmpt_core.labelling.effect import OUTCOMES, Effect, effect, outcomes, set_sizes
from scmpt_core.labelling.groups import (
    ClusterRow,
    LabelRow,
    cluster_rows,
    gene_text,
    label_rows,
)
from scmpt_core.labelling.labels import BY_HAND, COLUMNS, JOINT, Labelling, set_texts
from scmpt_core.labelling.make import (
    LEIDEN,
    Clustering,
    cluster_cells,
    label_cells,
    marker_genes,
    ontology_of,
)
from scmpt_core.labelling.script import script
from scmpt_core.labelling.stored import load_labelling, save_labelling
from scmpt_core.labelling.terms import term_url, without_term
from scmpt_core.labelling.write import (
    dataset_record,
    labelled_summary,
    labelling_record,
    settings_of,
    write_labelled,
)

__all__ = [
    "BY_HAND",
    "COLUMNS",
    "JOINT",
    "LEIDEN",
    "OUTCOMES",
    "Agreement",
    "ClusterRow",
    "Clustering",
    "Effect",
    "LabelRow",
    "Labelling",
    "agreement",
    "cluster_cells",
    "cluster_rows",
    "cluster_sizes",
    "confirm_term",
    "dataset_record",
    "disputed",
    "effect",
    "gene_text",
    "label_cells",
    "label_rows",
    "labelled_summary",
    "labelling_record",
    "load_labelling",
    "marker_genes",
    "name_clusters",
    "ontology_of",
    "outcomes",
    "same_clusters",
    "save_labelling",
    "script",
    "set_sizes",
    "set_texts",
    "settings_of",
    "term_url",
    "unname_clusters",
    "without_term",
    "write_labelled",
]
