# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""7.2: a deadline, and the fences of the mock GPU."""

from __future__ import annotations

from collections.abc import Sequence

from kport.arch.asm import smp_mb
from kport.arch.patch import Edit
from kport.museum.barriers import parent_told
from kport.museum.exhibit import Exhibit, port
from kport.museum.mock import cancel_before_the_put, freed_while_its_timer_runs

# -- 7.2: a deadline that nobody passes on ---------------------------------------------------------


def _order_the_deadline() -> Sequence[Edit]:
    fence = port("sched_fence")
    names = {"smp_mb": smp_mb}
    store = 'smp_store_release(s_fence, "parent", dma_fence_get(fence))'
    load = 'parent = smp_load_acquire(fence, "parent")'
    return (
        Edit(fence.drm_sched_fence_set_parent, store, f"{store}\nsmp_mb()", names=names),
        Edit(fence.drm_sched_fence_set_deadline_finished, load, f"smp_mb()\n{load}", names=names),
    )


FOUND = (
    Exhibit(
        id="F07",
        slug="deadline-lost",
        title="a deadline is passed on by nobody",
        fix="",
        subject="",
        affected="7.2 as it stands",
        sched="v7_2",
        scenario=parent_told,
        finds=r"never reached its hardware fence",
        memory="tso",
        mend=_order_the_deadline,
        note="drm_sched_fence_set_parent() stores the parent and then tests whether there is a "
        "deadline (sched_fence.c:51-63); drm_sched_fence_set_deadline_finished() notes the "
        "deadline and then loads the parent (152-181). A release and an acquire do not order a "
        "store before a later load, on x86 neither: both can miss the other. The next job's "
        "deadline is not affected; this one's is only a hint to the clock of the GPU.",
    ),
    Exhibit(
        id="F08",
        slug="timer-cancels-itself",
        title="the mock GPU's timer waits for itself (KUnit)",
        fix="",
        subject="",
        affected="7.2 as it stands",
        sched="v7_2",
        scenario=freed_while_its_timer_runs,
        finds=r"soft lockup(?s:.*)drm_mock_sched_hw_fence_release",
        mend=cancel_before_the_put,
        note="drm_mock_sched_hw_fence_release() cancels the job's timer and waits for its "
        "handler (tests/mock_scheduler.c:150-158), and it can be called by that handler, which "
        "signals the fence (93-94). drm_sched_job_done() there holds a reference to the "
        "finished fence around its signal (sched_main.c:173-175). When it has signalled, "
        "drm_sched_free_job_work(), still at the job before, frees this one, too (1006-1013): "
        "it drops the job's references to the hardware fence (mock_scheduler.c:248) and to the "
        "finished one (drm_sched_job_cleanup()), and last_scheduled has moved on "
        "(sched_entity.c:558). The handler's is the last, the finished fence takes its parent "
        "along (sched_fence.c:130-150), and hrtimer_cancel() spins in the interrupt for ever "
        "(kernel/time/hrtimer.c:1752-1763). It can hang drm_sched_basic_modify_sched_tests on "
        "two CPUs. The mend cancels the timer in the callbacks that free the job, where one "
        "may wait.",
    ),
)
