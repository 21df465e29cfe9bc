# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The overhead suite of the scheduler's own tests: 1,000 jobs of 1 ms, total over ideal.

`queue_overhead`: one entity with a deep queue, one credit. `ping_pong`: two entities whose jobs
depend on each other in turn. The tests print the two times themselves; they are read from dmesg.
"""

from __future__ import annotations

import re

import kport
from kport.kunit.drm.tests_scheduler import drm_sched_scheduler_overhead
from kport.kunit.test import kunit_init_suite, kunit_run_tests

NAMES = ("queue_overhead", "ping_pong")
_TIMES = re.compile(r"Expected (\d+)us, actual (\d+)us")


def overhead(policy: int) -> dict[str, float]:
    """Total over ideal per test; RuntimeError if a test failed or the kernel was not clean."""
    with kport.boot(params={"sched_policy": policy}) as kernel:
        kunit_init_suite(drm_sched_scheduler_overhead)
        kunit_run_tests(drm_sched_scheduler_overhead)
        log = kernel.dmesg()
    times = [m for line in log if (m := _TIMES.search(line))]
    bad = kernel.leaks.lines() + kernel.warnings()
    if len(times) != len(NAMES) or bad:
        raise RuntimeError("; ".join(bad) or "the overhead suite failed: " + "; ".join(log))
    return {
        name: round(int(m[2]) / int(m[1]), 4) for name, m in zip(NAMES, times, strict=True)
    }
