# SPDX-FileCopyrightText: 2006-2007 Red Hat, Inc., Ingo Molnar <mingo@redhat.com>
# SPDX-FileCopyrightText: 2007 Red Hat, Inc., Peter Zijlstra
# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: GPL-2.0-only
#
# After kernel/locking/lockdep.c, Linux 7.2.13, on 2026-11-20.
"""Taking and releasing, as the validator sees it.

These are the complete functions. What a task does all the time, a step that has passed the checks
before and the release of the lock taken last, never comes here (`kport.linux.lockdep_hooks`).
All of them run under `graph_lock`.
"""

from __future__ import annotations

import sys
from typing import Any

from kport.arch.types import thread_info
from kport.linux import bug, lockdep_state
from kport.linux.lockdep_state import debug_locks_off
from kport.linux.lockdep_chain import validate_chain
from kport.linux.lockdep_class import (
    __lockdep_no_track__,
    __lockdep_no_validate__,
    class_of,
    ready,
    register_lock_class,
    root,
    too_low,
)
from kport.linux.lockdep_graph import hlock_class
from kport.linux.lockdep_print import dump_stack, forget_trace
from kport.linux.lockdep_report import (
    print_lock_nested_lock_not_held,
    print_unlock_imbalance_bug,
)
from kport.linux.lockdep_types import (
    LOCK_CHAIN_HARDIRQ_CONTEXT,
    MAX_LOCK_DEPTH,
    MAX_LOCKDEP_SUBCLASSES,
    STEP_CONTEXT,
    STEP_IRQS_OFF,
    STEP_NESTED,
    STEP_NO_CHECK,
    STEP_READ,
    STEP_SUBCLASS,
    STEP_SYNC,
    STEP_TRYLOCK,
    held_lock,
    ip,
    lock_chain,
    lock_class,
    lockdep_map,
    lockdep_task,
)
from kport.linux.lockdep_usage import check_wait_context, irq_context, mark_usage

LOCK_STATE_UNKNOWN = -1
LOCK_STATE_NOT_HELD = 0
LOCK_STATE_HELD = 1


def lockdep_init_task() -> lockdep_task:
    """The validator's part of a task that holds nothing.

    kernel/locking/lockdep.c:456-461, Linux 7.2.13
    """
    curr = lockdep_task()
    curr.held_locks = []
    curr.running = []
    curr.chain = root
    return curr


def map_of(lock: Any) -> lockdep_map | None:
    """The map of a lock; NULL, and the end of the validator, if it was never initialised.

    kernel/locking/lockdep.c:983-1016, Linux 7.2.13
    """
    found: lockdep_map | None = getattr(lock, "dep_map", None)
    if found is not None:
        return ready(found)
    if debug_locks_off():
        headline = "INFO: trying to register non-static key."
        lockdep_state.report(
            headline,
            [
                headline,
                "The code is fine but needs lockdep annotation, or maybe",
                "you didn't initialize this object before use?",
                "turning off the locking correctness validator.",
                *dump_stack(),
            ],
        )
    return None


def chain_of(
    before: lock_chain, step: int, context: int, lock: lockdep_map, klass: lock_class
) -> lock_chain:
    """The chain with one more lock, which has not been validated."""
    chain = lock_chain()
    chain.next = {}
    chain.map = lock
    chain.class_ = klass
    chain.subclass = step // STEP_SUBCLASS & MAX_LOCKDEP_SUBCLASSES - 1
    chain.irq_context = context
    chain.trylock = int(bool(step & STEP_TRYLOCK))
    chain.read = step // STEP_READ & 3
    chain.check = int(not step & STEP_NO_CHECK)
    chain.hardirqs_off = step & STEP_IRQS_OFF
    chain.sync = int(bool(step & STEP_SYNC))
    chain.key = (*before.key, (klass, chain.read))
    return chain


def free_slot(curr: lockdep_task) -> held_lock:
    """Where the next lock of a task is noted."""
    if curr.depth == len(curr.held_locks):
        curr.held_locks.append(held_lock())
    return curr.held_locks[curr.depth]


def clear_slot(hlock: held_lock) -> None:
    """A lock is not held any more."""
    hlock.instance = hlock.nest_lock = None
    hlock.references = hlock.pin_count = 0
    hlock.special = False


def __lock_acquire(
    ti: thread_info,
    curr: lockdep_task,
    lock: Any,
    subclass: int,
    flags: int,
    nest_lock: Any,
    at: ip,
    references: int = 0,
    pin_count: int = 0,
) -> int:
    """Check and note that the task takes a lock: 1, 2 if it was counted to the one before, else 0.

    `flags` are those of a step: read, trylock, no check, sync, interrupts off.

    kernel/locking/lockdep.c:5107-5304, Linux 7.2.13
    """
    if not lockdep_state.debug_locks:
        curr.depth = 0
        curr.chain = root
        return 0
    forget_trace()
    dep_map = map_of(lock)
    if dep_map is None or dep_map.key is __lockdep_no_track__:
        return 0
    if dep_map.key is __lockdep_no_validate__:
        flags |= STEP_NO_CHECK
    klass = class_of(dep_map, subclass)
    if klass is None:
        return 0
    depth = curr.depth
    if depth >= MAX_LOCK_DEPTH:
        too_low("BUG: MAX_LOCK_DEPTH too low!")
        return 0

    if depth and nest_lock is not None and not flags & STEP_SYNC:
        last = curr.held_locks[depth - 1]
        if hlock_class(last) is klass:
            last.special = True
            last.references = (last.references or 1) + (references or 1)
            return 2

    context = irq_context(ti)
    head = not depth or curr.chain.irq_context != context
    before = root if head else curr.chain
    step = dep_map.id | subclass * STEP_SUBCLASS | ti.preempt_count & STEP_CONTEXT | flags
    if context & LOCK_CHAIN_HARDIRQ_CONTEXT:
        step |= curr.threaded
    if nest_lock is not None:
        step |= STEP_NESTED
    chain = before.next.get(step)
    known = chain is not None and chain.class_ is klass
    if chain is None or not known:
        chain = chain_of(before, step, context, dep_map, klass)

    hlock = free_slot(curr)
    hlock.instance = lock
    hlock.chain = chain
    hlock.prev = curr.chain
    hlock.code, hlock.lasti = at
    hlock.nest_lock = nest_lock
    hlock.references = references
    hlock.pin_count = pin_count
    hlock.special = nest_lock is not None or references > 0 or pin_count > 0

    if not known:
        if check_wait_context(ti, curr, hlock):
            return 0
        if not mark_usage(ti, curr, hlock, chain.check):
            return 0
    if nest_lock is not None and __lock_is_held(curr, nest_lock, -1) == LOCK_STATE_NOT_HELD:
        print_lock_nested_lock_not_held(ti, curr, hlock)
        return 0
    if not known:
        if not validate_chain(ti, curr, hlock, head):
            return 0
        before.next[step] = chain
    if flags & STEP_SYNC:
        clear_slot(hlock)
        return 1
    curr.chain = chain
    curr.depth = depth + 1
    return 1


def match_held_lock(hlock: held_lock, lock: Any) -> bool:
    """True if the note is about the lock, or counts it among others of its class.

    kernel/locking/lockdep.c:5337-5371, Linux 7.2.13
    """
    if hlock.instance is lock:
        return True
    if hlock.references:
        dep_map = getattr(lock, "dep_map", None)
        if dep_map is None or dep_map.class_cache is None:
            return False
        klass = class_of(dep_map, 0)
        return klass is not None and hlock_class(hlock) is klass
    return False


def find_held_lock(curr: lockdep_task, lock: Any) -> int:
    """Where in the task's locks of this context the lock is; -1 if it is not there.

    kernel/locking/lockdep.c:5373-5407, Linux 7.2.13
    """
    context = curr.chain.irq_context
    for i in range(curr.depth - 1, -1, -1):
        hlock = curr.held_locks[i]
        if hlock.chain.irq_context != context:
            break
        if match_held_lock(hlock, lock):
            return i
    return -1


def reacquire_held_locks(
    ti: thread_info, curr: lockdep_task, held: list[held_lock]
) -> None:
    """Take notes again of what was taken behind a lock that is gone or has changed.

    kernel/locking/lockdep.c:5409-5441, Linux 7.2.13
    """
    notes = [
        (
            hlock.instance,
            hlock.chain,
            hlock.nest_lock,
            (hlock.code, hlock.lasti),
            hlock.references,
            hlock.pin_count,
        )
        for hlock in held
    ]
    for hlock in held:
        clear_slot(hlock)
    for instance, chain, nest_lock, at, references, pin_count in notes:
        flags = flags_of(chain)
        if not __lock_acquire(
            ti, curr, instance, chain.subclass, flags, nest_lock, at, references, pin_count
        ):
            return


def __lock_release(ti: thread_info, curr: lockdep_task, lock: Any, at: ip) -> None:
    """Note that the task releases a lock.

    kernel/locking/lockdep.c:5549-5627, Linux 7.2.13
    """
    if not lockdep_state.debug_locks:
        curr.depth = 0
        curr.chain = root
        return
    forget_trace()
    dep_map = map_of(lock)
    if dep_map is None or dep_map.key is __lockdep_no_track__:
        return
    i = find_held_lock(curr, lock)
    if i < 0:
        print_unlock_imbalance_bug(ti, curr, lock, at)
        return
    hlock = curr.held_locks[i]
    if hlock.pin_count:
        warn("releasing a pinned lock")
    if hlock.references:
        hlock.references -= 1
        if hlock.references:
            return
    behind = curr.held_locks[i + 1 : curr.depth]
    curr.depth = i
    curr.chain = hlock.prev
    clear_slot(hlock)
    if behind:
        reacquire_held_locks(ti, curr, behind)


def warn(message: str) -> None:
    """A warning of the validator, after which it goes on."""
    frame = sys._getframe(1)
    while frame.f_back is not None and _own_code(frame.f_globals.get("__name__", "")):
        frame = frame.f_back
    lockdep_state.report(f"WARNING: {message}", bug.block(message, frame))


def _own_code(name: str) -> bool:
    return name.startswith("kport.linux.lockdep")


def __lock_is_held(curr: lockdep_task, lock: Any, read: int) -> int:
    """Whether the task holds the lock: as writer (`read` 0), as reader (1), or at all (-1).

    kernel/locking/lockdep.c:5628-5646, Linux 7.2.13
    """
    for hlock in curr.held_locks[: curr.depth]:
        if match_held_lock(hlock, lock):
            if read == -1 or bool(hlock.chain.read) == bool(read):
                return LOCK_STATE_HELD
            return LOCK_STATE_NOT_HELD
    return LOCK_STATE_NOT_HELD


def set_class(
    ti: thread_info, curr: lockdep_task, lock: Any, dep_map: lockdep_map, subclass: int, at: ip
) -> None:
    """A held lock changes its class; what was taken behind it is checked again.

    kernel/locking/lockdep.c:5443-5491, Linux 7.2.13
    """
    i = find_held_lock(curr, lock)
    if i < 0:
        print_unlock_imbalance_bug(ti, curr, lock, at)
        return
    register_lock_class(dep_map, subclass, 0)
    hlock = curr.held_locks[i]
    flags = flags_of(hlock.chain)
    note = (hlock.nest_lock, (hlock.code, hlock.lasti), hlock.references, hlock.pin_count)
    behind = curr.held_locks[i + 1 : curr.depth]
    curr.depth = i
    curr.chain = hlock.prev
    lock.dep_map = dep_map
    __lock_acquire(ti, curr, lock, subclass, flags, *note)
    reacquire_held_locks(ti, curr, behind)


def downgrade(ti: thread_info, curr: lockdep_task, lock: Any, at: ip) -> None:
    """A writer becomes a reader without letting anybody in between.

    kernel/locking/lockdep.c:5493-5541, Linux 7.2.13
    """
    i = find_held_lock(curr, lock)
    if i < 0:
        print_unlock_imbalance_bug(ti, curr, lock, at)
        return
    hlock = curr.held_locks[i]
    if hlock.chain.read:
        warn("downgrading a read lock")
    flags = flags_of(hlock.chain) & ~(3 * STEP_READ) | STEP_READ
    note = (hlock.nest_lock, at, hlock.references, hlock.pin_count)
    behind = curr.held_locks[i + 1 : curr.depth]
    curr.depth = i
    curr.chain = hlock.prev
    __lock_acquire(ti, curr, lock, hlock.chain.subclass, flags, *note)
    reacquire_held_locks(ti, curr, behind)


def flags_of(chain: lock_chain) -> int:
    """How the last lock of a chain was taken."""
    flags = chain.read * STEP_READ | chain.hardirqs_off
    flags |= STEP_TRYLOCK if chain.trylock else 0
    return flags | (0 if chain.check else STEP_NO_CHECK)
