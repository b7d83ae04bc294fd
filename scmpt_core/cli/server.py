"""Commands of the browser app."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from scmpt_core.cli.shared import app
from scmpt_core.errors import SettingError


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8501,
) -> None:
    """Serve the browser app, with the worker that runs its jobs."""
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
