"""What long work says of itself."""

from __future__ import annotations

from scmpt_core.progress import Meter, without_time_left


def test_the_time_left_can_be_taken_out_of_a_message():
    said = []
    meter = Meter(lambda fraction, message: said.append(message), 1_200, "cells", "minilm")
    meter.start -= 10  # as if 10 s had passed
    meter.say("the last, of two")
    meter.add(300)
    assert "30 s left" in said[-1]
    kept = without_time_left(said[-1])
    assert kept.startswith("minilm: 300 of 1,200 cells, 30.0 cells/s")
    assert kept.endswith("; the last, of two")
    assert " left" not in kept
    assert without_time_left("opening the file") == "opening the file"


def test_slow_work_says_how_long_one_takes():
    said = []
    meter = Meter(lambda fraction, message: said.append(message), 120, "explanations", "ig")
    meter.start -= 100
    meter.add(4)
    assert said[-1] == "ig: 4 of 120 explanations, 25 s each, 48 min 20 s left"
