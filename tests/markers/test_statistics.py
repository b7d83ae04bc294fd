"""The test of overlap against enumeration, literal draws and planted truths."""

from __future__ import annotations

import json
from itertools import combinations

import numpy as np
import pytest
from scipy.stats import hypergeom, kstest
from statsmodels.stats.multitest import multipletests

from scmpt_core.markers import MarkerTest, TestKey, adjust, expression_bins, marker_test

DRAWS = 10_000


def names(n: int) -> np.ndarray:
    return np.array([f"G{i}" for i in range(n)])


def test_planted_markers_are_found():
    """Of 1,000 genes 20 are markers; 6 of the top 10 are, in bins where 2 in 100 are."""
    n, rng = 1000, np.random.default_rng(0)
    ranks, markers, scores = np.arange(n) + 1.0, np.zeros(n, bool), rng.normal(-1, 0.1, n)
    markers[::50] = True  # one in each bin of 50
    top = [0, 50, 100, 150, 200, 250, 301, 351, 401, 451]
    scores[top] = np.linspace(2, 1, 10)
    found = marker_test(names(n), scores, ranks, np.ones(n, bool), markers, seed=1)
    assert found.genes == tuple(f"G{i}" for i in top)
    assert found.found == tuple(f"G{i}" for i in top[:6])
    assert (found.overlap, found.used, found.note) == (6, 10, "")
    # ten bins of 50 genes with a marker each: binomial(10, 1/50)
    assert found.null_mean == pytest.approx(10 / 50)
    assert found.p == 1 / (1 + DRAWS)
    assert sum(found.null_counts) == DRAWS
    assert len(found.missing) == 14
    assert found.p_hypergeom == pytest.approx(hypergeom.sf(5, n, 20, 10))


def test_p_is_that_of_enumeration():
    """Two bins of 50, two top genes in one and one in the other: all 61,250 sets are counted."""
    ranks = np.arange(100, dtype=float)
    markers = np.zeros(100, bool)
    markers[[0, 3, 7, 20, 60, 61, 62]] = True
    scores = -np.ones(100)
    scores[[0, 10, 60]] = 3, 2, 1
    ours = marker_test(names(100), scores, ranks, np.ones(100, bool), markers, 3, 200_000)
    upper, lower = markers[:50], markers[50:]
    overlaps = [
        upper[list(a)].sum() + b for a in combinations(range(50), 2) for b in lower.astype(int)
    ]
    exact = np.mean(np.array(overlaps) >= 2)
    assert ours.p == pytest.approx(exact, abs=4 * np.sqrt(exact / 200_000))
    assert ours.null_mean == pytest.approx(np.mean(overlaps))


def test_counts_are_those_of_literal_sets():
    """Drawing sets gene by gene, each from its own bin, gives the same distribution."""
    rng = np.random.default_rng(3)
    n, k, draws = 300, 12, 4000
    ranks, scores, markers = rng.random(n), rng.normal(size=n), rng.random(n) < 0.2
    seen = rng.random(n) < 0.9
    found = marker_test(names(n), scores, ranks, seen, markers, k, draws)
    bins = expression_bins(ranks, seen, 50)
    top = [int(g[1:]) for g in found.genes]
    places, taken = np.unique(bins[top], return_counts=True)
    literal = np.zeros(draws, int)
    for place, size in zip(places, taken, strict=True):
        inside = np.flatnonzero(bins == place)
        sets = np.argsort(rng.random((draws, len(inside))), axis=1)[:, :size]
        literal += markers[inside][sets].sum(axis=1)
    share = np.bincount(literal, minlength=k + 1)[: k + 1] / draws
    difference = np.abs(np.array(found.null_counts) / draws - share)
    assert difference.max() < 5 * np.sqrt(0.5 / draws)
    assert found.null_mean == pytest.approx(literal.mean(), abs=5 * literal.std() / np.sqrt(draws))


def test_a_draw_comes_from_the_bin_of_its_gene():
    """Markers in one bin only: whoever has no top gene there never draws one."""
    ranks, seen = np.arange(200, dtype=float), np.ones(200, bool)
    markers = ranks < 50
    high, low = -np.ones(200), -np.ones(200)
    high[:10] = low[100:110] = 1
    inside = marker_test(names(200), high, ranks, seen, markers)
    assert inside.null_counts == (0,) * 10 + (DRAWS,)  # a bin of markers: 10 of 10, every time
    assert (inside.p, inside.overlap) == (1.0, 10)
    assert inside.p_hypergeom < 1e-6  # what the hypergeometric test would have made of it
    outside = marker_test(names(200), low, ranks, seen, markers)
    assert outside.null_counts == (DRAWS,) + (0,) * 10
    assert outside.p == 1.0


def test_p_is_fair_where_scores_and_markers_both_follow_expression():
    """Under the null both follow expression and nothing else: the hypergeometric test errs."""
    rng, n, runs = np.random.default_rng(5), 2000, 400
    ranks, seen = np.arange(n, dtype=float), np.ones(n, bool)
    # one level a bin, of 50: scores fall from bin to bin, markers are ten times as frequent above
    level = ranks // 50
    ours, plain = [], []
    for seed in range(runs):
        scores = 5 - level + rng.normal(0, 2, n)
        markers = rng.random(n) < 0.3 * 0.8**level + 0.02
        found = marker_test(names(n), scores, ranks, seen, markers, 20, 2000, seed)
        ours.append(found.p)
        plain.append(found.p_hypergeom)
    ours, plain = np.array(ours), np.array(plain)
    assert np.mean(plain <= 0.05) > 0.5  # more than ten times as often as it may
    for limit in (0.01, 0.05, 0.2):
        allowed = limit + 3 * np.sqrt(limit * (1 - limit) / runs)
        assert np.mean(ours <= limit) <= allowed
    # overlap is a count, so p is on or above the uniform line; made continuous, it lies on it
    assert np.mean(ours) > 0.5
    assert kstest(_continuous(rng, runs=300), "uniform").pvalue > 0.01


def _continuous(rng: np.random.Generator, runs: int) -> np.ndarray:
    """P(more) + u P(as many), from the null counts: uniform under the null, exactly."""
    n = 1000
    ranks, seen, out = np.arange(n, dtype=float), np.ones(n, bool), []
    for seed in range(runs):
        scores = 3 - ranks // 100 + rng.normal(0, 1, n)
        markers = rng.random(n) < 0.4 - 0.035 * (ranks // 100)
        found = marker_test(names(n), scores, ranks, seen, markers, 20, 2000, seed)
        counts = np.array(found.null_counts) / found.draws
        out.append(counts[found.overlap + 1 :].sum() + rng.random() * counts[found.overlap])
    return np.array(out)


def test_bins_hold_enough_keep_equals_together_and_cover_the_seen():
    rng = np.random.default_rng(0)
    ranks = rng.integers(0, 40, 1000).astype(float)  # many equals
    seen = rng.random(1000) < 0.7
    bins = expression_bins(ranks, seen, 60)
    assert (bins[~seen] == -1).all()
    assert np.bincount(bins[seen]).min() >= 60
    for value in np.unique(ranks[seen]):
        assert len(np.unique(bins[seen & (ranks == value)])) == 1
    order = np.argsort(ranks[seen], kind="stable")
    assert (np.diff(bins[seen][order]) >= 0).all()
    assert set(expression_bins(np.arange(99.0), np.ones(99, bool), 50)) == {0}
    assert np.bincount(expression_bins(np.arange(120.0), np.ones(120, bool), 50)).tolist() == [
        50, 70
    ]  # fmt: skip
    assert set(expression_bins(np.zeros(500), np.ones(500, bool), 50)) == {0}


def test_what_cannot_be_tested_has_no_p_and_says_why():
    scores, ranks = np.array([3.0, 2, 1, -1]), np.arange(4.0)
    seen, none = np.array([True, True, True, False]), np.zeros(4, bool)
    assert "none of the type's markers" in marker_test(names(4), scores, ranks, seen, none).note
    hidden = marker_test(names(4), scores, ranks, seen, ~seen)
    assert (hidden.p, hidden.p_hypergeom, hidden.null_mean, hidden.draws) == (None, None, None, 0)
    assert "the model could not see the only marker in the data" in hidden.note
    assert hidden.unseen == ("G3",)
    against = marker_test(names(4), -abs(scores), ranks, seen, seen)
    assert (against.testable, against.used) == (False, 0)
    assert "no gene has a positive score" in against.note


def test_fewer_positive_scores_than_k_are_used_and_said():
    scores = np.r_[np.ones(3), -np.ones(97)]
    markers = np.zeros(100, bool)
    markers[[0, 50]] = True
    found = marker_test(names(100), scores, np.arange(100.0), np.ones(100, bool), markers)
    assert (found.k, found.used, found.overlap) == (10, 3, 1)
    assert found.note == "only 3 of 10 genes have a positive score"
    # equal scores: the more expressed first
    again = marker_test(names(100), np.ones(100), -np.arange(100.0), np.ones(100, bool), markers, 2)
    assert again.genes == ("G99", "G98")


def test_seed_json_and_wrong_input():
    rng = np.random.default_rng(1)
    args = (names(200), rng.normal(size=200), rng.random(200), np.ones(200, bool))
    markers = rng.random(200) < 0.3
    first = marker_test(*args, markers, seed=4)
    assert first == marker_test(*args, markers, seed=4)
    assert first.null_counts != marker_test(*args, markers, seed=5).null_counts
    assert MarkerTest.from_json(json.loads(json.dumps(first.to_json()))) == first
    with pytest.raises(ValueError, match="numbers of genes differ"):
        marker_test(*args, markers[:-1])
    with pytest.raises(ValueError, match="score is not finite"):
        marker_test(args[0], np.full(200, np.nan), *args[2:], markers)
    with pytest.raises(ValueError, match="rank of a gene that was seen"):
        marker_test(*args[:2], np.full(200, np.inf), args[3], markers)
    with pytest.raises(ValueError, match="at least 1"):
        marker_test(*args, markers, k=0)


def with_p(p: float | None) -> MarkerTest:
    return MarkerTest(10, 10, 1, (), (), p, 0.0, (), 0, p, 0, 0, 0, (), ())


def test_q_by_hand_and_as_statsmodels():
    """0.01, 0.02, 0.04 of three: 0.03, 0.03, 0.04; a test without p neither counts nor gets q."""
    p = {"a": 0.04, "b": 0.01, "c": 0.02, "d": None}
    keys = {name: TestKey(name, f"entry {name}", "ig") for name in p}
    q = adjust({keys[name]: with_p(value) for name, value in p.items()})
    assert [q[keys[name]] for name in "abc"] == pytest.approx([0.04, 0.03, 0.03])
    assert q[keys["d"]] is None
    many = np.random.default_rng(0).random(60) ** 3
    tests = {TestKey(str(i), str(i), "ig", "m"): with_p(float(x)) for i, x in enumerate(many)}
    assert list(adjust(tests).values()) == pytest.approx(multipletests(many, method="fdr_bh")[1])
    assert adjust({}) == {}


def test_labels_of_one_entry_count_once():
    """T: 2 × 0.005 and 2 × 0.4; B 0.03: two hypotheses, so q = 0.02, 0.8 and 0.03, by hand."""
    cd4, cd8 = TestKey("CD4 T", "T cells", "ig", "m"), TestKey("CD8 T", "T cells", "ig", "m")
    b = TestKey("B", "B cells", "ig", "m")
    q = adjust({cd4: with_p(0.005), cd8: with_p(0.4), b: with_p(0.03)})
    assert (q[cd4], q[cd8], q[b]) == pytest.approx((0.02, 0.8, 0.03))
    # by another method it is another hypothesis
    other = TestKey("CD8 T", "T cells", "lime", "m")
    q = adjust({cd4: with_p(0.005), other: with_p(0.4), b: with_p(0.03)})
    assert (q[cd4], q[other], q[b]) == pytest.approx((0.015, 0.4, 0.045))


def test_the_rate_of_false_discoveries_holds_with_shared_entries():
    """30 labels on 10 entries, all null: BH rejects anything in at most α of the runs."""
    rng, runs, wrong = np.random.default_rng(2), 400, 0
    keys = [TestKey(str(i), str(i // 3), "ig") for i in range(30)]
    for _ in range(runs):
        q = adjust({key: with_p(float(rng.random())) for key in keys})
        wrong += min(q.values()) <= 0.2
    assert wrong / runs <= 0.2 + 3 * np.sqrt(0.16 / runs)
