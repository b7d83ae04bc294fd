"""How accuracy falls as new cells measure less of what a model read in training.

    PYTHONPATH=. python benchmarks/gene_overlap.py FILE --label COLUMN

Trains each encoder + MLP on all genes, then cuts the test cells to random gene panels of falling
size and prints overlap and accuracy side by side. The limit in scmpt_core/fusion/overlap.py is
read off this table.
"""

from __future__ import annotations

import argparse

import numpy as np

from scmpt_core import fusion
from scmpt_core.data import load
from scmpt_core.device import choose_device
from scmpt_core.embeddings import EmbeddingStore
from scmpt_core.fusion.model import model_name
from scmpt_core.fusion.overlap import overlaps
from scmpt_core.fusion.training import predict_proba
from scmpt_core.settings import get_settings

SHARES = (1.0, 0.95, 0.9, 0.8, 0.7, 0.6, 0.5, 0.3)


def main() -> None:
    """Print one line an encoder and panel."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file")
    parser.add_argument("--label", required=True)
    parser.add_argument("--encoder", action="append")
    args = parser.parse_args()

    device, store = choose_device(), EmbeddingStore(get_settings().embeddings)
    dataset = load(args.file)
    task = fusion.make_task(dataset, args.label)
    split = task.splits(0)[0]
    test = task.cells.take(split.test)
    rng = np.random.default_rng(0)
    for name in args.encoder or ["scgpt-mini", "minilm", "pca"]:
        model = fusion.train_model(task, (name,), 0, store, device, dataset.name)
        for share in SHARES:
            panel = rng.permutation(task.cells.genes)[: round(share * len(task.cells.genes))]
            cells = test.restrict(set(panel))
            features = fusion.embed(model.encoders, cells, store)[name]
            predicted = predict_proba(model.head, features, device).argmax(axis=1)
            accuracy = (predicted == task.codes[split.test]).mean()
            overlap = overlaps(model.windows, model.genes, cells.genes)[name]
            print(
                f"{model_name((name,)):16} genes {share:4.0%}  overlap {overlap:6.1%}  "
                f"accuracy {accuracy:.3f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
