# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Counting: inversions against the definition, and the kernel's figures."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kport.workload.rec_compare import inversions, recorded_figures
from kport.workload.result import JobCount, Waits
from tests.workload.tape import Tape


@given(st.lists(st.integers(0, 30), max_size=60))
def test_inversions_are_the_pairs_in_descending_order(order):
    pairs = sum(order[i] > order[j] for i in range(len(order)) for j in range(i + 1, len(order)))
    assert inversions(order) == pairs


def test_inversions_of_a_reversed_order():
    assert inversions(range(1000, 0, -1)) == 1000 * 999 // 2
    assert inversions(range(1000)) == 0


def test_inversions_take_n_log_n():
    order = list(range(200_000))
    random.Random(1).shuffle(order)
    begin = time.monotonic()
    count = inversions(order)
    assert time.monotonic() - begin < 10
    assert count == pytest.approx(200_000 * 199_999 / 4, rel=0.02)


def test_the_kernel_s_figures(tmp_path):
    tape = Tape()
    tape.job(0, 1, 5, (3, 1), client=7)
    tape.job(0, 3, 6, (5, 1), comm="other", client=8)
    tape.job(0, 8, 10, (3, 2), client=7)
    tape.job(1, 2, 9, (9, 1), ring="dma")
    tape.queue(9, (9, 2), ring="dma")
    figures = recorded_figures(tape.load(tmp_path))
    assert figures.jobs == JobCount(submitted=5, finished=4, failed=0, cancelled=1)
    assert figures.makespan_s == 0.01
    gfx, dma = figures.rings
    assert (gfx.dev, gfx.ring, gfx.jobs, gfx.busy_pct) == ("gpu", "gfx", 3, 70.0)
    assert gfx.wait_us == Waits(p50=3000.0, p99=8000.0, max=8000.0)
    assert (dma.ring, dma.jobs, dma.busy_pct) == ("dma", 2, 70.0)
    assert gfx.inversions is None
    first, second, third = figures.entities
    assert (first.context, first.name, first.client, first.jobs) == (3, "app", "7", 2)
    assert (first.gpu_ms, first.share_pct) == (6.0, 85.7)
    assert (second.name, second.ring, second.gpu_ms) == ("other", "gpu gfx", 1.0)
    assert (third.jobs, third.wait_us.max) == (2, 1000.0)


def test_jobs_whose_arrival_was_inferred_have_no_wait(tmp_path):
    tape = Tape()
    tape.run(1, (3, 1))
    tape.done(2, (3, 1))
    tape.job(1, 5, 6, (3, 2))
    (ring,) = recorded_figures(tape.load(tmp_path)).rings
    assert ring.jobs == 2
    assert ring.wait_us.p50 == ring.wait_us.max == 4000.0


def test_an_entity_on_two_rings_has_its_share_of_both(tmp_path):
    tape = Tape()
    tape.job(0, 1, 2, (3, 1), ring="one")
    tape.job(3, 4, 7, (3, 2), ring="two")
    tape.job(8, 9, 13, (5, 1), ring="two")
    first, second = recorded_figures(tape.load(tmp_path)).entities
    assert (first.ring, first.gpu_ms, first.share_pct) == ("gpu one|two", 4.0, 50.0)
    assert (second.ring, second.gpu_ms, second.share_pct) == ("gpu two", 4.0, 57.1)
