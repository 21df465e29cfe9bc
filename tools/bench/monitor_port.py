# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The port that `bench monitor` looks at, in a process of its own."""

from __future__ import annotations

import json
import sys
import time
from contextlib import nullcontext
from typing import Any

import kport
from kport.cli.timing import brisk
from kport.dma_buf.dma_fence import dma_fence_put
from kport.drivers.amdgpu.amdgpu_device import amdgpu_device_fini, amdgpu_device_init
from kport.drivers.amdgpu.amdgpu_job import amdgpu_job_alloc, amdgpu_job_submit
from kport.drivers.compat import (
    DRM_SCHED_PRIORITY_NORMAL,
    drm_sched_entity,
    drm_sched_entity_destroy,
    drm_sched_entity_init,
)
from kport.drivers.observe import PortObserver
from kport.hw.batch import Batch
from kport.linux.completion import complete, completion, init_completion, wait_for_completion
from kport.linux.delay import usleep_range
from kport.linux.kthread import kthread_run
from kport.linux.ktime import ktime_get
from kport.linux.sched import MAX_SCHEDULE_TIMEOUT
from kport.linux.slab import kfree, kzalloc_obj
from kport.trace.server import Server
from kport.trace.stats import stats
from kport.workload.collect import Collector

RINGS = 8
WARM = 10  # jobs of each ring that do not count


def port(seconds: float, period: int, path: str) -> dict[str, Any]:
    """Run the port, served at `path` unless that is "", with `period` us from one job of a ring to
    the next; the waits of its jobs in us."""
    served = Server(path, PortObserver()) if path else nullcontext()
    with served, brisk(RINGS):
        waits = _jobs(seconds, period * 1000)
    found = stats(sorted(waits))
    return {
        "jobs": found.count,
        "p50_us": found.p50 / 1e3,
        "p90_us": found.p90 / 1e3,
        "p99_us": found.p99 / 1e3,
        "max_us": found.max / 1e3,
        "cpu_s": time.process_time(),
    }


def _jobs(seconds: float, period: int) -> list[int]:
    seen = Collector()
    with kport.boot(), seen.watching():
        names = [f"ring{i}" for i in range(RINGS)]
        error, device = amdgpu_device_init("0000:03:00.0", names, MAX_SCHEDULE_TIMEOUT, 16)
        assert not error
        adev: Any = device
        over = [completion() for _ in adev.rings]
        end = ktime_get() + int(seconds * 1e9)

        def client(number: int) -> int:
            entity: Any = kzalloc_obj(drm_sched_entity)
            scheds = [adev.rings[number].sched]
            drm_sched_entity_init(entity, DRM_SCHED_PRIORITY_NORMAL, scheds, 1, None)
            at = ktime_get() + period * number // RINGS
            while (now := ktime_get()) < end:
                at += period
                if at > now:
                    usleep_range((at - now) // 1000, (at - now) // 1000 + 10)
                _, made = amdgpu_job_alloc(entity, None, 1, 1, number + 1)
                job: Any = made
                job.ibs[0].batch = Batch(0)
                dma_fence_put(amdgpu_job_submit(job))
            drm_sched_entity_destroy(entity)
            kfree(entity)
            complete(over[number])
            return 0

        for number, done in enumerate(over):
            init_completion(done)
            kthread_run(client, number, "client/%d", number)
        for done in over:
            wait_for_completion(done)
        amdgpu_device_fini(adev)
    jobs = list(seen.jobs.values())[RINGS * WARM :]
    return [job.run - job.queued for job in jobs if job.run is not None]


if __name__ == "__main__":
    print(json.dumps(port(float(sys.argv[1]), int(sys.argv[2]), sys.argv[3])))
