"""Does another sentence than the plain one help a text encoder? Formats × labelled sets.

    PYTHONPATH=. python benchmarks/sentence_formats.py LABELLED_FOLDER [--set NAME …]
        [--encoder NAME …] [--format NAME …] [--seeds N] [--cells N]

A text encoder with the ``linear`` head on test cells, the same splits for every format; kang2018
by donor, where a seed's score is the mean over its folds. Formats that are fitted are fitted to the
training cells of each split. Prints, as Markdown, macro F1 as mean ± standard deviation over seeds,
and the difference to plain in points, mean ± standard deviation over the same seeds. ``--cells``
takes a stratified sample of about that many cells of each set, drawn by the cells' ids with seed 0.
Embeddings are stored, so a killed run goes on. The format ``described`` runs where
SCMPT_GENE_DESCRIPTIONS names a file.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from benchmarks.compare_sets import table
from benchmarks.sets import NAMES, SAMPLE_SEED, open_set, sampled
from scmpt_core import fusion
from scmpt_core.device import Device, choose_device
from scmpt_core.embeddings import EmbeddingStore
from scmpt_core.encoders import ENCODERS, EncoderOptions
from scmpt_core.evaluation import get_effort
from scmpt_core.sentences import FORMATS, PLAIN, PREFIX
from scmpt_core.settings import get_settings

TEXTS = [spec.name for spec in ENCODERS if spec.info.modality == "text"]
ISLETS = "human pancreatic islet:"
PREFIXES = dict.fromkeys(NAMES, "human blood:") | {"baron2016": ISLETS, "xin2016": ISLETS}


def macro_f1(
    task: fusion.Task, encoder: str, options: EncoderOptions, seeds: int, store: EmbeddingStore,
    device: Device,
) -> np.ndarray:  # fmt: skip
    """Mean over the folds of each seed, (seeds,)."""
    loaded = fusion.load_encoders([encoder], device, options)
    spec, budget = fusion.ModelSpec((encoder,), "linear"), get_effort("quick").budget
    scores = []
    for seed in range(seeds):
        folds = []
        for split in task.splits(seed):
            fitted = fusion.fit_encoders(loaded, task.cells, split.train)
            vectors = fusion.embed(fitted, task.cells, store)
            trained = fusion.train_head(task, split, vectors, spec, budget, seed, device)
            folds.append(trained.scores.macro_f1)
        scores.append(np.mean(folds))
    return np.array(scores)


def spread(values: np.ndarray, form: str) -> str:
    """Mean ± standard deviation; one value has none."""
    sd = f" ± {values.std(ddof=1):{form.lstrip('+')}}" if len(values) > 1 else ""
    return f"{values.mean():{form}}{sd}"


def show(encoder: str, found: dict[str, dict[str, np.ndarray]], sizes: dict[str, str]) -> None:
    """``found``: format → set → macro F1 of each seed."""
    rows = [["cells", *sizes.values()]]
    for name, by_set in found.items():
        row = [name]
        for key, scores in by_set.items():
            gain = 100 * (scores - found[PLAIN.name][key])
            difference = "" if name == PLAIN.name else f" ({spread(gain, '+.1f')})"
            row.append(spread(scores, ".3f") + difference)
        rows.append(row)
    table([f"{encoder}+linear: macro F1 (points against plain)", *sizes], rows)


def main() -> None:
    """Print a table an encoder."""
    offered = [f.name for f in FORMATS if f.ready()]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--set", action="append", choices=NAMES)
    parser.add_argument("--encoder", action="append", choices=TEXTS)
    parser.add_argument("--format", action="append", choices=offered, help="beside plain")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--cells", type=int)
    args = parser.parse_args()
    device, store = choose_device(), EmbeddingStore(get_settings().embeddings)
    drawn = "all cells" if args.cells is None else f"{args.cells:,} cells, drawn by {SAMPLE_SEED}"
    print(f"{device.reason}; {drawn}; seeds: {args.seeds}", flush=True)
    formats = dict.fromkeys([PLAIN.name, *(args.format or offered)])
    for encoder in args.encoder or TEXTS[:1]:
        found: dict[str, dict[str, np.ndarray]] = {name: {} for name in formats}
        sizes = {}
        for key in args.set or NAMES:
            task = sampled(open_set(key, args.folder)[1], args.cells)
            sizes[key] = f"{(task.codes >= 0).sum():,}, by {task.group or 'cell'}"
            for name in formats:
                options = EncoderOptions(
                    sentence=name, prefix=PREFIXES[key] if name == PREFIX.name else ""
                )
                found[name][key] = macro_f1(task, encoder, options, args.seeds, store, device)
                print(f"done: {encoder}, {key}, {name}", flush=True)
        show(encoder, found, sizes)


if __name__ == "__main__":
    main()
