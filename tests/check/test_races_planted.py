# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Locks taken away from the scheduler and dma-fence: the check `races` says so.

The scenes are those of the oracles, played on virt on the seeds that it takes. As they are they
have no races but those that the kernel is known for.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import pytest

import kport
from kport.arch.patch import Edit, applied
from kport.arch.strategy import RoundRobin
from kport.check.races import Races
from kport.check.races_known import known_as, known_races
from kport.dma_buf import dma_fence
from kport.drivers.compat import package
from kport.drm.scheduler.v7_2 import gpu_scheduler, sched_entity, sched_rq
from kport.museum.kit import Rig
from tests.check import oracle_scenes

SEEDS = 20


class Fault(NamedTuple):
    """A function that loses a lock, the scene, and a member that is raced for."""

    module: Any
    function: str
    scene: str
    member: str

    def __str__(self) -> str:
        return self.function


FAULTS = [
    Fault(sched_rq, "drm_sched_rq_add_entity", "crowd", "of struct rb_node"),
    Fault(sched_rq, "drm_sched_rq_pop_entity", "crowd", "of struct rb_node"),
    Fault(dma_fence, "dma_fence_add_callback", "callbacks", "of struct list_head"),
    Fault(dma_fence, "dma_fence_remove_callback", "callbacks", "of struct list_head"),
    Fault(dma_fence, "dma_fence_signal", "callbacks", "of struct list_head"),
]


def crowd() -> None:
    """Three threads, each with an entity and jobs that it waits for, on a ring for two."""
    rig = Rig()
    ring = rig.ring()
    high = rig.api.DRM_SCHED_PRIORITY_HIGH
    for number in range(3):
        entity = rig.entity(ring)

        def job(entity: Any = entity) -> None:
            rig.wait(rig.submit(entity))

        lift = partial(sched_entity.drm_sched_entity_set_priority, entity, high)
        rig.task(f"client/{number}", job, job, lift, job, partial(rig.submit, entity), job)
        rig.task(f"other/{number}", lift, partial(rig.submit, rig.entity(ring)))
    rig.close()


def callbacks() -> None:
    """Two threads add callbacks to a fence and take one off; a third signals it."""
    rig = Rig()
    job = rig.job(rig.entity(rig.ring()), run=rig.manual)
    fence = dma_fence.dma_fence_get(job.finished)
    rig.push(job)
    for number in range(2):
        cbs = [dma_fence.dma_fence_cb() for _ in range(3)]
        adds = [partial(dma_fence.dma_fence_add_callback, fence, cb, _nothing) for cb in cbs]
        take = partial(dma_fence.dma_fence_remove_callback, fence, cbs[0])
        rig.task(f"waiter/{number}", *adds, take)
    rig.task("ender", partial(rig.wait_scheduled, job), partial(rig.end, job))
    rig.wait(job)
    dma_fence.dma_fence_put(fence)
    rig.close()


def _nothing(fence: Any, cb: Any) -> None:
    assert fence.cb_list is not None


SCENES = vars(oracle_scenes) | {"crowd": crowd, "callbacks": callbacks}


def _edits(fault: Fault) -> list[Edit]:
    function = getattr(fault.module, fault.function)
    if fault.module is sched_rq:
        return [
            Edit(function, "spin_lock(rq.lock)", "", every=True),
            Edit(function, "spin_unlock(rq.lock)", "", every=True),
        ]
    return [
        Edit(function, "flags = dma_fence_lock_irqsave(fence)", "", every=True),
        Edit(function, "dma_fence_unlock_irqrestore(fence, flags)", "", every=True),
    ]


def play(scene: str, seed: int, policy: int = 1) -> list[str]:
    """The reports of a scene, as text."""
    package("v7_2")
    found: list[str] = []
    try:
        with kport.boot(
            "virt",
            strategy=RoundRobin(seed, 1 + seed % 4),
            bound=3_000_000,
            params={"scheduler": "v7_2", "sched_policy": policy},
            check=[Races()],
        ) as kernel:
            try:
                SCENES[scene]()
            finally:
                found = [r.text for r in kernel.reports()]
    except kport.KernelOops:
        assert found, "an oops, and no race before it"
    return found


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_a_lost_lock_is_found(fault):
    for seed in range(SEEDS):
        with applied(*_edits(fault)):
            texts = play(fault.scene, seed)
        if any(fault.member in text for text in texts):
            return
    raise AssertionError(f"no race in {SEEDS} runs of {fault.scene}")


@pytest.mark.parametrize("scene", ["crowd", "callbacks", "kill", "reset", "chain", "two_rings"])
@pytest.mark.parametrize("policy", [0, 1, 2])
def test_the_scenes_are_clean_as_they_are(scene, policy):
    for seed in range(3):
        assert play(scene, seed, policy) == []


def test_a_known_race_is_told_apart_at_the_end():
    package("v7_2")
    with kport.boot("virt", params={"scheduler": "v7_2"}, check="races") as kernel:
        fence = Rig()
        ring = fence.ring()
        fence.wait(fence.submit(fence.entity(ring)))
        fence.close()
        [races] = kernel.facilities
        races.known["data-race in a / b (c.d)"] += 2
    told = [r.lines for r in kernel.reports() if "c.d" in r.headline]
    assert told == [
        ("KCSAN: 2 x data-race in a / b (c.d)", " known: data-race in a / b (c.d)")
    ]


def test_known_races_name_files_and_reasons():
    found = known_races()
    assert len({(r["struct"], r["member"], *sorted(r["functions"])) for r in found}) == len(found)
    for race in found:
        assert len(race["functions"]) == 2
        assert len(race["accesses"]) == 2
        assert all(".c:" in a or ".h:" in a for a in race["accesses"]), race["accesses"]
        assert len(race["why"]) > 60


def test_a_known_race_can_be_that_of_one_embedded_struct():
    names = {"dma_fence_add_callback"}, {"dma_fence_signal_timestamp_locked"}
    entity, fence_cb = gpu_scheduler.drm_sched_entity(), dma_fence.dma_fence_cb()
    known = "data-race in dma_fence_add_callback / dma_fence_signal_timestamp_locked"
    assert known_as(entity.cb.node, "next", *names) == f"{known} (drm_sched_entity.cb.node.next)"
    assert known_as(fence_cb.node, "next", *names) is None
    assert known_as(entity.list, "next", *names) is None
