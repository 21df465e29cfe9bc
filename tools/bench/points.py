# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The machine `virt`: executions per second, a boot, and what a point costs a null job.

The execution is two tasks that take a lock, read and write a variable under it and release it
(4 instructions that synchronise), again and again, until 50 or 500 points or a few more have
passed. A random walk decides who runs on, for `mean` points on average.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import kport
from kport.arch import virt_asm
from kport.arch.strategy import Candidate, Random, RoundRobin
from kport.arch.types import spinlock_t
from kport.arch.virt import Bare, Virt
from tools.bench.null_jobs import null_jobs

BOOTS = 300


class RandomWalk:
    """At each question anybody runs on, for 1 to 2 * `mean` - 1 points."""

    places_events = False
    asks_on_wake = True

    def __init__(self, seed: int, mean: int) -> None:
        self._random = Random(seed)
        self._span = 2 * mean - 1

    def begin(self) -> None:
        """The walk goes on from one execution to the next, so no two are alike."""

    def next(
        self, candidates: Sequence[Candidate], current: Candidate | None, step: int
    ) -> tuple[Candidate, int]:
        r = self._random.below(1 << 40)
        return candidates[(r >> 20) % len(candidates)], 1 + r % self._span

    def number(self, n: int) -> int:
        return self._random.below(n)


class _Variable:
    value = 0


def executions(points: int, mean: int, seconds: float) -> tuple[int, float]:
    """Points of the execution, and how many executions end in a second of CPU time."""
    lock, variable, times = spinlock_t(), _Variable(), -(-points // 8)

    def increment() -> None:
        for _ in range(times):
            virt_asm.spin_lock(lock)
            value = virt_asm.READ_ONCE(variable, "value")
            virt_asm.WRITE_ONCE(variable, "value", value + 1)
            virt_asm.spin_unlock(lock)

    machine = Virt(RandomWalk(1, mean))
    machine.power_on(Bare())
    runs, start = 0, time.process_time()
    end = start + seconds
    while (now := time.process_time()) < end:
        virt_asm.spin_lock_init(lock, "lock")
        variable.value = 0
        machine.run(increment, increment)
        if variable.value != 2 * times:
            raise RuntimeError(f"{variable.value} increments counted, not {2 * times}")
        runs += 1
    passed = machine.step
    machine.power_off(1)
    return passed, runs / (now - start)


def boot_us() -> float:
    """Microseconds of wall time to boot a kernel on `virt` and to leave it."""
    start = time.perf_counter()
    for _ in range(BOOTS):
        with kport.boot("virt"):
            virt_asm.cpu_relax()
    return (time.perf_counter() - start) / BOOTS * 1e6


def points(
    jobs: int, policy: int, rounds: int, pool: Callable[[], float], said: Callable[[str], None]
) -> dict[str, Any]:
    """Medians of `rounds`; `pool` gives the anchor in us, `said` hears how far it is."""
    runs: dict[tuple[int, int], list[tuple[int, float]]] = {}
    boots, null, anchors = [], [], []
    for i in range(rounds):
        said(f"round {i + 1} of {rounds}")
        for about in (50, 500):
            for mean in (2, 4, 10):
                runs.setdefault((about, mean), []).append(executions(about, mean, 0.5))
        boots.append(boot_us())
        walk = RoundRobin(seed=i)
        null.append(null_jobs(jobs, 16, False, policy, arch="virt", strategy=walk))
        anchors.append(pool())
    return {
        "rounds": rounds,
        "executions": [
            {
                "points": every[0][0],
                "mean": mean,
                "per_second": round(statistics.median(rate for _, rate in every)),
            }
            for (_, mean), every in runs.items()
        ],
        "boot_us": round(statistics.median(boots), 1),
        "null_job_us": round(statistics.median(null), 1),
        "pool_us": round(statistics.median(anchors), 2),
    }
