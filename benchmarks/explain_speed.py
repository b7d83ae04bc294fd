"""What an explanation costs: LIME against the ``lime`` package, and integrated gradients.

    PYTHONPATH=. python benchmarks/explain_speed.py [--cells 2] [--samples 1000] [--rounds 3]
        [--gradient-cells 5]

Trains the recommended model (scgpt-mini, minilm and pca) on the demo first, with effort quick.

LIME: of its MiniLM part, encoder and head, end to end, against ``LimeTextExplainer`` around
``SentenceTransformer.encode`` (float32, as it runs by default) and the same head; same cells and,
as the package is given our draws for its own, the very same perturbed cells; in turn. What either
needs besides encoder and head stands apart, as does how alike the weights are.

Integrated gradients: test cells of each type, as :func:`scmpt_core.attribution.attribute` explains
them by default, the whole model and each of its parts.
"""

from __future__ import annotations

import scmpt_core  # noqa: F401 (settings of threads, before torch starts any)

# isort: split
import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

import numpy as np
import torch
from lime.lime_text import LimeTextExplainer

from benchmarks.sets import open_set
from scmpt_core.attribution import Options, Request, Subject, Way, attribute, ways_of
from scmpt_core.attribution.lime import explain, sample
from scmpt_core.cells import Cells
from scmpt_core.data import label_values
from scmpt_core.device import choose_device
from scmpt_core.embeddings import EmbeddingStore
from scmpt_core.encoders import Encoder
from scmpt_core.evaluation import Plan
from scmpt_core.fusion import ScMPT, predict_logits, recommended, train_model
from scmpt_core.progress import Progress
from scmpt_core.seeds import cell_seeds
from scmpt_core.sentences import cell_sentences
from scmpt_core.settings import get_settings

ENCODERS = ("scgpt-mini", "minilm", "pca")
TEXT = "minilm"
SEED = 0


class Clock:
    """Seconds spent inside the calls that went through it."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self, call: Callable) -> Callable:
        def timed(*given: object) -> object:
            start = time.perf_counter()
            try:
                return call(*given)
            finally:
                self.seconds += time.perf_counter() - start

        return timed


class TimedEncoder:
    """An encoder for LIME, which only embeds; with the clock running."""

    def __init__(self, encoder: Encoder, clock: Clock) -> None:
        self._encode = clock(encoder.encode)

    def encode(self, cells: Cells, progress: Progress) -> np.ndarray:
        return self._encode(cells, progress)


class TimedHead(torch.nn.Module):
    """A head with the clock running."""

    def __init__(self, head: torch.nn.Module, clock: Clock) -> None:
        super().__init__()
        self.head, self._judge = head, clock(head)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self._judge(x)


class Draws(np.random.RandomState):
    """A source of chance that gives the package the genes that ours takes out.

    Parameters
    ----------
    present
        As :func:`scmpt_core.attribution.lime.sample` gives them, in the order of the sentence's
        words, (samples, words) bool; the first is the whole cell.
    """

    def __init__(self, present: np.ndarray) -> None:
        super().__init__(SEED)
        self._present, self._next = present, 1

    def randint(self, low: int, high: int, size: int) -> np.ndarray:
        """How many words each sample loses."""
        return (~self._present[1:]).sum(axis=1)

    def choice(self, words: range, size: int, replace: bool) -> np.ndarray:
        """Which ones."""
        out = np.flatnonzero(~self._present[self._next])
        self._next += 1
        return out


@dataclass(frozen=True, eq=False)
class Run:
    """One explanation of one cell.

    Parameters
    ----------
    predicting
        Of ``seconds``, inside encoder and head.
    weights
        (genes of the subject,).
    """

    seconds: float
    predicting: float
    weights: np.ndarray


def ours(cell: Cells, encoder: Encoder, way: Way, target: int, samples: int) -> Run:
    """LIME of scMPT."""
    clock, device = Clock(), choose_device()
    timed = Way(way.name, way.encoders, TimedHead(way.head, clock))
    start = time.perf_counter()
    subject = Subject(cell, {TEXT: TimedEncoder(encoder, clock)}, [timed], device)
    found = explain(subject, target, Options(samples=samples), SEED)[way.name]
    return Run(time.perf_counter() - start, clock.seconds, found.scores)


def package(cell: Cells, encoder: Encoder, way: Way, target: int, samples: int) -> Run:
    """LIME of the package, on the same perturbed cells."""
    subject, clock = Subject(cell, {TEXT: encoder}, [way], choose_device()), Clock()
    rng = np.random.default_rng([SEED, int(cell_seeds(cell)[0])])
    present = sample(len(subject.columns), samples, rng)
    sentence = cell_sentences(cell)[0]
    place = {gene: i for i, gene in enumerate(subject.genes)}
    order = [place[word] for word in sentence.split()]

    def logits(sentences: list[str]) -> np.ndarray:
        return predict_logits(way.head, encoder.model.encode(sentences), choose_device())

    start = time.perf_counter()
    explainer = LimeTextExplainer(
        split_expression=r"\s+", feature_selection="none", random_state=Draws(present[:, order])
    )
    found = explainer.explain_instance(
        sentence, clock(logits), labels=(target,), num_features=len(order), num_samples=samples
    )
    seconds = time.perf_counter() - start
    weights = np.zeros(len(order))
    for word, weight in found.local_exp[target]:
        weights[order[word]] = weight
    return Run(seconds, clock.seconds, weights)


def against_lime(model: ScMPT, cells: Cells, targets: np.ndarray, args) -> None:
    """Print the table of LIME."""
    encoder = model.encoders[TEXT]
    way = next(way for way in ways_of(model) if way.name == TEXT)
    ways = {f"ours, {choose_device().dtype_name}": ours, "lime package, float32": package}
    runs: dict[str, list[Run]] = {name: [] for name in ways}
    alike = []
    for run in ways.values():
        run(cells.take(np.array([0])), encoder, way, int(targets[0]), 10)  # not timed
    for _ in range(args.rounds):
        for i, target in enumerate(targets):
            both = [run(cells.take(np.array([i])), encoder, way, int(target), args.samples)
                    for run in ways.values()]  # fmt: skip
            for name, run in zip(ways, both, strict=True):
                runs[name].append(run)
            alike.append(np.corrcoef(both[0].weights, both[1].weights)[0, 1])
    print(f"\n**LIME, {args.samples:,} samples**: {TEXT} and head, {len(targets)} cells of the "
          f"demo, {args.rounds} rounds; a cell, median (lowest – highest)\n")  # fmt: skip
    print("| | seconds, end to end | outside encoder and head | ratio |\n|---|---|---|---|")
    peer = median(run.seconds for run in runs["lime package, float32"])
    for name, mine in runs.items():
        whole = [run.seconds for run in mine]
        ratio = f"**{peer / median(whole):.1f}**" if name != "lime package, float32" else "1"
        beside = _spread([run.seconds - run.predicting for run in mine])
        print(f"| {name} | {_spread(whole)} | {beside} | {ratio} |")
    print(f"\nCorrelation of the two ways' weights: at least {min(alike):.4f}.", flush=True)


def gradients(
    model: ScMPT, cells: Cells, labels: np.ndarray, store: EmbeddingStore, n: int
) -> None:
    """Print what integrated gradients cost, with the steps and deltas they came to."""
    start = time.perf_counter()
    result = attribute(model, cells, labels, Request(("ig",), n), store, choose_device(), "demo")
    seconds = time.perf_counter() - start
    explained = len(result.ids)
    print(f"\n**Integrated gradients**: {explained} cells ({n} of each of {len(result.type_names)} "
          f"types at most), {len(result.ways)} ways: {seconds:.0f} s, {seconds / explained:.2f} s "
          "a cell\n")  # fmt: skip
    print("| way | steps, median (lowest – highest) | delta |\n|---|---|---|")
    for source, quality in result.quality.items():
        steps, delta = quality["steps"].tolist(), np.abs(quality["delta"]).tolist()
        print(f"| {source.way} | {_spread(steps, '.0f')} | {_spread(delta, '.2%')} |")


def _spread(values: list[float], form: str = ".2f") -> str:
    return f"{median(values):{form}} ({min(values):{form}} – {max(values):{form}})"


def main() -> None:
    """Train, then print both."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cells", type=int, default=2, help="cells of LIME")
    parser.add_argument("--samples", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--gradient-cells", type=int, default=5, help="of each type; 0: none")
    args = parser.parse_args()
    device, store = choose_device(), EmbeddingStore(get_settings().embeddings)
    print(f"{device.reason}; {torch.get_num_threads()} threads")
    dataset, task = open_set("demo", None)
    budget = Plan.of(ENCODERS, "quick", None, None, 1).budget
    model = train_model(task, recommended(ENCODERS), budget, 0, store, device, "demo")
    rows = np.flatnonzero(model.own(task.cells, "test"))[: args.cells]
    against_lime(model, task.cells.take(rows), task.codes[rows], args)
    if args.gradient_cells:
        labels = label_values(dataset.obs, task.label)
        gradients(model, task.cells, labels, store, args.gradient_cells)


if __name__ == "__main__":
    main()
