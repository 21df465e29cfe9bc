# SPDX-FileCopyrightText: 2006-2007 Red Hat, Inc., Ingo Molnar <mingo@redhat.com>
# SPDX-FileCopyrightText: 2007 Red Hat, Inc., Peter Zijlstra
# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: GPL-2.0-only
#
# After kernel/locking/lockdep.c, Linux 7.2.13, on 2026-11-20.
"""The reports of lockdep, line for line as the kernel prints them.

Each turns the validator off, and says nothing if somebody else did that before.
"""

from __future__ import annotations

from typing import Any

from kport.arch.types import thread_info
from kport.linux import lockdep_state
from kport.linux.lockdep_state import debug_locks_off
from kport.linux.lockdep_class import address
from kport.linux.lockdep_graph import get_lock_depth, hlock_class, path
from kport.linux.lockdep_print import (
    KERNEL_IDENT,
    dump_stack,
    irq_state,
    lock_and_usage,
    print_circular_lock_scenario,
    print_deadlock_scenario,
    print_held_locks,
    print_irq_lock_scenario,
    print_irqtrace_events,
    print_lock,
    print_lock_trace,
    print_shortest_lock_dependencies,
    print_shortest_lock_dependencies_backwards,
    print_usage_bug_scenario,
    save_trace,
    symbol,
    task_name,
    usage_str,
)
from kport.linux.lockdep_types import held_lock, ip, lock_list, lockdep_task


def _report(headline: str, lines: list[str], width: int = 0) -> None:
    width = width or len(headline)
    banner = ["", "=" * width, headline, KERNEL_IDENT, "-" * width]
    lockdep_state.report(headline, banner + lines)


def _silent(headline: str) -> bool:
    # A silent validator notes what it found, and writes nothing.
    if lockdep_state.debug_locks_silent:
        lockdep_state.report(headline, [])
        return True
    return False


def print_deadlock_bug(
    ti: thread_info, curr: lockdep_task, prev: held_lock, next: held_lock
) -> None:
    """A task takes a class that it holds.

    kernel/locking/lockdep.c:3037-3072, Linux 7.2.13
    """
    headline = "WARNING: possible recursive locking detected"
    if not debug_locks_off() or _silent(headline):
        return
    klass = hlock_class(prev)
    compared = []
    if klass.cmp_fn is not None:
        order = klass.cmp_fn(prev.instance, next.instance)
        compared = [f"and the lock comparison function returns {order}:"]
    _report(
        headline,
        [
            f"{task_name(ti)} is trying to acquire lock:",
            print_lock(next),
            "",
            "but task is already holding lock:",
            print_lock(prev),
            *compared,
            "",
            "other info that might help us debug this:",
            *print_deadlock_scenario(next, prev),
            *print_held_locks(ti, curr),
            "",
            "stack backtrace:",
            *dump_stack(),
        ],
    )


def print_circular_bug(
    ti: thread_info,
    curr: lockdep_task,
    this: lock_list,
    target: lock_list,
    check_src: held_lock,
    check_tgt: held_lock,
) -> None:
    """The order of two locks is the reverse of an older one.

    kernel/locking/lockdep.c:2033-2074, Linux 7.2.13
    """
    headline = "WARNING: possible circular locking dependency detected"
    if not debug_locks_off() or _silent(headline):
        return
    this.trace = save_trace()
    depth = get_lock_depth(target)
    chain = []
    for entry in path(target):
        chain += ["", f"-> #{depth}{lock_and_usage(entry.class_)}:"]
        chain += print_lock_trace(entry.trace, 6)
        depth -= 1
    parent: Any = target.parent
    _report(
        headline,
        [
            f"{task_name(ti)} is trying to acquire lock:",
            print_lock(check_src),
            "",
            "but task is already holding lock:",
            print_lock(check_tgt),
            "",
            "which lock already depends on the new lock.",
            "",
            "",
            "the existing dependency chain (in reverse order) is:",
            *chain,
            "",
            "other info that might help us debug this:",
            "",
            *print_circular_lock_scenario(check_src, check_tgt, parent),
            *print_held_locks(ti, curr),
            "",
            "stack backtrace:",
            *dump_stack(),
        ],
    )


def print_bad_irq_dependency(
    ti: thread_info,
    curr: lockdep_task,
    next_root: lock_list,
    backwards_entry: lock_list,
    forwards_entry: lock_list,
    prev: held_lock,
    next: held_lock,
    bit1: int,
    bit2: int,
    irqclass: str,
) -> None:
    """A lock that interrupts take comes to wait for one that is held with interrupts on.

    kernel/locking/lockdep.c:2574-2646, Linux 7.2.13
    """
    headline = f"WARNING: {irqclass}-safe -> {irqclass}-unsafe lock order detected"
    if not debug_locks_off() or _silent(headline):
        return
    safe: Any = backwards_entry.class_
    unsafe: Any = forwards_entry.class_
    next_root.trace = save_trace()
    lines = [
        f"{task_name(ti)} {irq_state(ti)} is trying to acquire:",
        print_lock(next),
        "",
        "and this task is already holding:",
        print_lock(prev),
        "which would create a new lock dependency:",
        f"{lock_and_usage(hlock_class(prev), prev)} ->{lock_and_usage(hlock_class(next), next)}",
        "",
        f"but this new dependency connects a {irqclass}-irq-safe lock:",
        lock_and_usage(safe),
        f"... which became {irqclass}-irq-safe at:",
        *print_lock_trace(safe.usage_traces.get(bit1), 1),
        "",
        f"to a {irqclass}-irq-unsafe lock:",
        lock_and_usage(unsafe),
        f"... which became {irqclass}-irq-unsafe at:",
        *_dotted(print_lock_trace(unsafe.usage_traces.get(bit2), 1)),
        "",
        "other info that might help us debug this:",
        "",
        *print_irq_lock_scenario(
            backwards_entry, forwards_entry, hlock_class(prev), hlock_class(next)
        ),
        *print_held_locks(ti, curr),
        "",
        f"the dependencies between {irqclass}-irq-safe lock and the holding lock:",
        *print_shortest_lock_dependencies_backwards(backwards_entry),
        "",
        f"the dependencies between the lock to be acquired and {irqclass}-irq-unsafe lock:",
        *print_shortest_lock_dependencies(forwards_entry),
        "",
        "stack backtrace:",
        *dump_stack(),
    ]
    _report(headline, lines, 53)


def _dotted(trace: list[str]) -> list[str]:
    return [f"...{trace[0]}", *trace[1:]] if trace else ["..."]


def print_usage_bug(
    ti: thread_info, curr: lockdep_task, this: held_lock, prev_bit: int, new_bit: int
) -> None:
    """A lock is taken in an interrupt, and held with that interrupt on.

    kernel/locking/lockdep.c:4034-4073, Linux 7.2.13
    """
    headline = "WARNING: inconsistent lock state"
    if not debug_locks_off() or _silent(headline):
        return
    _report(
        headline,
        [
            f"inconsistent {{{usage_str[prev_bit]}}} -> {{{usage_str[new_bit]}}} usage.",
            f"{task_name(ti)} {irq_state(ti)} takes:",
            print_lock(this),
            f"{{{usage_str[prev_bit]}}} state was registered at:",
            *print_lock_trace(hlock_class(this).usage_traces.get(prev_bit), 1),
            *print_irqtrace_events(curr),
            "",
            "other info that might help us debug this:",
            *print_usage_bug_scenario(this),
            *print_held_locks(ti, curr),
            "",
            "stack backtrace:",
            *dump_stack(),
        ],
    )


def print_irq_inversion_bug(
    ti: thread_info,
    curr: lockdep_task,
    root: lock_list,
    other: lock_list,
    this: held_lock,
    forwards: bool,
    irqclass: str,
) -> None:
    """A lock changes how interrupts use it, and one before or behind it does not allow that.

    kernel/locking/lockdep.c:4094-4161, Linux 7.2.13
    """
    headline = "WARNING: possible irq lock inversion dependency detected"
    if not debug_locks_off() or _silent(headline):
        return
    entries = path(other)
    middle: Any = entries[-2] if len(entries) > 1 else entries[0]
    if forwards:
        took = f"but this lock took another, {irqclass}-unsafe lock in the past:"
        scenario = print_irq_lock_scenario(root, other, middle.class_, other.class_)
    else:
        took = f"but this lock was taken by another, {irqclass}-safe lock in the past:"
        scenario = print_irq_lock_scenario(other, root, middle.class_, root.class_)
    root.trace = save_trace()
    _report(
        headline,
        [
            f"{task_name(ti)} just changed the state of lock:",
            print_lock(this),
            took,
            lock_and_usage(other.class_),
            "",
            "",
            "and interrupts could create inverse lock ordering between them.",
            "",
            "",
            "other info that might help us debug this:",
            *scenario,
            *print_held_locks(ti, curr),
            "",
            "the shortest dependencies between 2nd lock and 1st lock:",
            *print_shortest_lock_dependencies(other),
            "",
            "stack backtrace:",
            *dump_stack(),
        ],
    )


def print_lock_invalid_wait_context(
    ti: thread_info, curr: lockdep_task, hlock: held_lock, curr_inner: int
) -> None:
    """A lock that may wait longer than where it is taken may.

    kernel/locking/lockdep.c:4828-4859, Linux 7.2.13
    """
    headline = "[ BUG: Invalid wait context ]"
    if not debug_locks_off() or _silent(headline):
        return
    _report(
        headline,
        [
            f"{task_name(ti)} is trying to lock:",
            print_lock(hlock),
            "other info that might help us debug this:",
            f"context-{{{curr_inner}:{curr_inner}}}",
            *print_held_locks(ti, curr),
            "stack backtrace:",
            *dump_stack(),
        ],
    )


def print_lock_nested_lock_not_held(ti: thread_info, curr: lockdep_task, hlock: held_lock) -> None:
    """The lock that a nested one relies on is not held.

    kernel/locking/lockdep.c:5063-5095, Linux 7.2.13
    """
    headline = "WARNING: Nested lock was not taken"
    if not debug_locks_off() or _silent(headline):
        return
    _report(
        headline,
        [
            f"{task_name(ti)} is trying to lock:",
            print_lock(hlock),
            "",
            "but this task is not holding:",
            getattr(hlock.nest_lock.dep_map, "name", "(null)"),
            "",
            "stack backtrace:",
            *dump_stack(),
            "",
            "other info that might help us debug this:",
            *print_held_locks(ti, curr),
            "",
            "stack backtrace:",
            *dump_stack(),
        ],
    )


def print_unlock_imbalance_bug(ti: thread_info, curr: lockdep_task, lock: Any, at: ip) -> None:
    """A task releases what it does not hold.

    kernel/locking/lockdep.c:5306-5335, Linux 7.2.13
    """
    headline = "WARNING: bad unlock balance detected!"
    if not debug_locks_off() or _silent(headline):
        return
    _report(
        headline,
        [
            f"{task_name(ti)} is trying to release lock ({lock.dep_map.name}) at:",
            symbol(at),
            "but there are no more locks to release!",
            "",
            "other info that might help us debug this:",
            *print_held_locks(ti, curr),
            "",
            "stack backtrace:",
            *dump_stack(),
        ],
    )


def print_freed_lock_bug(
    ti: thread_info, curr: lockdep_task, memory: Any, hlock: held_lock
) -> None:
    """Memory with a held lock in it is freed, or a held lock is initialised.

    kernel/locking/lockdep.c:6707-6732, Linux 7.2.13
    """
    headline = "WARNING: held lock freed!"
    if not debug_locks_off() or _silent(headline):
        return
    start = int(address(memory), 16)
    span = f"{start:016x}-{start + 0x3F:016x}"
    _report(
        headline,
        [
            f"{task_name(ti)} is freeing memory {span}, with a lock still held there!",
            print_lock(hlock),
            *print_held_locks(ti, curr),
            "",
            "stack backtrace:",
            *dump_stack(),
        ],
    )


def print_held_locks_bug(ti: thread_info, curr: lockdep_task) -> None:
    """A task ends with locks held.

    kernel/locking/lockdep.c:6771-6791, Linux 7.2.13
    """
    headline = f"WARNING: {task_name(ti)} still has locks held!"
    if not debug_locks_off() or _silent(headline):
        return
    _report(headline, [*print_held_locks(ti, curr), "", "stack backtrace:", *dump_stack()], 36)


def lockdep_sys_exit(ti: thread_info, curr: lockdep_task) -> None:
    """A system call ends with locks held.

    kernel/locking/lockdep.c:6841-6865, Linux 7.2.13
    """
    headline = "WARNING: lock held when returning to user space!"
    if not debug_locks_off() or _silent(headline):
        return
    _report(
        headline,
        [
            f"{task_name(ti)} is leaving the kernel with locks still held!",
            *print_held_locks(ti, curr),
        ],
    )


def lockdep_rcu_suspicious(ti: thread_info, curr: lockdep_task, at: str, s: str) -> None:
    """RCU-protected data is read by nobody who may; the validator goes on.

    kernel/locking/lockdep.c:6867-6913, Linux 7.2.13
    """
    headline = "WARNING: suspicious RCU usage"
    if _silent(headline):
        return
    _report(
        headline,
        [
            f"{at} {s}!",
            "",
            "other info that might help us debug this:",
            "",
            "",
            f"rcu_scheduler_active = 2, debug_locks = {lockdep_state.debug_locks}",
            *print_held_locks(ti, curr),
            "",
            "stack backtrace:",
            *dump_stack(),
        ],
    )


