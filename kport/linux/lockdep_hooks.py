# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""What runs before and after each operation on a lock while locks are validated.

In the kernel, `spin_lock()` calls `lock_acquire()` in its own text. Here these functions are put
around it at boot. They are the fast half of the validator: a lock is taken in a known order and
released in the reverse order, which is one look-up and a few stores. Everything else goes to
`lockdep_acquire`.

A lock is noted before it is taken, so a deadlock is reported before it happens; a try afterwards,
if it succeeded. On `virt` a task may be interrupted between the note and the lock (see there what
it means for those that hold interrupts off).

`frame(2)` is the caller: this function, the generated one around the operation, and then he.
"""

from __future__ import annotations

from sys import _getframe as frame
from types import FrameType
from typing import Any

from kport.arch.api import HARDIRQ_MASK, SOFTIRQ_MASK, SOFTIRQ_OFFSET
from kport.arch.asm import current_thread_info
from kport.arch.types import spinlock_t, thread_info
from kport.linux.kasan_poison import is_dead
from kport.linux.lockdep_acquire import (
    __lock_acquire,
    __lock_release,
    lockdep_init_task,
)
from kport.linux.lockdep_class import graph_lock, root, site_map, sites
from kport.linux.lockdep_print import forget_trace
from kport.linux.lockdep_report import print_freed_lock_bug
from kport.linux.lockdep_types import (
    LD_LOCK_NORMAL,
    LD_WAIT_CONFIG,
    LD_WAIT_INV,
    LD_WAIT_SPIN,
    LOCK_ENABLED_HARDIRQ,
    LOCK_ENABLED_SOFTIRQ,
    STEP_IRQS_OFF,
    STEP_READ,
    STEP_SYNC,
    STEP_TRYLOCK,
    held_lock,
    lock_chain,
    lockdep_map,
    lockdep_task,
)
from kport.linux.lockdep_usage import irq_context, mark_held_locks, mark_irqs_on

IRQS_COUNT = 0xFFF00  # softirqs and hard interrupts in preempt_count
RECURSIVE = 2 * STEP_READ
SHARED = STEP_READ


def task_of(ti: thread_info) -> lockdep_task:
    """The validator's part of a thread, made at its first lock."""
    curr: lockdep_task | None = ti.held
    if curr is None:
        curr = ti.held = lockdep_init_task()
    return curr


# -- taking ----------------------------------------------------------------------------------------


def acquire(lock: Any, flags: int, caller: FrameType) -> None:
    """Note that the running task takes a lock; `flags` are those of a step."""
    ti = current_thread_info()
    curr = ti.held
    if curr is None:
        curr = ti.held = lockdep_init_task()
    chain = curr.chain
    flags |= ti.irqs_off
    step = flags
    count = ti.preempt_count & IRQS_COUNT
    if count:
        step |= count
        if count & HARDIRQ_MASK:
            step |= curr.threaded
        if chain.irq_context != irq_context(ti) and chain.irq_context >= 0:
            chain = root
    try:
        after = chain.next.get(lock.dep_map.id | step)
    except AttributeError:
        after = None
    if after is None:
        acquire_slow(ti, curr, lock, 0, flags, None, caller)
        return
    depth = curr.depth
    held = curr.held_locks
    if depth == len(held):
        held.append(held_lock())
    hlock = held[depth]
    hlock.instance = lock
    hlock.chain = after
    hlock.prev = curr.chain
    hlock.code = caller.f_code
    hlock.lasti = caller.f_lasti
    curr.chain = after
    curr.depth = depth + 1


def acquire_slow(
    ti: thread_info,
    curr: lockdep_task,
    lock: Any,
    subclass: int,
    flags: int,
    nest_lock: Any,
    caller: FrameType,
) -> None:
    """A step that is new, or has a subclass or a lock around it."""
    with graph_lock:
        at = (caller.f_code, caller.f_lasti)
        chain = curr.chain
        if chain.irq_context < 0:  # see nest()
            subclass, nest_lock, at = chain.subclass, chain.class_, chain.key
            curr.chain = chain.map
        __lock_acquire(ti, curr, lock, subclass, flags, nest_lock, at)


def acquire_nested(
    lock: Any, subclass: int, flags: int, nest_lock: Any, caller: FrameType
) -> None:
    """Note that the running task takes a lock inside another."""
    if not subclass and nest_lock is None and not flags & STEP_SYNC:
        acquire(lock, flags, caller)
        return
    ti = current_thread_info()
    acquire_slow(ti, task_of(ti), lock, subclass, flags | ti.irqs_off, nest_lock, caller)


def nest(subclass: int, nest_lock: Any, caller: FrameType) -> None:
    """The next lock that the running task takes has this subclass, or this lock around it.

    For functions that end in `spin_lock()`, which is watched itself: the chain is replaced by one
    from which no step is known.
    """
    curr = task_of(current_thread_info())
    chain = lock_chain()
    chain.next = {}
    chain.irq_context = -1
    chain.subclass = subclass
    chain.key = (caller.f_code, caller.f_lasti)
    chain.map = curr.chain
    chain.class_ = nest_lock
    curr.chain = chain


# -- releasing -------------------------------------------------------------------------------------


def release(lock: Any) -> None:
    """Note that the running task releases a lock. Called by a hook."""
    ti = current_thread_info()
    curr = ti.held
    if curr is not None and (depth := curr.depth - 1) >= 0:
        hlock = curr.held_locks[depth]
        if hlock.instance is lock and not hlock.special:
            hlock.instance = None
            curr.depth = depth
            curr.chain = hlock.prev
            return
    release_slow(ti, lock, frame(3))


def release_slow(ti: thread_info, lock: Any, caller: FrameType) -> None:
    """A release out of order, or of one of several that are counted together."""
    with graph_lock:
        __lock_release(ti, task_of(ti), lock, (caller.f_code, caller.f_lasti))


def irqs_on(ti: thread_info, curr: lockdep_task, caller: FrameType) -> None:
    """Hard interrupts, which are off, go on."""
    if curr.depth:
        soft = 1 + (ti.preempt_count >> 8 & 0xFF)
        if curr.chain.enabled != soft:
            with graph_lock:
                mark_irqs_on(ti, curr)
            curr.chain.enabled = soft
    curr.irq_events = curr.hardirq_enable_event = curr.irq_events + 1
    curr.hardirq_enable = (caller.f_code, caller.f_lasti)


def irqs_off(curr: lockdep_task, caller: FrameType) -> None:
    """Hard interrupts, which are on, go off."""
    curr.irq_events = curr.hardirq_disable_event = curr.irq_events + 1
    curr.hardirq_disable = (caller.f_code, caller.f_lasti)


# -- spin locks ------------------------------------------------------------------------------------


def init_at(lock: Any, name: str, inner: int, kind: int, caller: FrameType) -> None:
    """A lock is initialised by its caller: it gets the map of that place.

    A place is a number: a function of Python keeps its bytes inside, so its address and an offset
    in it are different for any two places.
    """
    code = caller.f_code
    dep_map = sites.get(id(code) + caller.f_lasti << 3 | inner)
    if dep_map is None:
        dep_map = site_map(code, caller.f_lasti, name, "%s", inner, LD_WAIT_INV, kind)
    try:
        if current_thread_info().held.depth:
            check_no_locks_freed(lock)
    except (AttributeError, RuntimeError):
        pass  # no lock yet, or a thread of the system that becomes a task now
    lock.dep_map = dep_map


def on_spin_lock_init(_: None, lock: Any, name: str) -> None:
    """After spin_lock_init()."""
    init_at(lock, name, LD_WAIT_CONFIG, LD_LOCK_NORMAL, frame(2))


def on_raw_spin_lock_init(_: None, lock: Any, name: str) -> None:
    """After raw_spin_lock_init()."""
    init_at(lock, name, LD_WAIT_SPIN, LD_LOCK_NORMAL, frame(2))


def on_spin_lock(lock: Any) -> None:
    """Before spin_lock()."""
    ti = current_thread_info()
    curr = ti.held
    if curr is None or ti.preempt_count & IRQS_COUNT:
        acquire(lock, 0, frame(2))
        return
    chain = curr.chain
    try:
        after = chain.next.get(lock.dep_map.id | ti.irqs_off)
    except AttributeError:
        after = None
    caller = frame(2)
    if after is None:
        acquire_slow(ti, curr, lock, 0, ti.irqs_off, None, caller)
        return
    depth = curr.depth
    held = curr.held_locks
    if depth == len(held):
        held.append(held_lock())
    hlock = held[depth]
    hlock.instance = lock
    hlock.chain = after
    hlock.prev = chain
    hlock.code = caller.f_code
    hlock.lasti = caller.f_lasti
    curr.chain = after
    curr.depth = depth + 1


def on_spin_lock_irq(lock: Any) -> None:
    """Before spin_lock_irq() and spin_lock_irqsave()."""
    ti = current_thread_info()
    curr = ti.held
    if curr is None:
        curr = ti.held = lockdep_init_task()
    caller = frame(2)
    code = caller.f_code
    lasti = caller.f_lasti
    if not ti.irqs_off:
        curr.irq_events = curr.hardirq_disable_event = curr.irq_events + 1
        curr.hardirq_disable = (code, lasti)
    if ti.preempt_count & IRQS_COUNT:
        acquire(lock, STEP_IRQS_OFF, caller)
        return
    chain = curr.chain
    try:
        after = chain.next.get(lock.dep_map.id | STEP_IRQS_OFF)
    except AttributeError:
        after = None
    if after is None:
        acquire_slow(ti, curr, lock, 0, STEP_IRQS_OFF, None, caller)
        return
    depth = curr.depth
    held = curr.held_locks
    if depth == len(held):
        held.append(held_lock())
    hlock = held[depth]
    hlock.instance = lock
    hlock.chain = after
    hlock.prev = chain
    hlock.code = code
    hlock.lasti = lasti
    curr.chain = after
    curr.depth = depth + 1


def on_spin_lock_nested(lock: Any, subclass: int) -> None:
    """Before spin_lock_nested()."""
    if subclass:
        nest(subclass, None, frame(2))


def on_spin_lock_nest_lock(lock: Any, nest_lock: Any) -> None:
    """Before spin_lock_nest_lock()."""
    nest(0, nest_lock, frame(2))


def on_spin_trylock(taken: int, lock: Any) -> None:
    """After spin_trylock()."""
    if taken:
        acquire(lock, STEP_TRYLOCK, frame(2))


def on_spin_unlock(lock: Any) -> None:
    """Before spin_unlock()."""
    ti = current_thread_info()
    curr = ti.held
    if curr is not None and (depth := curr.depth - 1) >= 0:
        hlock = curr.held_locks[depth]
        if hlock.instance is lock and not hlock.special:
            hlock.instance = None
            curr.depth = depth
            curr.chain = hlock.prev
            return
    release_slow(ti, lock, frame(2))


def on_spin_unlock_irq(lock: Any) -> None:
    """Before spin_unlock_irq()."""
    on_spin_unlock_irqrestore(lock, 0, frame(2))


def on_spin_unlock_irqrestore(lock: Any, flags: int, caller: FrameType | None = None) -> None:
    """Before spin_unlock_irqrestore()."""
    ti = current_thread_info()
    curr = ti.held
    if curr is not None and (depth := curr.depth - 1) >= 0:
        hlock = curr.held_locks[depth]
        if hlock.instance is lock and not hlock.special:
            hlock.instance = None
            curr.depth = depth
            curr.chain = hlock.prev
            if not flags and ti.irqs_off:
                caller = caller or frame(2)
                if depth:
                    irqs_on(ti, curr, caller)
                else:
                    curr.irq_events = curr.hardirq_enable_event = curr.irq_events + 1
                    curr.hardirq_enable = (caller.f_code, caller.f_lasti)
            return
    caller = caller or frame(2)
    release_slow(ti, lock, caller)
    if not flags and ti.irqs_off:
        irqs_on(ti, task_of(ti), caller)


# -- interrupts ------------------------------------------------------------------------------------


def on_local_irq_save() -> None:
    """Before local_irq_save()."""
    ti = current_thread_info()
    if not ti.irqs_off:
        irqs_off(task_of(ti), frame(2))


def on_local_irq_restore(flags: int) -> None:
    """Before local_irq_restore()."""
    ti = current_thread_info()
    if not flags and ti.irqs_off:
        irqs_on(ti, task_of(ti), frame(2))


def on_local_bh_disable() -> None:
    """Before local_bh_disable()."""
    ti = current_thread_info()
    if not ti.preempt_count & SOFTIRQ_MASK:
        curr, caller = task_of(ti), frame(2)
        curr.irq_events = curr.softirq_disable_event = curr.irq_events + 1
        curr.softirq_disable = (caller.f_code, caller.f_lasti)


def on_local_bh_enable() -> None:
    """Before local_bh_enable(): softirqs go on, if this was the last reason to hold them off."""
    ti = current_thread_info()
    if ti.preempt_count & SOFTIRQ_MASK == 2 * SOFTIRQ_OFFSET:
        curr, caller = task_of(ti), frame(2)
        curr.irq_events = curr.softirq_enable_event = curr.irq_events + 1
        curr.softirq_enable = (caller.f_code, caller.f_lasti)
        if curr.depth and not ti.irqs_off:
            with graph_lock:
                if mark_held_locks(ti, curr, LOCK_ENABLED_HARDIRQ):
                    mark_held_locks(ti, curr, LOCK_ENABLED_SOFTIRQ)


# -- memory ----------------------------------------------------------------------------------------


def check_no_locks_freed(memory: Any) -> None:
    """Report a lock of the running task that is in an object about to be freed or made anew."""
    ti = current_thread_info()
    curr = ti.held
    if curr is None or not curr.depth:
        return
    for hlock in curr.held_locks[: curr.depth]:
        lock = hlock.instance
        if type(lock) is lockdep_map and lock._container is None:
            continue  # in no memory
        if inside(memory, lock):
            with graph_lock:
                forget_trace()
                print_freed_lock_bug(ti, curr, memory, hlock)
            return


def inside(memory: Any, lock: Any) -> bool:
    """True if the lock is the object or embedded in it; a pointer to the lock is not."""
    if memory is lock:
        return True
    if isinstance(memory, list):
        return any(inside(item, lock) for item in memory if _container(item) is memory)
    kind = type(memory)
    for field in getattr(kind, "_fields", ()):
        member = getattr(memory, field, None)
        if member is lock and "None" not in str(kind.__annotations__.get(field, "None")):
            return type(lock) is spinlock_t or _container(lock) is memory
        if _container(member) is memory and inside(member, lock):
            return True
    return False


def _container(obj: Any) -> Any:
    """What an object is embedded in; a pointer to one that was freed may be left somewhere."""
    return None if is_dead(obj) else getattr(obj, "_container", None)
