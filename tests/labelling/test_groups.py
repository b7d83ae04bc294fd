"""What is said of clusters, labels, encoders and the rule, against counts made by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from statsmodels.stats.proportion import proportion_confint

from scmpt_core.calibration import risk_curve
from scmpt_core.fusion import NO_GENE, UNKNOWN, Rule
from scmpt_core.labelling import (
    BY_HAND,
    OUTCOMES,
    agreement,
    cluster_rows,
    disputed,
    effect,
    gene_text,
    label_rows,
    outcomes,
    set_sizes,
    term_url,
)
from tests.labelling.planted import CONFIDENCE, RIGHT, planted

GENES = [{"symbol": "LYZ", "share_inside": 0.98, "share_outside": 0.1}]


def test_a_cluster_in_one_row():
    found = planted(rule=Rule(error=0.0), edits={"1": "x"})
    first, second = cluster_rows(found, {"0": GENES})
    assert (first.cluster, first.cells, first.vote, first.share) == ("0", 4, "mixed", 0.5)
    assert (first.second, first.second_share, first.named) == (UNKNOWN, 0.5, "")
    assert first.genes == GENES
    assert (second.vote, second.second, second.named) == ("Mono", "T", "x")
    assert second.second_share == pytest.approx(1 / 3)
    assert second.genes == ()


def test_a_label_in_one_row():
    found = planted(rule=Rule(error=0.0), edits={"1": "x"})
    b, x = label_rows(found, {"B": GENES}, {"1": GENES[:1]})[::-1]
    assert (b.label, b.cells, b.id, b.term, b.by_hand) == ("B", 2, "CL:0000236", "B cell", 0)
    assert b.probability == pytest.approx((0.96 + 0.90) / 2)
    assert (x.label, x.cells, x.id, x.by_hand) == ("x", 3, "", 3)
    assert x.genes == GENES  # of its cluster: the model does not know the name
    assert UNKNOWN not in {row.label for row in label_rows(found, {}, {})}


def test_genes_as_text():
    assert gene_text(GENES) == "LYZ (98% / 10%)"


def test_encoders_that_disagree():
    found = agreement(planted().prediction)
    assert (found.cells, found.agree) == (7, 5)  # the cell without a gene is not judged
    assert found.with_fused == {"text": 6, "genes": 6}
    assert sorted(found.disputes) == [(("B", "T"), "B", 1), (("Mono", "B"), "B", 1)]
    assert np.flatnonzero(disputed(planted().prediction)).tolist() == [2, 3]
    alone = replace(planted().prediction, members={})
    assert agreement(alone) is None
    assert not disputed(alone).any()


@pytest.mark.parametrize("error", [0.0, 0.05, 0.12, 0.3])
def test_the_effect_of_a_rule_is_that_of_its_point_on_the_curve(error):
    found = effect(planted(rule=Rule(error=error)))
    thresholds, kept, wrong = risk_curve(CONFIDENCE, RIGHT)
    point = np.flatnonzero(wrong <= error)[-1]
    assert found.threshold == thresholds[point]
    assert found.kept / found.calibration == pytest.approx(kept[point])
    assert found.error == pytest.approx(wrong[point])
    assert found.reached
    low, high = proportion_confint(found.wrong, found.kept, method="wilson")
    assert (found.interval.low, found.interval.high) == pytest.approx((low, high))


def test_an_error_that_is_out_of_reach_is_said():
    said = planted().prediction
    wrong = replace(said.sureness, right=~said.sureness.right)  # the surest are wrong
    found = effect(planted(rule=Rule(error=0.1)))
    assert found.reached
    found = effect(replace(planted(rule=Rule(error=0.1)), prediction=replace(said, sureness=wrong)))
    assert not found.reached
    assert found.error == pytest.approx(0.8)  # the least there is: all cells kept


def test_outcomes_of_all_cells():
    found = planted(rule=Rule(error=0.0), edits={"0": "x"})
    names = np.array(OUTCOMES)[outcomes(found)]
    assert names.tolist() == [BY_HAND] * 4 + [OUTCOMES[0]] * 3 + [NO_GENE]


def test_sizes_of_sets():
    assert set_sizes(planted(rule=Rule(coverage=0.95))) == {0: 1, 3: 7}
    assert set_sizes(planted(rule=Rule(coverage=0.6))) == {0: 1, 1: 7}


def test_where_a_term_is_read_about():
    assert term_url("CL:0000236") == (
        "https://www.ebi.ac.uk/ols4/ontologies/cl/classes/"
        "http%253A%252F%252Fpurl.obolibrary.org%252Fobo%252FCL_0000236"
    )
