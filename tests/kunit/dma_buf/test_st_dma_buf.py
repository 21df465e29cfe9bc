# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The KUnit suites of dma-buf pass, 50 runs, on both machines, and notice what is broken."""

from __future__ import annotations

import functools

import pytest

import kport
from kport.arch.strategy import RoundRobin
from kport.dma_buf import dma_fence_unwrap
from kport.kunit.dma_buf import (
    st_dma_fence,
    st_dma_fence_chain,
    st_dma_fence_unwrap,
    st_dma_resv,
)
from kport.kunit.test import (
    KUNIT_FAILURE,
    kunit_init_suite,
    kunit_run_tests,
    kunit_suite,
    registered_suites,
)
from kport.linux.delay import msleep
from tests.kunit.lib.runs import run, totals

MODULES = (st_dma_fence, st_dma_fence_chain, st_dma_fence_unwrap, st_dma_resv)
RUNS = {
    "dma-buf-fence": 12,
    "dma-buf-fence-chain": 11,
    "dma-buf-fence-unwrap": 10,
    "dma-buf-resv": 17,
}
SUITES = {suite.name: suite for m in MODULES for suite in registered_suites(m.__name__)}
SEEDS = range(1, 4)


def test_the_four_suites_have_fifty_runs():
    assert list(SUITES) == list(RUNS)
    assert sum(RUNS.values()) == 50


@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", RUNS)
def test_a_suite_passes(boot, name):
    log = run(boot, SUITES[name])
    assert totals(log) == (RUNS[name], 0, 0, RUNS[name])


@pytest.mark.virt_only("the seeds are those of the machine virt")
@pytest.mark.timeout(120)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_suite_passes_with_other_seeds_and_short_turns(monkeypatch, seed):
    monkeypatch.setattr(st_dma_fence_chain, "SCALE", 256)
    monkeypatch.setattr(st_dma_fence, "msleep", lambda msecs: msleep(msecs // 10))
    for name, suite in SUITES.items():
        log = run(functools.partial(kport.boot, "virt", strategy=RoundRobin(seed, 5)), suite)
        assert totals(log) == (RUNS[name], 0, 0, RUNS[name])


@pytest.mark.virt_only("the same seed is the same run on the machine virt only")
def test_the_same_seed_is_the_same_log(monkeypatch):
    monkeypatch.setattr(st_dma_fence_chain, "SCALE", 256)
    logs = set()
    for _ in range(3):
        with kport.boot("virt", seed=11) as kernel:
            for name in ("dma-buf-fence-chain", "dma-buf-resv"):
                kunit_init_suite(SUITES[name])
                kunit_run_tests(SUITES[name])
            logs.add("\n".join([*kernel.dmesg(), str(kernel.machine.step)]))
    assert len(logs) == 1


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.threads_only("on virt the race alone is more steps than the bound of the tests")
def test_long_chains(boot, monkeypatch):
    monkeypatch.setattr(st_dma_fence_chain, "SCALE", 4)
    log = run(boot, SUITES["dma-buf-fence-chain"])
    assert totals(log) == (11, 0, 0, 11)


def failed_cases(boot, suite: kunit_suite) -> list[str]:
    """The names of the cases that fail."""
    with boot():
        kunit_init_suite(suite)
        kunit_run_tests(suite)
    return [case.name for case in suite.test_cases if case.status == KUNIT_FAILURE]


def no_status(fence) -> int:
    """A wrong dma_fence_get_status()."""
    return 0


def only_says_so(fence, cb) -> bool:
    """A wrong dma_fence_remove_callback()."""
    return True


def first_of_context(a, b) -> int:
    """A wrong fence_cmp(): of one context the earliest comes first."""
    if a.context != b.context:
        return -1 if a.context < b.context else 1
    return a.seqno - b.seqno


def finds_itself(pfence, seqno):
    """A wrong dma_fence_chain_find_seqno()."""
    return 0, pfence


@pytest.mark.parametrize(
    ("name", "module", "function", "wrong", "cases"),
    [
        (
            "dma-buf-fence",
            st_dma_fence,
            "dma_fence_get_status",
            no_status,
            ["test_status", "test_error"],
        ),
        (
            "dma-buf-fence",
            st_dma_fence,
            "dma_fence_remove_callback",
            only_says_so,
            ["test_rm_callback", "test_late_rm_callback"],
        ),
        (
            "dma-buf-fence-unwrap",
            dma_fence_unwrap,
            "fence_cmp",
            first_of_context,
            ["test_unwrap_merge_seqno", "test_unwrap_merge_complex_seqno"],
        ),
        (
            "dma-buf-fence-chain",
            st_dma_fence_chain,
            "dma_fence_chain_find_seqno",
            finds_itself,
            ["test_find_seqno", "test_find_gap"],
        ),
    ],
)
@pytest.mark.virt_only("what is broken here does not depend on the machine")
def test_a_wrong_function_fails(monkeypatch, name, module, function, wrong, cases):
    monkeypatch.setattr(module, function, wrong)
    race = {"test_race_signal_callback", "test_find_race"}
    suite = SUITES[name]
    monkeypatch.setattr(suite, "test_cases", [c for c in suite.test_cases if c.name not in race])
    monkeypatch.setattr(st_dma_fence_chain, "SCALE", 256)
    failed = failed_cases(functools.partial(kport.boot, "virt"), suite)
    assert set(cases) <= set(failed), failed
