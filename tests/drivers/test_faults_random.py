# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Random fault scripts: every job ends exactly once, every fence signals, nothing is left behind.

A script that fails is played again with `play(seed, ...)` and the machine's seed.
"""

from __future__ import annotations

import time
from collections import Counter
from functools import partial

import pytest

import kport
from kport.arch.strategy import RoundRobin
from tests.drivers.fault_load import play

QUICK = {"virt": 60, "threads": 6}
MANY = 1000
BUDGET = 60.0  # s in which virt plays them all


def test_some_scripts(boot, arch):
    count: Counter[str] = Counter()
    for seed in range(QUICK[arch]):
        options = {"strategy": RoundRobin(seed, 20)} if arch == "virt" else {}
        count.update(play(seed, partial(boot, **options)))
    assert count["finished"]
    assert count["failed"] + count["cancelled"]


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_a_thousand_scripts(arch, scheduler):
    params = {"scheduler": scheduler}
    count: Counter[str] = Counter()
    began = time.monotonic()
    for seed in range(MANY):
        options = {"seed": seed} if arch == "virt" else {}
        count.update(play(seed, partial(kport.boot, arch, params=params, **options)))
    took = time.monotonic() - began
    assert all(count.values())
    assert arch != "virt" or took < BUDGET
