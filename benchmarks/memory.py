"""Memory while a large file is embedded in pieces.

    PYTHONPATH=. python benchmarks/memory.py [--cells 50000 200000] [--encoder scgpt-mini]

Writes a made-up .h5ad of each size (60 genes a cell of 2,000), embeds it with
``python -m scmpt_core embed --backed`` in a process of its own, and prints that process's highest
resident memory beside the file's size; and that of a file of 100 cells: the weights and the
libraries.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import scipy.sparse as sp

from tests.upstream import census_vocabulary

GENES, EXPRESSED = 2_000, 60
CHILD = """
import resource, sys
from scmpt_core.cli import app
app(sys.argv[1:], standalone_mode=False)
print("PEAK", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)
"""


def write_cells(path: Path, n: int) -> None:
    """``n`` cells of Poisson counts."""
    rng, symbols = np.random.default_rng(0), [g for g in census_vocabulary() if g[0] != "<"]
    indices = rng.integers(0, GENES // EXPRESSED, (n, EXPRESSED), dtype=np.int32)
    indices += np.arange(EXPRESSED, dtype=np.int32) * (GENES // EXPRESSED)
    counts = rng.poisson(2, (n, EXPRESSED)).astype(np.float32) + 1
    indptr = np.arange(0, n * EXPRESSED + 1, EXPRESSED)
    matrix = sp.csr_matrix((counts.ravel(), indices.ravel(), indptr), (n, GENES))
    obs = pd.DataFrame(index=[f"c{i}" for i in range(n)])
    ad.AnnData(matrix, obs, pd.DataFrame(index=symbols[-GENES:])).write_h5ad(path)


def main() -> None:
    """Print one line a size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cells", type=int, nargs="+", default=[50_000, 200_000])
    parser.add_argument("--encoder", default="scgpt-mini")
    args = parser.parse_args()
    for n in [100, *args.cells]:
        with tempfile.TemporaryDirectory() as folder:
            path, out = Path(folder) / "cells.h5ad", Path(folder) / "out.h5ad"
            write_cells(path, n)
            command = ["embed", path, "-o", out, "--encoder", args.encoder, "--backed", "--json"]
            ran = subprocess.run(
                [sys.executable, "-c", CHILD, *map(str, command)],
                capture_output=True, text=True, check=True,
                env=os.environ | {"SCMPT_HOME": str(Path(folder) / "home")},
            )  # fmt: skip
            peak = int(ran.stderr.rsplit("PEAK", 1)[1]) / 1024
            done = json.loads(ran.stdout)["cells"]
            print(
                f"{done:9,} cells, file {path.stat().st_size / 2**20:7,.0f} MiB: "
                f"highest resident memory {peak:7,.0f} MiB",
                flush=True,
            )


if __name__ == "__main__":
    main()
