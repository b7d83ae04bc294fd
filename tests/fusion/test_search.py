"""Training many settings at once, and the race between them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from scmpt_core.device import Device
from scmpt_core.fusion.fits import Budget, Epoch, Hyperparameters
from scmpt_core.fusion.heads.concat import ConcatHead
from scmpt_core.fusion.search import PAPER, QUICK, THOROUGH, cut, distinct, hopeful, search
from scmpt_core.fusion.training import Run, Trainer, mixed_precision, predict_logits
from scmpt_core.progress import Cancelled, silent
from tests.fusion.planted import CPU, data_of, planted

BF16 = Device("cpu", torch.bfloat16, "test")


def nothing() -> None:
    """Between two epochs."""


def curve(run: Run) -> list[float]:
    return [epoch.validation_loss for epoch in run.history]


@pytest.mark.parametrize("decay", [0.0, 30.0])
def test_a_batch_of_settings_learns_as_torchs_own_loop(decay):
    x, y = planted(60)
    data = data_of(x, y)
    hyper = Hyperparameters(1e-3, decay, dropout=0.0, batch_size=100, patience=9)
    trainer = Trainer(ConcatHead, data, 7, CPU)
    run, other = trainer.start(hyper), trainer.start(replace(hyper, learning_rate=1e-2))
    trainer.advance([other, run], 6, nothing)

    torch.manual_seed(7)
    plain = nn.Sequential(nn.Linear(8, 4096), nn.ReLU(), nn.Linear(4096, 3))
    optimiser = torch.optim.AdamW(plain.parameters(), lr=1e-3, weight_decay=decay)
    mean = data.train[0].mean(0)
    spread = [np.sqrt(((data.train[0] - mean)[:, b] ** 2).mean()) for b in (slice(3), slice(3, 8))]
    scale = np.repeat(spread, (3, 5))
    (train, codes), (held, truth) = (
        (torch.from_numpy(((x - mean) / scale).astype(np.float32)), torch.from_numpy(y))
        for x, y in (data.train, data.validation)
    )
    for epoch in run.history:
        loss = F.cross_entropy(plain(train), codes)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        assert epoch.train_loss == pytest.approx(loss.item(), abs=1e-5)
        with torch.no_grad():
            logits = plain(held)
        assert epoch.validation_loss == pytest.approx(
            F.cross_entropy(logits, truth).item(), abs=1e-5
        )
        assert epoch.validation_accuracy == pytest.approx(
            (logits.argmax(1) == truth).float().mean()
        )


def test_a_setting_learns_the_same_alone_in_company_and_after_a_pause():
    data = data_of(*planted(90))
    settings = [
        Hyperparameters(rate, decay, dropout, batch_size=32, patience=9)
        for rate, decay, dropout in ((1e-3, 0.01, 0.5), (3e-3, 5.0, 0.2), (1e-4, 0.1, 0.0))
    ]
    trainer = Trainer(ConcatHead, data, 0, CPU)
    together = [trainer.start(hyper) for hyper in settings]
    trainer.advance(together, 2, nothing)
    trainer.advance(together[:2], 5, nothing)
    for hyper, run in zip(settings[:2], together, strict=False):
        alone = trainer.start(hyper)
        trainer.advance([alone], 5, nothing)
        np.testing.assert_allclose(curve(run), curve(alone), rtol=1e-4)
    assert len(together[2].history) == 2


def test_the_best_epoch_is_kept_and_patience_ends_a_run():
    data = data_of(*planted(60))
    hyper = Hyperparameters(learning_rate=1e-2, patience=3)
    fit = search(ConcatHead, data, Budget("one", "", (hyper,)), 0, CPU, silent)
    losses = [epoch.validation_loss for epoch in fit.history]
    assert fit.validation_loss == min(losses)
    assert len(losses) == int(np.argmin(losses)) + 1 + hyper.patience < hyper.max_epochs
    logits = torch.from_numpy(predict_logits(fit.head, data.validation[0], CPU))
    again = F.cross_entropy(logits, torch.from_numpy(data.validation[1])).item()
    assert again == pytest.approx(fit.validation_loss, abs=1e-5)
    assert [epoch.epoch for epoch in fit.history] == list(range(1, len(losses) + 1))
    assert fit.hyperparameters == hyper.to_json()


def grid(*rates: float, **others: float) -> Budget:
    return Budget("test", "", tuple(Hyperparameters(rate, **others) for rate in rates))


def test_the_lowest_validation_loss_wins():
    data = data_of(*planted(60))
    fit = search(ConcatHead, data, grid(1e-7, 1e-3, max_epochs=3), 0, CPU, silent)
    assert (fit.hyperparameters["learning_rate"], fit.searched) == (1e-3, 2)


def test_a_race_trains_few_of_its_settings_to_the_end_and_finds_what_all_would():
    data = data_of(*planted(120))
    budget = grid(*np.geomspace(1e-5, 1e-2, 12), batch_size=32, max_epochs=20)
    trainer = Trainer(ConcatHead, data, 0, CPU)
    every = [trainer.start(hyper) for hyper in budget.settings]
    trainer.advance(every, 20, nothing)
    steps = []
    fit = search(ConcatHead, data, budget, 0, CPU, lambda share, _: steps.append(share))
    assert fit.validation_loss <= min(run.loss for run in every) * 1.05
    assert len(steps) * 4 < sum(len(run.history) for run in every)  # 4 settings a step
    assert steps == sorted(steps)
    assert 0 <= steps[0] < steps[-1] <= 1


def test_the_same_seed_gives_the_same_race_and_the_callers_chance_is_left_alone():
    data, budget = data_of(*planted(60)), grid(1e-4, 1e-3, 1e-2, max_epochs=6)
    before = torch.random.get_rng_state()
    first, second, third = (search(ConcatHead, data, budget, s, CPU, silent) for s in (1, 1, 2))
    assert torch.equal(before, torch.random.get_rng_state())
    assert first.history == second.history != third.history


def test_cancelled_between_epochs():
    before, calls = torch.random.get_rng_state(), []

    def stop(share: float, message: str) -> None:
        calls.append(message)
        if len(calls) == 3:
            raise Cancelled

    with pytest.raises(Cancelled):
        search(ConcatHead, data_of(*planted(60)), PAPER, 0, CPU, stop)
    assert len(calls) == 3
    assert torch.equal(before, torch.random.get_rng_state())


def made(rate: float, losses: list[float], max_epochs: int = 50) -> Run:
    """A run with a given curve."""
    hyper = Hyperparameters(rate, max_epochs=max_epochs)
    run = Run(hyper, {"w": torch.ones(1)})
    for number, loss in enumerate(losses, 1):
        run.record(Epoch(number, loss, loss, 0.5), run.weights)
    return run


def test_a_slow_curve_is_hopeful_where_its_limit_is_lower():
    geometric = made(1e-5, [0.4 + 0.9**k for k in range(6)], max_epochs=500)  # falls to 0.4
    assert hopeful(geometric, 0.41)
    assert not hopeful(geometric, 0.39)
    short = made(1e-5, [0.4 + 0.9**k for k in range(6)], max_epochs=10)  # … to 0.79 by then
    assert hopeful(short, 0.4 + 0.9**9 + 0.001)
    assert not hopeful(short, 0.4 + 0.9**9 - 0.001)
    assert not hopeful(made(1e-5, [0.9, 0.7, 0.8]), 0.1)  # it rises
    assert hopeful(made(1e-5, [2.0, 1.9]), 0.1)  # too early to say


def test_a_cut_keeps_the_best_and_the_hopeful_of_other_rates():
    best, second = made(1e-3, [0.5, 0.4, 0.3]), made(1e-3, [0.6, 0.5, 0.4])
    slow, slower = made(1e-5, [2.0, 1.9, 1.8]), made(1e-5, [2.1, 2.0, 1.9])
    stuck = made(1e-4, [1.0, 0.9, 0.9])
    done = made(3e-4, [0.2, 0.3, 0.3, 0.3, 0.3, 0.3])
    champion, kept = cut([slower, second, done, stuck, slow, best], slow, 2)
    assert champion is done
    assert kept == [best, second, slow]
    assert not slower.weights
    assert not slower.best_weights
    assert done.best_weights
    assert not done.weights
    assert slow.weights


def test_settings_that_train_alike_run_once():
    one = Hyperparameters(1e-4, 0.01, 0.2, 64)
    twins = (one, replace(one, batch_size=128), replace(one, weight_decay=0.1))
    assert distinct(twins, 50) == [one]  # 50 cells fill no batch, 50 steps of 1e-5 take nothing
    assert distinct(twins, 500) == [one, twins[1]]
    assert distinct(twins, 50_000) == list(twins)


@pytest.mark.parametrize("budget", [QUICK, PAPER, THOROUGH], ids=lambda b: b.name)
def test_budgets_are_as_large_as_they_say(budget):
    assert len(set(budget.settings)) == int(budget.summary.split()[0])


def test_the_papers_rates_are_in_the_papers_grid():
    rates = {hyper.learning_rate for hyper in PAPER.settings}
    assert (min(rates), max(rates), len(rates)) == (1e-5, 1e-3, 5)


def test_an_epoch_of_many_cells_is_a_draw():
    x, y = planted(6000)
    assert Trainer(ConcatHead, data_of(x[:2000], y[:2000]), 0, CPU).cells == 1600
    assert Trainer(ConcatHead, data_of(x, y), 0, CPU).cells == 2048
    x, y = np.tile(x, (6, 1)), np.tile(y, 6)
    assert Trainer(ConcatHead, data_of(x, y), 0, CPU).cells == 2880  # a tenth


@pytest.mark.parametrize("amx", [True, False])
def test_bfloat16_is_used_where_it_is_fast_and_learns_the_same(monkeypatch, amx):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"amx_bf16": amx})
    assert mixed_precision(BF16) is amx
    assert not mixed_precision(CPU)
    data, hyper = data_of(*planted(90)), Hyperparameters(1e-3, batch_size=32)
    runs = []
    for device in (CPU, BF16):
        trainer = Trainer(ConcatHead, data, 0, device)
        runs.append(trainer.start(hyper))
        trainer.advance(runs[-1:], 4, nothing)
    assert (curve(runs[0]) == curve(runs[1])) is not amx
    np.testing.assert_allclose(curve(runs[0]), curve(runs[1]), rtol=0.03)
