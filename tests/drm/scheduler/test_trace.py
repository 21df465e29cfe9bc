# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The trace events of the scheduler: which, when, and their text, which is the kernel's API."""

from __future__ import annotations

import re

import pytest

from kport.dma_buf.dma_fence import dma_fence_put, dma_fence_signal
from kport.linux.tracepoint import (
    tracepoint_probe_register,
    tracepoint_probe_unregister,
    tracepoints,
)
from tests.dma_buf.fences import new
from tests.drm.scheduler.driver import instant
from tests.support import eventually, never

EVENTS = ("job_queue", "job_run", "job_done", "job_add_dep", "job_unschedulable")


@pytest.fixture
def log(driver):
    """(event, text, thread name) of every scheduler event."""
    found: list[tuple[str, str, str]] = []

    def probe(tp, ti, ts, values) -> None:
        found.append((tp.name, tp.text(values), ti.name))

    for event in EVENTS:
        tp = tracepoints[f"drm_sched_{event}"]
        assert tp.system == "gpu_scheduler"
        tracepoint_probe_register(tp, probe)
    yield found
    for event in EVENTS:
        tracepoint_probe_unregister(tracepoints[f"drm_sched_{event}"], probe)


def texts(log) -> list[str]:
    return [f"{name.removeprefix('drm_sched_')}: {text}" for name, text, _ in log]


def test_the_life_of_a_job(driver, log):
    entity = driver.entity(driver.scheduler("gfx", credit_limit=4))
    job = driver.submit(entity)
    eventually(lambda: driver.ran(job))
    job.end()
    job.wait()
    c = job.finished.context
    assert texts(log) == [
        f"job_queue: dev=card0, fence={c}:1, ring=gfx, job count:0, hw job count:0, client_id:7",
        f"job_run: dev=card0, fence={c}:1, ring=gfx, job count:0, hw job count:1, client_id:7",
        f"job_done: fence={c}:1 signaled",
    ]
    assert [thread.split("/")[0] for *_, thread in log] == ["MainThread", "kworker", "MainThread"]


def test_counts_of_jobs_and_credits(driver, log):
    sched = driver.scheduler("gfx", credit_limit=8)
    entity = driver.entity(sched)
    driver.main.drm_sched_wqueue_stop(sched)
    jobs = [driver.submit(entity, cost=2, run=instant) for _ in range(3)]
    driver.main.drm_sched_wqueue_start(sched)
    jobs[-1].wait()
    counts = {
        name: [
            tuple(map(int, re.search(r"job count:(\d+), hw job count:(\d+)", text).groups()))
            for event, text, _ in log
            if event == f"drm_sched_{name}"
        ]
        for name in ("job_queue", "job_run")
    }
    assert counts["job_queue"] == [(0, 0), (1, 0), (2, 0)]
    assert [queued for queued, _ in counts["job_run"]] == [2, 1, 0]
    assert all(used >= 2 for _, used in counts["job_run"])


def test_dependencies_are_listed_when_the_job_is_pushed(driver, log):
    entity = driver.entity(driver.scheduler())
    a, b = new(70, 3), new(71, 4)
    job = driver.submit(entity, after=[a, b])
    c = job.finished.context
    assert texts(log)[1:3] == [
        f"job_add_dep: fence={c}:1 depends on fence=70:3",
        f"job_add_dep: fence={c}:1 depends on fence=71:4",
    ]
    eventually(lambda: len(log) == 4)
    assert texts(log)[3] == f"job_unschedulable: fence={c}:1 depends on unsignalled fence=70:3"
    dma_fence_signal(a)
    eventually(lambda: len(log) == 5)
    assert texts(log)[4] == f"job_unschedulable: fence={c}:1 depends on unsignalled fence=71:4"
    dma_fence_signal(b)
    job.end()
    job.wait()
    dma_fence_put(a)
    dma_fence_put(b)


def test_a_pipelined_dependency_shows_the_scheduled_fence(driver, log):
    sched = driver.scheduler(credit_limit=1)
    first = driver.submit(driver.entity(sched))
    eventually(lambda: driver.ran(first))
    second = driver.submit(driver.entity(sched))
    third = driver.submit(driver.entity(sched), after=[second.finished])
    first.end()
    for job in (second, third):
        job.end()
    third.wait()
    unschedulable = [t for t in texts(log) if t.startswith("job_unschedulable")]
    expected = (
        f"job_unschedulable: fence={third.finished.context}:1 "
        f"depends on unsignalled fence={second.scheduled.context}:1"
    )
    assert all(text == expected for text in unschedulable)


def test_a_job_that_waits_for_nothing_is_never_unschedulable(driver, log):
    entity = driver.entity(driver.scheduler())
    driver.submit(entity, run=instant).wait()
    never(lambda: any("unschedulable" in t for t in texts(log)), msecs=3)


def test_every_job_is_queued_run_and_done_once(driver, log):
    sched = driver.scheduler(credit_limit=3)
    entities = [driver.entity(sched) for _ in range(3)]
    driver.run = instant
    jobs = [driver.submit(entities[n % 3]) for n in range(60)]
    eventually(lambda: len(driver.frees) == 60)
    for event in ("job_queue", "job_run", "job_done"):
        seen = [
            re.search(r"fence=(\d+:\d+)", text).group(1)
            for name, text, _ in log
            if name == f"drm_sched_{event}"
        ]
        assert len(seen) == len(set(seen)) == 60
        assert set(seen) == {f"{j.finished.context}:{j.finished.seqno}" for j in jobs}
