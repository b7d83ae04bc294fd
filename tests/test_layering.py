"""Imports run downward, and Streamlit stays in its rooms."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ORDER = [
    "wording", "errors", "registry", "progress", "settings", "device", "cells", "seeds",
    "housekeeping",
    "data", "ontology",
    "sentences", "encoders",
    "embeddings", "votes",
    "metrics", "weighted", "intervals", "significance", "calibration", "conformal",
    "unknown", "fusion", "evaluation", "forecast", "markers", "ablations", "robustness",
    "attribution", "labelling", "library", "verbs",
    "jobs", "plots", "ui", "cli", "__main__",
]  # fmt: skip
FILES = sorted((ROOT / "scmpt_core").rglob("*.py"))


def imports(path: Path) -> list[str]:
    names = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return names


def room(path: Path) -> str:
    return path.relative_to(ROOT / "scmpt_core").parts[0].removesuffix(".py")


def test_every_room_has_its_place():
    assert {room(path) for path in FILES} - {"__init__"} == set(ORDER)


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_run_downward(path):
    if room(path) == "__init__":
        return
    used = [n.split(".")[1] for n in imports(path) if n.startswith("scmpt_core.")]
    above = [u for u in used if u in ORDER and ORDER.index(u) > ORDER.index(room(path))]
    assert not above, f"imports from above: {above}"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_streamlit_only_in_ui(path):
    if room(path) != "ui":
        assert not [n for n in imports(path) if n.split(".")[0] == "streamlit"]


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_only_data_touches_anndata(path):
    if ORDER.index(room(path)) > ORDER.index("data") if room(path) in ORDER else False:
        assert not [n for n in imports(path) if n.split(".")[0] in ("anndata", "scanpy")]
