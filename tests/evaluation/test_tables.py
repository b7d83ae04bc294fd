"""A comparison's numbers as tables."""

from __future__ import annotations

import math

import numpy as np
import pytest

from scmpt_core.evaluation import (
    class_table,
    coverage_table,
    in_words,
    paired_tests,
    ranked,
    score_file,
    score_table,
    settings_table,
    with_interval,
)
from scmpt_core.fusion import get_head

INTERVAL = {"low": 0.6569, "high": 0.7878, "level": 0.95, "unit": "cells", "n": 139}


def metric(mean, interval=None, sd=None):
    return {"mean": mean, "sd": sd, "n": 1 if sd is None else 3, "interval": interval}


def row(name, f1, kind="model", encoders=("pca",), head="linear"):
    plain = {"mean": 0.5, "sd": None, "n": 1}
    return {
        "name": name, "kind": kind, "encoders": list(encoders), "head": head,
        "macro_f1": metric(f1, INTERVAL), "accuracy": metric(0.9, sd=0.1),
        "macro_precision": plain, "macro_recall": plain,
        "ece": {"before": plain, "after": {"mean": 0.04, "sd": None, "n": 1}},
        "seconds": {"mean": 2.0, "sd": None, "n": 1},
    }  # fmt: skip


ROWS = [row("pca+linear", 0.7), row("knn", 0.9, "baseline", (), None),
        row("scmpt", 0.8, encoders=("pca", "minilm"), head="concat"),
        row("majority", 0.1, "baseline", (), None)]  # fmt: skip


def test_an_interval_is_written_beside_its_mean():
    assert with_interval(metric(0.7244, INTERVAL)) == "0.724 (0.657 to 0.788)"
    assert with_interval(metric(0.7244), digits=2) == "0.72"


def test_models_by_score_then_baselines():
    assert [r["name"] for r in ranked(ROWS)] == ["scmpt", "pca+linear", "knn", "majority"]
    table = score_table(ROWS)
    assert table["model"].tolist() == ["scmpt", "pca+linear", "knn", "majority"]
    assert table["macro F1"][0] == "0.800 (0.657 to 0.788)"
    assert table["accuracy"][0] == "0.900"
    assert table["ECE"].tolist() == [0.04] * 4


def test_what_a_row_is_in_words():
    assert in_words(ROWS[2]) == f"pca + minilm: {get_head('concat').title.lower()}"
    assert "nearest" in in_words(ROWS[1])


def test_the_file_holds_every_number_and_reads_back():
    table = score_file(ROWS).set_index("model")
    assert table.loc["scmpt", "macro_f1"] == 0.8
    assert table.loc["scmpt", "macro_f1_low"] == INTERVAL["low"]
    assert table.loc["scmpt", "macro_f1_n"] == 139
    assert table.loc["scmpt", "accuracy_sd"] == 0.1
    assert math.isnan(table["accuracy_low"].astype(float)["scmpt"])  # it has no interval
    assert table.loc["knn", "kind"] == "baseline"
    assert table.loc["scmpt", "ece_after"] == 0.04


def test_each_test_of_each_seed_is_a_line_in_points():
    tests = {"T": {"difference": 0.05, "p": 0.01, "holm": 0.02},
             "M": {"difference": -0.01, "p": 0.5, "holm": 0.5}}  # fmt: skip
    splits = [{"seed": s, "difference": 0.05, "n": 139, "unit": "cells", "tests": tests}
              for s in (0, 1)]  # fmt: skip
    table = paired_tests({"pairs": [{"a": "x", "b": "y", "splits": splits}]})
    assert table["seed"].tolist() == [0, 0, 1, 1]
    assert table["difference (points)"].tolist() == pytest.approx([5, -1, 5, -1])
    assert table["p (Holm)"].tolist() == [0.02, 0.5, 0.02, 0.5]
    assert paired_tests({"pairs": []}).empty


def test_chosen_settings_of_several_encoders_stand_in_one_field():
    dense = [{"learning_rate": 3e-4}, {"learning_rate": 1e-3}]
    chosen = [{"l2": [31.62, 10.0], "dense": dense, "epochs": 50}, {"l2": [1.0, 2.0]}]
    table = settings_table({"hyperparameters": chosen})
    assert table["split"].tolist() == [1, 2]
    assert table["l2"].tolist() == ["31.6, 10", "1, 2"]
    assert table["dense learning_rate"][0] == "0.0003, 0.001"
    assert table["epochs"][0] == 50


def test_hard_types_and_low_coverages_come_first():
    scores = {k: {"mean": v, "sd": None, "n": 1} for k, v in
              {"precision": 0.5, "recall": 0.5, "f1": 0.5, "support": 12}.items()}  # fmt: skip
    never = {k: {"mean": None, "sd": None, "n": 0} for k in scores}
    better = scores | {"f1": {"mean": 0.9, "sd": None, "n": 1}}
    table = class_table({"per_class": {"T": better, "B": scores, "never tested": never}})
    assert table["type"].tolist() == ["B", "T", "never tested"]
    assert table["test cells a split"].tolist()[:2] == [12, 12]
    parts = {"T": {"mean": 0.9, "cells": 10}, "B": {"mean": 0.5, "cells": 4}}
    assert coverage_table(parts)["name"].tolist() == ["B", "T"]
    np.testing.assert_array_equal(coverage_table(parts)["test cells"], [4, 10])
