"""The command line: the same verbs without a browser.

Exit 0 done; 2 for anything the user can put right, with what, value, limit and next step as the
last line on standard error; 1 only for a bug. With ``--json``, JSON alone on standard output.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scmpt_core.errors import ScmptError

if TYPE_CHECKING:
    from scmpt_core.data import View
    from scmpt_core.encoders import EncoderOptions

app = typer.Typer(
    help="scMPT: label single cells with a text encoder, scGPT and their fusion.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
)
File = Annotated[str, typer.Argument(metavar="FILE", help="A file, a 10x folder, or `demo`.")]
Encoders = Annotated[list[str] | None, typer.Option("--encoder", help="May be repeated.")]
Label = Annotated[str, typer.Option("--label", help="Column of obs to learn.")]
Group = Annotated[str | None, typer.Option("--group", help="Column kept together, e.g. donor.")]
Matrix = Annotated[str | None, typer.Option("--matrix", help="X, raw or a layer's name.")]
ViewJson = Annotated[str | None, typer.Option("--view", help="Choices on FILE, as JSON.")]
Json = Annotated[bool, typer.Option("--json", help="JSON on standard output.")]
LongCells = Annotated[
    str,
    typer.Option(
        "--long-cells",
        help="What a cell keeps that has more genes than scGPT reads: random or highest.",
    ),
]
Sentence = Annotated[
    str,
    typer.Option(
        "--sentence",
        help="How text encoders read a cell: plain, no-housekeeping, specific, relative, levels, "
        "described or prefix.",
    ),
]
Prefix = Annotated[
    str, typer.Option("--prefix", help="The text of --sentence prefix, such as 'human blood:'.")
]
Out = Annotated[Path, typer.Option("-o", "--output", help="Where to write.")]
EffortName = Annotated[
    str, typer.Option("--effort", help="quick, paper or thorough: grid, splits, heads, baselines.")
]


class Reporter:
    """Progress on standard error: one line rewritten in a terminal, one every 5 s elsewhere."""

    def __init__(self) -> None:
        self.last = 0.0
        self.terminal = sys.stderr.isatty()

    def __call__(self, fraction: float, message: str) -> None:
        now = time.monotonic()
        if now - self.last < (0.1 if self.terminal else 5) and fraction < 1:
            return
        self.last = now
        line = f"{fraction:4.0%} {message}"
        print(f"\r\033[K{line}" if self.terminal else line, end="" if self.terminal else "\n",
              file=sys.stderr, flush=True)  # fmt: skip
        if self.terminal and fraction >= 1:
            print(file=sys.stderr)


def show(result: object, as_json: bool, lines: list[str]) -> None:
    """Print the result one way or the other."""
    print(json.dumps(result, ensure_ascii=False, allow_nan=False) if as_json else "\n".join(lines))


@app.command()
def check(file: File, matrix: Matrix = None, view: ViewJson = None, as_json: Json = False) -> None:
    """What is in FILE, and what would be done with it."""
    from scmpt_core import verbs
    from scmpt_core.data import load

    result = verbs.check(load(file, _view(matrix, view)))
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

    store, device = _machine()
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
    store, device = _machine()
    names, choices = _names(encoder), _view(matrix, view)
    options = _options(long_cells, sentence, prefix)
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
    names = _fused(encoder)
    spec = fusion.ModelSpec(names, head) if head else fusion.recommended(names)
    budget, options = get_effort(effort).budget, _options(long_cells, sentence, prefix)
    dataset = load(file, _view(matrix, view))
    task = fusion.make_task(dataset, label, group)
    _warn(task)
    store, device = _machine()
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
    plan = evaluation.Plan.of(
        _fused(encoder), effort, head, baselines, splits, _options(long_cells, sentence, prefix)
    )
    dataset = load(file, _view(matrix, view))
    task = fusion.make_task(dataset, label, group)
    _warn(task)
    store, device = _machine()
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

    task = fusion.make_task(load(file, _view(matrix, view)), label, group)
    _warn(task)
    store, device = _machine()
    options = _options(long_cells, sentence, prefix)
    result = verbs.forecast_task(
        task, _fused(encoder), store, device, Reporter(), cells, options, seed
    )
    lines = [f"{what:48}{value}" for what, value in result.properties.lines()]
    lines += [f"{row.name:20}{row.best:6.1%} to come out best" for row in result.rows]
    show(result.to_json(), as_json, [*lines, *result.words()])


@app.command()
def classify(
    file: File,
    model: Annotated[
        str,
        typer.Option("--model", help="A folder that `train` wrote, or pbmc or islets."),
    ],
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

    source = Path(file)
    check_target(out, source)
    rule = fusion.Rule(error, far, coverage)
    clustering = Clustering(clusters, resolution)
    store, device = _machine()
    result = verbs.classify_file(
        load(file, _view(matrix, view)), fusion.open_model(model, device), out, store, device,
        Reporter(), source, rule, clustering,
    )  # fmt: skip
    lines = [f"{n:7,} {name}" for name, n in result["labels"].items()]
    lines += [f"{n:7,} of them Unknown: {why}" for why, n in result["unknown"].items()]
    if not result["error_reached"]:
        lines.append(f"no threshold on the calibration cells reaches an error of {error:.1%}")
    overlap = ", ".join(f"{k} {v:.1%}" for k, v in result["overlap"].items())
    show(result, as_json, [*lines, f"training windows covered: {overlap}", str(out)])


@app.command()
def attribute(
    file: File,
    model: Annotated[
        str, typer.Option("--model", help="A folder that `train` wrote, or pbmc or islets.")
    ],
    label: Annotated[
        str | None,
        typer.Option("--label", help="Column of known types; else what the model predicts."),
    ] = None,
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
    markers: Annotated[
        str, typer.Option("--markers", help="panglaodb, cellmarker, builtin, or a file.")
    ] = "builtin",
    pairs: Annotated[
        list[str] | None,
        typer.Option("--match", help="LABEL=ENTRY of the database; may be repeated."),
    ] = None,
    k: Annotated[int, typer.Option("--top", help="Genes tested against the markers.")] = 10,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="A new folder for all scores.")
    ] = None,
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
    store, device = _machine()
    result = verbs.attribute_file(
        load(file, _view(matrix, view)), fusion.open_model(model, device), request, database,
        given, label, k, store, device, Reporter(), out,
    )  # fmt: skip
    show(result, as_json, verbs.attribution_lines(result))


@app.command()
def ablate(
    file: File,
    model: Annotated[
        str, typer.Option("--model", help="A folder that `train` wrote, or pbmc or islets.")
    ],
    label: Annotated[
        str | None,
        typer.Option("--label", help="Column of known types; else what the model predicts."),
    ] = None,
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
    markers: Annotated[
        str, typer.Option("--markers", help="panglaodb, cellmarker, builtin, or a file.")
    ] = "builtin",
    pairs: Annotated[
        list[str] | None,
        typer.Option("--match", help="LABEL=ENTRY of the database; may be repeated."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="A new folder for every answer.")
    ] = None,
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
    store, device = _machine()
    result = verbs.ablate_file(
        load(file, _view(matrix, view)), fusion.open_model(model, device), request, database,
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

    store, device = _machine()
    result = verbs.robustness_file(
        load(file, _view(matrix, view)), fusion.load(model, device), model, store, device,
        Reporter(),
    )  # fmt: skip
    left_out = [f"not tried: {what}: {why}" for what, why in result["about"]["left_out"].items()]
    show(result, as_json, [*result["sentences"], *left_out, result["output"]])


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8501,
) -> None:
    """Serve the browser app, with the worker that runs its jobs."""
    from scmpt_core.errors import SettingError
    from scmpt_core.jobs.supervisor import serve_app
    from scmpt_core.settings import get_settings

    if host not in ("127.0.0.1", "localhost", "::1") and get_settings().local:
        raise SettingError(
            f"--host is {host!r}: everybody who reaches it would see and delete all that is kept.",
            "Set SCMPT_LOCAL=false, so that each visit sees only its own, or serve 127.0.0.1.",
        )
    raise SystemExit(serve_app(host, port, lambda text: print(text, file=sys.stderr)))


@app.command()
def worker(
    parent: Annotated[int | None, typer.Option(help="End with this process.", hidden=True)] = None,
) -> None:
    """Run the jobs of the browser app (`serve` starts one by itself)."""
    from scmpt_core.jobs.worker import serve as work
    from scmpt_core.settings import get_settings

    work(get_settings().home, parent)


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


def _fused(given: list[str] | None) -> tuple[str, ...]:
    from scmpt_core.encoders import DEFAULT_FUSED

    return tuple(given) if given else DEFAULT_FUSED


def _names(given: list[str] | None) -> tuple[str, ...]:
    from scmpt_core.encoders import DEFAULT_ENCODERS

    return tuple(given) if given else DEFAULT_ENCODERS


def _options(long_cells: str, sentence: str = "plain", prefix: str = "") -> EncoderOptions:
    from scmpt_core.encoders import EncoderOptions

    return EncoderOptions(long_cells, sentence, prefix)


def _view(matrix: str | None, text: str | None) -> View:
    """The choices on the file; ``--matrix`` is a short way to one of them."""
    from scmpt_core.data import View
    from scmpt_core.errors import SettingError

    try:
        values = json.loads(text) if text else {}
        view = View.from_json(values | ({"matrix": matrix} if matrix else {}))
    except (TypeError, ValueError) as error:
        raise SettingError(
            f"--view is {text!r}, which cannot be read: {error}.",
            """Give JSON such as '{"drop_empty": true, "min_genes": 200}'.""",
        ) from error
    return view


def _machine() -> tuple:
    from scmpt_core.device import choose_device
    from scmpt_core.embeddings import EmbeddingStore
    from scmpt_core.library import noting
    from scmpt_core.settings import get_settings

    settings = get_settings()
    device = choose_device(settings)
    print(f"device: {device.reason}", file=sys.stderr)
    return EmbeddingStore(settings.embeddings, noting(settings.home, device.name)), device


def _warn(task) -> None:
    for finding in task.findings:
        print(f"{finding.severity}: {finding.message} {finding.hint}", file=sys.stderr)


def main() -> None:
    """Run a verb and turn the user's errors into exit code 2."""
    logging.basicConfig(level=logging.ERROR)
    warnings.simplefilter("ignore")  # of libraries; what concerns the user is a finding
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    try:
        app()
    except ScmptError as error:
        print(f"Error: {' '.join(str(error).split())}", file=sys.stderr)
        raise SystemExit(2) from None
