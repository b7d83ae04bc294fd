"""Commands that explain a model."""

from __future__ import annotations

from typing import Annotated

import typer

from scmpt_core.cli.shared import (
    File,
    Json,
    KnownLabel,
    Markers,
    Matrix,
    ModelName,
    NewFolder,
    Pairs,
    Predicted,
    Reporter,
    ViewJson,
    app,
    machine,
    show,
    view_of,
)


@app.command()
def attribute(
    file: File,
    model: ModelName,
    label: KnownLabel = None,
    predicted: Predicted = False,
    method: Annotated[
        list[str] | None,
        typer.Option("--method", help="ig, lime, occlusion or shap; may be repeated."),
    ] = None,
    types: Annotated[
        list[str] | None, typer.Option("--type", help="May be repeated; else all.")
    ] = None,
    target: Annotated[
        str | None,
        typer.Option("--target", help="Class whose logit is explained; else each cell's own type."),
    ] = None,
    cells: Annotated[int, typer.Option("--cells", help="Of each type.")] = 5,
    seeds: Annotated[int, typer.Option("--seeds", help="Of methods that draw.")] = 1,
    samples: Annotated[int, typer.Option("--samples", help="Perturbed cells of LIME.")] = 1_000,
    orders: Annotated[
        int, typer.Option("--orders", help="Orders of the genes for SHAP; even.")
    ] = 10,
    text_baseline: Annotated[
        str, typer.Option("--text-baseline", help="Where a gene starts in text: pad or mask.")
    ] = "pad",
    scgpt: Annotated[
        str, typer.Option("--scgpt", help="What of a gene starts empty: gene+value or value.")
    ] = "gene+value",
    markers: Markers = "builtin",
    species: Annotated[
        str, typer.Option("--species", help="Of the markers: Hs (human) or Mm (mouse).")
    ] = "Hs",
    organ: Annotated[str | None, typer.Option("--organ", help="Of the markers; else all.")] = None,
    canonical: Annotated[bool, typer.Option("--canonical", help="Canonical markers only.")] = False,
    pairs: Pairs = None,
    k: Annotated[int, typer.Option("--top", help="Genes tested against the markers.")] = 10,
    out: NewFolder = None,
    matrix: Matrix = None,
    view: ViewJson = None,
    as_json: Json = False,
) -> None:
    """Say which genes carried a model's labels, and whether they are known markers."""
    from scmpt_core import attribution, fusion, verbs
    from scmpt_core.data import load
    from scmpt_core.markers import Filters, open_database, parse_pairs

    request = attribution.Request(
        methods=tuple(method or ("ig",)), cells=cells, types=None if not types else tuple(types),
        target=target, seeds=seeds, options=attribution.Options(
            samples=samples, permutations=orders, text_baseline=text_baseline, scgpt=scgpt
        ),
    )  # fmt: skip
    database = open_database(markers, Filters(species, organ, canonical))
    given, (store, device) = parse_pairs(pairs or []), machine()
    dataset, found = load(file, view_of(matrix, view)), fusion.open_model(model, device)
    result = verbs.attribute_file(
        dataset, found, request, database, given,
        verbs.label_of(dataset, found, label, predicted), k, store, device, Reporter(), out,
    )  # fmt: skip
    show(result, as_json, verbs.attribution_lines(result))


@app.command()
def ablate(
    file: File,
    model: ModelName,
    label: KnownLabel = None,
    predicted: Predicted = False,
    ablation: Annotated[
        list[str] | None,
        typer.Option("--ablation", help="May be repeated; else all."),
    ] = None,
    regime: Annotated[
        list[str] | None, typer.Option("--regime", help="fixed or refit; may be repeated.")
    ] = None,
    strength: Annotated[
        list[float] | None,
        typer.Option("--strength", help="Of the named ablations; may be repeated."),
    ] = None,
    curve: Annotated[
        bool, typer.Option("--curve", help="Every ablation over its strengths.")
    ] = False,
    seeds: Annotated[int, typer.Option("--seeds", help="Of ablations that draw.")] = 1,
    cells: Annotated[
        int | None, typer.Option("--cells", help="Tested cells at most; else all.")
    ] = None,
    gene_set: Annotated[
        str | None,
        typer.Option("--gene-set", help="Symbols with commas, or a file of them."),
    ] = None,
    markers: Markers = "builtin",
    pairs: Pairs = None,
    out: NewFolder = None,
    matrix: Matrix = None,
    view: ViewJson = None,
    as_json: Json = False,
) -> None:
    """Say what a model leans on: perturb the cells and ask again (`ablations` lists how)."""
    from scmpt_core import ablations, fusion, verbs
    from scmpt_core.data import load
    from scmpt_core.markers import open_database, parse_pairs

    request = ablations.Request(
        ablations=tuple(ablation) if ablation else None, regimes=tuple(regime or ("fixed",)),
        strengths=tuple(strength) if strength else None, curve=curve, seeds=seeds, cells=cells,
        gene_set=ablations.read_gene_set(gene_set),
    )  # fmt: skip
    database, given = open_database(markers), parse_pairs(pairs or [])
    store, device = machine()
    dataset, found = load(file, view_of(matrix, view)), fusion.open_model(model, device)
    result = verbs.ablate_file(
        dataset, found, request, database, given,
        verbs.label_of(dataset, found, label, predicted), store, device, Reporter(), out,
    )  # fmt: skip
    show(result, as_json, verbs.ablation_lines(result))


@app.command()
def ablations(as_json: Json = False) -> None:
    """Which ablations there are, and how strong each can be."""
    from scmpt_core.ablations import ABLATIONS

    rows = [info.to_json() for info in ABLATIONS]
    lines = []
    for row in rows:
        lines.append(f"{row['name']:18} {row['title']}: {row['summary']}")
        if at := row["strength"]:
            values = ", ".join(f"{value:g}" for value in at["values"])
            lines.append(f"{'':18} {at['what']}: {values} (default {at['default']:g})")
    show(rows, as_json, lines)
