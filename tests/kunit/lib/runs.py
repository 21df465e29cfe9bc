# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Run a suite in a kernel of its own, and say how it went."""

from __future__ import annotations

import functools
import re

import kport
from kport.arch.strategy import RoundRobin
from kport.kunit.test import (
    KUNIT_SUCCESS,
    kunit_init_suite,
    kunit_run_tests,
    kunit_suite_has_succeeded,
)

SEEDS = range(1, 6)
SLICE = 2  # mean steps of a turn: nearly every synchronising instruction is a switch


def run(boot, suite):
    """The log of a run that must pass, leak nothing and warn of nothing."""
    with boot() as kernel:
        kunit_init_suite(suite)
        kunit_run_tests(suite)
        log = "\n".join(kernel.dmesg())
    assert kunit_suite_has_succeeded(suite) == KUNIT_SUCCESS, log
    assert not kernel.leaks, kernel.leaks.lines()
    assert kernel.warnings() == []
    return log


def run_seeds(suite, **options):
    """Run it on virt with several seeds and short turns; `options` are those of the boot."""
    for seed in SEEDS:
        strategy = RoundRobin(seed, SLICE)
        run(functools.partial(kport.boot, "virt", strategy=strategy, debug=True, **options), suite)


def totals(log):
    """(passed, failed, skipped, total) of the last suite in a log."""
    found = re.findall(r"# Totals: pass:(\d+) fail:(\d+) skip:(\d+) total:(\d+)", log)
    return tuple(int(number) for number in found[-1])
