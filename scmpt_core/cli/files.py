"""Commands on files and encoders."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from scmpt_core.cli.shared import (
    Encoders,
    File,
    Json,
    LongCells,
    Matrix,
    Out,
    Prefix,
    Reporter,
    Sentence,
    ViewJson,
    app,
    encoder_names,
    encoder_options,
    machine,
    show,
    view_of,
)


@app.command()
def check(file: File, matrix: Matrix = None, view: ViewJson = None, as_json: Json = False) -> None:
    """What is in FILE, and what would be done with it."""
    from scmpt_core import verbs
    from scmpt_core.data import load

    result = verbs.check(load(file, view_of(matrix, view)))
    lines = [f"{result['cells']:,} cells, {result['genes']:,} genes"]
    lines += [
        f"{f['severity']:8}{f['code']}: {f['message']} {f['hint']}" for f in result["findings"]
    ]
    lines += [f"label?  {c['column']}: {len(c['classes'])} classes" for c in result["labels"]]
    show(result, as_json, lines)


@app.command()
def encoders(
    measure: Annotated[
        bool, typer.Option("--measure", help="Time each that is ready, on the demo's cells.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Which encoders there are, their size and speed here, and what to do for the missing ones."""
    from scmpt_core import verbs
    from scmpt_core.library import noting

    store, device = machine()
    if measure:
        verbs.time_encoders(device, noting(store.root.parent, device.name), Reporter())
    rows = verbs.list_encoders(store.root.parent, device.name)
    lines = [f"{'':12} {'reads':10} {'length':>6} {'MB':>8} {'cells/s':>8}  licence"]
    for r in rows:
        size = "–" if r["megabytes"] is None else f"{r['megabytes']:,.1f}"
        rate = "–" if r["cells_per_second"] is None else f"{r['cells_per_second']:,.0f}"
        lines += [
            f"{r['name']:12} {r['modality']:10} {r['dimension']:6} {size:>8} {rate:>8}  "
            f"{r['licence']}",
            f"{'':13}{r['summary']}; {r['reference']}",
            f"{'':13}{'ready' if r['ready'] else 'missing: ' + r['how_to_get']}",
        ]
    show(rows, as_json, lines)


@app.command()
def download(
    name: Annotated[str, typer.Argument(help="scgpt-human, ember-v1 or panglaodb.")],
    source: Annotated[
        Path | None, typer.Option("--from", help="A folder or file copied by hand.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Install weights or markers that do not ship; weights that were cut off continue."""
    from scmpt_core import markers

    if name == markers.PANGLAODB.name:
        result = markers.download_panglaodb(Reporter(), source)
        lines = [f"{f['sha256']}  {n}: {f['check']}" for n, f in result["files"].items()]
        lines.append(f"{name} is in {result['folder']}, from {result['from']}")
        return show(result, as_json, lines)
    from scmpt_core.encoders import download as fetch

    result = fetch(name, Reporter(), source)
    lines = [f"{f['sha256']}  {n}: {f['check']}" for n, f in result["files"].items()]
    if made := result["conversion"]:
        left_out = f", left out: {', '.join(made['left_out'])}" if made["left_out"] else ""
        lines.append(
            f"{made['sha256']}  {made['file']}: converted from {made['source']}, which was then "
            f"removed; {made['tensors']:,} tensors{left_out}"
        )
    at = f" at commit {result['commit']}" if result["commit"] else ""
    lines.append(f"{name} of {result['repository']}{at}, from {result['from']}")
    show(result, as_json, [*lines, f"{name} is in {result['folder']}"])


@app.command()
def embed(
    file: File,
    out: Out,
    encoder: Encoders = None,
    long_cells: LongCells = "random",
    sentence: Sentence = "plain",
    prefix: Prefix = "",
    matrix: Matrix = None,
    view: ViewJson = None,
    backed: Annotated[bool, typer.Option("--backed", help="Read a .h5ad in pieces.")] = False,
    as_json: Json = False,
) -> None:
    """Write FILE with the cells' embeddings; a killed run continues where it stopped.

    With --backed a .h5ad is read in pieces: only the cells' names are held in memory as a whole.
    """
    from scmpt_core import verbs
    from scmpt_core.data import check_target, load

    source = Path(file)
    check_target(out, source)
    store, device = machine()
    names, choices = encoder_names(encoder), view_of(matrix, view)
    options = encoder_options(long_cells, sentence, prefix)
    if backed:
        result = verbs.embed_backed(
            source.expanduser(), names, out, store, device, Reporter(), choices, options
        )
    else:
        dataset = load(file, choices)
        result = verbs.embed_file(dataset, names, out, store, device, Reporter(), source, options)
    lines = [
        *result["notes"],
        f"{result['cells']:,} cells → {', '.join(result['written'])}",
        str(out),
    ]
    show(result, as_json, lines)
