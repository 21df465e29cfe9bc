# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""What the reviewers of 2023 objected to, seen: system_wq is no replacement for a thread.

A scheduler has more than one item on its queue: the one that runs jobs, and the driver's own, which
takes messages in order (suspend this context, set that priority). A thread did one of these at a
time, in the order in which they came. system_wq starts them all, and whichever is faster is first;
an ordered workqueue is like the thread. The same scenario runs on both.
"""

from __future__ import annotations

from typing import Any

import pytest

from kport.drm.scheduler import v7_2
from kport.linux.ktime import ktime_get
from kport.linux.slab import kfree
from kport.linux.workqueue import (
    INIT_WORK,
    alloc_ordered_workqueue,
    destroy_workqueue,
    flush_work,
    queue_work,
    system_percpu_wq,
    work_pending,
    work_struct,
)
from tests.drm.scheduler.driver import Driver, instant
from tests.support import MS, eventually, sleep_ms

SYSTEM, NULL = "system_wq", "NULL, which is system_wq"


class Watch:
    """Which items of a scheduler are inside their function; `most` of them were at once."""

    def __init__(self) -> None:
        self.inside: list[str] = []
        self.most = 0
        self.begun: list[str] = []
        self.ended: list[str] = []

    def take(self, what: str, msecs: float, other: str = "") -> None:
        """An item works for so long, or only until another has ended."""
        self.inside.append(what)
        self.most = max(self.most, len(self.inside))
        self.begun.append(what)
        end = ktime_get() + msecs * MS
        while ktime_get() < end and other not in self.ended:
            sleep_ms(0.1)
        self.ended.append(what)
        self.inside.remove(what)


class Message:
    """The driver's item: takes the messages one by one, as the GuC driver's did."""

    def __init__(self, sched: object, watch: Watch) -> None:
        self.sched = sched
        self.watch = watch
        self.waiting: list[tuple[str, float, str]] = []
        self.work = work_struct()
        INIT_WORK(self.work, self._process)

    def send(self, *message: Any) -> None:
        """Queue a message; for the rest see `Watch.take()`."""
        self.waiting.append(message)
        queue_work(self.sched.submit_wq, self.work)

    def _process(self, work: work_struct) -> None:
        self.watch.take(*self.waiting.pop(0))
        if self.waiting:
            queue_work(self.sched.submit_wq, self.work)


def scenario(driver, wq) -> tuple[Watch, list[str]]:
    """Messages and jobs in turn, two of each at a time; returns the order they were sent in."""
    watch = Watch()
    sched = driver.scheduler(submit_wq=wq, credit_limit=50)
    entity, message = driver.entity(sched), Message(sched, watch)

    def run(job):
        watch.take(f"job {job.number}", 0.2)
        return instant(job)

    sent = []
    for n in range(6):
        message.send(f"message {n}", 0.2 if n % 2 else 60, f"job {n}")
        sent.append(f"message {n}")
        driver.submit(entity, run=run)
        sent.append(f"job {n}")
        if n % 2:
            # The next message is queued while neither item is.
            eventually(lambda: set(sent) <= set(watch.ended) and driver.frees == driver.runs)
            flush_work(message.work)
            eventually(lambda: not work_pending(sched.work_submit))
            flush_work(sched.work_submit)
    return watch, sent


@pytest.mark.parametrize("which", [NULL, SYSTEM])
def test_on_system_wq_two_items_of_a_scheduler_run_at_once_and_out_of_order(driver, which):
    watch, sent = scenario(driver, None if which == NULL else system_percpu_wq)
    assert watch.most == 2
    assert watch.ended != sent
    at = watch.ended.index
    assert all(at(f"job {n}") < at(f"message {n}") for n in (0, 2, 4)), "queued last, done first"


def test_on_an_ordered_workqueue_they_never_do(driver):
    wq = alloc_ordered_workqueue("sched", 0)
    watch, _ = scenario(driver, wq)
    assert watch.most == 1
    assert watch.begun == watch.ended
    at = watch.ended.index
    assert all(at(f"message {n}") < at(f"job {n}") for n in (0, 2, 4)), "queued first, done first"
    take_down(driver, wq)


def take_down(driver, wq) -> None:
    """All of the driver's schedulers and entities, then the queue."""
    for entity in list(driver._entities):
        driver.baseline.sched_entity.drm_sched_entity_destroy(entity)
        driver.forget(entity)
        kfree(entity)
    for sched in list(driver._schedulers):
        driver.main.drm_sched_fini(sched)
        driver.forget(sched)
        kfree(sched)
    destroy_workqueue(wq)


# -- and in 7.2, where NULL is an ordered workqueue ------------------------------------------------


def at_once(kernel, wq) -> int:
    """How many of run_job() and free_job() of one scheduler of 7.2 were inside at once, at most."""
    driver, watch = Driver(v7_2), Watch()

    def run(job):
        watch.take("run", 1)
        return instant(job)

    sched = driver.scheduler(submit_wq=wq, credit_limit=50)
    free = sched.ops.free_job
    sched.ops.free_job = lambda base: (watch.take("free", 1), free(base))
    entity = driver.entity(sched)
    jobs = [driver.submit(entity, run=run) for _ in range(8)]
    for job in jobs:
        job.wait()
    driver.close()
    return watch.most


def test_what_was_merged_runs_and_frees_at_once_only_if_the_driver_asks_for_it(kernel):
    assert at_once(kernel, None) == 1
    assert at_once(kernel, system_percpu_wq) == 2
