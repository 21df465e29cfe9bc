# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The trace events of 6.1: old names, pointers instead of fence numbers, and the job's id."""

from __future__ import annotations

import re

import pytest

from kport.dma_buf.dma_fence import dma_fence_put, dma_fence_signal
from kport.linux.tracepoint import (
    tracepoint_probe_register,
    tracepoint_probe_unregister,
    tracepoints,
)
from kport.linux.vsprintf import pointer
from tests.dma_buf.fences import new
from tests.drm.scheduler.driver import instant
from tests.support import eventually

EVENTS = ("drm_sched_job", "drm_run_job", "drm_sched_process_job", "drm_sched_job_wait_dep")


@pytest.fixture
def log(driver):
    """(event, text, thread name) of every scheduler event."""
    found: list[tuple[str, str, str]] = []

    def probe(tp, ti, ts, values) -> None:
        found.append((tp.name, tp.text(values), ti.name))

    for event in EVENTS:
        tracepoint_probe_register(tracepoints[event], probe)
    yield found
    for event in EVENTS:
        tracepoint_probe_unregister(tracepoints[event], probe)


def test_the_life_of_a_job(driver, log):
    entity = driver.entity(driver.scheduler("gfx", credit_limit=4))
    e = pointer(entity)
    job = driver.submit(entity)
    f = pointer(job.finished)
    eventually(lambda: driver.ran(job))
    job.end()
    job.wait()
    assert [f"{name}: {text}" for name, text, _ in log] == [
        f"drm_sched_job: entity={e}, id=1, fence={f}, ring=gfx, job count:0, hw job count:0",
        f"drm_run_job: entity={e}, id=1, fence={f}, ring=gfx, job count:0, hw job count:1",
        f"drm_sched_process_job: fence={f} signaled",
    ]
    assert [thread for *_, thread in log[:2]] == ["MainThread", "gfx"]


def test_every_dependency_is_traced_when_the_job_comes_to_it(driver, log):
    entity = driver.entity(driver.scheduler("gfx"))
    a, b = new(70, 3), new(71, 4)
    dma_fence_signal(b)
    job = driver.submit(entity, after=[a, b])
    eventually(lambda: len(log) == 2)
    assert log[1][:2] == (
        "drm_sched_job_wait_dep",
        f"job ring=gfx, id=1, depends fence={pointer(a)}, context=70, seq=3",
    )
    dma_fence_signal(a)
    eventually(lambda: len(log) == 4)
    assert log[2][1].endswith(f"fence={pointer(b)}, context=71, seq=4"), "signalled, and traced"
    job.end()
    job.wait()
    dma_fence_put(a)
    dma_fence_put(b)


def test_every_job_is_queued_run_and_done_once(driver, log):
    sched = driver.scheduler(credit_limit=3)
    entities = [driver.entity(sched) for _ in range(3)]
    driver.run = instant
    jobs = [driver.submit(entities[n % 3]) for n in range(60)]
    fences = {pointer(job.finished) for job in jobs}
    eventually(lambda: len(driver.frees) == 60)
    assert len(fences) == 60
    for event in EVENTS[:3]:
        texts = [text for name, text, _ in log if name == event]
        seen = [re.search(r"fence=([0-9a-f]{16})", text).group(1) for text in texts]
        assert len(seen) == 60
        assert set(seen) == fences
