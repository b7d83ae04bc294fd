"""A comparison's numbers as tables: for a page, where they are words, and for a file."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from scmpt_core.evaluation.baselines import get_baseline
from scmpt_core.fusion import get_head
from scmpt_core.metrics import HEADLINE

FUSION = "scmpt"  # how the recommended fusion is called, whichever head that was at the time


def in_words(row: dict) -> str:
    """What a row of a comparison is: its encoders and what stands on them."""
    if row["kind"] == "baseline":
        return get_baseline(row["name"]).summary
    return f"{' + '.join(row['encoders'])}: {get_head(row['head']).title.lower()}"


def with_interval(metric: dict, digits: int = 3) -> str:
    """``0.724 (0.657 to 0.788)``; the mean alone where there is no interval."""
    text, interval = f"{metric['mean']:.{digits}f}", metric.get("interval")
    if interval is None:
        return text
    return f"{text} ({interval['low']:.{digits}f} to {interval['high']:.{digits}f})"


def ranked(rows: Sequence[dict]) -> list[dict]:
    """Models by falling macro F1, then baselines likewise."""
    return sorted(rows, key=lambda r: (r["kind"] == "baseline", -r["macro_f1"]["mean"]))


def score_table(rows: Sequence[dict]) -> pd.DataFrame:
    """What a person reads; texts sort as the numbers that they begin with."""
    return pd.DataFrame(
        [
            {
                "model": row["name"],
                "macro F1": with_interval(row["macro_f1"]),
                "accuracy": with_interval(row["accuracy"]),
                "sd of macro F1": row["macro_f1"]["sd"],
                "ECE": row["ece"]["after"]["mean"], "seconds": row["seconds"]["mean"],
                "what it is": in_words(row),
            }
            for row in ranked(rows)
        ]
    )  # fmt: skip


def score_file(rows: Sequence[dict]) -> pd.DataFrame:
    """Every number of the score table and those behind it, one a column."""
    return pd.DataFrame([_flat(row) for row in rows])


def _flat(row: dict) -> dict:
    out = {
        "model": row["name"], "kind": row["kind"], "encoders": "+".join(row["encoders"]),
        "head": row["head"] or "", "splits": row["macro_f1"]["n"],
    }  # fmt: skip
    for name in HEADLINE:
        out |= {name: row[name]["mean"], f"{name}_sd": row[name]["sd"]}
        if "interval" in row[name]:
            interval = row[name]["interval"] or {}
            out |= {f"{name}_{key}": interval.get(key) for key in ("low", "high", "unit", "n")}
    out |= {f"ece_{when}": row["ece"][when]["mean"] for when in ("before", "after")}
    return out | {"seconds": row["seconds"]["mean"]}


def paired_tests(verdict: dict) -> pd.DataFrame:
    """Each paired test of each seed; differences in points, above 0 where the first is better."""
    return pd.DataFrame(
        [
            {
                "first": pair["a"], "second": pair["b"], "seed": split["seed"], "test": name,
                "difference (points)": 100 * test["difference"], "p": test["p"],
                "p (Holm)": test["holm"], "n": split["n"], "of": split["unit"],
            }
            for pair in verdict["pairs"]
            for split in pair["splits"]
            for name, test in split["tests"].items()
        ]
    )  # fmt: skip


def settings_table(row: dict) -> pd.DataFrame:
    """What was chosen in each split; lists hold one entry an encoder."""
    return pd.DataFrame(
        [{"split": i + 1, **_settings(chosen)} for i, chosen in enumerate(row["hyperparameters"])]
    )


def _settings(chosen: dict) -> dict:
    """Numbers as they are, lists as texts; what a list's entries are made of, one by one."""
    out: dict = {}
    for key, value in chosen.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            out |= {f"{key} {k}": _listed([v[k] for v in value]) for k in value[0]}
        else:
            out[key] = _listed(value) if isinstance(value, list) else value
    return out


def _listed(values: Sequence[float]) -> str:
    return ", ".join(f"{value:.3g}" for value in values)


def class_table(row: dict) -> pd.DataFrame:
    """Precision, recall and F1 of each class, the hardest first; means over the splits."""
    return pd.DataFrame(
        [
            {"type": name, **{k: v[k]["mean"] for k in ("precision", "recall", "f1")},
             "test cells a split": v["support"]["mean"]}
            for name, v in row["per_class"].items()
        ]
    ).sort_values("f1")  # fmt: skip


def coverage_table(parts: dict[str, dict]) -> pd.DataFrame:
    """Coverage of the label sets by class or by group, the lowest first."""
    return pd.DataFrame(
        [
            {"name": name, "coverage": found["mean"], "test cells": found["cells"]}
            for name, found in parts.items()
        ]
    ).sort_values("coverage")  # fmt: skip
