"""The benchmark for a bare GPU machine runs with the packages it says it needs, and no other."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
ABSENT = (
    "anndata", "h5py", "pandas", "pydantic", "pydantic_settings", "scanpy", "scipy", "sklearn",
    "scgpt", "sentence_transformers", "streamlit",
)  # fmt: skip
BARE = f"""
import importlib.util, runpy, sys
real = importlib.util.find_spec
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {ABSENT}:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Absent())
importlib.util.find_spec = lambda n, p=None: None if n.partition(".")[0] in {ABSENT} else real(n, p)
sys.argv = ["gpu.py", "--device", "cpu", "--cells", "2", "--peer-cells", "1", "--rounds", "1",
            "--layers", "1"]
runpy.run_path("benchmarks/gpu.py", run_name="__main__")
"""


def test_gpu_benchmark_needs_few_packages():
    ran = subprocess.run(
        [sys.executable, "-c", BARE], cwd=ROOT, capture_output=True, text=True, timeout=300,
        env={"PYTHONPATH": ".", "PATH": "", "HOME": "/nonexistent"},
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr[-2000:]
    assert "scGPT: " in ran.stdout
    assert "text: " in ran.stdout
    assert ran.stdout.count("× the peer") == 2
