# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Who comes before whom on `virt`: vector clocks, after FastTrack (Flanagan and Freund, 2009).

Every thread counts its *epochs*: a new one begins when it lets others know of what it did, by
releasing a lock, say. An epoch knows how far into the others' it has seen. An access of thread t in
its epoch n comes before one of thread u if u has seen n of t, and there is no other order: what
really happened first in this execution does not matter.

    a release    leaves the releasing thread's epoch with the lock, the counter, the member
    an acquire   takes over what the epoch found there has seen

as the kernel's memory model has them: locks; value-returning atomics, exchanges and test-and-set
bits (both); acquire and release accesses; fences with the relaxed accesses around them, as in C11
(smp_wmb() and smp_mb() make a release of the thread's later stores, smp_rmb() and smp_mb() an
acquire of its earlier loads). A load of a *pointer* counts as an acquire, because what is reached
through it depends on it; so smp_wmb() is taken to order earlier loads, too. Both are more order
than there is, and can hide a race, not invent one. A control dependency is no order.

Threads: starting one, waking one, and interrupts on top of a task are order; what a mutex, a timer
or a work item orders follows from the instructions they are made of, and from two facts the
machine has no instruction for: the sleeper that schedule() returns to has been woken, and an RCU
grace period has seen what its readers did.

An epoch is a list, [thread number, count, what it has seen, thread], because a list is made in a
third of the time of an object. `seen` belongs to the newest epoch alone until that is left behind;
then it is never changed, only copied.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kport.arch.api import Line
from kport.arch.hook import Hook
from kport.arch.types import thread_info
from kport.arch.virt_asm import CPU
from kport.linux import interrupt, mutex, rcupdate, rwsem, sched

Epoch = list[Any]

NEVER: Epoch = [0, -1, {}, None]  # comes before everything
STRIDE = 1 << 40  # epochs of one execution; those before it come before everything in it


class Thread:
    """What outlives an epoch: who it is, the loads to be fenced, the last fence, the last wake."""

    __slots__ = ("cpu", "fence", "loads", "name", "pid", "scopes", "woken")

    def __init__(self, ti: thread_info) -> None:
        self.name = ti.name
        self.pid = ti.task.pid if ti.task is not None else 0
        self.cpu = ti.cpu
        self.fence: Epoch | None = None
        self.loads: list[Epoch] = []
        self.woken: Epoch | None = None
        self.scopes: list[Any] = []


class Time:
    """`base`: what is not above it is of an execution before this one. `threads`: how many."""

    def __init__(self) -> None:
        self.base = 0
        self.threads = 0
        self.readers: dict[int, Epoch] = {}
        self.lines: dict[Line, Epoch] = {}

    def begin(self) -> None:
        """A new execution: everything so far comes before everything in it."""
        self.base += STRIDE
        self.threads = 0
        self.readers = {}
        self.lines = {}
        ti = CPU.ti
        if isinstance(ti, thread_info):
            ti.clock = None


TIME = Time()


def born(ti: thread_info, seen: dict[int, int] | None = None) -> Epoch:
    """The first epoch of a thread, which has seen what its parent had."""
    TIME.threads += 1
    e = ti.clock = [TIME.threads, TIME.base + 1, seen if seen is not None else {}, Thread(ti)]
    return e


def now() -> Epoch:
    """The running thread's epoch."""
    ti = CPU.ti
    e: Epoch | None = ti.clock
    if e is None or e[1] <= TIME.base:
        e = born(ti)
    return e


def before(first: Epoch, e: Epoch) -> bool:
    """True if what was done in `first` comes before what is done in `e` now."""
    number, count = first[0], first[1]
    return bool(number == e[0] or e[2].get(number, -1) >= count or count <= TIME.base)


def join(e: Epoch, found: Epoch) -> None:
    """The thread of `e` sees what `found` had seen, and `found`."""
    number, count = found[0], found[1]
    seen: dict[int, int] = e[2]
    if number == e[0] or seen.get(number, -1) >= count or count <= TIME.base:
        return
    seen = seen.copy()
    for other, n in found[2].items():
        if seen.get(other, -1) < n:
            seen[other] = n
    seen[number] = count
    e[2] = seen


def release() -> Epoch:
    """End the running thread's epoch; returns it, to be left for others to find."""
    e = now()
    CPU.ti.clock = [e[0], e[1] + 1, e[2], e[3]]
    return e


def both(first: Epoch, second: Epoch | None) -> Epoch:
    """One epoch to find for two."""
    if second is None or second[1] <= TIME.base:
        return first
    made: Epoch = [first[0], first[1], first[2], first[3]]
    join(made, second)
    return made


def fence_acquire() -> None:
    """What the loads before the fence found is seen after it."""
    e = now()
    loads = e[3].loads
    for found in loads:
        join(e, found)
    loads.clear()


def fence_release() -> None:
    """Who finds a store that comes after the fence sees what was done before it."""
    e = release()
    e[3].fence = e


def relaxed_load(found: Epoch | None) -> None:
    """A load without order: a fence may follow."""
    if found is not None:
        e = now()
        if found[0] != e[0] and e[2].get(found[0], -1) < found[1] and found[1] > TIME.base:
            e[3].loads.append(found)


# -- instructions ------------------------------------------------------------------------------


def _lock_init(_: Any, lock: Any, name: str = "") -> None:
    lock.clock = None


def _locked(_: Any, lock: Any) -> None:
    try:
        c = lock.clock
    except AttributeError:
        return
    if c is not None:
        e = CPU.ti.clock
        if e is None:
            e = now()
        if c[0] != e[0] and e[2].get(c[0], -1) < c[1]:
            join(e, c)


def _trylocked(taken: int, lock: Any) -> None:
    if taken:
        _locked(None, lock)


def _unlocked(_: Any, lock: Any, flags: int = 0) -> None:
    ti = CPU.ti
    e = ti.clock
    if e is None or e[1] <= TIME.base:
        e = born(ti)
    lock.clock = e
    ti.clock = [e[0], e[1] + 1, e[2], e[3]]


def _clock(v: Any) -> Epoch | None:
    try:
        found: Epoch | None = v.clock
    except AttributeError:  # nobody has left anything yet
        return None
    return found


def full(v: Any) -> None:
    """A read-modify-write of an atomic or a bitmap that orders everything around it."""
    found = _clock(v)
    e = now()
    if found is not None:
        join(e, found)
    v.clock = e
    CPU.ti.clock = [e[0], e[1] + 1, e[2], e[3]]


def _full_v(result: Any, v: Any) -> None:
    full(v)


def _full_iv(result: Any, i: Any, v: Any) -> None:
    full(v)


def _full_vi(result: Any, v: Any, i: Any) -> None:
    full(v)


def _atomic_cmpxchg(was: Any, v: Any, old: Any, new: Any) -> None:
    if was == old:
        full(v)
    else:
        relaxed_load(_clock(v))


def _read(result: Any, v: Any) -> None:
    try:
        found = v.clock
    except AttributeError:
        return
    if found is not None:
        e = CPU.ti.clock
        if e is None or (found[0] != e[0] and e[2].get(found[0], -1) < found[1]):
            relaxed_load(found)


def _read_acquire(result: Any, v: Any) -> None:
    found = _clock(v)
    if found is not None:
        join(now(), found)


def _set(_: Any, v: Any, i: Any) -> None:
    v.clock = now()[3].fence


def _set_release(_: Any, v: Any, i: Any) -> None:
    v.clock = release()


def relaxed(v: Any) -> None:
    """A read-modify-write without order: who released before is still to be found."""
    fence = now()[3].fence
    if fence is not None:
        found = _clock(v)
        v.clock = fence if found is None else both(fence, found)


def _relaxed_v(_: Any, v: Any) -> None:
    relaxed(v)


def _relaxed_iv(_: Any, i: Any, v: Any) -> None:
    relaxed(v)


def _fetch_relaxed(_: Any, i: Any, v: Any) -> None:
    relaxed_load(_clock(v))
    relaxed(v)


def _fetch_release(_: Any, i: Any, v: Any) -> None:
    found = _clock(v)
    relaxed_load(found)
    v.clock = both(release(), found)


def _bit(bit: Any, nr: int, addr: Any) -> None:
    _read(bit, addr)


def _mb(_: Any) -> None:
    fence_acquire()
    fence_release()


def _rmb(_: Any) -> None:
    fence_acquire()


def _wmb(_: Any) -> None:
    fence_release()


# -- threads, sleepers, interrupts, grace periods ------------------------------------------------


def _mutex_locked(ret: Any, lock: Any, *how: Any) -> None:
    if not ret:
        _locked(None, lock.wait_lock)


def _mutex_tried(taken: Any, lock: Any) -> None:
    if taken:
        _locked(None, lock.wait_lock)


def _down(ret: Any, sem: Any, *how: Any) -> None:
    if not ret:
        _locked(None, sem.wait_lock)


def _scheduled(*_: Any) -> None:
    _locked(None, CPU.ti.task.pi_lock)


def _rcu_unlocked(_: Any) -> None:
    if not CPU.ti.rcu_nesting:
        e = release()
        TIME.readers[e[0]] = e


def _grace_period(_: Any) -> None:
    e = now()
    for reader in TIME.readers.values():
        join(e, reader)


def _interrupt(line: Line) -> None:
    found = TIME.lines.get(line)
    if found is not None:
        join(now(), found)


def connect(machine: Any) -> None:
    """Make order of what a machine does between threads: starting, waking, raising a line.

    And nothing of one execution of `Virt.run()` races with what follows it.
    """
    start, wake, block = machine.start, machine.wake, machine.block
    raise_line, run = machine.raise_line, machine.run

    def starts(ti: thread_info, function: Callable[[], None]) -> None:
        e = release()
        born(ti, e[2] | {e[0]: e[1]})
        start(ti, function)

    def wakes(ti: thread_info) -> None:
        sleeper = ti.clock
        if sleeper is None or sleeper[1] <= TIME.base:
            sleeper = born(ti)
        sleeper[3].woken = both(release(), sleeper[3].woken)
        wake(ti)

    def blocks(deadline: int | None = None) -> bool:
        woken: bool = block(deadline)
        if woken:
            e = now()
            if e[3].woken is not None:
                join(e, e[3].woken)
        return woken

    def raises(line: Line) -> None:
        e = now()
        if e[3].woken is not None:  # a device has read what it was told to read
            join(e, e[3].woken)
        TIME.lines[line] = both(release(), TIME.lines.get(line))
        raise_line(line)

    def runs(*functions: Callable[[], None]) -> None:
        try:
            run(*functions)
        finally:
            TIME.begin()

    machine.start, machine.wake, machine.block = starts, wakes, blocks
    machine.raise_line, machine.run = raises, runs


def disconnect(machine: Any) -> None:
    """Undo connect()."""
    for name in ("start", "wake", "block", "raise_line", "run"):
        machine.__dict__.pop(name, None)


RULES: dict[str | Callable[..., Any], Hook] = {
    "spin_lock_init": Hook(None, _lock_init),
    "spin_lock": Hook(None, _locked),
    "spin_lock_irq": Hook(None, _locked),
    "spin_lock_irqsave": Hook(None, _locked),
    "spin_trylock": Hook(None, _trylocked),
    "spin_unlock": Hook(None, _unlocked),
    "spin_unlock_irq": Hook(None, _unlocked),
    "spin_unlock_irqrestore": Hook(None, _unlocked),
    "atomic_read": Hook(None, _read),
    "atomic_read_acquire": Hook(None, _read_acquire),
    "atomic_set": Hook(None, _set),
    "atomic_set_release": Hook(None, _set_release),
    "atomic_add": Hook(None, _relaxed_iv),
    "atomic_sub": Hook(None, _relaxed_iv),
    "atomic_inc": Hook(None, _relaxed_v),
    "atomic_dec": Hook(None, _relaxed_v),
    "atomic_inc_return": Hook(None, _full_v),
    "atomic_dec_and_test": Hook(None, _full_v),
    "atomic_fetch_add": Hook(None, _full_iv),
    "atomic_fetch_sub": Hook(None, _full_iv),
    "atomic_fetch_add_relaxed": Hook(None, _fetch_relaxed),
    "atomic_fetch_sub_release": Hook(None, _fetch_release),
    "atomic_xchg": Hook(None, _full_vi),
    "atomic_cmpxchg": Hook(None, _atomic_cmpxchg),
    "atomic64_fetch_add": Hook(None, _full_iv),
    "smp_mb": Hook(None, _mb),
    "smp_rmb": Hook(None, _rmb),
    "smp_wmb": Hook(None, _wmb),
    "test_bit": Hook(None, _bit),
    "set_bit": Hook(None, _relaxed_iv),
    "clear_bit": Hook(None, _relaxed_iv),
    "test_and_set_bit": Hook(None, _full_iv),
    "test_and_clear_bit": Hook(None, _full_iv),
    "rcu_read_unlock": Hook(None, _rcu_unlocked),
    mutex.__mutex_lock_common: Hook(None, _mutex_locked),
    mutex.mutex_trylock: Hook(None, _mutex_tried),
    sched.schedule: Hook(None, _scheduled),
    sched._schedule_until: Hook(None, _scheduled),
    rcupdate._wait_for_readers: Hook(None, _grace_period),
    rwsem._down: Hook(None, _down),
    interrupt.do_IRQ: Hook(_interrupt),
}
