# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Fairness on virt: the suite's bounds with any seed, the kernel's own figures on one CPU."""

from __future__ import annotations

import functools

import pytest

import kport
from kport.arch.strategy import RoundRobin
from kport.kunit.drm import fairness
from kport.kunit.drm.fairness import KERNEL, Latency, Share, _Listener, kport_sched_fairness
from kport.kunit.test import (
    KUNIT_SUCCESS,
    kunit_init_suite,
    kunit_run_tests,
    kunit_suite_has_succeeded,
)

POLICIES = {"rr": 0, "fifo": 1, "fair": 2}

# The kernel's clock ran while it computed, ours hardly does: 2000 instead of 2032. A thread of the
# kernel was not preempted while it submitted its jobs: long slices.
TOLERANCE = 0.04
boot_as_measured = functools.partial(
    kport.boot, "virt", cpus=1, strategy=RoundRobin(slice=1_000_000)
)


def run(policy, boot):
    """The log; the suite must have passed."""
    with boot(params={"sched_policy": POLICIES[policy]}) as kernel:
        kunit_init_suite(kport_sched_fairness)
        kunit_run_tests(kport_sched_fairness)
        log = kernel.dmesg()
    assert not kernel.leaks, kernel.leaks.lines()
    return log


@pytest.fixture
def seen(monkeypatch):
    """What the clients printed, a listener for each case."""
    listeners = []

    class Remembered(_Listener):
        def __init__(self):
            super().__init__()
            listeners.append(self)

    monkeypatch.setattr(fairness, "_Listener", Remembered)
    return listeners


@pytest.mark.parametrize("policy", POLICIES)
def test_the_figures_of_the_kernel(policy, seen):
    log = run(policy, boot_as_measured)
    assert kunit_suite_has_succeeded(kport_sched_fairness) == KUNIT_SUCCESS, log
    assert len(seen) == len(KERNEL)
    for expected, case in zip(KERNEL, seen, strict=True):
        figure = getattr(expected, policy)
        if isinstance(expected, Latency):
            assert case.latency_ms[1] == figure
            continue
        assert isinstance(expected, Share)
        for mine, kernels in zip(sorted(case.elapsed_ms), figure, strict=True):
            assert mine == pytest.approx(kernels, rel=TOLERANCE), (expected.description, policy)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("policy", POLICIES)
def test_the_bounds_hold_whoever_comes_first(policy, seed):
    log = run(policy, functools.partial(kport.boot, "virt", seed=seed))
    assert kunit_suite_has_succeeded(kport_sched_fairness) == KUNIT_SUCCESS, log


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("other", POLICIES)
def test_the_bounds_tell_the_policies_apart(policy, other, monkeypatch):
    """Held against the figures of another policy, a run fails; FAIR's too, but by its shares."""
    names = dict(zip((0, 1, 2), POLICIES, strict=True))
    names[POLICIES[policy]] = other
    monkeypatch.setattr(fairness, "POLICY", names)
    run(policy, boot_as_measured)
    passed = kunit_suite_has_succeeded(kport_sched_fairness) == KUNIT_SUCCESS
    assert passed is (policy == other)


@pytest.mark.long
@pytest.mark.timeout(120)
@pytest.mark.parametrize("policy", POLICIES)
def test_the_bounds_hold_in_real_time(policy):
    log = run(policy, functools.partial(kport.boot, "threads"))
    assert kunit_suite_has_succeeded(kport_sched_fairness) == KUNIT_SUCCESS, log
