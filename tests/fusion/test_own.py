"""A cell is the model's own by its name and by what it expresses."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from scmpt_core.fusion.own import marks_of, own_cells
from tests.helpers import random_cells

GENES = np.array([f"G{i}" for i in range(200)])


@pytest.fixture
def cells():
    return random_cells(GENES, [40] * 30)


def test_own_cells_are_known_in_any_order_and_among_others(cells):
    known = marks_of(cells.take(np.arange(10)))
    order = np.random.default_rng(1).permutation(30)
    found = own_cells(cells.take(order), GENES, known)
    assert (found == (order < 10)).all()


def test_other_cells_of_the_same_names_are_not(cells):
    other = random_cells(GENES, [40] * 30, seed=1)
    assert other.ids.tolist() == cells.ids.tolist()
    assert not own_cells(other, GENES, marks_of(cells)).any()


def test_the_same_cells_under_other_names_are_not(cells):
    renamed = replace(cells, ids=np.array([f"x{i}" for i in range(30)]))
    assert not own_cells(renamed, GENES, marks_of(cells)).any()


def test_another_normalisation_and_more_genes_do_not_matter(cells):
    doubled = replace(cells, expression=(2 * cells.expression).tocsr())
    assert own_cells(doubled, GENES, marks_of(cells)).all()
    wide = random_cells(np.append(GENES, ["H0", "H1"]), [40] * 30)  # some express H0 or H1
    known = marks_of(wide.restrict(set(GENES.tolist())))
    assert own_cells(wide, GENES, known).all()
