"""The command line: the same verbs without a browser.

Exit 0 done; 2 for anything the user can put right, with what, value, limit and next step as the
last line on standard error; 1 only for a bug. With ``--json``, JSON alone on standard output.
"""

from __future__ import annotations

import logging
import os
import sys
import warnings

# Each registers its commands when it is imported, in the order in which `--help` lists them.
from scmpt_core.cli import files

# isort: split
from scmpt_core.cli import models

# isort: split
from scmpt_core.cli import explain

# isort: split
from scmpt_core.cli import server
from scmpt_core.cli.shared import app
from scmpt_core.errors import ScmptError

COMMANDS = (files, models, explain, server)


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
