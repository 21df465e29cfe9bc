# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""What findings share: how a use after free shows, and how a dependency is taken once."""

from __future__ import annotations

from kport.arch.asm import READ_ONCE
from kport.dma_buf.dma_fence import (
    dma_fence_get_rcu,
)
from kport.linux.rcupdate import rcu_read_lock, rcu_read_unlock

FREED = r"KASAN|object has no attribute|ODEBUG|refcount_t"

CLEARS_FIRST = """
entity.dependency = None
dma_fence_put(f)
drm_sched_wakeup(entity.rq.sched)
"""
READS_FIRST = """
sched = entity.rq.sched
WRITE_ONCE(entity, "dependency", None)
dma_fence_put(f)
drm_sched_wakeup(sched)
"""
HAS_DEPENDENCY = """
if entity.dependency:
    dma_fence_remove_callback(entity.dependency, entity.cb)
    dma_fence_put(entity.dependency)
    entity.dependency = None
"""
TAKE_DEPENDENCY = """
rcu_read_lock()
dependency = READ_ONCE(entity, "dependency")
dependency = dependency and dma_fence_get_rcu(dependency)
rcu_read_unlock()
if dependency:
    if dma_fence_remove_callback(dependency, entity.cb):
        dma_fence_put(dependency)
    %s
    dma_fence_put(dependency)
    entity.dependency = None
"""
RCU = {
    "READ_ONCE": READ_ONCE,
    "rcu_read_lock": rcu_read_lock,
    "rcu_read_unlock": rcu_read_unlock,
    "dma_fence_get_rcu": dma_fence_get_rcu,
}
