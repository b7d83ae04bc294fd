"""Every method on the whole way: completeness, planted markers, oracles, and controls."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from captum.attr import ShapleyValues
from lime.lime_base import LimeBase
from sklearn.linear_model import Ridge
from sklearn.metrics import pairwise_distances

from scmpt_core.attribution import METHODS, Options, get_method, ways_of
from scmpt_core.attribution.inputs import _frozen, path_of
from scmpt_core.attribution.lime import fit_lime, halves, sample
from scmpt_core.attribution.shap import orders, prefixes
from scmpt_core.errors import SettingError
from scmpt_core.fusion import predict_logits
from scmpt_core.fusion.ways import Way, parts_of
from scmpt_core.progress import silent
from scmpt_core.seeds import cell_seeds
from scmpt_core.sentences import cell_sentences
from tests.conftest import TYPES
from tests.helpers import random_cells

OPTIONS = Options(samples=150, permutations=4)
NAMES = [method.name for method in METHODS]


@pytest.mark.parametrize("baseline", ["pad", "mask"])
@pytest.mark.parametrize("scgpt", ["gene+value", "value"])
def test_each_path_ends_at_what_the_encoder_gives(trained, baseline, scgpt):
    subject = trained.subject(5)
    for name, encoder in trained.model.encoders.items():
        path = subject.path(name, baseline, scgpt)
        expected = encoder.encode(subject.cell, silent)
        with torch.no_grad():
            found = path.embed(path.end).numpy()
        np.testing.assert_allclose(found, expected, atol=2e-5)
        changed = (path.end != path.start).reshape(len(path.owners), -1).any(dim=1).numpy()
        assert not changed[path.owners < 0].any()  # [CLS], [SEP], <cls> stay
        assert changed[path.owners >= 0].mean() > 0.9


def test_gradients_through_another_number_format_are_a_bug():
    with pytest.raises(ValueError, match="exact_encoders"):
        _frozen(torch.nn.Linear(3, 2).to(torch.bfloat16), "cpu")


@pytest.mark.parametrize(("scgpt", "text"), [("gene+value", "pad"), ("value", "mask")])
def test_gradients_share_out_the_whole_difference(trained, scgpt, text):
    subject = trained.subject(5)
    options = replace(OPTIONS, scgpt=scgpt, text_baseline=text)
    for found in get_method("ig").explain(subject, 0, options, 0).values():
        assert found.quality["delta"] <= options.tolerance
        missing = abs(found.scores.sum() - found.quality["difference"])
        assert missing <= 1.01 * options.tolerance * abs(found.quality["difference"])


@pytest.mark.parametrize("method", NAMES)
@pytest.mark.parametrize("name", list(TYPES))
def test_a_planted_marker_comes_first(trained, method, name):
    """Mean over three cells, as a type is explained."""
    task = trained.task
    ways = ways_of(trained.model)
    code = task.classes.index(name)
    total: dict = {way.name: dict.fromkeys(task.cells.genes, 0.0) for way in ways}
    for row in np.flatnonzero(task.codes == code)[:3]:
        subject = trained.subject(int(row), ways)
        for way, found in get_method(method).explain(subject, code, OPTIONS, 0).items():
            for gene, score in zip(subject.genes, found.scores, strict=True):
                total[way][gene] += score
    for way, scores in total.items():
        assert max(scores, key=scores.get) in TYPES[name], way


def test_a_gene_of_a_fusion_is_taken_out_of_every_encoder(trained):
    """By hand: each encoder reads the cell without the gene, and the head pools what they say."""
    whole = ways_of(trained.model)[0]
    assert whole.encoders == tuple(trained.model.encoders)
    subject = trained.subject(7, [whole])
    gene = 3
    present = np.ones((1, len(subject.columns)), bool)
    present[0, gene] = False
    cell = subject.cell
    dense = cell.expression.toarray()
    dense[0, subject.columns[gene]] = 0
    kept = replace(cell, expression=sp.csr_matrix(dense), counts=None, tie_seeds=cell_seeds(cell))
    x = np.hstack([e.encode(kept, silent) for e in trained.model.encoders.values()])
    expected = predict_logits(trained.model.head, x, trained.device)[0]
    np.testing.assert_allclose(subject.logits(present)[whole.name][0], expected, atol=1e-4)


@pytest.mark.parametrize("method", NAMES)
def test_scores_of_the_whole_are_the_weighted_sum_of_its_parts(trained, method):
    """The logits are: so must be the scores, by whatever rule, on the same draws."""
    whole, *parts = ways_of(trained.model)
    weights = dict(zip(trained.model.encoders, [0.3, 0.5, 0.4], strict=True))
    assert whole.shares == pytest.approx(weights)
    found = get_method(method).explain(trained.subject(7), 1, OPTIONS, 0)
    expected = sum(weights[part.name] * found[part.name].scores for part in parts)
    alone = get_method(method).explain(trained.subject(7, [whole]), 1, OPTIONS, 0)[whole.name]
    np.testing.assert_allclose(found[whole.name].scores, expected, atol=2e-4)
    size = np.abs(expected).sum()
    assert np.abs(alone.scores - expected).sum() < (0.02 if method == "ig" else 1e-3) * size


def test_a_cell_that_is_surely_of_a_type_still_has_genes_that_speak_for_it(trained):
    """Log probabilities would end at 0, so that nothing seems to carry a sure label."""
    whole, *_ = ways_of(trained.model)
    row = int(np.flatnonzero(trained.task.codes == 0)[0])
    sure = copy.deepcopy(trained.model.head)
    with torch.no_grad():
        sure.weights.mul_(20)  # ever surer of what it says
    told = [
        get_method("occlusion")
        .explain(trained.subject(row, [Way("whole", whole.encoders, head)]), 0, OPTIONS, 0)["whole"]
        .scores
        for head in (trained.model.head, sure)
    ]
    np.testing.assert_allclose(told[1], 20 * told[0], atol=1e-3)


def test_an_encoder_without_weight_is_no_part_of_the_whole(trained):
    """Else genes that it alone reads would count as seen, and p would come out too small."""
    head = copy.deepcopy(trained.model.head)
    with torch.no_grad():
        head.weights.copy_(torch.tensor([0.0, 0.7, 0.0]))
    whole, *parts = parts_of("whole", tuple(trained.model.encoders), head)
    assert whole.encoders == ("scgpt-mini",)
    assert len(parts) == 3
    subject = trained.subject(5, [whole, *parts])
    x = np.hstack([e.encode(subject.cell, silent) for e in trained.model.encoders.values()])
    np.testing.assert_allclose(
        subject.whole["whole"], predict_logits(head, x, trained.device)[0], atol=1e-5
    )
    np.testing.assert_array_equal(subject.seen(whole), subject.read["scgpt-mini"])
    found = get_method("ig").explain(subject, 0, OPTIONS, 0)["whole"]
    assert found.quality["delta"] <= OPTIONS.tolerance


def test_occlusion_is_the_difference_of_two_predictions(trained):
    """Of the text encoder, on the sentence written out, without our removal."""
    way = next(w for w in ways_of(trained.model) if w.name == "minilm")
    subject, encoder = trained.subject(7, [way]), trained.model.encoders["minilm"]
    found = get_method("occlusion").explain(subject, 1, OPTIONS, 0)["minilm"].scores
    gene = int(np.argmax(np.abs(found)))
    sentence = cell_sentences(subject.cell)[0].split()
    cut = [word for word in sentence if word != subject.genes[gene]]
    vectors = encoder.model.encode([" ".join(sentence), " ".join(cut)], convert_to_tensor=True)
    with torch.no_grad():
        whole, without = way.head(vectors)[:, 1].tolist()
    assert found[gene] == pytest.approx(whole - without, abs=1e-4)


def test_the_others_keep_their_order_when_genes_go(trained):
    subject = trained.subject(3)
    rng = np.random.default_rng(0)
    present = rng.random((20, len(subject.columns))) < 0.5
    whole = cell_sentences(subject.cell)[0].split()
    for mask, sentence in zip(present, cell_sentences(subject._perturbed(present)), strict=True):
        kept = set(subject.genes[mask])
        assert sentence.split() == [gene for gene in whole if gene in kept]


def test_genes_too_many_for_scgpt_still_decide(trained, monkeypatch):
    """They make the edges of the bins: occlusion must try them, and no other gene."""
    encoder = trained.model.encoders["scgpt-mini"]
    subject = trained.subject(7, [w for w in ways_of(trained.model) if w.name == "scgpt-mini"])
    monkeypatch.setattr(encoder.model, "config", replace(encoder.model.config, max_length=9))
    assert subject.read["scgpt-mini"].sum() == 8
    found = get_method("occlusion").explain(subject, 1, OPTIONS, 0)["scgpt-mini"].scores
    present = ~np.eye(len(subject.columns), dtype=bool)
    exact = subject.whole["scgpt-mini"][1] - subject.logits(present)["scgpt-mini"][:, 1]
    np.testing.assert_allclose(found, exact, atol=1e-5)
    assert np.abs(exact[~subject.read["scgpt-mini"]]).max() > 1e-3


def test_pca_is_read_on_the_models_device(trained):
    path = path_of(trained.model.encoders["pca"], trained.subject(5).cell, "pad", "value", "meta")
    assert path.end.device.type == "meta"
    assert path.embed(path.end).device.type == "meta"


def test_steps_double_up_to_the_most_that_is_allowed(trained):
    subject = trained.subject(5, [w for w in ways_of(trained.model) if w.name == "scgpt-mini"])
    options = Options(steps=2, most_steps=5, tolerance=1e-12)
    found = get_method("ig").explain(subject, 0, options, 0)["scgpt-mini"]
    assert found.quality["steps"] == 5


def test_lime_is_the_packages_on_the_same_samples():
    rng = np.random.default_rng(3)
    present = sample(12, 400, rng)
    truth = rng.normal(size=12)
    values = present @ truth + 0.1 * rng.normal(size=400) + present[:, 0] * present[:, 1]
    distances = (
        100
        * pairwise_distances(
            present.astype(float), present[:1].astype(float), metric="cosine"
        ).ravel()
    )
    base = LimeBase(lambda d: np.sqrt(np.exp(-(d**2) / 25**2)), random_state=0)
    _, weights, r2, _ = base.explain_instance_with_data(
        present.astype(float), values[:, None], distances, 0, 12, feature_selection="none"
    )
    fit = fit_lime(present, values[:, None])
    np.testing.assert_allclose(fit.weights[:, 0], [w for _, w in sorted(weights)], rtol=1e-6)
    assert fit.r2[0] == pytest.approx(r2, rel=1e-6)


def test_limes_r2_of_samples_left_out_is_that_of_as_many_fits():
    rng = np.random.default_rng(3)
    present = sample(8, 60, rng)
    values = (present @ rng.normal(size=8) + rng.normal(size=60))[:, None]
    x = present.astype(float)
    weight = np.exp(-((100 * (1 - np.sqrt(x.mean(axis=1)))) ** 2) / (2 * 25**2))
    errors, spreads = np.empty(60), np.empty(60)
    for left in range(60):
        rest = np.arange(60) != left
        ridge = Ridge(alpha=1.0).fit(x[rest], values[rest, 0], weight[rest])
        errors[left] = values[left, 0] - ridge.predict(x[left : left + 1])[0]
        spreads[left] = values[left, 0] - np.average(values[rest, 0], weights=weight[rest])
    expected = 1 - weight @ errors**2 / (weight @ spreads**2)
    assert fit_lime(present, values).r2_left_out[0] == pytest.approx(expected, rel=1e-6)


def test_limes_figures_tell_noise_from_a_linear_truth():
    rng = np.random.default_rng(0)
    present = sample(300, 400, rng)
    linear = present @ rng.normal(size=300)
    values = np.stack([linear, rng.normal(size=400)], axis=1)
    fit, alike = fit_lime(present, values), halves(present, values)
    assert fit.r2[1] > 0.5  # of the samples it was fitted to: worthless
    assert fit.r2_left_out[1] < 0.1
    assert fit.r2_left_out[0] > fit.r2_left_out[1] + 0.3
    assert alike[0] > 0.5
    assert abs(alike[1]) < 0.2


def test_limes_samples_take_out_one_to_all():
    present = sample(10, 5_000, np.random.default_rng(0))
    assert present[0].all()
    out = 10 - present[1:].sum(axis=1)
    counts = np.bincount(out, minlength=11)
    assert counts[0] == 0
    assert np.all(np.abs(counts[1:] - 500) < 5 * np.sqrt(500))
    assert np.all(np.abs(present[1:].mean(axis=0) - 0.45) < 0.04)


def test_shap_nears_the_exact_values_and_sums_to_the_difference(trained):
    """On a cell cut to 6 genes, where all 64 sets can be tried."""
    way = next(w for w in ways_of(trained.model) if w.name == "scgpt-mini")
    cell = trained.task.cells.take(np.array([90]))
    few = set(trained.subject(90).genes[:6])
    subject = type(trained.subject(90))(
        cell.restrict(few), trained.model.encoders, [way], trained.device
    )

    def logit(masks: torch.Tensor) -> torch.Tensor:
        return torch.from_numpy(subject.logits(masks.numpy() > 0.5)[way.name][:, 0])

    exact = ShapleyValues(logit).attribute(torch.ones(1, 6), torch.zeros(1, 6))[0].numpy()
    found = get_method("shap").explain(subject, 0, Options(permutations=400), 0)[way.name].scores
    empty = subject.logits(np.zeros((1, 6), bool))[way.name][0, 0]
    assert found.sum() == pytest.approx(float(subject.whole[way.name][0] - empty), abs=1e-4)
    np.testing.assert_allclose(found, exact, atol=0.05 * np.abs(exact).max() + 1e-3)


def test_shaps_error_counts_an_order_and_its_reverse_as_one():
    """Two genes that work only together: each pair of orders shares the gain equally, no error."""

    class Both:
        cell = random_cells(np.array(["A", "B"]), [2])
        columns, progress = np.arange(2), staticmethod(silent)
        ways = (Way("both", (), None),)

        def logits(self, present, progress):
            return {"both": np.outer(present.all(axis=1), [1.0])}

    found = get_method("shap").explain(Both(), 0, Options(permutations=20), 0)["both"]
    np.testing.assert_allclose(found.scores, [0.5, 0.5])
    assert found.quality["standard_error"] == 0


def test_orders_come_with_their_reverse():
    first, second = orders(5, 2, np.random.default_rng(0))
    np.testing.assert_array_equal(first[::-1], second)
    masks = prefixes(first)
    assert masks.sum(axis=1).tolist() == [0, 1, 2, 3, 4, 5]
    assert masks[1, first[0]]


@pytest.mark.parametrize("method", NAMES)
def test_a_random_head_gives_other_scores(trained, method):
    """Adebayo et al. 2018 (arXiv 1810.03292): scores must follow the weights."""
    way = next(w for w in ways_of(trained.model) if w.name == "pca")
    with torch.random.fork_rng():
        torch.manual_seed(1)
        other = type(way.head)(way.head.blocks, way.head.classes)
        for value in other.parameters():
            torch.nn.init.normal_(value)
    before, after = (
        get_method(method).explain(trained.subject(5, [w]), 0, OPTIONS, 0)["pca"].scores
        for w in (way, Way("pca", ("pca",), other))
    )
    assert abs(np.corrcoef(before, after)[0, 1]) < 0.6


def test_shuffled_labels_give_other_scores(trained, shuffled):
    code = trained.task.classes.index("T")
    row = int(np.flatnonzero(trained.task.codes == code)[0])
    scores = []
    for each in (trained, shuffled):
        subject = each.subject(row, [w for w in ways_of(each.model) if w.name == "pca"])
        found = get_method("ig").explain(subject, code, OPTIONS, 0)["pca"].scores
        planted = np.isin(subject.genes, TYPES["T"])
        scores.append(found[planted].sum() / np.abs(found).sum())
    assert scores[0] > 0.3
    assert scores[1] < scores[0] / 2


@pytest.mark.parametrize(
    "wrong",
    [
        {"samples": 1},
        {"tolerance": 0.0},
        {"text_baseline": "zero"},
        {"steps": 1},
        {"permutations": 5},
    ],
)
def test_options_out_of_range_are_refused(wrong):
    with pytest.raises(SettingError, match=str(next(iter(wrong)))):
        Options(**wrong)
