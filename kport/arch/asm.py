# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The instruction set, as the port sees it: the <asm/...> headers in one file.

The bodies here only say that no machine is linked; `kport.arch.link` binds the names anew when a
kernel boots. On the machine `virt` every instruction but the plain reads of thread state is a
scheduling point *before* it acts. An lvalue that C hands to a generic macro is passed as
`(object, "member")`, so that the access happens inside the instruction, after the point.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from kport.arch.types import atomic64_t, atomic_long_t, atomic_t, bitmap, spinlock_t, thread_info

if TYPE_CHECKING:
    AnyAtomic = atomic_t | atomic64_t | atomic_long_t


def _unlinked() -> NoReturn:
    raise RuntimeError("no kernel is booted; use `with kport.boot():`")


# -- where am I --------------------------------------------------------------------------------


def point() -> None:
    """A place where the strategy of `virt` may switch tasks; nothing on `threads`."""
    _unlinked()


def current() -> Any:
    """The running task's task_struct (arch/x86/include/asm/current.h)."""
    _unlinked()


def current_thread_info() -> thread_info:
    """The running thread's thread_info."""
    _unlinked()


def cpu_relax() -> None:
    """One turn of a busy wait. Raises KernelBug (soft lockup) when a wait goes on for 22 s."""
    _unlinked()


def ktime_get() -> int:
    """Monotonic nanoseconds since boot (kernel/time/timekeeping.c)."""
    _unlinked()


# -- interrupts, preemption, RCU readers -------------------------------------------------------


def local_irq_save() -> int:
    """Disable interrupts for this thread; return the previous state for local_irq_restore()."""
    _unlinked()


def local_irq_restore(flags: int) -> None:
    """Put back what local_irq_save() returned."""
    _unlinked()


def irqs_disabled() -> int:
    """1 while this thread holds interrupts off, else 0."""
    _unlinked()


def preempt_disable() -> None:
    """Enter a section in which this thread must not sleep."""
    _unlinked()


def preempt_enable() -> None:
    """Leave the section entered by preempt_disable()."""
    _unlinked()


def preempt_count() -> int:
    """The packed depth of preemption, softirq and hardirq (include/linux/preempt.h)."""
    _unlinked()


def preempt_count_add(val: int) -> None:
    """Add to preempt_count()."""
    _unlinked()


def preempt_count_sub(val: int) -> None:
    """Subtract from preempt_count()."""
    _unlinked()


def rcu_read_lock() -> None:
    """Begin a read-side section: no grace period that starts now ends before its unlock."""
    _unlinked()


def rcu_read_unlock() -> None:
    """End the innermost read-side section."""
    _unlinked()


# -- spin locks --------------------------------------------------------------------------------


def spin_lock_init(lock: spinlock_t, name: str = "") -> None:
    """Make the lock usable and free. Spin locks of all flavours are one type here."""
    _unlinked()


def spin_lock(lock: spinlock_t) -> None:
    """Take the lock. Raises KernelBug on recursion and on a lock that was never initialised."""
    _unlinked()


def spin_trylock(lock: spinlock_t) -> int:
    """Take the lock if it is free; 1 if taken, else 0."""
    _unlinked()


def spin_unlock(lock: spinlock_t) -> None:
    """Release a lock this thread holds."""
    _unlinked()


def spin_lock_irq(lock: spinlock_t) -> None:
    """Disable interrupts and take the lock."""
    _unlinked()


def spin_unlock_irq(lock: spinlock_t) -> None:
    """Release the lock and enable interrupts."""
    _unlinked()


def spin_lock_irqsave(lock: spinlock_t) -> int:
    """Take the lock with interrupts off; returns `flags` for spin_unlock_irqrestore()."""
    _unlinked()


def spin_unlock_irqrestore(lock: spinlock_t, flags: int) -> None:
    """Release the lock and put the interrupt state back to `flags`."""
    _unlinked()


def spin_is_locked(lock: spinlock_t) -> int:
    """1 while anybody holds the lock."""
    _unlinked()


# -- atomics -----------------------------------------------------------------------------------


def atomic_read(v: AnyAtomic) -> Any:
    """The value, read once."""
    _unlinked()


def atomic_set(v: AnyAtomic, i: Any) -> None:
    """Store a value; ordered against the read-modify-writes, as a store is in hardware."""
    _unlinked()


def atomic_add(i: int, v: atomic_t) -> None:
    """Add with 32-bit wrap."""
    _unlinked()


def atomic_sub(i: int, v: atomic_t) -> None:
    """Subtract with 32-bit wrap."""
    _unlinked()


def atomic_inc(v: atomic_t) -> None:
    """Add 1 with 32-bit wrap."""
    _unlinked()


def atomic_dec(v: atomic_t) -> None:
    """Subtract 1 with 32-bit wrap."""
    _unlinked()


def atomic_inc_return(v: atomic_t) -> int:
    """Add 1 with 32-bit wrap; returns the value after."""
    _unlinked()


def atomic_dec_and_test(v: atomic_t) -> bool:
    """Subtract 1 with 32-bit wrap; True if the result is 0."""
    _unlinked()


def atomic_fetch_sub(i: int, v: atomic_t) -> int:
    """Subtract with 32-bit wrap; returns the value before."""
    _unlinked()


def atomic_fetch_add(i: int, v: atomic_t) -> int:
    """Add with 32-bit wrap; returns the value before."""
    _unlinked()


def atomic_xchg(v: AnyAtomic, new: Any) -> Any:
    """Store `new`; returns the value before. On atomic_long_t also for object references."""
    _unlinked()


def atomic_cmpxchg(v: AnyAtomic, old: Any, new: Any) -> Any:
    """Store `new` if the value is `old`; returns the value before."""
    _unlinked()


def atomic64_fetch_add(i: int, v: atomic64_t) -> int:
    """Add with 64-bit wrap; returns the value before."""
    _unlinked()


# -- marked accesses and barriers --------------------------------------------------------------


def READ_ONCE(o: Any, f: str) -> Any:
    """Read member `f` of `o` as one access."""
    _unlinked()


def WRITE_ONCE(o: Any, f: str, v: Any) -> None:
    """Write member `f` of `o` as one access."""
    _unlinked()


def smp_load_acquire(o: Any, f: str) -> Any:
    """Read member `f`; later accesses stay behind it."""
    _unlinked()


def smp_store_release(o: Any, f: str, v: Any) -> None:
    """Write member `f`; earlier accesses stay before it."""
    _unlinked()


def xchg(o: Any, f: str, v: Any) -> Any:
    """Exchange member `f`; returns the value before."""
    _unlinked()


def cmpxchg(o: Any, f: str, old: Any, new: Any) -> Any:
    """Store `new` in member `f` if it is `old`; returns the value before."""
    _unlinked()


def smp_mb() -> None:
    """Full barrier: a point on `virt`, and there with a weak memory what it says; else nothing."""
    _unlinked()


def smp_rmb() -> None:
    """Read barrier; see smp_mb()."""
    _unlinked()


def smp_wmb() -> None:
    """Write barrier; see smp_mb()."""
    _unlinked()


# -- bits --------------------------------------------------------------------------------------


def test_bit(nr: int, addr: bitmap) -> int:
    """The bit, read once."""
    _unlinked()


def set_bit(nr: int, addr: bitmap) -> None:
    """Set the bit atomically."""
    _unlinked()


def clear_bit(nr: int, addr: bitmap) -> None:
    """Clear the bit atomically."""
    _unlinked()


def test_and_set_bit(nr: int, addr: bitmap) -> int:
    """Set the bit; returns what it was. Exactly one of many callers sees 0."""
    _unlinked()


def test_and_clear_bit(nr: int, addr: bitmap) -> int:
    """Clear the bit; returns what it was. Exactly one of many callers sees 1."""
    _unlinked()


# -- assertions ----------------------------------------------------------------------------------


def lockdep_assert_held(lock: Any) -> None:
    """Warn unless the running thread holds the lock (include/linux/lockdep.h).

    Only while lock debugging is on (`boot(debug_locks=True)`); else nothing.
    """
    _unlinked()
