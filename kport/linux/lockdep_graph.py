# SPDX-FileCopyrightText: 2006-2007 Red Hat, Inc., Ingo Molnar <mingo@redhat.com>
# SPDX-FileCopyrightText: 2007 Red Hat, Inc., Peter Zijlstra
# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: GPL-2.0-only
#
# After kernel/locking/lockdep.c, Linux 7.2.13, on 2026-11-20.
"""The graph of dependencies, and what is searched in it.

A dependency A -> B says that B was taken while A was held. It is strong enough to block if its
kinds allow it: a recursive reader (R) waits for exclusive holders (E) only, a reader or writer that
is not recursive (N) for all (S: shared). A path blocks unless a recursive reader follows a shared
holder, which is what `only_xr` keeps: the path ends in recursive readers only.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from kport.linux import lockdep_state
from kport.linux.lockdep_state import DEBUG_LOCKS_WARN_ON
from kport.linux.lockdep_class import all_lock_classes, too_low
from kport.linux.lockdep_types import (
    DEP_EN_MASK,
    DEP_SN_MASK,
    DEP_SR_MASK,
    LD_LOCK_NORMAL,
    LD_LOCK_PERCPU,
    LD_WAIT_CONFIG,
    LOCKF_IRQ,
    MAX_LOCKDEP_ENTRIES,
    held_lock,
    lock_class,
    lock_list,
    lock_trace,
)

Match = Callable[[lock_list, Any], bool]

_generation = 0
_entries = 0


def hlock_class(hlock: held_lock) -> lock_class:
    """The class of a held lock.

    kernel/locking/lockdep.c:227-247, Linux 7.2.13
    """
    klass: lock_class = hlock.chain.class_
    return klass


def calc_dep(prev: held_lock, next: held_lock) -> int:
    """The kind of the dependency prev -> next, as a mask.

    kernel/locking/lockdep.c:1658-1667, Linux 7.2.13
    """
    return 1 << ((prev.chain.read == 0) + ((next.chain.read != 2) << 1))


def calc_depb(prev: held_lock, next: held_lock) -> int:
    """The same seen from `next`.

    kernel/locking/lockdep.c:1673-1682, Linux 7.2.13
    """
    return 1 << ((next.chain.read != 2) + ((prev.chain.read == 0) << 1))


def bfs_init_root(hlock: held_lock) -> lock_list:
    """Where a search forwards begins.

    kernel/locking/lockdep.c:1704-1709, Linux 7.2.13
    """
    lock = lock_list()
    lock.class_ = hlock_class(hlock)
    lock.only_xr = hlock.chain.read == 2
    return lock


def bfs_init_rootb(hlock: held_lock) -> lock_list:
    """Where a search backwards begins.

    kernel/locking/lockdep.c:1718-1723, Linux 7.2.13
    """
    lock = bfs_init_root(hlock)
    lock.only_xr = hlock.chain.read != 0
    return lock


def locks_after(klass: lock_class) -> list[lock_list]:
    """What was taken while a lock of the class was held."""
    return klass.locks_after


def locks_before(klass: lock_class) -> list[lock_list]:
    """What was held when a lock of the class was taken."""
    return klass.locks_before


def bfs(
    source_entry: lock_list,
    data: Any,
    match: Match,
    skip: Match | None,
    deps: Callable[[lock_class], list[lock_list]],
) -> lock_list | None:
    """The nearest entry that matches, on a path that can block; its `parent`s are the path.

    kernel/locking/lockdep.c:1761-1870, Linux 7.2.13
    """
    global _generation
    _generation += 1
    queue = deque([[source_entry]])
    while queue:
        for lock in queue.popleft():
            klass: Any = lock.class_
            if klass.dep_gen_id == _generation:
                continue
            klass.dep_gen_id = _generation
            if lock.parent is not None:
                dep = lock.dep
                if lock.parent.only_xr:
                    dep &= ~(DEP_SR_MASK | DEP_SN_MASK)
                if not dep:
                    continue
                lock.only_xr = not dep & (DEP_SN_MASK | DEP_EN_MASK)
            if skip is not None and skip(lock, data):
                continue
            if match(lock, data):
                return lock
            entries = deps(klass)
            if entries:
                for entry in entries:
                    entry.parent = lock
                queue.append(entries)
    return None


def get_lock_depth(child: lock_list) -> int:
    """How many dependencies lead to an entry that a search found.

    kernel/locking/lockdep.c:1577-1587, Linux 7.2.13
    """
    depth = 0
    while child.parent is not None:
        child = child.parent
        depth += 1
    return depth


def path(entry: lock_list) -> list[lock_list]:
    """The entries from a found one back to the root of the search."""
    found = [entry]
    while (parent := found[-1].parent) is not None:
        found.append(parent)
    return found


def hlock_conflict(entry: lock_list, hlock: Any) -> bool:
    """True if the entry can be blocked by the held lock.

    kernel/locking/lockdep.c:2024-2031, Linux 7.2.13
    """
    return entry.class_ is hlock_class(hlock) and (hlock.chain.read == 0 or not entry.only_xr)


def usage_accumulate(entry: lock_list, mask: Any) -> bool:
    """Gather the usage of all that is met.

    kernel/locking/lockdep.c:2252-2263, Linux 7.2.13
    """
    usage: int = entry.class_.usage_mask
    mask[0] |= usage & LOCKF_IRQ if entry.only_xr else usage
    return False


def usage_match(entry: lock_list, mask: Any) -> bool:
    """True if the class is used in one of the ways of the mask.

    kernel/locking/lockdep.c:2271-2277, Linux 7.2.13
    """
    usage: int = entry.class_.usage_mask
    return bool((usage & LOCKF_IRQ if entry.only_xr else usage) & mask[0])


def usage_skip(entry: lock_list, mask: Any) -> bool:
    """True for per-CPU locks, which another CPU's interrupts cannot want, and for no real locks.

    kernel/locking/lockdep.c:2279-2316, Linux 7.2.13
    """
    klass: Any = entry.class_
    if klass.lock_type == LD_LOCK_NORMAL:
        return False
    if klass.lock_type == LD_LOCK_PERCPU and DEBUG_LOCKS_WARN_ON(
        klass.wait_type_inner < LD_WAIT_CONFIG
    ):
        return False
    return True


def find_usage_forwards(root: lock_list, usage_mask: int) -> lock_list | None:
    """The nearest lock behind the root that is used in one of the ways of the mask.

    kernel/locking/lockdep.c:2329-2341, Linux 7.2.13
    """
    return bfs(root, [usage_mask], usage_match, usage_skip, locks_after)


def find_usage_backwards(root: lock_list, usage_mask: int) -> lock_list | None:
    """The nearest lock before the root that is used in one of the ways of the mask.

    kernel/locking/lockdep.c:2346-2357, Linux 7.2.13
    """
    return bfs(root, [usage_mask], usage_match, usage_skip, locks_before)


def add_lock_to_list(
    this: lock_class,
    links_to: lock_class,
    head: list[lock_list],
    distance: int,
    dep: int,
    trace: lock_trace,
) -> int:
    """Record a dependency; 0 if there are too many.

    kernel/locking/lockdep.c:1452-1477, Linux 7.2.13
    """
    global _entries
    if _entries >= MAX_LOCKDEP_ENTRIES:
        _entries = sum(len(c.locks_after) + len(c.locks_before) for c in all_lock_classes)
        if _entries >= MAX_LOCKDEP_ENTRIES:
            if lockdep_state.debug_locks:
                too_low("BUG: MAX_LOCKDEP_ENTRIES too low!")
            return 0
    _entries += 1
    entry = lock_list()
    entry.class_ = this
    entry.links_to = links_to
    entry.dep = dep
    entry.distance = distance
    entry.trace = trace
    head.append(entry)
    return 1
