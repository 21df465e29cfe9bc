# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The check `memory`: what the kernel's memory debugging finds, as facilities.

- `kasan`: uses after free, double and invalid frees (`kport.linux.kasan`)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from kport.arch.api import Machine
from kport.arch.hook import Hook
from kport.linux import kasan, rcupdate, slab, workqueue
from kport.linux.facility import Facility


def _queued(cpu: int, wq: Any, work: Any) -> None:
    kasan.kasan_record_aux_stack(work)


def _called(head: Any, func: Any) -> None:
    kasan.kasan_record_aux_stack(head)


def _freed_later(ptr: Any, rhf: str) -> None:
    kasan.kasan_record_aux_stack(ptr)


ALLOCATED = Hook(None, kasan.kasan_kmalloc)
KASAN: dict[str | Callable[..., Any], Hook] = {
    slab.kzalloc_obj: ALLOCATED,
    slab.kmalloc_obj: ALLOCATED,
    slab.kzalloc_objs: ALLOCATED,
    slab.kmem_cache_zalloc: Hook(None, kasan.kasan_slab_alloc),
    slab.release: Hook(kasan.kasan_slab_free, None),
    slab.invalid_free: Hook(kasan.kasan_invalid_free, None),
    workqueue.__queue_work: Hook(_queued, None),
    rcupdate.call_rcu: Hook(_called, None),
    rcupdate.kfree_rcu: Hook(_freed_later, None),
}


class Kasan(Facility):
    """Poisons what is freed (CONFIG_KASAN)."""

    name = kasan.NAME

    def hooks(self, machine: Machine) -> dict[str | Callable[..., Any], Hook]:
        return KASAN

    def start(self, machine: Machine) -> None:
        kasan.kasan_init()

    def begin(self) -> None:
        kasan.kasan_rearm()

    def stop(self) -> None:
        kasan.kasan_exit()


def facilities() -> Sequence[Facility]:
    """All facilities of the check."""
    return (Kasan(),)
