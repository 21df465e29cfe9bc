# SPDX-FileCopyrightText: 2006-2007 Red Hat, Inc., Ingo Molnar <mingo@redhat.com>
# SPDX-FileCopyrightText: 2007 Red Hat, Inc., Peter Zijlstra
# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: GPL-2.0-only
#
# After kernel/locking/lockdep.c, Linux 7.2.13, on 2026-11-20.
"""What is checked of a chain of held locks that was never seen before."""

from __future__ import annotations

from kport.arch.types import thread_info
from kport.linux.lockdep_class import chains, too_low
from kport.linux.lockdep_graph import (
    add_lock_to_list,
    bfs,
    bfs_init_root,
    calc_dep,
    calc_depb,
    hlock_class,
    hlock_conflict,
    locks_after,
)
from kport.linux.lockdep_print import save_trace
from kport.linux.lockdep_report import print_circular_bug, print_deadlock_bug
from kport.linux.lockdep_types import MAX_LOCKDEP_CHAINS, held_lock, lock_trace, lockdep_task
from kport.linux.lockdep_usage import check_irq_usage


def lookup_chain_cache_add(hlock: held_lock) -> int:
    """1 if the chain that ends in `hlock` is new; it is not any more.

    kernel/locking/lockdep.c:3844-3887, Linux 7.2.13
    """
    key = hlock.chain.key
    if key in chains:
        return 0
    if len(chains) >= MAX_LOCKDEP_CHAINS:
        too_low("BUG: MAX_LOCKDEP_CHAINS too low!")
        return 0
    chains.add(key)
    return 1


def check_deadlock(ti: thread_info, curr: lockdep_task, next: held_lock) -> int:
    """Whether the task holds a lock of the class: 0 reported, 2 if a lock around both allows it.

    In C this goes over the locks of interrupted code as well. They have interrupts on, so a class
    among them that an interrupt takes, too, is reported as that before it comes here.

    kernel/locking/lockdep.c:3084-3123, Linux 7.2.13
    """
    nest = None
    klass = hlock_class(next)
    for prev in curr.held_locks[: curr.depth]:
        if prev.instance is next.nest_lock:
            nest = prev
        if hlock_class(prev) is not klass or prev.chain.irq_context != next.chain.irq_context:
            continue
        if next.chain.read == 2 and prev.chain.read:
            continue
        if klass.cmp_fn is not None and klass.cmp_fn(prev.instance, next.instance) < 0:
            continue
        if nest is not None:
            return 2
        print_deadlock_bug(ti, curr, prev, next)
        return 0
    return 1


def check_noncircular(
    ti: thread_info, curr: lockdep_task, src: held_lock, target: held_lock
) -> int:
    """Whether nothing leads from `src` back to `target`, which is held.

    kernel/locking/lockdep.c:2176-2213, Linux 7.2.13
    """
    src_entry = bfs_init_root(src)
    target_entry = bfs(src_entry, target, hlock_conflict, None, locks_after)
    if target_entry is None:
        return 1
    if hlock_class(src) is hlock_class(target):
        print_deadlock_bug(ti, curr, src, target)
    else:
        print_circular_bug(ti, curr, src_entry, target_entry, src, target)
    return 0


def check_prev_add(
    ti: thread_info,
    curr: lockdep_task,
    prev: held_lock,
    next: held_lock,
    distance: int,
    trace: list[lock_trace],
) -> int:
    """Check and record the dependency prev -> next: 0 for a report, 1 if known, 2 if new.

    kernel/locking/lockdep.c:3149-3281, Linux 7.2.13
    """
    before, after = hlock_class(prev), hlock_class(next)
    if before.key is None or after.key is None:
        return 2
    if before is after:
        if before.cmp_fn is not None and before.cmp_fn(prev.instance, next.instance) < 0:
            return 2
    if not check_noncircular(ti, curr, next, prev):
        return 0
    if not check_irq_usage(ti, curr, prev, next):
        return 0

    for entry in before.locks_after:
        if entry.class_ is after:
            if distance == 1:
                entry.distance = 1
            entry.dep |= calc_dep(prev, next)
            for other in after.locks_before:
                if other.class_ is before:
                    if distance == 1:
                        other.distance = 1
                    other.dep |= calc_depb(prev, next)
                    return 1
            return 0

    if not trace:
        trace.append(save_trace())
    if not add_lock_to_list(
        after, before, before.locks_after, distance, calc_dep(prev, next), trace[0]
    ):
        return 0
    if not add_lock_to_list(
        before, after, after.locks_before, distance, calc_depb(prev, next), trace[0]
    ):
        return 0
    return 2


def check_prevs_add(ti: thread_info, curr: lockdep_task, next: held_lock) -> int:
    """Record the dependencies on the locks held in this context, back to one taken in earnest.

    kernel/locking/lockdep.c:3285-3355, Linux 7.2.13
    """
    trace: list[lock_trace] = []
    held = curr.held_locks[: curr.depth]
    for distance, hlock in enumerate(reversed(held), 1):
        if hlock.chain.irq_context != next.chain.irq_context:
            break
        if hlock.chain.check:
            if not check_prev_add(ti, curr, hlock, next, distance, trace):
                return 0
            if not hlock.chain.trylock:
                break
    return 1


def validate_chain(
    ti: thread_info, curr: lockdep_task, hlock: held_lock, chain_head: bool
) -> int:
    """Check the chain that ends in `hlock`, if it is new; 0 for a report.

    kernel/locking/lockdep.c:3889-3947, Linux 7.2.13
    """
    if not hlock.chain.trylock and hlock.chain.check and lookup_chain_cache_add(hlock):
        ret = check_deadlock(ti, curr, hlock)
        if not ret:
            return 0
        if not chain_head and ret != 2:
            if not check_prevs_add(ti, curr, hlock):
                return 0
    return 1
