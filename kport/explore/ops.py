# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""What each task is about to do: kind, object and member of its next step.

An instruction counts its step and then acts, and a hook before it runs before the step is counted
(`kport.arch.hook`). So at a question the machine asks, `Task.op` of each task that stands at a
point is what it will do when it is chosen. Strategies that reason about what commutes need that
(POS, SURW, depth-first, DPOR), and so do reports; the others do without and are faster.

Two steps *conflict* if their order can make a difference: the same location and one of them writes,
two attempts to take one lock, an unlock and a test of the lock, a wake-up and the sleep it ends.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kport.arch.hook import Hook
from kport.arch.types import spinlock_t, thread_info
from kport.arch.virt import Task
from kport.arch.virt_asm import CPU

Op = tuple[int, Any, Any]  # kind, object, member

READ, WRITE, ACQUIRE, RELEASE, TRY, TEST, BLOCK, WAKE, START, LOCAL = range(10)
NAMES = ("read", "write", "lock", "unlock", "trylock", "test", "sleep", "wake", "start", "local")

NOTHING: Op = (LOCAL, None, "")

# Pairs of kinds on one object that can both be possible, and whose order matters.
_LOCKS = frozenset(
    {
        (ACQUIRE, ACQUIRE),
        (ACQUIRE, TRY),
        (TRY, ACQUIRE),
        (TRY, TRY),
        (RELEASE, TRY),
        (TRY, RELEASE),
        (ACQUIRE, TEST),
        (TEST, ACQUIRE),
        (RELEASE, TEST),
        (TEST, RELEASE),
        (TRY, TEST),
        (TEST, TRY),
    }
)


def conflict(a: Op, b: Op) -> bool:
    """Whether the order of two steps of different tasks can make a difference."""
    if a[1] is not b[1] or a[1] is None:
        return False
    ka, kb = a[0], b[0]
    if ka <= WRITE and kb <= WRITE:
        return bool(ka | kb) and a[2] == b[2]
    if ka <= TEST and kb <= TEST:
        return (ka, kb) in _LOCKS
    return {ka, kb} == {BLOCK, WAKE}


def place(op: Op) -> str:
    """The name of the location of a step, the same in each execution."""
    of = op[1]
    if of is None:
        return ""
    return f"{label(of)}.{op[2]}"


def label(of: Any) -> str:
    """What an object is called: its type, or the name of a lock or a task. Reads no struct."""
    if isinstance(of, spinlock_t):
        return str(_lock_name(of))
    if isinstance(of, Task | thread_info):
        return of.name
    return type(of).__name__


# What is freed, or of a kernel that is gone, must not be asked: that would be an access.
_lock_name = spinlock_t.__dict__["name"].__get__
_lock_owner = spinlock_t.__dict__["owner"].__get__


def possible(task: Any) -> bool:
    """False for a task that would only wait: for a lock that is held, or to be woken."""
    op = task.op
    if op is None:
        return True
    kind = op[0]
    if kind == ACQUIRE:
        try:
            return not isinstance(_lock_owner(op[1]), thread_info)
        except AttributeError:
            return True  # it is freed: let the task find out
    if kind == BLOCK:
        return bool(task.token) or task.stack is None
    return True


def _read_member(o: Any, f: str) -> None:
    CPU.machine.current.op = (READ, o, f)


def _write_member(o: Any, f: str, *rest: Any) -> None:
    CPU.machine.current.op = (WRITE, o, f)


def _read(v: Any) -> None:
    CPU.machine.current.op = (READ, v, "")


def _write(v: Any, *rest: Any) -> None:
    CPU.machine.current.op = (WRITE, v, "")


def _write_second(i: int, v: Any) -> None:
    CPU.machine.current.op = (WRITE, v, "")


def _read_bit(nr: int, addr: Any) -> None:
    CPU.machine.current.op = (READ, addr, nr)


def _write_bit(nr: int, addr: Any) -> None:
    CPU.machine.current.op = (WRITE, addr, nr)


def _acquire(lock: Any) -> None:
    CPU.machine.current.op = (ACQUIRE, lock, "")


def _release(lock: Any, *rest: Any) -> None:
    CPU.machine.current.op = (RELEASE, lock, "")


def _try(lock: Any) -> None:
    CPU.machine.current.op = (TRY, lock, "")


def _test(lock: Any) -> None:
    CPU.machine.current.op = (TEST, lock, "")


def _local(*rest: Any) -> None:
    CPU.machine.current.op = NOTHING


_BEFORE: dict[Callable[..., None], tuple[str, ...]] = {
    _read_member: ("READ_ONCE", "smp_load_acquire"),
    _write_member: ("WRITE_ONCE", "smp_store_release", "xchg", "cmpxchg"),
    _read: ("atomic_read",),
    _write: (
        "atomic_set",
        "atomic_inc",
        "atomic_dec",
        "atomic_inc_return",
        "atomic_dec_and_test",
        "atomic_xchg",
        "atomic_cmpxchg",
    ),
    _write_second: (
        "atomic_add",
        "atomic_sub",
        "atomic_fetch_add",
        "atomic_fetch_sub",
        "atomic64_fetch_add",
    ),
    _read_bit: ("test_bit",),
    _write_bit: ("set_bit", "clear_bit", "test_and_set_bit", "test_and_clear_bit"),
    _acquire: ("spin_lock", "spin_lock_irq", "spin_lock_irqsave"),
    _release: ("spin_unlock", "spin_unlock_irq", "spin_unlock_irqrestore"),
    _try: ("spin_trylock",),
    _test: ("spin_is_locked",),
    _local: ("local_irq_save", "local_irq_restore", "smp_mb", "smp_rmb", "smp_wmb"),
}

HOOKS: Mapping[str | Callable[..., Any], Hook] = {
    name: Hook(before=before) for before, names in _BEFORE.items() for name in names
}
