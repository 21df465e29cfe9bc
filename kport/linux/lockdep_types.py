# SPDX-FileCopyrightText: 2006-2007 Red Hat, Inc., Ingo Molnar <mingo@redhat.com>
# SPDX-FileCopyrightText: 2007 Red Hat, Inc., Peter Zijlstra
# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: GPL-2.0-only
#
# After include/linux/lockdep_types.h, include/linux/lockdep.h and kernel/locking/
# lockdep_internals.h, Linux 7.2.13, on 2026-11-20.
"""What the lock validator keeps: classes, maps, dependencies, chains, held locks.

In C every lock embeds a lockdep_map, which points to its key and caches its class. Here all locks
that were initialised at one place share one map (`lock.dep_map`), and the lock itself stands for
the instance: so initialising a lock costs one look-up. A map that is used as a lock of its own
(a workqueue's, the fences') is its own instance, which is what its `dep_map` says.

A chain is the sequence of locks that a task holds. The kernel hashes it to 64 bits; here chains are
the nodes of a tree. `next` leads from a chain to what it is with one more lock: by the number of
the map plus everything else that the checks depend on (read, trylock, subclass, interrupt state).
Once such a step has passed all checks it passes them always, so it is one look-up from then on.
"""

from __future__ import annotations

from collections.abc import Callable
from types import CodeType
from typing import Any

from kport.linux.struct import struct

MAX_LOCKDEP_SUBCLASSES = 8
NR_LOCKDEP_CACHING_CLASSES = 2
MAX_LOCK_DEPTH = 48
MAX_LOCKDEP_KEYS = 1 << 13
MAX_LOCKDEP_ENTRIES = 1 << 15
MAX_LOCKDEP_CHAINS = 1 << 16

LD_WAIT_INV = 0
LD_WAIT_FREE = 1
LD_WAIT_SPIN = 2
LD_WAIT_CONFIG = 3  # PROVE_RAW_LOCK_NESTING
LD_WAIT_SLEEP = 4
LD_WAIT_MAX = 5

LD_LOCK_NORMAL = 0
LD_LOCK_PERCPU = 1
LD_LOCK_WAIT_OVERRIDE = 2

LOCK_USED_IN_HARDIRQ = 0
LOCK_USED_IN_HARDIRQ_READ = 1
LOCK_ENABLED_HARDIRQ = 2
LOCK_ENABLED_HARDIRQ_READ = 3
LOCK_USED_IN_SOFTIRQ = 4
LOCK_USED_IN_SOFTIRQ_READ = 5
LOCK_ENABLED_SOFTIRQ = 6
LOCK_ENABLED_SOFTIRQ_READ = 7
LOCK_USED = 8
LOCK_USED_READ = 9
LOCK_USAGE_STATES = 10

LOCK_USAGE_READ_MASK = 1
LOCK_USAGE_DIR_MASK = 2
LOCK_USAGE_STATE_MASK = ~3

LOCKF_USED_IN_IRQ = 1 << LOCK_USED_IN_HARDIRQ | 1 << LOCK_USED_IN_SOFTIRQ
LOCKF_USED_IN_IRQ_READ = LOCKF_USED_IN_IRQ << 1
LOCKF_ENABLED_IRQ = 1 << LOCK_ENABLED_HARDIRQ | 1 << LOCK_ENABLED_SOFTIRQ
LOCKF_ENABLED_IRQ_READ = LOCKF_ENABLED_IRQ << 1
LOCKF_ENABLED_IRQ_ALL = LOCKF_ENABLED_IRQ | LOCKF_ENABLED_IRQ_READ
LOCKF_USED_IN_IRQ_ALL = LOCKF_USED_IN_IRQ | LOCKF_USED_IN_IRQ_READ
LOCKF_IRQ = LOCKF_ENABLED_IRQ | LOCKF_USED_IN_IRQ
LOCKF_IRQ_READ = LOCKF_ENABLED_IRQ_READ | LOCKF_USED_IN_IRQ_READ

LOCK_CHAIN_SOFTIRQ_CONTEXT = 1
LOCK_CHAIN_HARDIRQ_CONTEXT = 2

# Dependencies: shared or exclusive holder, then recursive or non-recursive taker.
DEP_SR_MASK = 1
DEP_ER_MASK = 2
DEP_SN_MASK = 4
DEP_EN_MASK = 8

ip = tuple[CodeType, int]  # a place in the code: the function and the offset in it
lock_trace = tuple[ip, ...]

NO_IP: Any = None


class lock_class_key(struct):
    """The identity of a lock class. A key inside an allocated object must be registered."""

    site: ip | None


class lock_class(struct):
    """A class of locks: what is known of all locks that were initialised at one place."""

    key: lock_class_key | None
    subclass: int
    name: str
    name_version: int
    usage_mask: int
    usage_traces: dict[int, lock_trace]
    locks_after: list[lock_list]
    locks_before: list[lock_list]
    dep_gen_id: int
    wait_type_inner: int
    wait_type_outer: int
    lock_type: int
    cmp_fn: Callable[[Any, Any], int]
    print_fn: Callable[[Any], str]


class lock_list(struct):
    """One dependency, in the list of a class: to `class_`, recorded at `trace`."""

    class_: lock_class | None
    links_to: lock_class | None
    trace: Any
    distance: int
    dep: int
    only_xr: bool
    parent: lock_list | None


class lockdep_map(struct, table=True):
    """What a lock has of the validator: its key, name and wait types; `id` is in every step."""

    key: Any
    class_cache: Any
    name: str
    wait_type_outer: int
    wait_type_inner: int
    lock_type: int
    id: int

    dep_map = property(lambda self: self)


class lock_chain(struct):
    """The locks held by a task, seen from the last one; see the module's text.

    `key` has the classes and read states of the chain. `enabled` says under which softirq state
    its locks have been marked as held with interrupts on.
    """

    next: dict[int, lock_chain]
    map: lockdep_map | None
    class_: lock_class | None
    key: tuple[Any, ...]
    subclass: int
    irq_context: int
    trylock: int
    read: int
    check: int
    hardirqs_off: int
    enabled: int
    sync: int


class held_lock(struct):
    """A lock that a task holds. `prev` is the chain before it, `chain` with it.

    `special` says that one of the last three members is set.
    """

    instance: Any
    chain: Any
    prev: Any
    code: Any
    lasti: int
    special: bool
    nest_lock: Any
    references: int
    pin_count: int


class lockdep_task(struct):
    """The validator's part of a task: what it holds, and when it last changed its interrupts.

    `running` are the maps of the work items and timers whose functions it is in.
    """

    held_locks: list[held_lock]
    depth: int
    chain: Any
    threaded: int
    irq_events: int
    hardirq_enable: Any
    hardirq_enable_event: int
    hardirq_disable: Any
    hardirq_disable_event: int
    softirq_enable: Any
    softirq_enable_event: int
    softirq_disable: Any
    softirq_disable_event: int
    running: list[lockdep_map]


class pin_cookie(struct):
    """What a pinned lock must be unpinned with."""

    val: int


# A step from one chain to the next: the id of the map (bits 24 and up), the subclass (bits 20 to
# 22), the counts of softirqs and hard interrupts as in preempt_count (bits 8 to 19), and these.
STEP_IRQS_OFF = 0x01
STEP_READ = 0x02  # times 0, 1 or 2
STEP_TRYLOCK = 0x08
STEP_THREADED = 0x10  # a hard interrupt that is a thread with PREEMPT_RT
STEP_NO_CHECK = 0x20
STEP_SYNC = 0x40
STEP_NESTED = 0x80
STEP_SUBCLASS = 1 << 20
STEP_CONTEXT = 0xFFF00


def root_chain() -> lock_chain:
    """An empty chain."""
    chain = lock_chain()
    chain.next = {}
    chain.key = ()
    return chain
