"""A Python script that repeats a labelling: the same call, with every setting written out."""

from __future__ import annotations

import json

from scmpt_core import __version__

TEMPLATE = '''"""Repeats a labelling by scMPT {version}.

    python repeat_labelling.py CELLS MODEL OUT.h5ad

CELLS is the file that was labelled ({dataset}), MODEL the folder of the
model ({model}) or the name of one that ships with scMPT, OUT.h5ad where to
write. Run it in scMPT's folder, or with that on the Python path.
"""

import json
import sys
from pathlib import Path

from scmpt_core import verbs
from scmpt_core.data import View, load
from scmpt_core.device import choose_device
from scmpt_core.embeddings import EmbeddingStore
from scmpt_core.fusion import Rule, open_model
from scmpt_core.labelling import Clustering
from scmpt_core.progress import silent
from scmpt_core.settings import get_settings

SETTINGS = json.loads(r"""
{settings}
""")

cells, model, out = sys.argv[1:]
device = choose_device()
dataset = load(cells, View.from_json(SETTINGS["view"]))
result = verbs.classify_file(
    dataset, open_model(model, device), Path(out), EmbeddingStore(get_settings().embeddings),
    device, silent, Path(cells), Rule(**SETTINGS["rule"]), Clustering(**SETTINGS["clustering"]),
    SETTINGS["edits"], SETTINGS["terms"], SETTINGS["clusters"],
)
print(json.dumps(result["labels"], indent=1))
'''


def script(dataset: str, model: str, settings: dict) -> str:
    """The script's text.

    Parameters
    ----------
    dataset, model
        Their names, for its description.
    settings
        From :func:`~scmpt_core.labelling.write.settings_of`.
    """
    # within JSON a quote follows a backslash, so no name can end the literal that holds it
    text = json.dumps(settings, indent=1)
    names = {k: v.replace("\\", "/").replace('"', "'") for k, v in
             {"dataset": dataset, "model": model}.items()}  # fmt: skip
    return TEMPLATE.format(version=__version__, settings=text, **names)
