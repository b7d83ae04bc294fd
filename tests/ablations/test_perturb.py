"""Each perturbation against a slow, plain one, or against what it promises."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp

from scmpt_core.ablations import ABLATIONS, get_ablation
from scmpt_core.ablations.base import Context
from scmpt_core.ablations.identity import ALIKE
from scmpt_core.sentences import cell_sentences
from tests.helpers import random_cells

GENES = np.array(
    ["CD3D", "CD3E", "LYZ", "MS4A1", "RPL3", "RPS6", "MT-CO1", "MALAT1", "NKG7", "GNLY", "CD14",
     *[f"GENE{i}" for i in range(49)]]
)  # fmt: skip
PERTURBING = [info for info in ABLATIONS if info.perturb is not None]
WINDOW = 12


@pytest.fixture(scope="module")
def cells():
    made = random_cells(GENES, [40, 25, 60, 7, 33, 1], counts=30)
    counts = made.expression.copy()
    counts.data = np.round(np.expm1(counts.data) * 3)
    scaled = counts.multiply(1e4 / counts.sum(axis=1)).tocsr()
    scaled.data = np.log1p(scaled.data).astype(np.float32)
    return replace(made, expression=scaled.astype(np.float32), counts=counts)


@pytest.fixture(scope="module")
def context(cells):
    return Context(
        "text", np.full(len(cells), WINDOW), np.array([0, 1, 0, 1, -1, 0]),
        np.asarray(cells.expression.mean(axis=0)).ravel(), np.arange(len(GENES)) % 3 > 0,
        (frozenset(["CD3D", "CD3E"]), frozenset()), frozenset(["LYZ", "NKG7", "not a gene"]),
    )  # fmt: skip


def apply(name, cells, context, strength=None, seed=0):
    info = get_ablation(name)
    if strength is None and info.strength is not None:
        strength = info.strength.default
    return info.perturb(cells, context, strength, seed)


def words(cells):
    return [sentence.split() for sentence in cell_sentences(cells)]


def sub(context, rows):
    return replace(context, window=context.window[rows], codes=context.codes[rows])


@pytest.mark.parametrize("info", PERTURBING, ids=lambda i: i.name)
def test_a_cell_is_perturbed_alike_beside_any_others(info, cells, context):
    rows = np.array([4, 0])
    strength = info.strength.default if info.strength else 0.0
    every = info.perturb(cells, context, strength, 3)
    alone = info.perturb(cells.take(rows), sub(context, rows), strength, 3)
    assert len(every) == len(cells)
    assert list(every.ids) == list(cells.ids)
    assert words(every.take(rows)) == words(alone)
    difference = every.expression[rows] - alone.expression
    assert abs(difference).max() < 1e-6


@pytest.mark.parametrize("info", [i for i in PERTURBING if i.seeded], ids=lambda i: i.name)
def test_seeds_differ_and_repeat(info, cells, context):
    strength = 0.5 if info.strength.share else info.strength.default
    first, again, other = (info.perturb(cells, context, strength, s) for s in (1, 1, 2))
    assert first.fingerprint == again.fingerprint != other.fingerprint


@pytest.mark.parametrize("info", PERTURBING, ids=lambda i: i.name)
def test_what_was_given_stays_as_it_was(info, cells, context):
    before = (cells.expression.data.copy(), cells.genes.copy(), cells.counts.data.copy())
    info.perturb(cells, context, info.strength.default if info.strength else 0.0, 0)
    assert all(
        np.array_equal(a, b)
        for a, b in zip(before, (cells.expression.data, cells.genes, cells.counts.data),
                        strict=True)
    )  # fmt: skip


def test_shuffles_keep_their_scope(cells, context):
    plain = words(cells)
    within = words(apply("shuffle-within", cells, context))
    before = words(apply("shuffle-before", cells, context))
    for old, inside, whole in zip(plain, within, before, strict=True):
        assert sorted(inside[:WINDOW]) == sorted(old[:WINDOW])
        assert inside[WINDOW:] == old[WINDOW:]
        assert sorted(whole) == sorted(old)
    assert within[0][:WINDOW] != plain[0][:WINDOW]
    assert set(before[2][:WINDOW]) != set(plain[2][:WINDOW])  # others came into the window


def test_a_share_of_nothing_shuffles_nothing(cells, context):
    for name in ("shuffle-before", "shuffle-within"):
        assert words(apply(name, cells, context, 0.0)) == words(cells)


def test_half_the_genes_stay_where_they_are(cells, context):
    plain, now = words(cells), words(apply("shuffle-before", cells, context, 0.5))
    same = np.mean([a == b for old, new in zip(plain, now, strict=True)
                    for a, b in zip(old, new, strict=True)])  # fmt: skip
    assert 0.4 < same < 0.75


@pytest.mark.parametrize(("share", "top"), [(0.1, 2), (0.5, 6)])
def test_top_and_rest_part_the_window(cells, context, share, top):
    plain = words(cells)
    for name, moved in (("shuffle-top", slice(0, top)), ("shuffle-rest", slice(top, WINDOW))):
        for old, new in zip(plain, words(apply(name, cells, context, share)), strict=True):
            stays = [i for i in range(len(old)) if i not in range(*moved.indices(len(old)))]
            if len(old) >= WINDOW:
                assert [new[i] for i in stays] == [old[i] for i in stays]
            assert sorted(new) == sorted(old)


def test_reversed(cells, context):
    for old, new in zip(words(cells), words(apply("reverse-before", cells, context)), strict=True):
        assert new == old[::-1]
    for old, new in zip(words(cells), words(apply("reverse-within", cells, context)), strict=True):
        assert new == old[:WINDOW][::-1] + old[WINDOW:]


def test_coarse_ranks_keep_their_level(cells, context):
    for old, new in zip(
        words(cells), words(apply("coarsen-within", cells, context, 3)), strict=True
    ):
        if len(old) >= WINDOW:
            for level in range(3):
                mine = slice(4 * level, 4 * level + 4)
                assert sorted(new[mine]) == sorted(old[mine])
    as_many = apply("coarsen-within", cells, context, WINDOW)
    assert [w for w in words(as_many) if len(w) >= WINDOW] == [
        w for w in words(cells) if len(w) >= WINDOW
    ]


def test_names_change_and_order_does_not(cells, context):
    plain = words(cells)
    for name, spelled in (("hash", None), ("lower-case", str.lower), ("ensembl", None)):
        renamed = apply(name, cells, context)
        table = dict(zip(cells.genes, renamed.genes, strict=True))
        assert len(set(renamed.genes)) == len(GENES)
        assert words(renamed) == [[table[gene] for gene in cell] for cell in plain]
        if spelled:
            assert table == {gene: spelled(str(gene)) for gene in GENES}
    hashed = dict(zip(GENES, apply("hash", cells, context).genes, strict=True))
    assert all(len(v) == 8 and int(v, 16) >= 0 for v in hashed.values())
    ids = dict(zip(GENES, apply("ensembl", cells, context).genes, strict=True))
    assert ids["CD3D"] == "ENSG00000167286"
    assert ids["GENE7"] == "GENE7"


def test_a_name_that_two_genes_would_share_is_left(cells, context):
    two = replace(cells, genes=np.where(GENES == "GENE1", "cd3d", GENES))
    named = apply("lower-case", two, context).genes
    assert "CD3D" in named
    assert "cd3d" in named
    assert "cd3e" in named


def test_names_are_swapped_among_like_genes(cells, context):
    names = apply("swap-genes", cells, context).genes
    known = context.known
    assert sorted(names) == sorted(GENES)
    assert (names[~known] == GENES[~known]).all()
    assert (names[known] != GENES[known]).all()
    order = list(GENES[known][np.argsort(context.means[known], kind="stable")])
    apart = [abs(order.index(a) - order.index(b))
             for a, b in zip(GENES[known], names[known], strict=True)]  # fmt: skip
    assert max(apart) < ALIKE + 2  # equal means are ordered by chance


def test_names_for_numbers_keep_the_values(cells, context):
    numeric = replace(context, modality="genes", window=None)
    swapped = apply("swap-genes", cells, numeric)
    assert np.array_equal(swapped.expression.toarray(), cells.expression.toarray())


def test_what_is_left_out(cells, context):
    housekeeping = {"RPL3", "RPS6", "MT-CO1", "MALAT1"}
    wanted = {
        "no-housekeeping": lambda gene, code: gene not in housekeeping,
        "no-markers": lambda gene, code: code != 0 or gene not in {"CD3D", "CD3E"},
        "only-markers": lambda gene, code: code != 0 or gene in {"CD3D", "CD3E"},
        "no-all-markers": lambda gene, code: gene not in {"CD3D", "CD3E"},
        "only-all-markers": lambda gene, code: gene in {"CD3D", "CD3E"},
        "no-gene-set": lambda gene, code: gene not in {"LYZ", "NKG7"},
        "only-gene-set": lambda gene, code: gene in {"LYZ", "NKG7"},
    }
    for name, keep in wanted.items():
        now = words(apply(name, cells, context))
        for old, new, code in zip(words(cells), now, context.codes, strict=True):
            assert new == [gene for gene in old if keep(gene, code)], name


def test_only_the_first_genes(cells, context):
    for name in ("top-n", "window"):
        now = words(apply(name, cells, context, 5))
        assert now == [old[:5] for old in words(cells)]


def test_dropout_and_panel_lose_their_share(cells, context):
    many = random_cells(np.array([f"G{i}" for i in range(3000)]), [2500] * 8)
    there = replace(context, codes=np.zeros(8, int), window=None)
    lost = apply("dropout", many, there, 0.3)
    assert 1 - lost.expression.nnz / many.expression.nnz == pytest.approx(0.3, abs=0.015)
    small = apply("panel", many, there, 0.3)
    measured = np.unique(small.expression.indices)
    assert len(measured) / 3000 == pytest.approx(0.3, abs=0.03)
    assert small.expression.nnz == np.isin(many.expression.indices, measured).sum()


def test_depth_is_binomial_and_normalised_as_before(cells, context):
    rng = np.random.default_rng(0)
    counts = sp.csr_matrix(rng.poisson(6, (10, 2000)).astype(np.float32))
    whole = counts.toarray()
    x = np.log1p(whole / whole.sum(axis=1, keepdims=True) * 1e4).astype(np.float32)
    made = replace(
        cells, expression=sp.csr_matrix(x), counts=counts, ids=np.arange(10).astype(str),
        genes=np.array([f"G{i}" for i in range(2000)]),
    )  # fmt: skip
    there = replace(context, codes=np.zeros(10, int))
    thin = apply("depth", made, there, 0.25)
    linear = np.expm1(thin.expression.toarray().astype(float))
    assert linear.sum(axis=1) == pytest.approx(1e4, rel=1e-4)
    units = linear / np.where(linear > 0, linear, np.inf).min(axis=1, keepdims=True)
    left = np.round(units)
    assert np.abs(units - left).max() < 0.02
    assert (left <= whole).all()
    assert left.sum() / whole.sum() == pytest.approx(0.25, abs=0.01)
    # as binomial thinning of a Poisson count is a Poisson count, its variance is its mean
    assert left.var() == pytest.approx(left.mean(), rel=0.06)
    full = apply("depth", made, there, 1.0)
    assert np.abs(full.expression.toarray() - x).max() < 1e-4


def test_values_are_moved_or_made_equal(cells, context):
    shuffled = apply("shuffle-values", cells, context)
    equal = apply("equal-values", cells, context)
    for cell in range(len(cells)):
        old, new, flat = (c.expression[cell] for c in (cells, shuffled, equal))
        assert np.array_equal(np.sort(old.indices), np.sort(new.indices))
        assert np.allclose(np.sort(old.data), np.sort(new.data))
        assert flat.data == pytest.approx(old.data.mean())
    assert not np.allclose(shuffled.expression.toarray(), cells.expression.toarray())


def test_blocks():
    rng = np.random.default_rng(0)
    x, mean = rng.normal(size=(40, 3)).astype(np.float32), np.array([1.0, 2.0, 3.0])
    assert (get_ablation("zero-block").mix(x, mean, 0.0, 0) == 0).all()
    assert (get_ablation("mean-block").mix(x, mean, 0.0, 0) == mean).all()
    swapped = get_ablation("swap-block").mix(x, mean, 1.0, 0)
    assert (np.sort(swapped, axis=0) == np.sort(x, axis=0)).all()
    assert not (swapped == x).all(axis=1).any()
    half = get_ablation("swap-block").mix(x, mean, 0.5, 0)
    assert (half == x).all(axis=1).sum() == 20
