# SPDX-FileCopyrightText: 2006-2007 Red Hat, Inc., Ingo Molnar <mingo@redhat.com>
# SPDX-FileCopyrightText: 2007 Red Hat, Inc., Peter Zijlstra
# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: GPL-2.0-only
#
# After kernel/locking/lockdep.c, Linux 7.2.13, on 2026-11-20.
"""How locks are used by interrupts, and what that forbids.

A class that an interrupt takes must never be held with that interrupt on, and nothing that is held
with it on may be waited for while a class is held that the interrupt takes.
"""

from __future__ import annotations

from kport.arch.api import HARDIRQ_MASK, SOFTIRQ_MASK, SOFTIRQ_OFFSET
from kport.arch.types import thread_info
from kport.linux.lockdep_state import DEBUG_LOCKS_WARN_ON
from kport.linux.lockdep_graph import (
    bfs,
    bfs_init_root,
    bfs_init_rootb,
    find_usage_backwards,
    find_usage_forwards,
    hlock_class,
    locks_before,
    usage_accumulate,
    usage_skip,
)
from kport.linux.lockdep_print import forget_trace, save_trace, state_name
from kport.linux.lockdep_report import (
    print_bad_irq_dependency,
    print_irq_inversion_bug,
    print_lock_invalid_wait_context,
    print_usage_bug,
)
from kport.linux.lockdep_types import (
    LD_LOCK_WAIT_OVERRIDE,
    LD_WAIT_CONFIG,
    LD_WAIT_MAX,
    LD_WAIT_SPIN,
    LOCK_CHAIN_HARDIRQ_CONTEXT,
    LOCK_CHAIN_SOFTIRQ_CONTEXT,
    LOCK_ENABLED_HARDIRQ,
    LOCK_ENABLED_SOFTIRQ,
    LOCK_USAGE_DIR_MASK,
    LOCK_USAGE_READ_MASK,
    LOCK_USAGE_STATE_MASK,
    LOCK_USED,
    LOCK_USED_IN_HARDIRQ,
    LOCK_USED_IN_SOFTIRQ,
    LOCK_USED_READ,
    LOCKF_ENABLED_IRQ_ALL,
    LOCKF_IRQ,
    LOCKF_IRQ_READ,
    LOCKF_USED_IN_IRQ_ALL,
    held_lock,
    lockdep_task,
)


def exclusive_bit(new_bit: int) -> int:
    """The usage by writers that excludes a usage.

    kernel/locking/lockdep.c:2678-2689, Linux 7.2.13
    """
    return new_bit & LOCK_USAGE_STATE_MASK | (new_bit & LOCK_USAGE_DIR_MASK) ^ LOCK_USAGE_DIR_MASK


def invert_dir_mask(mask: int) -> int:
    """Used in interrupts and used with interrupts on, exchanged.

    kernel/locking/lockdep.c:2703-2713, Linux 7.2.13
    """
    return (mask & LOCKF_ENABLED_IRQ_ALL) >> 2 | (mask & LOCKF_USED_IN_IRQ_ALL) << 2


def exclusive_mask(mask: int) -> int:
    """The usages that exclude those of the mask on a path that can block.

    kernel/locking/lockdep.c:2742-2750, Linux 7.2.13
    """
    excl = invert_dir_mask(mask)
    excl |= (excl & LOCKF_IRQ_READ) >> 1
    return excl | (excl & LOCKF_IRQ) << 1


original_mask = exclusive_mask


def find_exclusive_match(mask: int, excl_mask: int) -> tuple[int, int] | None:
    """A usage of the mask and the usage in `excl_mask` that it excludes.

    kernel/locking/lockdep.c:2774-2796, Linux 7.2.13
    """
    for bit in range(LOCK_USED):
        if not mask & 1 << bit:
            continue
        excl = exclusive_bit(bit)
        if excl_mask & 1 << excl:
            return bit, excl
        if excl_mask & 1 << (excl | LOCK_USAGE_READ_MASK):
            return bit, excl | LOCK_USAGE_READ_MASK
    return None


def check_irq_usage(
    ti: thread_info, curr: lockdep_task, prev: held_lock, next: held_lock
) -> int:
    """Whether prev -> next connects a class that an interrupt takes to one held with it on.

    kernel/locking/lockdep.c:2808-2892, Linux 7.2.13
    """
    this = bfs_init_rootb(prev)
    usage_mask = [0]
    bfs(this, usage_mask, usage_accumulate, usage_skip, locks_before)
    usage = usage_mask[0] & LOCKF_USED_IN_IRQ_ALL
    if not usage:
        return 1

    that = bfs_init_root(next)
    target_entry1 = find_usage_forwards(that, exclusive_mask(usage))
    if target_entry1 is None:
        return 1

    backward_mask = original_mask(target_entry1.class_.usage_mask & LOCKF_ENABLED_IRQ_ALL)
    target_entry = find_usage_backwards(this, backward_mask)
    if target_entry is None:
        DEBUG_LOCKS_WARN_ON(target_entry is None)
        return 1

    bits = find_exclusive_match(target_entry.class_.usage_mask, target_entry1.class_.usage_mask)
    if bits is None:
        DEBUG_LOCKS_WARN_ON(bits is None)
        return 1

    print_bad_irq_dependency(
        ti, curr, that, target_entry, target_entry1, prev, next, *bits, state_name(bits[0])
    )
    return 0


# -- a usage that is new ---------------------------------------------------------------------------


def valid_state(
    ti: thread_info, curr: lockdep_task, this: held_lock, new_bit: int, bad_bit: int
) -> int:
    """Whether the class may be used in the new way, too.

    kernel/locking/lockdep.c:4078-4088, Linux 7.2.13
    """
    if hlock_class(this).usage_mask & 1 << bad_bit:
        print_usage_bug(ti, curr, this, bad_bit, new_bit)
        return 0
    return 1


def check_usage(
    ti: thread_info, curr: lockdep_task, this: held_lock, bit: int, forwards: bool
) -> int:
    """Whether no lock behind (or before) this one is used in a way that excludes the new one.

    kernel/locking/lockdep.c:4162-4226, Linux 7.2.13
    """
    usage_mask = 1 << bit | 1 << bit + 1
    if forwards:
        root = bfs_init_root(this)
        target_entry = find_usage_forwards(root, usage_mask)
    else:
        root = bfs_init_rootb(this)
        target_entry = find_usage_backwards(root, usage_mask)
    if target_entry is None:
        return 1
    used = bit if target_entry.class_.usage_mask & 1 << bit else bit + 1
    print_irq_inversion_bug(ti, curr, root, target_entry, this, forwards, state_name(used))
    return 0


def mark_lock_irq(ti: thread_info, curr: lockdep_task, this: held_lock, new_bit: int) -> int:
    """Whether the class may be used by interrupts, or held with them on, as it is now.

    kernel/locking/lockdep.c:4283-4328, Linux 7.2.13
    """
    excl_bit = exclusive_bit(new_bit)
    if not valid_state(ti, curr, this, new_bit, excl_bit):
        return 0
    if not new_bit & LOCK_USAGE_READ_MASK and not valid_state(
        ti, curr, this, new_bit, excl_bit + LOCK_USAGE_READ_MASK
    ):
        return 0
    forwards = not new_bit & LOCK_USAGE_DIR_MASK
    return check_usage(ti, curr, this, excl_bit, forwards)


def mark_lock(ti: thread_info, curr: lockdep_task, this: held_lock, new_bit: int) -> int:
    """Note how the lock is used; 0 if it must not be.

    kernel/locking/lockdep.c:4740-4802, Linux 7.2.13
    """
    klass = hlock_class(this)
    if new_bit == LOCK_USED and this.chain.read:
        new_bit = LOCK_USED_READ
    if klass.usage_mask & 1 << new_bit:
        return 1
    klass.usage_mask |= 1 << new_bit
    klass.usage_traces[new_bit] = save_trace()
    if new_bit < LOCK_USED and not mark_lock_irq(ti, curr, this, new_bit):
        klass.usage_mask &= ~(1 << new_bit)  # for the next execution: it has not been allowed
        return 0
    return 1


def irq_context(ti: thread_info) -> int:
    """Which interrupts the thread serves.

    kernel/locking/lockdep.c:4708-4712, Linux 7.2.13
    """
    count = ti.preempt_count
    hard = LOCK_CHAIN_HARDIRQ_CONTEXT if count & HARDIRQ_MASK else 0
    return hard | (LOCK_CHAIN_SOFTIRQ_CONTEXT if count & SOFTIRQ_OFFSET else 0)


def mark_held_locks(ti: thread_info, curr: lockdep_task, base_bit: int) -> int:
    """Interrupts go on: note it of all locks held in this context.

    In C this goes over the locks of the interrupted code as well; they were marked when they
    were taken, or the interrupt could not have come. Here one of them may be about to be taken with
    interrupts off, and must be left out.

    kernel/locking/lockdep.c:4335-4358, Linux 7.2.13
    """
    forget_trace()
    context = irq_context(ti)
    for hlock in reversed(curr.held_locks[: curr.depth]):
        if hlock.chain.irq_context != context:
            break
        if not hlock.chain.check:
            continue
        read = LOCK_USAGE_READ_MASK if hlock.chain.read else 0
        if not mark_lock(ti, curr, hlock, base_bit + read):
            return 0
    return 1


def mark_irqs_on(ti: thread_info, curr: lockdep_task) -> None:
    """Hard interrupts go on.

    kernel/locking/lockdep.c:4363-4388, Linux 7.2.13
    """
    if not mark_held_locks(ti, curr, LOCK_ENABLED_HARDIRQ):
        return
    if not ti.preempt_count & SOFTIRQ_MASK:
        mark_held_locks(ti, curr, LOCK_ENABLED_SOFTIRQ)


def mark_usage(ti: thread_info, curr: lockdep_task, hlock: held_lock, check: int) -> int:
    """Note in which context a lock is taken.

    kernel/locking/lockdep.c:4645-4706, Linux 7.2.13
    """
    chain = hlock.chain
    if check:
        read = LOCK_USAGE_READ_MASK if chain.read else 0
        bits = []
        count = ti.preempt_count
        if not chain.trylock:
            if count & HARDIRQ_MASK:
                bits.append(LOCK_USED_IN_HARDIRQ + read)
            if count & SOFTIRQ_OFFSET:
                bits.append(LOCK_USED_IN_SOFTIRQ + read)
        if not chain.hardirqs_off and not chain.sync:
            bits.append(LOCK_ENABLED_HARDIRQ + read)
            if not count & SOFTIRQ_MASK:
                bits.append(LOCK_ENABLED_SOFTIRQ + read)
        for bit in bits:
            if not mark_lock(ti, curr, hlock, bit):
                return 0
    return mark_lock(ti, curr, hlock, LOCK_USED)


# -- how long a lock may wait ----------------------------------------------------------------------


def task_wait_context(ti: thread_info, curr: lockdep_task) -> int:
    """How long the running context may wait, as a wait type.

    kernel/locking/lockdep.c:4804-4826, Linux 7.2.13
    """
    if ti.preempt_count & HARDIRQ_MASK:
        return LD_WAIT_CONFIG if curr.threaded else LD_WAIT_SPIN
    if ti.preempt_count & SOFTIRQ_OFFSET:
        return LD_WAIT_CONFIG
    return LD_WAIT_MAX


def check_wait_context(ti: thread_info, curr: lockdep_task, next: held_lock) -> int:
    """1 if the lock may wait longer than the context and the locks that are held allow.

    kernel/locking/lockdep.c:4880-4933, Linux 7.2.13
    """
    klass = hlock_class(next)
    next_inner = klass.wait_type_inner
    if not next_inner or next.chain.trylock:
        return 0
    next_outer = klass.wait_type_outer or next_inner

    curr_inner = task_wait_context(ti, curr)
    held = curr.held_locks[: curr.depth]
    first = len(held)
    while first and held[first - 1].chain.irq_context == next.chain.irq_context:
        first -= 1
    for prev in held[first:]:
        klass = hlock_class(prev)
        prev_inner = klass.wait_type_inner
        if prev_inner:
            curr_inner = min(curr_inner, prev_inner)
            if klass.lock_type == LD_LOCK_WAIT_OVERRIDE:
                curr_inner = prev_inner
    if next_outer > curr_inner:
        print_lock_invalid_wait_context(ti, curr, next, task_wait_context(ti, curr))
        return 1
    return 0
