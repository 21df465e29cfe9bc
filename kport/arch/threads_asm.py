# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The instructions of the machine `threads`.

Rules here: nothing leans on the GIL; one frame per instruction; and a lock never *queues*. A
blocking `acquire()` makes a convoy: the thread that is handed the lock owns it while it waits for
the GIL, so everybody else piles up behind it, and the pile never dissolves. So: try, and when the
lock is taken go to `spin_slow`, which gives the CPU away between tries.

As nothing ever waits in a lock, a lock is a list that holds one token: `pop()` takes it or raises
IndexError, `append()` puts it back. Both are one indivisible call in every build of Python (the
free-threaded one locks the list around it), and together they cost half of a `threading.Lock`.

An interrupt comes on a thread of its own and cannot preempt anybody, so "interrupts off" excludes
nothing here; it is state, kept exactly because code asks for it and the trace shows it.
"""

from __future__ import annotations

import threading
from operator import attrgetter
from time import monotonic_ns, sleep
from typing import Any

from kport.arch.api import Halted, KernelBug
from kport.arch.types import XCHG_LOCK, spinlock_t, thread_info

LOCKUP_NS = 22_000_000_000  # as the kernel's soft lockup watchdog: 22 s


class NoKernel:
    """Takes the place of the thread-local store while no kernel is booted."""

    @property
    def ti(self) -> thread_info:
        raise RuntimeError("no kernel is booted; use `with kport.boot():`")


class Local(threading.local):
    """`ti` of the running thread; a thread that meets the kernel for the first time is adopted."""

    def __init__(self, machine: Any) -> None:
        self.ti: thread_info = machine.adopt()


# Set at each boot.
_tls: Any = NoKernel()
_machine: Any = None
_base = 0
_scale = 1.0


# -- slow paths --------------------------------------------------------------------------------


def _pause(turn: int) -> None:
    """Give the CPU away between two tries; the longer the wait, the longer the nap."""
    if _machine.dead:
        raise Halted
    sleep(0 if turn < 3 else 1e-6 if turn < 200 else 1e-4)


def spin_slow(lock: spinlock_t, ti: thread_info) -> None:
    """Wait for a lock somebody holds. Raises KernelBug on recursion and after 22 s."""
    if lock.owner is ti:
        raise KernelBug(f"BUG: spinlock recursion on CPU#{ti.cpu}, {ti.name}, lock: {lock.name}")
    turn = 0
    began = monotonic_ns()
    while True:
        try:
            lock.raw.pop()
            return
        except IndexError:
            _pause(turn)
        turn += 1
        if turn & 0xFFF == 0 and monotonic_ns() - began > LOCKUP_NS:
            owner = lock.owner.name if lock.owner else "nobody"
            raise KernelBug(
                f"BUG: spinlock lockup suspected on CPU#{ti.cpu}, {ti.name}, "
                f"lock: {lock.name}, owner: {owner}"
            )


def raw_slow(raw: Any) -> None:
    """Wait for the inner lock of an atomic or a bitmap; held for a few bytecodes only."""
    turn = 0
    while True:
        try:
            raw.pop()
            return
        except IndexError:
            sleep(0 if turn < 3 else 1e-6)
        turn += 1


def wrap32(value: int) -> int:
    """A number as a signed 32-bit one."""
    return (value + 0x80000000 & 0xFFFFFFFF) - 0x80000000


def relax_slow(ti: thread_info) -> None:
    """Account one turn of a busy wait; turns less than 0.1 s apart are the same wait."""
    now = monotonic_ns()
    if now - ti.relax_last > 100_000_000:
        ti.relax_first = now
    ti.relax_last = now
    if now - ti.relax_first > LOCKUP_NS:
        raise KernelBug(f"BUG: soft lockup - CPU#{ti.cpu} stuck for 22s! [{ti.name}]")
    sleep(1e-6)


# -- where am I --------------------------------------------------------------------------------


point = bool


def current() -> Any:
    return _tls.ti.task


def current_thread_info() -> thread_info:
    ti: thread_info = _tls.ti
    return ti


def cpu_relax() -> None:
    if _machine.dead:
        raise Halted
    relax_slow(_tls.ti)


def ktime_get() -> int:
    return int((monotonic_ns() - _base) / _scale) if _scale != 1.0 else monotonic_ns() - _base


# -- interrupts, preemption, RCU readers -------------------------------------------------------


def local_irq_save() -> int:
    ti = _tls.ti
    flags: int = ti.irqs_off
    ti.irqs_off = 1
    return flags


def local_irq_restore(flags: int) -> None:
    _tls.ti.irqs_off = flags


def irqs_disabled() -> int:
    off: int = _tls.ti.irqs_off
    return off


def preempt_disable() -> None:
    _tls.ti.preempt_count += 1


def preempt_enable() -> None:
    _tls.ti.preempt_count -= 1


def preempt_count() -> int:
    count: int = _tls.ti.preempt_count
    return count


def preempt_count_add(val: int) -> None:
    _tls.ti.preempt_count += val


def preempt_count_sub(val: int) -> None:
    _tls.ti.preempt_count -= val


def rcu_read_lock() -> None:
    _tls.ti.rcu_nesting += 1


def rcu_read_unlock() -> None:
    ti = _tls.ti
    ti.rcu_nesting -= 1
    if not ti.rcu_nesting:
        ti.rcu_passes += 1


# -- spin locks --------------------------------------------------------------------------------


def spin_lock_init(lock: spinlock_t, name: str = "") -> None:
    lock.raw = [None]
    lock.owner = None
    lock.name = name


def spin_lock(lock: spinlock_t) -> None:
    ti = _tls.ti
    ti.preempt_count += 1
    try:
        lock.raw.pop()
    except IndexError:
        spin_slow(lock, ti)
    lock.owner = ti


def spin_trylock(lock: spinlock_t) -> int:
    try:
        lock.raw.pop()
    except IndexError:
        return 0
    ti = _tls.ti
    ti.preempt_count += 1
    lock.owner = ti
    return 1


def spin_unlock(lock: spinlock_t) -> None:
    ti: Any = lock.owner
    lock.owner = None
    lock.raw.append(None)
    ti.preempt_count -= 1


def spin_lock_irq(lock: spinlock_t) -> None:
    ti = _tls.ti
    ti.irqs_off = 1
    ti.preempt_count += 1
    try:
        lock.raw.pop()
    except IndexError:
        spin_slow(lock, ti)
    lock.owner = ti


def spin_unlock_irq(lock: spinlock_t) -> None:
    ti: Any = lock.owner
    lock.owner = None
    lock.raw.append(None)
    ti.irqs_off = 0
    ti.preempt_count -= 1


def spin_lock_irqsave(lock: spinlock_t) -> int:
    ti = _tls.ti
    flags: int = ti.irqs_off
    ti.irqs_off = 1
    ti.preempt_count += 1
    try:
        lock.raw.pop()
    except IndexError:
        spin_slow(lock, ti)
    lock.owner = ti
    return flags


def spin_unlock_irqrestore(lock: spinlock_t, flags: int) -> None:
    ti: Any = lock.owner
    lock.owner = None
    lock.raw.append(None)
    ti.irqs_off = flags
    ti.preempt_count -= 1


def spin_is_locked(lock: spinlock_t) -> int:
    return 1 if lock.owner is not None else 0


# -- atomics -----------------------------------------------------------------------------------


atomic_read = attrgetter("counter")


def atomic_set(v: Any, i: Any) -> None:
    lock = v.lock
    try:
        lock.pop()
    except IndexError:
        raw_slow(lock)
    v.counter = i
    lock.append(None)


def atomic_add(i: int, v: Any) -> None:
    lock = v.lock
    try:
        lock.pop()
    except IndexError:
        raw_slow(lock)
    new: int = v.counter + i
    if not -0x80000000 <= new <= 0x7FFFFFFF:
        new = wrap32(new)
    v.counter = new
    lock.append(None)


def atomic_sub(i: int, v: Any) -> None:
    lock = v.lock
    try:
        lock.pop()
    except IndexError:
        raw_slow(lock)
    new: int = v.counter - i
    if not -0x80000000 <= new <= 0x7FFFFFFF:
        new = wrap32(new)
    v.counter = new
    lock.append(None)


def atomic_inc(v: Any) -> None:
    lock = v.lock
    try:
        lock.pop()
    except IndexError:
        raw_slow(lock)
    new: int = v.counter + 1
    if not -0x80000000 <= new <= 0x7FFFFFFF:
        new = wrap32(new)
    v.counter = new
    lock.append(None)


def atomic_dec(v: Any) -> None:
    lock = v.lock
    try:
        lock.pop()
    except IndexError:
        raw_slow(lock)
    new: int = v.counter - 1
    if not -0x80000000 <= new <= 0x7FFFFFFF:
        new = wrap32(new)
    v.counter = new
    lock.append(None)


def atomic_inc_return(v: Any) -> int:
    lock = v.lock
    try:
        lock.pop()
    except IndexError:
        raw_slow(lock)
    new: int = v.counter + 1
    if not -0x80000000 <= new <= 0x7FFFFFFF:
        new = wrap32(new)
    v.counter = new
    lock.append(None)
    return new


def atomic_dec_and_test(v: Any) -> bool:
    lock = v.lock
    try:
        lock.pop()
    except IndexError:
        raw_slow(lock)
    new: int = v.counter - 1
    if not -0x80000000 <= new <= 0x7FFFFFFF:
        new = wrap32(new)
    v.counter = new
    lock.append(None)
    return new == 0


def atomic_fetch_add(i: int, v: Any) -> int:
    lock = v.lock
    try:
        lock.pop()
    except IndexError:
        raw_slow(lock)
    old: int = v.counter
    new = old + i
    if not -0x80000000 <= new <= 0x7FFFFFFF:
        new = wrap32(new)
    v.counter = new
    lock.append(None)
    return old


def atomic_fetch_sub(i: int, v: Any) -> int:
    lock = v.lock
    try:
        lock.pop()
    except IndexError:
        raw_slow(lock)
    old: int = v.counter
    new = old - i
    if not -0x80000000 <= new <= 0x7FFFFFFF:
        new = wrap32(new)
    v.counter = new
    lock.append(None)
    return old


def atomic_xchg(v: Any, new: Any) -> Any:
    lock = v.lock
    try:
        lock.pop()
    except IndexError:
        raw_slow(lock)
    old = v.counter
    v.counter = new
    lock.append(None)
    return old


def atomic_cmpxchg(v: Any, old: Any, new: Any) -> Any:
    lock = v.lock
    try:
        lock.pop()
    except IndexError:
        raw_slow(lock)
    was = v.counter
    if was == old:
        v.counter = new
    lock.append(None)
    return was


def atomic64_fetch_add(i: int, v: Any) -> int:
    lock = v.lock
    try:
        lock.pop()
    except IndexError:
        raw_slow(lock)
    old: int = v.counter
    v.counter = (old + i + 0x8000000000000000 & 0xFFFFFFFFFFFFFFFF) - 0x8000000000000000
    lock.append(None)
    return old


# -- marked accesses and barriers --------------------------------------------------------------


READ_ONCE = getattr
WRITE_ONCE = setattr
smp_load_acquire = getattr
smp_store_release = setattr


def xchg(o: Any, f: str, v: Any) -> Any:
    with XCHG_LOCK:
        old = getattr(o, f)
        setattr(o, f, v)
    return old


def cmpxchg(o: Any, f: str, old: Any, new: Any) -> Any:
    with XCHG_LOCK:
        was = getattr(o, f)
        if was is old or was == old:
            setattr(o, f, new)
    return was


# Barriers order nothing that the interpreter has not ordered. `bool` is the cheapest C function
# that can be called with no argument or one; what it returns is not looked at.
smp_mb = bool
smp_rmb = bool
smp_wmb = bool


# -- bits --------------------------------------------------------------------------------------


def test_bit(nr: int, addr: Any) -> int:
    try:
        bit: int = addr.cells[nr]
    except IndexError:
        return 0
    return bit


def set_bit(nr: int, addr: Any) -> None:
    try:
        addr.cells[nr] = 1
    except IndexError:
        addr.grow()
        addr.cells[nr] = 1


def clear_bit(nr: int, addr: Any) -> None:
    try:
        addr.cells[nr] = 0
    except IndexError:
        return


def test_and_set_bit(nr: int, addr: Any) -> int:
    if nr >= len(addr.cells):
        addr.grow()
    lock = addr.lock
    try:
        lock.pop()
    except IndexError:
        raw_slow(lock)
    old: int = addr.cells[nr]
    if not old:
        addr.cells[nr] = 1
    lock.append(None)
    return old


def test_and_clear_bit(nr: int, addr: Any) -> int:
    if nr >= len(addr.cells):
        addr.grow()
    lock = addr.lock
    try:
        lock.pop()
    except IndexError:
        raw_slow(lock)
    old: int = addr.cells[nr]
    if old:
        addr.cells[nr] = 0
    lock.append(None)
    return old


# -- assertions ----------------------------------------------------------------------------------

lockdep_assert_held = bool
