"""One contract for every head, and what each adds to it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load, save
from sklearn.linear_model import LogisticRegression

from scmpt_core.errors import SettingError
from scmpt_core.fusion.fits import Budget, Data, Hyperparameters
from scmpt_core.fusion.heads import HEADS, get_head
from scmpt_core.fusion.heads.attention import HEADS as ATTENTION_HEADS
from scmpt_core.fusion.heads.neural import BLOCK_DROPOUT, drop, kept_blocks
from scmpt_core.fusion.heads.stacking import fit_weights
from scmpt_core.fusion.logistic import cross_validate, folds_of
from scmpt_core.fusion.training import predict_logits, predict_proba
from scmpt_core.progress import silent
from tests.fusion.planted import CPU, data_of, planted

SMALL = Budget("small", "", (Hyperparameters(learning_rate=3e-3, max_epochs=8),))
every_head = pytest.mark.parametrize("info", HEADS, ids=lambda info: info.name)


def right(fit, x: np.ndarray, y: np.ndarray) -> float:
    return float((predict_proba(fit.head, x, CPU).argmax(1) == y).mean())


@every_head
def test_logits_have_their_shape_and_a_gradient(info):
    torch.manual_seed(0)
    head = info.make((3, 5), 4)
    assert (head.blocks, head.classes) == ((3, 5), 4)
    x = torch.randn(7, 8, requires_grad=True)
    logits = head(x)
    assert logits.shape == (7, 4)
    logits[:, 0].sum().backward()
    assert (x.grad != 0).all(), "an encoder's feature that no logit depends on"


@every_head
def test_planted_types_are_learnt_and_shuffled_labels_are_not(info):
    (x, y), (test_x, test_y) = planted(), planted(seed=1)
    fit = info.fit(data_of(x, y), SMALL, 0, CPU, silent)
    assert right(fit, test_x, test_y) > 0.9
    shuffled = np.random.default_rng(0).permutation(y)
    fit = info.fit(data_of(x, shuffled), SMALL, 0, CPU, silent)
    assert right(fit, test_x, test_y) < 0.6


@every_head
def test_restored_from_its_tensors_it_gives_the_same_numbers(info):
    x, y = planted(90)
    fit = info.fit(data_of(x, y), SMALL, 0, CPU, silent)
    restored = info.make((3, 5), 3)
    restored.load_state_dict(load(save(fit.head.state_dict())), strict=True)
    np.testing.assert_array_equal(
        predict_logits(restored, x, CPU), predict_logits(fit.head, x, CPU)
    )


@every_head
def test_the_seed_decides_and_the_callers_chance_is_left_alone(info):
    data = data_of(*planted(90))
    before = torch.random.get_rng_state()
    fits = [info.fit(data, SMALL, seed, CPU, silent) for seed in (3, 3)]
    assert torch.equal(before, torch.random.get_rng_state())
    first, second = (predict_logits(fit.head, data.train[0], CPU) for fit in fits)
    np.testing.assert_array_equal(first, second)
    assert fits[0].hyperparameters == fits[1].hyperparameters
    assert fits[0].searched >= 1


@every_head
def test_large_numbers_of_one_encoder_do_not_drown_the_other(info):
    (x, y), (test_x, test_y) = planted(), planted(seed=1)
    x[:, 3:], test_x[:, 3:] = x[:, 3:] * 1e4 + 7, test_x[:, 3:] * 1e4 + 7
    assert right(info.fit(data_of(x, y), SMALL, 0, CPU, silent), test_x, test_y) > 0.9


def test_an_unknown_head_is_named_with_those_there_are():
    with pytest.raises(SettingError, match="stacking, mixture, concat"):
        get_head("transformer")


def test_one_spread_a_block_and_a_constant_block_stays():
    head = get_head("linear").make((3, 2), 4)
    x = torch.tensor([[1.0, 2, 3, 4, 4], [3.0, 2, 5, 4, 4]])
    head.standardise(x)
    blocks = head.split(head.standardised(x))
    assert blocks[0].square().mean().item() == pytest.approx(1)
    assert blocks[0][:, 1].tolist() == [0, 0]  # it did not vary, and is not blown up
    assert blocks[1].tolist() == [[0, 0], [0, 0]]


def test_the_papers_head_is_one_hidden_layer_of_4096():
    head = get_head("concat").make((512, 1024), 10)
    assert sum(p.numel() for p in head.parameters()) == 1536 * 4096 + 4096 + 4096 * 10 + 10
    x = torch.randn(3, 1536)
    expected = F.linear(x, head.hidden.weight.T, head.hidden.bias).relu()
    expected = F.linear(expected, head.output.weight.T, head.output.bias)
    torch.testing.assert_close(head(x), expected)


def test_attention_is_torchs():
    torch.manual_seed(0)
    head, x = get_head("attention").make((3, 5), 4), torch.randn(6, 8)
    tokens = torch.stack([p(b).relu() for p, b in zip(head.project, head.split(x), strict=True)], 1)
    key, value = (
        layer(tokens).view(6, 2, ATTENTION_HEADS, -1).transpose(1, 2)
        for layer in (head.key, head.value)
    )
    query = head.query.expand(6, -1, -1, -1)
    heard = F.scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2)
    torch.testing.assert_close(head(x), (heard * head.output).sum(-1) + head.bias)


def test_dropout_keeps_the_mean_and_never_leaves_out_every_encoder():
    torch.manual_seed(0)
    dropped = drop(torch.ones(400, 400), torch.tensor(0.3))
    assert (dropped == 0).float().mean().item() == pytest.approx(0.3, abs=0.01)
    assert dropped.mean().item() == pytest.approx(1, abs=0.01)
    kept = kept_blocks(20_000, 2, torch.device("cpu"), torch.tensor(0.0))
    assert kept.any(1).all()
    expected = 1 - BLOCK_DROPOUT + BLOCK_DROPOUT**2  # the last one stays
    assert kept.float().mean().item() == pytest.approx(expected, abs=0.01)
    assert kept_blocks(5, 2, torch.device("cpu"), None).all()


def overlapping(n: int = 240, features: int = 12) -> tuple[np.ndarray, np.ndarray]:
    """Four types that overlap, features of unlike spread, standardised."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 4, n)
    x = rng.normal(size=(4, features))[y] + rng.normal(size=(n, features)) * 1.5
    x = (x - x.mean(0)) * np.geomspace(0.05, 3, features)
    return x.astype(np.float32), y


@pytest.mark.parametrize("strength", [0.03, 1.0, 30.0])
def test_regression_is_scikit_learns(strength):
    x, y = overlapping()
    folds = torch.from_numpy(folds_of(y, None, 0))
    found = cross_validate(torch.from_numpy(x), torch.from_numpy(y), 4, folds, (strength,))
    ours = (torch.from_numpy(x) @ found.weight + found.bias).softmax(1).numpy()
    theirs = LogisticRegression(C=1 / strength, tol=1e-8, max_iter=5000).fit(x, y)
    np.testing.assert_allclose(ours, theirs.predict_proba(x), atol=2e-3)


def test_cross_validation_is_scikit_learns():
    x, y = overlapping()
    folds = folds_of(y, None, 0)
    found = cross_validate(torch.from_numpy(x), torch.from_numpy(y), 4, torch.from_numpy(folds))
    for strength, loss in found.losses.items():
        proba = np.empty((len(y), 4))
        for k in range(4):
            model = LogisticRegression(C=1 / strength, tol=1e-8, max_iter=5000)
            proba[folds == k] = model.fit(x[folds != k], y[folds != k]).predict_proba(x[folds == k])
        assert loss == pytest.approx(-np.log(proba[np.arange(len(y)), y]).mean(), abs=1e-3)
    assert found.strength == min(found.losses, key=found.losses.get)
    assert len(found.losses) > 3
    everything = LogisticRegression(C=1 / found.strength, tol=1e-8, max_iter=5000).fit(x, y)
    ours = (torch.from_numpy(x) @ found.weight + found.bias).softmax(1).numpy()
    np.testing.assert_allclose(ours, everything.predict_proba(x), atol=2e-3)


def test_folds_keep_groups_together_and_classes_apart():
    y = np.tile([0, 1, 2], 40)
    groups = np.repeat([f"d{i}" for i in range(8)], 15)
    folds = folds_of(y, groups, 0)
    assert len(np.unique(folds)) == 4
    assert all(len(np.unique(folds[groups == g])) == 1 for g in groups)
    plain = folds_of(y, None, 0)
    assert [np.bincount(y[plain == k]).tolist() for k in range(4)] == [[10, 10, 10]] * 4
    assert len(np.unique(folds_of(y, np.repeat(["a", "b"], 60), 0))) == 2
    assert len(np.unique(folds_of(y, np.full(120, "a"), 0))) == 4


def test_a_class_that_the_other_folds_lack_is_not_judged():
    x, y = planted(120)
    groups = np.repeat(["a", "b", "c", "d"], 30)
    y[:] = np.where(y == 2, 1, y)
    y[:10] = 2  # of donor a alone
    folds = torch.from_numpy(folds_of(y, groups, 0))
    found = cross_validate(torch.from_numpy(x), torch.from_numpy(y), 3, folds)
    assert found.judged.tolist() == (y != 2).tolist()


def linear_on(x: np.ndarray, y: np.ndarray, block: slice):
    part = x[:, block]
    return get_head("linear").fit(data_of(part, y, (part.shape[1],)), SMALL, 0, CPU, silent)


def test_noise_beside_a_good_encoder_does_not_hurt_stacking():
    losses: dict[str, list[float]] = {"alone": [], "stacking": [], "average": []}
    for seed in range(5):
        (x, y), (test_x, test_y) = planted(80, seed, noise=40), planted(500, seed + 50, noise=40)
        data, truth = data_of(x, y, (3, 40)), torch.from_numpy(test_y)
        stacking = get_head("stacking").fit(data, SMALL, 0, CPU, silent)
        assert stacking.hyperparameters["weights"][1] < 0.2
        average = get_head("average").fit(data, SMALL, 0, CPU, silent)
        alone = linear_on(x, y, slice(0, 3))
        for name, fit, part in (
            ("alone", alone, test_x[:, :3]), ("stacking", stacking, test_x),
            ("average", average, test_x),
        ):  # fmt: skip
            logits = torch.from_numpy(predict_logits(fit.head, part, CPU))
            losses[name].append(float(F.cross_entropy(logits, truth)))
    mean = {name: np.mean(values) for name, values in losses.items()}
    assert mean["stacking"] < mean["alone"] + 0.02
    assert mean["average"] > mean["alone"] + 0.1  # what an unweighted fusion costs


def test_stackings_probabilities_are_those_of_the_pooled_log_probabilities():
    torch.manual_seed(0)
    head = get_head("stacking").make((3, 5), 4)
    with torch.no_grad():
        for value in head.parameters():
            torch.nn.init.normal_(value)
    x = torch.randn(7, 8)
    pooled = torch.einsum("m,mnk->nk", head.weights, head.votes(x)).softmax(1)
    np.testing.assert_allclose(head(x).softmax(1).detach(), pooled.detach(), atol=1e-6)
    assert head.shares() == pytest.approx(head.weights.tolist())


def test_stacking_joins_encoders_that_know_different_types():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 4, 800)
    first = np.eye(2)[y % 2] * 3 + rng.normal(size=(800, 2))  # tells 0, 2 from 1, 3
    second = np.eye(2)[y // 2] * 3 + rng.normal(size=(800, 2))  # tells 0, 1 from 2, 3
    x = np.concatenate([first, second], 1).astype(np.float32)
    fit = get_head("stacking").fit(data_of(x[:400], y[:400], (2, 2)), SMALL, 0, CPU, silent)
    halves = [linear_on(x[:400], y[:400], block) for block in (slice(0, 2), slice(2, 4))]
    assert right(fit, x[400:], y[400:]) > 0.9
    assert right(halves[0], x[400:, :2], y[400:]) < 0.6
    assert right(halves[1], x[400:, 2:], y[400:]) < 0.6


def test_stacking_weights():
    codes = torch.arange(60) % 3
    sure = (F.one_hot(codes, 3) * 4.0).log_softmax(1)
    # Encoders that agree add nothing to each other, so one of them has all the weight.
    weights = fit_weights(torch.stack([sure, sure]), codes)
    assert (weights == 0).sum() == 1
    # Where every cell is right, sharper and sharper would lower the loss without end.
    assert 1 < weights.sum() < 2
    # An encoder that is sure of its errors has none, though nothing tells it apart by its spread.
    wrong = sure[:, [1, 2, 0]]
    assert fit_weights(torch.stack([wrong, sure]), codes)[0] < 0.01


def test_average_is_the_mean_of_the_members_probabilities():
    x, y = planted(90)
    head = get_head("average").fit(data_of(x, y), SMALL, 0, CPU, silent).head
    parts = [
        predict_proba(m, b, CPU) for m, b in zip(head.members, (x[:, :3], x[:, 3:]), strict=True)
    ]
    np.testing.assert_allclose(predict_proba(head, x, CPU), np.mean(parts, axis=0), atol=1e-6)


def test_linear_head_over_one_encoder_is_scikit_learns():
    x, y = planted()
    fit = linear_on(x, y, slice(0, 3))
    z = (x[:, :3] - x[:, :3].mean(0)) / (x[:, :3] - x[:, :3].mean(0)).std()
    theirs = LogisticRegression(C=1 / fit.hyperparameters["l2"], tol=1e-8, max_iter=5000).fit(z, y)
    np.testing.assert_allclose(
        predict_proba(fit.head, x[:, :3], CPU), theirs.predict_proba(z), atol=2e-3
    )
    assert (fit.history, fit.searched > 3) == ((), True)


def test_data_checks_its_shapes():
    x, y = planted(20)
    with pytest.raises(ValueError, match="blocks"):
        Data((x, y), (x, y), 3, (3, 4))
    with pytest.raises(ValueError, match="of 2 classes"):
        Data((x, y), (x, y), 2, (3, 5))
    with pytest.raises(ValueError, match="groups"):
        Data((x, y), (x, y), 3, (3, 5), (y[:3], y))
