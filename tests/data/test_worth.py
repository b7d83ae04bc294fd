"""What labels are worth: planted ties are found, designs without one are left in peace."""

from __future__ import annotations

import json

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from scmpt_core.data import DEMO, load
from scmpt_core.data.known_sets import KNOWN
from scmpt_core.data.worth import BATCH, DONOR, label_worth
from scmpt_core.errors import DataError


def codes(obs: pd.DataFrame, uns: dict | None = None, group: str | None = None) -> dict:
    """Code → finding of a column ``type``; without what it says of donors and small classes."""
    found = label_worth("cells.h5ad", obs, uns or {}, "type", group)
    assert len({f.code for f in found}) == len(found)
    return {f.code: f for f in found}


def table(**columns: list) -> pd.DataFrame:
    return pd.DataFrame(columns)


TYPES = ["T"] * 100 + ["B"] * 100 + ["NK"] * 100
DONORS = [f"d{i % 6}" for i in range(300)]  # crossed with types


def test_label_equals_library():
    found = codes(table(type=TYPES, library=["1"] * 100 + ["2"] * 100 + ["3"] * 100, donor=DONORS))
    assert set(found) == {"label_is_batch"}
    finding = found["label_is_batch"]
    assert (finding.severity, finding.count) == ("warning", 300)
    assert "'library' by itself" in finding.message


def test_one_cell_in_a_hundred_does_not_hide_it():
    library = np.repeat(["1", "2", "3"], 100)
    library[0] = "2"
    assert "label_is_batch" in codes(table(type=TYPES, library=library, donor=DONORS))
    library[1] = "2"
    assert codes(table(type=TYPES, library=library, donor=DONORS)) == {}


def test_classes_that_share_a_batch():
    found = codes(table(type=TYPES, batch=["1"] * 200 + ["2"] * 100, donor=DONORS))
    assert set(found) == {"class_in_one_batch"}
    assert "(3)" in found["class_in_one_batch"].message
    assert "2 values" in found["class_in_one_batch"].message


@pytest.mark.parametrize(
    "batch",
    [
        ["1"] * 300,  # one batch for all
        [""] * 300,
        ["1"] * 299 + ["2"],  # nearly so
        [f"{i % 3}" for i in range(300)],  # crossed
        [f"cell{i}" for i in range(300)],  # a barcode
        np.random.default_rng(0).integers(0, 100, 300),  # few cells a value, by chance
        ["1"] * 50 + ["2"] * 50 + ["1"] * 50 + ["2"] * 50 + ["3"] * 100,  # T and B crossed, NK not
    ],
)
def test_not_confounded(batch):
    assert codes(table(type=TYPES, batch=batch, donor=DONORS)) == {}


def test_what_a_few_cells_show_is_chance():
    obs = table(type=["T"] * 10 + ["B"] * 10, batch=["1"] * 10 + ["2"] * 10, donor=DONORS[:20])
    assert "label_is_batch" in codes(obs)  # p = 6e-5
    obs.loc[5:14, "batch"] = ""
    assert "label_is_batch" not in codes(obs)  # five cells of each


def test_only_columns_that_sound_like_a_batch_count():
    library = ["1"] * 100 + ["2"] * 100 + ["3"] * 100
    assert codes(table(type=TYPES, colour=library, donor=DONORS)) == {}
    assert "label_is_batch" in codes(table(type=TYPES, colour=library), group="colour")
    depth = np.repeat([1.0, 2.0, 3.0], 100)
    assert codes(table(type=TYPES, sample=depth, donor=DONORS)) == {}


def test_a_disease_is_a_property_of_donors():
    donor = np.repeat([f"d{i}" for i in range(10)], 30)
    found = codes(table(type=["ill"] * 120 + ["well"] * 180, donor=donor))
    assert set(found) == {"label_of_group"}
    assert "10 values of 'donor'" in found["label_of_group"].message
    assert "ill 4, well 6" in found["label_of_group"].message


def test_cells_that_are_not_trained_on_do_not_count():
    library = ["1"] * 100 + ["2"] * 100 + ["3"] * 100
    extra = table(type=["rare"] * 9 + [""] * 90, library=["1", "2", "3"] * 33, donor=["d0"] * 99)
    obs = pd.concat([table(type=TYPES, library=library, donor=DONORS), extra])
    assert codes(obs)["label_is_batch"].count == 300


@pytest.mark.parametrize(
    ("n", "code", "said"),
    [
        (1, "one_donor", "1 donor:"), (2, "few_donors", "no split by them below 3"),
        (3, "few_donors", "3 donors"), (4, "few_donors", "below 5"), (5, None, ""),
    ],
)  # fmt: skip
def test_number_of_donors(n, code, said):
    found = codes(table(type=TYPES, donor_id=[f"d{i % n}" for i in range(300)]))
    assert set(found) == ({code} if code else set())
    if code:
        assert said in found[code].message
        assert found[code].count == n


def test_no_donor_column_and_a_chosen_group():
    obs = table(type=TYPES, person=[f"d{i % 4}" for i in range(300)], donor_age=[30] * 300)
    assert set(codes(obs)) == {"no_donor"}
    found = codes(obs, group="person")
    assert set(found) == {"few_donors"}
    assert "4 groups" in found["few_donors"].message
    assert codes(obs.assign(donor=DONORS)) == {}


def test_small_classes():
    obs = table(type=["a"] * 49 + ["b"] * 10 + ["c"] * 50 + ["d"] * 9, donor=DONORS[:118])
    found = codes(obs)
    assert set(found) == {"thin_classes"}
    assert found["thin_classes"].count == 59
    assert (
        "b (10, about 2 tested at a time), a (49, about 10 tested" in found["thin_classes"].message
    )


def test_many_small_classes_are_counted():
    found = codes(table(type=[f"t{i % 12:02}" for i in range(240)], donor=DONORS[:240]))
    assert found["thin_classes"].message.count("tested") == 8
    assert "and 4 more" in found["thin_classes"].message


def test_names_of_columns():
    donors = [
        "donor",
        "donor_id",
        "Donor.ID",
        "PatientID",
        "sample_donor",
        "individual",
        "Subject_No",
    ]
    batches = [
        "batch",
        "batch2",
        "library_id",
        "lib",
        "sampleID",
        "orig.ident",
        "lane",
        "10x_chemistry",
    ]
    neither = [
        "donor_age",
        "n_donors",
        "num_samples",
        "library_size",
        "cell_type",
        "phase",
        "barcode",
    ]
    assert [c for c in donors + batches + neither if DONOR.search(c)] == donors
    assert [c for c in donors + batches + neither if BATCH.search(c)] == donors + batches


@pytest.mark.parametrize("known", KNOWN, ids=lambda k: f"{k.reference[:9]} {k.severity}")
def test_each_known_set_has_its_reference(known):
    assert "doi:10." in known.reference
    assert known.statement.endswith(".")


ZHENG = {"pub": "Zheng 2017 Nat Commun 10.1038/ncomms14049 (10x FACS-sorted PBMC)"}


@pytest.mark.parametrize(
    "uns",
    [
        ZHENG,
        {"source": json.dumps(ZHENG)},
        {"source": ZHENG},
        {"source": json.dumps(ZHENG).encode()},
    ],
    ids=["flat", "json", "nested", "bytes"],
)
def test_origin_is_read_in_each_form(uns):
    obs = table(cell_type=TYPES, donor=DONORS)
    (found,) = label_worth("cells.h5ad", obs, uns, "cell_type")
    assert (found.code, found.severity) == ("known_set", "warning")
    assert "in a run of its own" in found.message


def test_other_sets_are_not_taken_for_known_ones():
    obs = table(cell_type=TYPES, donor=DONORS)
    for uns in (
        {},
        {"pub": "Zheng 2017, 68k PBMC"},  # not the sorted ones
        {"log": "compared with GSE81608"},  # not where it comes from
        {"source": 3},
    ):
        assert label_worth("cells.h5ad", obs, uns, "cell_type") == []
    assert label_worth("cells.h5ad", obs.assign(respond=TYPES), ZHENG, "respond") == []


def test_demo():
    obs = load(DEMO).obs
    found = {f.code: f for f in label_worth(DEMO, obs, {}, "bulk_labels")}
    assert set(found) == {"known_set", "no_donor", "thin_classes"}
    assert "correlation" in found["known_set"].message
    assert "CD34+ (13," in found["thin_classes"].message
    assert "known_set" not in {f.code for f in label_worth(DEMO, obs, {}, "louvain")}


@pytest.mark.parametrize(
    ("name", "label", "codes"),
    [
        ("zheng2017_pbmc_facs", "cell_type", ["known_set", "one_donor"]),
        ("kang2018_pbmc_8donors", "cell_type", ["known_set", "known_set"]),
        ("baron2016_islets_175", "cell_type", ["known_set", "few_donors", "thin_classes"]),
        ("xin2016_islets_674", "cell_type", ["known_set", "no_donor", "thin_classes"]),
        ("symphony_pbmc_1200", "cell_type", ["known_set", "no_donor", "thin_classes"]),
        ("sadefeldman2018_melanoma_cd8_550", "cell_type", ["known_set"]),
        ("sadefeldman2018_melanoma_cd8_550", "respond", ["label_of_group"]),
    ],
)
def test_real_sets(real, name, label, codes):
    adata = ad.read_h5ad(real(name), backed="r")
    assert [f.code for f in label_worth(name, adata.obs, adata.uns, label)] == codes


def test_no_such_column():
    with pytest.raises(DataError, match="'typ'"):
        label_worth("cells.h5ad", table(type=TYPES), {}, "typ")
    with pytest.raises(DataError, match="'who'"):
        label_worth("cells.h5ad", table(type=TYPES), {}, "type", "who")
