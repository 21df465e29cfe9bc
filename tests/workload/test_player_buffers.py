# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Locking the buffers of a submission."""

from __future__ import annotations

from kport.dma_buf.dma_resv import dma_resv_held, dma_resv_is_locked, dma_resv_lock, dma_resv_unlock
from kport.drm.drm_gem import drm_gem_object_put
from kport.workload.player.buffers import lock, new_buffer, unlock
from tests.support import Gate, Thread, eventually, together


def test_all_buffers_are_locked_and_unlocked(kernel):
    uses = [(new_buffer(4096), False) for _ in range(5)]
    ctx = lock(uses)
    assert all(dma_resv_held(obj.resv) for obj, _ in uses)
    unlock(uses, ctx)
    assert not any(dma_resv_is_locked(obj.resv) for obj, _ in uses)
    for obj, _ in uses:
        drm_gem_object_put(obj)


def test_no_buffers(kernel):
    unlock([], lock([]))


def test_a_lock_that_somebody_holds_is_waited_for(kernel):
    uses = [(new_buffer(1), False) for _ in range(2)]
    gate = Gate()

    def holder() -> None:
        dma_resv_lock(uses[1][0].resv, None)
        gate.enter()
        dma_resv_unlock(uses[1][0].resv)

    first = Thread(holder)
    gate.arrived()
    second = Thread(lambda: unlock(uses, lock(uses)))
    eventually(lambda: dma_resv_is_locked(uses[0][0].resv))
    assert not second.done
    gate.open()
    first.join()
    second.join()
    for obj, _ in uses:
        drm_gem_object_put(obj)


def test_opposite_orders_back_off_and_both_get_through(kernel):
    uses = [(new_buffer(1), True) for _ in range(6)]
    inside = []

    def locker(order: list) -> None:
        for _ in range(40):
            ctx = lock(order)
            inside.append(1)
            assert len(inside) == 1  # exclusive
            inside.pop()
            unlock(order, ctx)

    shuffled = uses[3:] + uses[:3]
    together(*[lambda o=order: locker(o) for order in (uses, uses[::-1], shuffled)])
    for obj, _ in uses:
        drm_gem_object_put(obj)
