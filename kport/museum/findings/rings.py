# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""7.2: a ring that stops, a fault of a ring."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from kport.arch.patch import Edit
from kport.linux.completion import (
    DECLARE_COMPLETION_ONSTACK,
    complete,
    wait_for_completion_timeout,
)
from kport.linux.kconfig import HZ
from kport.linux.workqueue import queue_delayed_work
from kport.museum.exhibit import Exhibit, port
from kport.museum.findings.shared import FREED
from kport.museum.kit import Job, Rig

# -- 7.2: work queued behind a stop ----------------------------------------------------------------


def stop_while_a_job_ends(kernel: Any) -> None:
    """A ring is stopped and started just when its job ends."""
    rig = Rig()
    ring = rig.ring()
    entity = rig.entity(ring)
    job, after = rig.submit(entity, run=rig.manual), rig.submit(entity, run=rig.manual)
    rig.wait_scheduled(job, after)
    rig.task("hardware", lambda: rig.end(job), lambda: rig.end(after))
    rig.main.drm_sched_stop(ring, None)
    rig.main.drm_sched_start(ring, 0)
    rig.close()


def _look_again() -> Sequence[Edit]:
    main = port("sched_main")
    look = "\nif drm_sched_is_stopped(sched):\n    return"
    run = 'sched = container_of(w, drm_gpu_scheduler, "work_run_job")'
    free = 'sched = container_of(w, drm_gpu_scheduler, "work_free_job")'
    return (
        Edit(main.drm_sched_run_job_work, run, run + look),
        Edit(main.drm_sched_free_job_work, free, free + look),
    )


# -- 7.2: a fault is forgotten ---------------------------------------------------------------------


def fault_while_a_job_begins(kernel: Any) -> None:
    """The driver reports a fault of the ring just when its next job begins."""
    rig = Rig()
    handled = DECLARE_COMPLETION_ONSTACK()

    def handle(job: Job) -> int:
        complete(handled)
        return rig.not_hung(job)

    rig.timeout = handle
    ring = rig.ring(limit=2, timeout=1000 * HZ)
    entity = rig.entity(ring)
    hangs = rig.submit(entity, run=rig.manual)
    rig.wait_scheduled(hangs)
    rig.task("driver", partial(rig.main.drm_sched_fault, ring))
    rig.submit(entity)
    rig.join()
    patience = 20  # more than the explorer lets a clock be early
    while patience and not wait_for_completion_timeout(handled, HZ):
        patience -= 1
    assert patience, "a fault waits out the whole timeout"
    rig.end(hangs)
    rig.close()


def _leave_it_alone() -> Sequence[Edit]:
    return (
        Edit(
            port("sched_main").drm_sched_start_timeout,
            "mod_delayed_work(sched.timeout_wq, sched.work_tdr, sched.timeout)",
            "queue_delayed_work(sched.timeout_wq, sched.work_tdr, sched.timeout)",
            names={"queue_delayed_work": queue_delayed_work},
        ),
    )


FOUND = (
    Exhibit(
        id="F01",
        slug="work-behind-stop",
        title="work is queued behind drm_sched_wqueue_stop()",
        fix="",
        subject="",
        affected="7.2 as it stands",
        sched="v7_2",
        scenario=stop_while_a_job_ends,
        finds=FREED + r"|list_|s_fence",
        mend=_look_again,
        note="drm_sched_run_free_queue() tests pause_submit and then queues (sched_main.c:150-"
        "154). drm_sched_wqueue_stop() can set the flag and cancel both items between the two "
        "(1309-1314): the item then runs while drm_sched_stop() walks the pending list without "
        "its lock (sched_main.c:421 ff.), and frees jobs under it. Until 6.12 the items "
        "themselves looked at pause_submit; so they do in the mend.",
    ),
    Exhibit(
        id="F11",
        slug="fault-forgotten",
        title="a fault is forgotten when a job begins",
        fix="",
        subject="",
        affected="7.2 as it stands",
        sched="v7_2",
        scenario=fault_while_a_job_begins,
        finds=r"waits out the whole timeout",
        mend=_leave_it_alone,
        note="drm_sched_fault() queues the timeout's work with no delay (sched_main.c:237-"
        "241). A job that begins before the item runs calls drm_sched_start_timeout(), which "
        "calls mod_delayed_work() with the whole timeout (198-205, 302): that takes back an "
        "item that is queued already. The window is long where timeout_wq is ordered and busy "
        "with another ring. 6.1 calls queue_delayed_work() there (233-238), which leaves the "
        "item alone; so does the mend.",
    ),
)
