# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""What the scheduler's `two_clients` tests print of fairness, asserted.

In the kernel they only print it. Here a suite of our own runs the same test function with one
credit, reads what it has printed, and holds it against what Linux 7.2.13 has printed in user mode
(one CPU, high resolution timers). Only shapes are asserted: who gets how much of the GPU while both
want it, and how long an interactive client waits behind a heavy one. They do not depend on the
speed of the machine, nor on which client comes first: what FIFO does about that is computed
from the order in which the jobs were queued.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple, Self

from kport.arch.types import thread_info
from kport.drm.scheduler.v7_2 import sched_main
from kport.drm.scheduler.v7_2.sched_internal import (
    DRM_SCHED_POLICY_FAIR,
    DRM_SCHED_POLICY_FIFO,
    DRM_SCHED_POLICY_RR,
)
from kport.kunit.drm.tests_scheduler import (
    drm_sched_cases,
    drm_sched_scheduler_exit,
    drm_sched_scheduler_init,
    drm_sched_scheduler_two_clients_test,
)
from kport.kunit.test import (
    KUNIT_ARRAY_PARAM,
    KUNIT_CASE_PARAM_ATTR,
    KUNIT_SPEED_SLOW,
    kunit_suite,
    kunit_test_suite,
)
from kport.linux import printk
from kport.linux.kunit import (
    KUNIT_ASSERT_EQ,
    KUNIT_EXPECT_GE,
    KUNIT_EXPECT_LE,
    kunit,
    kunit_info,
)
from kport.linux.tracepoint import (
    tracepoint,
    tracepoint_probe_register,
    tracepoint_probe_unregister,
    tracepoints,
)


class Share(NamedTuple):
    """What the kernel has printed: elapsed ms of the two clients, by policy."""

    description: str
    rr: tuple[int, int]
    fifo: tuple[int, int]
    fair: tuple[int, int]


class Latency(NamedTuple):
    """What the kernel has printed: greatest latency of the interactive client in ms, by policy."""

    description: str
    rr: int
    fifo: int
    fair: int


# Linux 7.2.13, ARCH=um, PREEMPT, HIGH_RES_TIMERS, one credit; alone each client takes 1000 ms.
KERNEL = (
    Share("Normal priority and normal priority", (2032, 2040), (1025, 2049), (2055, 2071)),
    Share("Normal priority and low priority", (1024, 2043), (1009, 2026), (1154, 2053)),
    Share("High priority and normal priority", (1012, 2024), (1015, 2029), (1299, 2067)),
    Share("High priority and low priority", (1017, 2039), (1015, 2029), (1048, 2025)),
    Latency("Very heavy rendering and interactive client", 50, 200, 41),
)

POLICY = {
    DRM_SCHED_POLICY_RR: "rr",
    DRM_SCHED_POLICY_FIFO: "fifo",
    DRM_SCHED_POLICY_FAIR: "fair",
}

SHARE_SLACK = 5  # percent of the last client's time, by which the first one's may differ
IDEAL_MS = 2000  # both clients have 125 jobs of 8 ms
JOB_MS = 8
MOST_MS = 2600  # more than this and it was not the scheduler that took the time
HEAVY_JOB_MS = 50  # "very heavy" has 4 of these at a time
LATENCY_SLACK_MS = 20  # a thread of a busy machine wakes late

# Heavy jobs that an interactive one may find before it. FIFO: the rest of the batch. FAIR: one as
# with RR, but two if the heavy client has come second, as its first job then has cost nothing yet
# when its second one is chosen.
JOBS_BEFORE = {"rr": 1, "fifo": 4, "fair": 2}

_RESULT = re.compile(
    r" +(\d): prio=.* elapsed_ms=(\d+)ms .* latency_time\(min,avg,max\)=\d+,\d+,(\d+) us"
)


class _Listener:
    """While the block runs: what the clients print, and whose jobs are queued in which order."""

    def __init__(self) -> None:
        self.elapsed_ms: list[int] = []
        self.latency_ms: list[int] = []
        self._contexts: list[int] = []

    def __enter__(self) -> Self:
        printk.listeners.append(self._printed)
        tracepoint_probe_register(tracepoints["drm_sched_job_queue"], self._queued)
        return self

    def __exit__(self, *_: object) -> None:
        tracepoint_probe_unregister(tracepoints["drm_sched_job_queue"], self._queued)
        printk.listeners.remove(self._printed)

    def _printed(self, record: printk.record) -> None:
        if m := _RESULT.match(record.text):
            self.elapsed_ms.append(int(m[2]))
            self.latency_ms.append(int(m[3]) // 1000)

    def _queued(
        self, tp: tracepoint, ti: thread_info, ts: int, values: tuple[Any, ...]
    ) -> None:
        self._contexts.append(values[1])

    def fifo_ms(self) -> list[int]:
        """When each client would be done if jobs ran in the order they were queued."""
        order = self._contexts
        clients = sorted(set(order))  # fence contexts count up, and client 0 is made first
        return [JOB_MS * (len(order) - order[::-1].index(client)) for client in clients]


def _share(test: kunit, share: Share, policy: str, seen: _Listener) -> None:
    """The time of the first client is that part of the last one's that it is in the kernel."""
    elapsed = seen.elapsed_ms
    kernel: tuple[int, int] = getattr(share, policy)
    expected = 100 * kernel[0] // kernel[1]
    if share.description == "Normal priority and normal priority":
        if policy == "fifo":
            first_ms, last_ms = seen.fifo_ms()
            expected = 100 * min(first_ms, last_ms) // max(first_ms, last_ms)
        elapsed = sorted(elapsed)
    first, last = elapsed
    percent = 100 * first // last
    kunit_info(
        test,
        "%s: %s: %u/%u ms, %u%%; the kernel %u/%u ms; expected %u%%\n",
        policy,
        share.description,
        first,
        last,
        percent,
        *kernel,
        expected,
    )
    KUNIT_EXPECT_GE(test, last, IDEAL_MS)
    KUNIT_EXPECT_LE(test, last, MOST_MS)
    KUNIT_EXPECT_GE(test, percent, expected - SHARE_SLACK)
    KUNIT_EXPECT_LE(test, percent, expected + SHARE_SLACK)


def _latency(test: kunit, latency: Latency, policy: str, seen: _Listener) -> None:
    """FIFO lets an interactive client wait for the whole batch before it, the others do not."""
    worst = seen.latency_ms[1]
    kernel = getattr(latency, policy)
    kunit_info(test, "%s: latency %u ms; the kernel %u ms\n", policy, worst, kernel)
    jobs = JOBS_BEFORE[policy]
    KUNIT_EXPECT_LE(test, worst, jobs * HEAVY_JOB_MS + LATENCY_SLACK_MS)
    if policy == "fifo":
        KUNIT_EXPECT_GE(test, worst, (jobs - 1) * HEAVY_JOB_MS)


def kport_sched_two_clients(test: kunit) -> None:
    """Run the kernel's test with these clients and judge what it prints."""
    expected = test.param_value
    params = [case for case in drm_sched_cases if case.description == expected.description]
    KUNIT_ASSERT_EQ(test, len(params), 1)
    test.param_value = params[0]
    with _Listener() as seen:
        drm_sched_scheduler_two_clients_test(test)
    KUNIT_ASSERT_EQ(test, len(seen.elapsed_ms), 2)
    judge = _share if isinstance(expected, Share) else _latency
    judge(test, expected, POLICY[sched_main.drm_sched_policy], seen)


kport_sched_fairness = kunit_suite(
    name="kport_sched_fairness",
    init=drm_sched_scheduler_init,
    exit=drm_sched_scheduler_exit,
    test_cases=[
        KUNIT_CASE_PARAM_ATTR(
            kport_sched_two_clients,
            KUNIT_ARRAY_PARAM(KERNEL, lambda expected: expected.description),
            KUNIT_SPEED_SLOW,
        ),
    ],
)

kunit_test_suite(kport_sched_fairness)
