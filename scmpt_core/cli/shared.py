"""What the commands have in common: options, progress, printing."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scmpt_core.errors import SettingError

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
ModelName = Annotated[
    str, typer.Option("--model", help="A folder that `train` wrote, or pbmc or islets.")
]
KnownLabel = Annotated[
    str | None,
    typer.Option(
        "--label", help="Column of known types; else the model's own column, where FILE has it."
    ),
]
Predicted = Annotated[
    bool, typer.Option("--predicted", help="Of the types that the model predicts.")
]
Markers = Annotated[
    str, typer.Option("--markers", help="panglaodb, cellmarker, builtin, or a file.")
]
Pairs = Annotated[
    list[str] | None,
    typer.Option("--match", help="LABEL=ENTRY of the database; may be repeated."),
]
NewFolder = Annotated[
    Path | None, typer.Option("--out", "-o", help="A new folder for all that was found.")
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


def fused_names(given: list[str] | None) -> tuple[str, ...]:
    from scmpt_core.encoders import DEFAULT_FUSED

    return tuple(given) if given else DEFAULT_FUSED


def encoder_names(given: list[str] | None) -> tuple[str, ...]:
    from scmpt_core.encoders import DEFAULT_ENCODERS

    return tuple(given) if given else DEFAULT_ENCODERS


def encoder_options(long_cells: str, sentence: str = "plain", prefix: str = "") -> EncoderOptions:
    from scmpt_core.encoders import EncoderOptions

    return EncoderOptions(long_cells, sentence, prefix)


def view_of(matrix: str | None, text: str | None) -> View:
    """The choices on the file; ``--matrix`` is a short way to one of them."""
    from scmpt_core.data import View

    try:
        values = json.loads(text) if text else {}
        view = View.from_json(values | ({"matrix": matrix} if matrix else {}))
    except (TypeError, ValueError) as error:
        raise SettingError(
            f"--view is {text!r}, which cannot be read: {error}.",
            """Give JSON such as '{"drop_empty": true, "min_genes": 200}'.""",
        ) from error
    return view


def machine() -> tuple:
    from scmpt_core.device import choose_device
    from scmpt_core.embeddings import EmbeddingStore
    from scmpt_core.library import noting
    from scmpt_core.settings import get_settings

    settings = get_settings()
    device = choose_device(settings)
    print(f"device: {device.reason}", file=sys.stderr)
    return EmbeddingStore(settings.embeddings, noting(settings.home, device.name)), device


def warn(task) -> None:
    for finding in task.findings:
        print(f"{finding.severity}: {finding.message} {finding.hint}", file=sys.stderr)
