# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The instructions of the machine `virt`.

Everything that synchronises is a point: it counts down a step *before* it acts, and calls `point()`
when the steps granted by the strategy are used up. That is all an instruction pays for being
explored; nothing here is shared between OS threads, so there are no locks beneath the locks.

Reads of the thread's own state (current, preemption, RCU nesting) are no points: nobody else can
see them change.
"""

from __future__ import annotations

from typing import Any, NoReturn

from kport.arch.types import thread_info


class NoKernel:
    """Takes the place of the machine and of the running thread while no kernel is booted."""

    __slots__ = ()

    def __getattr__(self, name: str) -> NoReturn:
        raise RuntimeError("no kernel is booted; use `with kport.boot():`")


class Cpu:
    """The registers: `left` steps until the next question, asked at step `mark`.

    The time is `skew + step * ns`, `ti` the running thread's.
    """

    __slots__ = ("left", "machine", "mark", "ns", "skew", "ti")

    def __init__(self) -> None:
        self.reset(NoKernel(), 1)

    def reset(self, machine: Any, ns: int) -> None:
        """Step 0 at time 0."""
        self.machine = machine
        self.ti: Any = NoKernel()
        self.left = self.mark = self.skew = 0
        self.ns = ns

    def cut(self) -> None:
        """Ask again at the next step."""
        self.mark -= self.left
        self.left = 0


CPU = Cpu()


def point() -> None:
    CPU.machine.decide()


# -- where am I --------------------------------------------------------------------------------


def current() -> Any:
    return CPU.ti.task


def current_thread_info() -> thread_info:
    ti: thread_info = CPU.ti
    return ti


def cpu_relax() -> None:
    CPU.left -= 1
    CPU.machine.relax()


def ktime_get() -> int:
    now: int = CPU.skew + (CPU.mark - CPU.left) * CPU.ns
    return now


# -- interrupts, preemption, RCU readers -------------------------------------------------------


def local_irq_save() -> int:
    CPU.left = left = CPU.left - 1
    if left < 0:
        point()
    ti = CPU.ti
    flags: int = ti.irqs_off
    ti.irqs_off = 1
    return flags


def local_irq_restore(flags: int) -> None:
    CPU.left = left = CPU.left - 1
    if left < 0:
        point()
    CPU.ti.irqs_off = flags


def irqs_disabled() -> int:
    off: int = CPU.ti.irqs_off
    return off


def preempt_disable() -> None:
    CPU.ti.preempt_count += 1


def preempt_enable() -> None:
    CPU.ti.preempt_count -= 1


def preempt_count() -> int:
    count: int = CPU.ti.preempt_count
    return count


def preempt_count_add(val: int) -> None:
    CPU.ti.preempt_count += val


def preempt_count_sub(val: int) -> None:
    CPU.ti.preempt_count -= val


def rcu_read_lock() -> None:
    CPU.ti.rcu_nesting += 1


def rcu_read_unlock() -> None:
    ti = CPU.ti
    ti.rcu_nesting -= 1
    if not ti.rcu_nesting:
        ti.rcu_passes += 1


# -- spin locks --------------------------------------------------------------------------------
# `raw` is the list of the tasks that spin on the lock.


def spin_lock_init(lock: Any, name: str = "") -> None:
    lock.raw = []
    lock.owner = None
    lock.name = name


def spin_lock(lock: Any) -> None:
    CPU.left = left = CPU.left - 1
    if left < 0:
        point()
    ti = CPU.ti
    ti.preempt_count += 1
    if lock.owner is not None:
        CPU.machine.spin(lock)
    lock.owner = ti


def spin_trylock(lock: Any) -> int:
    CPU.left = left = CPU.left - 1
    if left < 0:
        point()
    if lock.owner is not None:
        return CPU.machine.refused(lock)  # type: ignore[no-any-return]
    ti = CPU.ti
    ti.preempt_count += 1
    lock.owner = ti
    return 1


def spin_unlock(lock: Any) -> None:
    CPU.left = left = CPU.left - 1
    if left < 0:
        point()
    ti = lock.owner
    lock.owner = None
    if lock.raw:
        CPU.machine.unspin(lock)
    ti.preempt_count -= 1


def spin_lock_irq(lock: Any) -> None:
    CPU.left = left = CPU.left - 1
    if left < 0:
        point()
    ti = CPU.ti
    ti.irqs_off = 1
    ti.preempt_count += 1
    if lock.owner is not None:
        CPU.machine.spin(lock)
    lock.owner = ti


def spin_unlock_irq(lock: Any) -> None:
    CPU.left = left = CPU.left - 1
    if left < 0:
        point()
    ti = lock.owner
    lock.owner = None
    if lock.raw:
        CPU.machine.unspin(lock)
    ti.irqs_off = 0
    ti.preempt_count -= 1


def spin_lock_irqsave(lock: Any) -> int:
    CPU.left = left = CPU.left - 1
    if left < 0:
        point()
    ti = CPU.ti
    flags: int = ti.irqs_off
    ti.irqs_off = 1
    ti.preempt_count += 1
    if lock.owner is not None:
        CPU.machine.spin(lock)
    lock.owner = ti
    return flags


def spin_unlock_irqrestore(lock: Any, flags: int) -> None:
    CPU.left = left = CPU.left - 1
    if left < 0:
        point()
    ti = lock.owner
    lock.owner = None
    if lock.raw:
        CPU.machine.unspin(lock)
    ti.irqs_off = flags
    ti.preempt_count -= 1


def spin_is_locked(lock: Any) -> int:
    CPU.left = left = CPU.left - 1
    if left < 0:
        point()
    return 1 if lock.owner is not None else 0


# -- atomics -----------------------------------------------------------------------------------


def wrap32(value: int) -> int:
    """A number as a signed 32-bit one."""
    return (value + 0x80000000 & 0xFFFFFFFF) - 0x80000000


def atomic_read(v: Any) -> Any:
    CPU.left = left = CPU.left - 1
    if left < 0:
        point()
    return v.counter


def atomic_set(v: Any, i: Any) -> None:
    CPU.left = left = CPU.left - 1
    if left < 0:
        point()
    v.counter = i


def atomic_add(i: int, v: Any) -> None:
    CPU.left = left = CPU.left - 1
    if left < 0:
        point()
    new = v.counter + i
    if not -0x80000000 <= new <= 0x7FFFFFFF:
        new = wrap32(new)
    v.counter = new


def atomic_sub(i: int, v: Any) -> None:
    CPU.left = left = CPU.left - 1
    if left < 0:
        point()
    new = v.counter - i
    if not -0x80000000 <= new <= 0x7FFFFFFF:
        new = wrap32(new)
    v.counter = new


def atomic_inc(v: Any) -> None:
    CPU.left = left = CPU.left - 1
    if left < 0:
        point()
    new = v.counter + 1
    if new > 0x7FFFFFFF:
        new = wrap32(new)
    v.counter = new


def atomic_dec(v: Any) -> None:
    CPU.left = left = CPU.left - 1
    if left < 0:
        point()
    new = v.counter - 1
    if new < -0x80000000:
        new = wrap32(new)
    v.counter = new


def atomic_inc_return(v: Any) -> int:
    CPU.left = left = CPU.left - 1
    if left < 0:
        point()
    new: int = v.counter + 1
    if new > 0x7FFFFFFF:
        new = wrap32(new)
    v.counter = new
    return new


def atomic_dec_and_test(v: Any) -> bool:
    CPU.left = left = CPU.left - 1
    if left < 0:
        point()
    new: int = v.counter - 1
    if new < -0x80000000:
        new = wrap32(new)
    v.counter = new
    return new == 0


def atomic_fetch_add(i: int, v: Any) -> int:
    CPU.left = left = CPU.left - 1
    if left < 0:
        point()
    old: int = v.counter
    new = old + i
    if not -0x80000000 <= new <= 0x7FFFFFFF:
        new = wrap32(new)
    v.counter = new
    return old


def atomic_fetch_sub(i: int, v: Any) -> int:
    CPU.left = left = CPU.left - 1
    if left < 0:
        point()
    old: int = v.counter
    new = old - i
    if not -0x80000000 <= new <= 0x7FFFFFFF:
        new = wrap32(new)
    v.counter = new
    return old


def atomic_xchg(v: Any, new: Any) -> Any:
    CPU.left = left = CPU.left - 1
    if left < 0:
        point()
    old = v.counter
    v.counter = new
    return old


def atomic_cmpxchg(v: Any, old: Any, new: Any) -> Any:
    CPU.left = left = CPU.left - 1
    if left < 0:
        point()
    was = v.counter
    if was == old:
        v.counter = new
    return was


def atomic64_fetch_add(i: int, v: Any) -> int:
    CPU.left = left = CPU.left - 1
    if left < 0:
        point()
    old: int = v.counter
    v.counter = (old + i + 0x8000000000000000 & 0xFFFFFFFFFFFFFFFF) - 0x8000000000000000
    return old


# -- marked accesses and barriers --------------------------------------------------------------


def READ_ONCE(o: Any, f: str) -> Any:
    CPU.left = left = CPU.left - 1
    if left < 0:
        point()
    return getattr(o, f)


def WRITE_ONCE(o: Any, f: str, v: Any) -> None:
    CPU.left = left = CPU.left - 1
    if left < 0:
        point()
    setattr(o, f, v)


smp_load_acquire = READ_ONCE
smp_store_release = WRITE_ONCE


def xchg(o: Any, f: str, v: Any) -> Any:
    CPU.left = left = CPU.left - 1
    if left < 0:
        point()
    old = getattr(o, f)
    setattr(o, f, v)
    return old


def cmpxchg(o: Any, f: str, old: Any, new: Any) -> Any:
    CPU.left = left = CPU.left - 1
    if left < 0:
        point()
    was = getattr(o, f)
    if was is old or was == old:
        setattr(o, f, new)
    return was


def smp_mb() -> None:
    CPU.left = left = CPU.left - 1
    if left < 0:
        point()


smp_rmb = smp_mb
smp_wmb = smp_mb


# -- bits --------------------------------------------------------------------------------------


def test_bit(nr: int, addr: Any) -> int:
    CPU.left = left = CPU.left - 1
    if left < 0:
        point()
    try:
        bit: int = addr.cells[nr]
    except IndexError:
        return 0
    return bit


def set_bit(nr: int, addr: Any) -> None:
    CPU.left = left = CPU.left - 1
    if left < 0:
        point()
    try:
        addr.cells[nr] = 1
    except IndexError:
        addr.grow()
        addr.cells[nr] = 1


def clear_bit(nr: int, addr: Any) -> None:
    CPU.left = left = CPU.left - 1
    if left < 0:
        point()
    try:
        addr.cells[nr] = 0
    except IndexError:
        return


def test_and_set_bit(nr: int, addr: Any) -> int:
    CPU.left = left = CPU.left - 1
    if left < 0:
        point()
    if nr >= len(addr.cells):
        addr.grow()
    old: int = addr.cells[nr]
    addr.cells[nr] = 1
    return old


def test_and_clear_bit(nr: int, addr: Any) -> int:
    CPU.left = left = CPU.left - 1
    if left < 0:
        point()
    if nr >= len(addr.cells):
        addr.grow()
    old: int = addr.cells[nr]
    addr.cells[nr] = 0
    return old


# -- assertions ----------------------------------------------------------------------------------

lockdep_assert_held = bool
