"""The card of a reference model: what it is, what it saw, how far it carries."""

from __future__ import annotations

from pathlib import Path

from scmpt_core.robustness import load_card
from scripts.reference_data import Tissue

TEXT = """# {title}

Names {count} types of cells in human {tissue}, for people without labels of their own:

    python -m scmpt_core classify FILE --model {name} -o OUT.h5ad

Encoders: scgpt-mini (bundled) and {components} principal components; one logistic regression
each, pooled by stacking. Every training cell was also shown under random gene panels, so that files
with other genes can be labelled. Temperature, thresholds, label sets and what counts as far rest on
cells that a model of the other studies judged. {size:.1f} MB, seed {seed}; made by

    PYTHONPATH=. python scripts/train_reference_models.py LABELLED_FOLDER --tissue {name}

## Types
{types}

## What it saw
{sources}

At most {per_type} cells of each type and study. The studies are public; their licences are those of
the publications. The weights hold no cell's name and no label of a single cell; the detector of
strange cells keeps reduced embeddings of a sample of training cells.

## Across studies
A model of the first studies, tested on at most 400 cells of each type of the last, of the types it
knows. Accuracy and macro F1 with a label forced on every cell; "named" is what the default rule
labels, "Unknown" what it does not. The baselines were fitted to the same cells on the genes that
all these studies measure, the tested one too.

{tests}
{robustness}
## What it must not be used for
- Other tissues or species, disease, a diagnosis: it knows healthy cells of these few studies.
- Types that are not in the list get one of its types, or Unknown; the table above shows how often.
- Probabilities are calibrated between these studies. On yours they may be too sure.
- What is far from all training cells is judged by how far these studies are from each other. A
  model of one study alone (as in some rows above) finds most cells of any other one far, and calls
  them Unknown; `--far 0`, or the slider on the page, switches that off.
- Files that measure less of what it reads than {limits} are refused: below, accuracy falls by more
  than 2 points (random and most-variable panels; `card.json` holds the curve).
"""


ROBUSTNESS = """
## Robustness
Models like this one, trained anew: without each study in turn, which they were then asked about, as
it is and shifted; on all studies without one type; on each study alone, asked about all cells of
the others, types that it lacks among them. Unknown was switched on by the default rule; at most
{cells} cells of each type and study were asked about.

{sentences}

`robustness.json` and the page Ablations hold all numbers; made by
`PYTHONPATH=. python scripts/reference_robustness.py LABELLED_FOLDER`.
"""


def card(tissue: Tissue, numbers: dict, folder: Path) -> str:
    """Markdown."""
    record = numbers["record"]
    size = sum(f.stat().st_size for f in folder.iterdir() if f.name != "README.md") / 1e6
    rows = [
        f"| {name} | {id} | {_scored(record['per_class'].get(name))} |"
        for name, id in record["ontology"].items()
    ]
    types = ["| type | Cell Ontology | F1 on studies left out (cells) |", "|---|---|---|", *rows]
    sources = [
        f"- {s['name']}, {s['cells']:,} labelled cells: {s['citation']}; {s['worth']}."
        for s in numbers["sources"]
    ]
    extra = ["", *(f"{s.name} was never trained on: {s.worth}." for s in tissue.extra)]
    limits = " or ".join(f"{v:.0%} ({k})" for k, v in record["overlap_limit"].items())
    return TEXT.format(
        title=tissue.title, name=tissue.name, count=len(rows), components=50, size=size,
        tissue={"pbmc": "blood", "islets": "pancreatic islets"}[tissue.name],
        seed=record["seed"], per_type=record["recipe"]["per_type"], types="\n".join(types),
        sources="\n".join(sources), tests="\n".join([*_tests(numbers["tests"]), *extra]),
        limits=limits, robustness=_robustness(folder),
    )  # fmt: skip


def _robustness(folder: Path) -> str:
    """What the robustness card beside the model says; ``""`` where none was made."""
    robust = load_card(folder)
    if robust is None:
        return ""
    return ROBUSTNESS.format(
        sentences="\n".join(f"- {text}" for text in robust.sentences()),
        cells=robust.about["cells_a_type"],
    )


def _or_dash(share: float | None) -> str:
    return "–" if share is None else f"{share:.3f}"


def _scored(scores: dict | None) -> str:
    """F1 and cells; a type that one study alone holds was never judged by a model of the others."""
    if scores is None:
        return "not known: one study alone has it"
    return f"{scores['f1']:.3f} ({scores['support']:,})"


def _tests(tests: list[dict]) -> list[str]:
    out = [
        "| trained on → tested on | cells | accuracy | macro F1 (95 %) | named, accuracy of these "
        "| Unknown | logistic, CellTypist: macro F1 |",
        "|---|---|---|---|---|---|---|",
    ]
    for t in tests:
        low, high = t["interval"]
        peers = ", ".join(f"{b['macro_f1']:.3f}" for b in t["baselines"].values())
        out.append(
            f"| {' + '.join(t['train'])} → {t['test']} | {t['n']:,} | {t['accuracy']:.3f} | "
            f"{t['macro_f1']:.3f} ({low:.3f} – {high:.3f}) | {1 - t['unknown']:.0%}, "
            f"{_or_dash(t['accuracy_named'])} | {t['unknown']:.0%} | {peers} |"
        )
    strangers = [
        f"- {' + '.join(t['train'])} → {t['test']}: {name}, {s['n']:,} cells, "
        f"{s['unknown']:.0%} Unknown."
        for t in tests
        for name, s in t["strangers"].items()
    ]
    if strangers:
        out += ["", "Cells of types that the model was not trained on:", "", *strangers]
    return out
