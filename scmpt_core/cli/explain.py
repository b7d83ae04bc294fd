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
    method: Annotated[
        list[str] | None,
        typer.Option("--method", help="ig, lime, occlusion or shap; may be repeated."),
    ] = None,
    types: Annotated[
        list[str] | None, typer.Option("--type", help="May be repeated; else all.")
    ] = None,
    cells: Annotated[int, typer.Option("--cells", help="Of each type.")] = 5,
    seeds: Annotated[int, typer.Option("--seeds", help="Of methods that draw.")] = 1,
    samples: Annotated[int, typer.Option("--samples", help="Perturbed cells of LIME.")] = 1_000,
    markers: Markers = "builtin",
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
    from scmpt_core.markers import open_database, parse_pairs

    request = attribution.Request(
        methods=tuple(method or ("ig",)), cells=cells, types=None if not types else tuple(types),
        seeds=seeds, options=attribution.Options(samples=samples),
    )  # fmt: skip
    database, given = open_database(markers), parse_pairs(pairs or [])
    store, device = machine()
    result = verbs.attribute_file(
        load(file, view_of(matrix, view)), fusion.open_model(model, device), request, database,
        given, label, k, store, device, Reporter(), out,
    )  # fmt: skip
    show(result, as_json, verbs.attribution_lines(result))


@app.command()
def ablate(
    file: File,
    model: ModelName,
    label: KnownLabel = None,
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
    result = verbs.ablate_file(
        load(file, view_of(matrix, view)), fusion.open_model(model, device), request, database,
        given, label, store, device, Reporter(), out,
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
