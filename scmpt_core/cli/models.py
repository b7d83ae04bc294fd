"""Commands that train, compare, forecast and label."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from scmpt_core.cli.shared import (
    EffortName,
    Encoders,
    File,
    Group,
    Json,
    Label,
    LongCells,
    Matrix,
    ModelName,
    Out,
    Prefix,
    Reporter,
    Sentence,
    ViewJson,
    app,
    encoder_options,
    fused_names,
    machine,
    show,
    view_of,
    warn,
)


@app.command()
def train(
    file: File,
    label: Label,
    out: Out,
    group: Group = None,
    encoder: Encoders = None,
    head: Annotated[str | None, typer.Option("--head", help="How the encoders are fused.")] = None,
    effort: EffortName = "quick",
    long_cells: LongCells = "random",
    sentence: Sentence = "plain",
    prefix: Prefix = "",
    seed: Annotated[int, typer.Option(help="Seed of split and training.", min=0)] = 0,
    matrix: Matrix = None,
    view: ViewJson = None,
    as_json: Json = False,
) -> None:
    """Train one model on FILE, test it on cells kept apart, and save it as a folder."""
    from scmpt_core import fusion
    from scmpt_core.data import load
    from scmpt_core.evaluation import get_effort

    fusion.check_folder(out)
    names = fused_names(encoder)
    spec = fusion.ModelSpec(names, head) if head else fusion.recommended(names)
    budget, options = get_effort(effort).budget, encoder_options(long_cells, sentence, prefix)
    dataset = load(file, view_of(matrix, view))
    task = fusion.make_task(dataset, label, group)
    warn(task)
    store, device = machine()
    model = fusion.train_model(
        task, spec, budget, seed, store, device, dataset.name, Reporter(), options
    )
    fusion.save(model, out)
    result = {"output": str(out), "name": model.name, "encoders": list(model.encoders)}
    result |= {"head": model.head_name, "classes": list(model.classes), **model.record}
    test = ", ".join(f"{k} {v:.3f}" for k, v in model.record["test"].items())
    n = model.record["split"]["test"]
    show(result, as_json, [f"{model.name}: {test} (n = {n:,} test cells)", str(out)])


@app.command()
def compare(
    file: File,
    label: Label,
    group: Group = None,
    encoder: Encoders = None,
    effort: EffortName = "quick",
    splits: Annotated[
        int | None,
        typer.Option("--splits", "--seeds", help="Repeats with new splits; else the effort's."),
    ] = None,
    head: Annotated[
        list[str] | None,
        typer.Option("--head", help="Fusions beside the recommended one; may be repeated."),
    ] = None,
    baseline: Annotated[
        list[str] | None, typer.Option("--baseline", help="May be repeated; `none` for none.")
    ] = None,
    long_cells: LongCells = "random",
    sentence: Sentence = "plain",
    prefix: Prefix = "",
    matrix: Matrix = None,
    view: ViewJson = None,
    as_json: Json = False,
) -> None:
    """Compare each encoder alone, their fusions, and plain baselines, with intervals and tests."""
    from scmpt_core import evaluation, fusion
    from scmpt_core.data import load

    baselines = None if baseline is None else [b for b in baseline if b != "none"]
    options = encoder_options(long_cells, sentence, prefix)
    plan = evaluation.Plan.of(fused_names(encoder), effort, head, baselines, splits, options)
    dataset = load(file, view_of(matrix, view))
    task = fusion.make_task(dataset, label, group)
    warn(task)
    store, device = machine()
    result = evaluation.compare(dataset.name, task, plan, store, device, Reporter()).to_json()
    result |= {
        "effort": effort, "long_cells": long_cells, "sentence": sentence, "prefix": prefix,
    }  # fmt: skip
    show(result, as_json, _table(result))


@app.command()
def forecast(
    file: File,
    label: Label,
    group: Group = None,
    encoder: Encoders = None,
    cells: Annotated[int, typer.Option("--cells", help="Of the sample.")] = 300,
    long_cells: LongCells = "random",
    sentence: Sentence = "plain",
    prefix: Prefix = "",
    seed: Annotated[int, typer.Option(help="Of the sample and its folds.", min=0)] = 0,
    matrix: Matrix = None,
    view: ViewJson = None,
    as_json: Json = False,
) -> None:
    """Say which encoder will win on FILE, from a sample and before any training."""
    from scmpt_core import fusion, verbs
    from scmpt_core.data import load

    task = fusion.make_task(load(file, view_of(matrix, view)), label, group)
    warn(task)
    store, device = machine()
    options = encoder_options(long_cells, sentence, prefix)
    result = verbs.forecast_task(
        task, fused_names(encoder), store, device, Reporter(), cells, options, seed
    )
    lines = [f"{what:48}{value}" for what, value in result.properties.lines()]
    lines += [f"{row.name:20}{row.best:6.1%} to come out best" for row in result.rows]
    show(result.to_json(), as_json, [*lines, *result.words()])


@app.command()
def classify(
    file: File,
    model: ModelName,
    out: Out,
    error: Annotated[
        float, typer.Option("--error", help="Highest share of wrong labels aimed at.")
    ] = 0.05,
    far: Annotated[
        float, typer.Option("--far", help="Share of cells of known types that may be called far.")
    ] = 0.01,
    coverage: Annotated[float, typer.Option("--coverage", help="Of the label sets.")] = 0.9,
    clusters: Annotated[
        str | None, typer.Option("--clusters", help="Column that votes; else Leiden's clusters.")
    ] = None,
    resolution: Annotated[float, typer.Option("--resolution", help="Of Leiden's clusters.")] = 1.0,
    matrix: Matrix = None,
    view: ViewJson = None,
    as_json: Json = False,
) -> None:
    """Label the cells of FILE with a trained model and write them."""
    from scmpt_core import fusion, verbs
    from scmpt_core.data import check_target, load
    from scmpt_core.labelling import Clustering
    from scmpt_core.robustness import load_card

    source = Path(file)
    check_target(out, source)
    rule = fusion.Rule(error, far, coverage)
    clustering = Clustering(clusters, resolution)
    store, device = machine()
    result = verbs.classify_file(
        load(file, view_of(matrix, view)), fusion.open_model(model, device), out, store, device,
        Reporter(), source, rule, clustering,
    )  # fmt: skip
    lines = [f"{n:7,} {name}" for name, n in result["labels"].items()]
    lines += [f"{n:7,} of them Unknown: {why}" for why, n in result["unknown"].items()]
    if not result["error_reached"]:
        lines.append(f"no threshold on the calibration cells reaches an error of {error:.1%}")
    overlap = ", ".join(f"{k} {v:.1%}" for k, v in result["overlap"].items())
    lines.append(f"training windows covered: {overlap}")
    card = load_card(fusion.model_folder(model))
    warning = "" if card is None else card.warning
    lines += [warning] if warning else []
    show(result | {"warning": warning}, as_json, [*lines, str(out)])


@app.command()
def robustness(
    file: File,
    model: Annotated[Path, typer.Option("--model", help="A folder that `train` wrote.")],
    matrix: Matrix = None,
    view: ViewJson = None,
    as_json: Json = False,
) -> None:
    """Try a model on shifted cells and unseen types, and keep the card beside it.

    FILE is what it was trained on: types and donors are held back from new models like it.
    """
    from scmpt_core import fusion, verbs
    from scmpt_core.data import load

    store, device = machine()
    result = verbs.robustness_file(
        load(file, view_of(matrix, view)), fusion.load(model, device), model, store, device,
        Reporter(),
    )  # fmt: skip
    left_out = [f"not tried: {what}: {why}" for what, why in result["about"]["left_out"].items()]
    show(result, as_json, [*result["sentences"], *left_out, result["output"]])


def _table(result: dict) -> list[str]:
    from scmpt_core.metrics import HEADLINE

    columns = [*HEADLINE, "ECE before", "after"]
    lines = [f"{'model':20}" + "".join(f"{name:>18}" for name in columns) + "    n runs"]
    for row in result["models"]:
        values = [row[name] for name in HEADLINE] + [row["ece"]["before"], row["ece"]["after"]]
        cells = "".join(f"{_plus_minus(value):>18}" for value in values)
        lines.append(f"{row['name']:20}{cells}    {row['accuracy']['n']}")
    for row in result["models"]:
        if interval := row["macro_f1"]["interval"]:
            span = f"{interval['low']:.3f} to {interval['high']:.3f}"
            what = f"95 % over {interval['n']:,} {interval['unit']}"
            lines.append(f"{row['name']:20}macro F1 {span}, {what}")
    return [*lines, *result["verdict"]["sentences"]]


def _plus_minus(metric: dict) -> str:
    sd = "" if metric["sd"] is None else f" ± {metric['sd']:.3f}"
    return f"{metric['mean']:.3f}{sd}"
