# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""What the scheduler's `two_clients` tests print of fairness, asserted.

In the kernel they only print it. Here a suite of our own runs the same test function with one
credit, reads what it has printed, and holds it against what Linux 7.2.13 has printed in user mode
(one CPU, high resolution timers). What is asserted is who gets how much of the GPU while both want
it, and how many jobs an interactive client has to wait for; both from the scheduler's own trace
events, so that neither the speed of the machine matters nor which client comes first. On virt the
printed times are asserted as well. In real time a case is skipped when the machine was too busy to
tell anything.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import count
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
    drm_sched_test_params,
)
from kport.kunit.test import (
    KUNIT_ARRAY_PARAM,
    KUNIT_CASE_PARAM_ATTR,
    KUNIT_SPEED_SLOW,
    kunit_suite,
    kunit_test_suite,
)
from kport.linux import printk, sched
from kport.linux.kunit import (
    KUNIT_ASSERT_EQ,
    KUNIT_EXPECT_GE,
    KUNIT_EXPECT_LE,
    kunit,
    kunit_info,
    kunit_skip,
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

SLACK = 5  # percent points by which a share may differ from the kernel's
DISPLACED = 2  # places, in the mean: a thread may lose its CPU between the event and the time stamp
HEAVY_JOB_MS = 50  # "very heavy" has 4 of these at a time

# Heavy jobs that an interactive one may find before it, one of them on the GPU. FIFO: the batch.
# FAIR: one as with RR, but two if the heavy client has come second, as its first job then has cost
# nothing yet when its second one is chosen.
JOBS_BEFORE = {"rr": 1, "fifo": 4, "fair": 2}

# In real time: with so few jobs to judge by it is not the scheduler that has been measured, nor
# with a job of FAIR that is so late: it is right to charge a client for what the machine took.
LATE_MS = 20
FEW = 50

_RESULT = re.compile(
    r" +(\d): prio=.* elapsed_ms=(\d+)ms .* latency_time\(min,avg,max\)=\d+,\d+,(\d+) us"
)


class _Job:
    """When a job was queued, run and done, in ns; and the place in the order of runs."""

    def __init__(self, client: int, queued: int) -> None:
        self.client = client
        self.queued = queued
        self.run = 0
        self.done = 0
        self.place = 0


class _Listener:
    """While the block runs: what the clients print, and what becomes of their jobs."""

    def __init__(self) -> None:
        self.elapsed_ms: list[int] = []
        self.latency_ms: list[int] = []
        self._jobs: dict[tuple[int, int], _Job] = {}
        self._places = count()
        self._probes = {
            "drm_sched_job_queue": self._queued,
            "drm_sched_job_run": self._run,
            "drm_sched_job_done": self._done,
        }

    def __enter__(self) -> Self:
        printk.listeners.append(self._printed)
        for name, probe in self._probes.items():
            tracepoint_probe_register(tracepoints[name], probe)
        return self

    def __exit__(self, *_: object) -> None:
        for name, probe in self._probes.items():
            tracepoint_probe_unregister(tracepoints[name], probe)
        printk.listeners.remove(self._printed)

    def _printed(self, record: printk.record) -> None:
        if m := _RESULT.match(record.text):
            self.elapsed_ms.append(int(m[2]))
            self.latency_ms.append(int(m[3]) // 1000)

    def _queued(self, tp: tracepoint, ti: thread_info, ts: int, values: tuple[Any, ...]) -> None:
        self._jobs[values[1], values[2]] = _Job(values[1], ts)

    def _run(self, tp: tracepoint, ti: thread_info, ts: int, values: tuple[Any, ...]) -> None:
        job = self._jobs[values[1], values[2]]
        job.run, job.place = ts, next(self._places)

    def _done(self, tp: tracepoint, ti: thread_info, ts: int, values: tuple[Any, ...]) -> None:
        self._jobs[values[0], values[1]].done = ts

    def jobs(self) -> list[_Job]:
        """All jobs in the order they were queued; `client` is 0 or 1."""
        jobs = list(self._jobs.values())
        contexts = sorted({job.client for job in jobs})  # they count up, client 0 is made first
        for job in jobs:
            job.client = contexts.index(job.client)
        return jobs


def _late_ms(jobs: Sequence[_Job], params: drm_sched_test_params) -> int:
    """How late the latest job was."""
    us = (params.client[0].job_us, params.client[1].job_us)
    return max(job.done - job.run - 1000 * us[job.client] for job in jobs) // 1_000_000


def _contested(jobs: Sequence[_Job]) -> list[_Job]:
    """The jobs in the order they ran, while both clients had jobs in the queue and all of them."""
    begin = max(job.queued for job in jobs)
    end = min(max(job.place for job in jobs if job.client == client) for client in (0, 1))
    chosen = [job for job in jobs if job.run >= begin and job.place <= end]
    return sorted(chosen, key=lambda job: job.place)


def _share(test: kunit, share: Share, policy: str, seen: _Listener) -> None:
    """The second client's part of the GPU, while both want it, is what it is in the kernel."""
    first, last = getattr(share, policy)
    jobs = seen.jobs()
    contested = _contested(jobs)
    if _real_time() and len(contested) < FEW:
        kunit_skip(test, "the clients were kept from queueing; this machine is too busy")
    percent = 100 * sum(job.client for job in contested) // len(contested)
    expected = 100 * (2 * first - last) // (2 * first)
    kunit_info(
        test,
        "%s: %s: %u/%u ms, the kernel %u/%u; the second one has %u%% of the GPU, the kernel %u%%\n",
        policy,
        share.description,
        *seen.elapsed_ms,
        first,
        last,
        percent,
        max(0, expected),
    )
    if policy == "fifo" and share.description == "Normal priority and normal priority":
        displaced = sum(abs(job.place - n) for n, job in enumerate(jobs))
        KUNIT_EXPECT_LE(test, displaced, DISPLACED * len(jobs))
        return
    KUNIT_EXPECT_GE(test, percent, expected - SLACK)
    KUNIT_EXPECT_LE(test, percent, expected + SLACK)
    if not _real_time():
        mine, all_of_it = sorted(seen.elapsed_ms)
        KUNIT_EXPECT_GE(test, 100 * mine // all_of_it, 100 * first // last - SLACK)
        KUNIT_EXPECT_LE(test, 100 * mine // all_of_it, 100 * first // last + SLACK)


def _latency(test: kunit, latency: Latency, policy: str, seen: _Listener) -> None:
    """FIFO lets an interactive client wait for the whole batch before it, the others do not."""
    worst_ms = seen.latency_ms[1]
    heavy = [job for job in seen.jobs() if job.client == 0]
    before = max(
        sum(job.queued < h.done and h.run < job.run for h in heavy)
        for job in seen.jobs()
        if job.client == 1
    )
    kunit_info(
        test,
        "%s: latency %u ms, the kernel %u ms; up to %u heavy jobs before one\n",
        policy,
        worst_ms,
        getattr(latency, policy),
        before,
    )
    most = JOBS_BEFORE[policy]
    KUNIT_EXPECT_LE(test, before, most)
    if policy == "fifo":
        KUNIT_EXPECT_GE(test, before, most - 1)
    if not _real_time():
        KUNIT_EXPECT_LE(test, worst_ms, most * HEAVY_JOB_MS + 1)


def _real_time() -> bool:
    """Whether time passes while nobody runs."""
    return bool(sched.machine.name == "threads")


def kport_sched_two_clients(test: kunit) -> None:
    """Run the kernel's test with these clients and judge what it prints."""
    expected = test.param_value
    params = [case for case in drm_sched_cases if case.description == expected.description]
    KUNIT_ASSERT_EQ(test, len(params), 1)
    test.param_value = params[0]
    with _Listener() as seen:
        drm_sched_scheduler_two_clients_test(test)
    KUNIT_ASSERT_EQ(test, len(seen.elapsed_ms), 2)
    policy = POLICY[sched_main.drm_sched_policy]
    late = _late_ms(seen.jobs(), params[0])
    if policy == "fair" and _real_time() and late > LATE_MS:
        kunit_skip(test, "a job came %u ms late; this machine is too busy", late)
    judge = _share if isinstance(expected, Share) else _latency
    judge(test, expected, policy, seen)


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
