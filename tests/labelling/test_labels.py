"""Labels follow the rule, a person's names and terms, and nothing is computed again."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from scmpt_core.errors import DataError, ModelError, SettingError
from scmpt_core.fusion import DISAGREE, FAR, NO_GENE, UNDECIDED, UNKNOWN, Rule
from scmpt_core.labelling import (
    BY_HAND,
    COLUMNS,
    Clustering,
    confirm_term,
    load_labelling,
    name_clusters,
    same_clusters,
    save_labelling,
    unname_clusters,
    without_term,
)
from tests.labelling.planted import PROBA, planted


def test_the_rule_moves_labels_and_says_why():
    strict = planted(rule=Rule(error=0.0, far=0.01))
    assert strict.decision.threshold == pytest.approx(0.8)
    assert strict.labels.tolist() == ["B", "B", UNKNOWN, UNKNOWN, "Mono", "Mono", "T", UNKNOWN]
    assert strict.reasons.tolist() == ["", "", DISAGREE, DISAGREE, "", "", "", NO_GENE]
    assert strict.counts == {"B": 2, "Mono": 2, "T": 1, UNKNOWN: 3}
    assert strict.unknown_counts == {DISAGREE: 2, NO_GENE: 1}
    loose = replace(strict, rule=Rule(error=0.12, far=0.01))
    assert loose.decision.threshold == pytest.approx(0.6)
    assert loose.labels.tolist() == ["B", "B", "B", UNKNOWN, "Mono", "Mono", "T", UNKNOWN]
    far = replace(strict, rule=Rule(error=1.0, far=0.02))
    assert far.reasons.tolist() == ["", "", "", "", FAR, "", "", NO_GENE]
    assert far.guesses.tolist() == ["B"] * 4 + ["Mono", "Mono", "T", UNKNOWN]


def test_without_encoders_that_disagree_a_cell_is_undecided():
    said = replace(planted().prediction, members={})
    found = replace(planted(rule=Rule(error=0.0)), prediction=said)
    assert found.unknown_counts == {UNDECIDED: 2, NO_GENE: 1}


def test_clusters_vote_with_the_models_labels():
    found = planted(rule=Rule(error=0.0))
    assert [(v.cluster, v.n, v.label, v.share) for v in found.votes] == [
        (0, 4, "mixed", 0.5), (1, 3, "Mono", pytest.approx(2 / 3)),
    ]  # fmt: skip
    assert found.cluster_labels.tolist() == ["mixed"] * 4 + ["Mono"] * 3 + [""]


def test_names_by_hand_override_and_are_marked():
    found = planted(rule=Rule(error=0.0))
    named = replace(found, edits=name_clusters(found, ["0"], "  plasma   cell "))
    assert named.edits == {"0": "plasma cell"}
    assert named.labels.tolist() == ["plasma cell"] * 4 + ["Mono", "Mono", "T", UNKNOWN]
    assert named.reasons.tolist() == [BY_HAND] * 4 + ["", "", "", NO_GENE]
    assert named.cluster_labels.tolist() == ["plasma cell"] * 4 + ["Mono"] * 3 + [""]
    np.testing.assert_array_equal(named.prediction.proba, PROBA)
    assert [v.label for v in named.votes] == ["mixed", "Mono"]  # the model's, as before
    unknown = replace(named, edits=name_clusters(named, ["1"], UNKNOWN))
    assert unknown.unknown_counts == {BY_HAND: 3, NO_GENE: 1}
    assert unname_clusters(unknown, ["0"]) == {"1": UNKNOWN}


@pytest.mark.parametrize(
    ("clusters", "name"),
    [([], "T"), (["9"], "T"), (["-1"], "T"), (["0"], "  "), (["0"], "x" * 121), (["0"], "a\0b")],
)
def test_names_that_cannot_be_given_are_refused(clusters, name):
    with pytest.raises(SettingError):
        name_clusters(planted(), clusters, name)


def test_names_go_to_no_other_clusters():
    found = planted(edits={"1": "T"})
    same_clusters(found, {"0": 4, "1": 3})
    with pytest.raises(DataError, match="1 has 3 cells, had 4"):
        same_clusters(found, {"0": 4, "1": 4})
    with pytest.raises(DataError, match="2 has 0 cells, had 1"):
        same_clusters(found, {"0": 4, "1": 3, "2": 1})
    same_clusters(planted(), {"0": 1})  # without names nothing can go wrong


def test_terms_that_a_person_confirms_stand_over_the_models():
    found = planted(edits={"1": "monocyte?"}, rule=Rule(error=0.0))
    assert without_term(found) == ["monocyte?"]
    confirmed = replace(found, terms=confirm_term(found, "monocyte?", "CL:0000576"))
    assert without_term(confirmed) == []
    ids = np.asarray(confirmed.columns()["scmpt_ontology_id"])
    assert ids.tolist() == ["CL:0000236"] * 2 + ["", ""] + ["CL:0000576"] * 3 + [""]
    none = replace(confirmed, terms=confirm_term(confirmed, "monocyte?", ""))
    assert none.ids_of_labels == {"B": "CL:0000236", "T": "CL:0000084"}
    assert without_term(none) == []  # a person said so
    with pytest.raises(DataError, match="CL:9999999"):
        confirm_term(found, "B", "CL:9999999")


def test_sets_hold_what_the_coverage_asks_for():
    found = planted(rule=Rule(coverage=0.6))
    # the 7th of 10 scores, ⌈11 × 0.6⌉, is 0.2: a label needs a probability of 0.8
    assert found.prediction.sureness.sets.threshold(0.6) == pytest.approx(0.2)
    assert found.set_names.tolist() == ["B", "B", "B", "B", "Mono", "Mono", "T", ""]
    every = replace(found, rule=Rule(coverage=0.95))  # 10 cells are too few
    assert every.set_names[3] == "B | Mono | T"
    assert every.set_names[5] == "Mono | B | T"
    assert every.set_names[7] == ""


def test_all_columns_are_there_and_fit_each_other():
    columns = planted().columns()
    assert list(columns) == list(COLUMNS)
    assert {len(values) for values in columns.values()} == {8}
    table = planted().table()
    assert table.index.tolist() == [f"cell{i}" for i in range(8)]
    assert table["p(Mono)"].tolist() == PROBA[:, 1].tolist()
    assert np.isnan(table["scmpt_probability"].iloc[7])


def test_kept_labels_are_read_back(tmp_path):
    first = planted()
    save_labelling(first, tmp_path)
    choices = {"rule": Rule(error=0.1), "edits": {"0": "x"}, "terms": {"x": ""}}
    again = load_labelling(tmp_path, **choices)
    expected = replace(first, **choices).table()
    found = again.table()
    floats = expected.select_dtypes("float").columns
    np.testing.assert_allclose(found[floats], expected[floats], rtol=1e-6)
    rest = [c for c in expected if c not in floats]
    assert found[rest].astype(str).equals(expected[rest].astype(str))
    assert again.prediction.members.keys() == {"text", "genes"}
    assert again.clustered_by == "by hand"


def test_labels_of_an_earlier_version_are_told_from_damaged_ones(tmp_path):
    with pytest.raises(ModelError, match="earlier version"):
        load_labelling(tmp_path)
    save_labelling(planted(), tmp_path)
    meta = json.loads((tmp_path / "labelling.json").read_text())
    (tmp_path / "labelling.json").write_text(json.dumps(meta | {"format": 99}))
    with pytest.raises(ModelError, match="format 99"):
        load_labelling(tmp_path)
    (tmp_path / "labelling.json").write_text(json.dumps(meta))
    (tmp_path / "labelling.npz").write_bytes(b"PK\x03\x04 cut off")
    with pytest.raises(ModelError, match="damaged"):
        load_labelling(tmp_path)


@pytest.mark.parametrize("resolution", [0, -1, 21])
def test_a_resolution_out_of_range_is_refused(resolution):
    with pytest.raises(SettingError, match="resolution"):
        Clustering(resolution=resolution)
