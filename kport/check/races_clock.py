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
or a work item orders follows from the instructions they are made of, and from three facts the
machine has no instruction for: the sleeper that schedule() returns to has been woken, an RCU grace
period has seen what its readers did, and the handlers of a line come one after another and before
free_irq() returns (the lock of the line's irq_desc).

An epoch is a number: how many the thread has begun, shifted by `BITS`, and the thread's number.
That is what the records of accesses hold, so they keep nothing alive and give the collector nothing
to look at. A thread's clock is a list, [epoch, seen, thread, since]: `seen` has the last epoch of
each other thread that it has seen, and `FOREVER` for itself, so that one look-up answers for both.
What a release leaves is a tuple, (epoch, seen, since). `seen` is never changed, only replaced. It
is a list by the numbers of threads, because every access asks it twice, and ends where nobody is
known; number 0 is nobody's, and has been seen up to `NEVER`.

`since` is the epoch in which `seen` was last replaced. Who has seen that of a thread has seen all
that the thread had, so one of two is often known to hold the other and they need not be merged: the
idea of tree clocks (Mathur and others, 2022), for the root alone. What several threads have left
together (`both()`) is (newest epoch, what each has left, `MIXED`): it is merged when somebody finds
it, and a counter that many increment is found by few.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from kport.arch.api import Line
from kport.arch.hook import Hook, Lines
from kport.arch.types import thread_info
from kport.arch.virt_asm import CPU
from kport.linux import interrupt, mutex, rcupdate, rwsem, sched

BITS = 20
MASK = (1 << BITS) - 1
STEP = 1 << BITS
NEVER = 0  # comes before everything
FOREVER = 1 << 62
MIXED = 1 << 63

Clock = list[Any]
Epoch = tuple[int, Any, int]  # as it was left for others


class Thread:
    """What outlives an epoch: who it is, the loads to be fenced, the last fence, the last wake."""

    __slots__ = ("cpu", "fence", "loads", "name", "pid", "scopes", "woken")

    def __init__(self, ti: thread_info) -> None:
        self.name = ti.name
        self.pid = ti.task.pid if ti.task is not None else 0
        self.cpu = ti.cpu
        self.fence: Epoch | None = None
        self.loads: dict[int, Epoch] = {}
        self.woken: Epoch | None = None
        self.scopes: list[Any] = []


class Time:
    """`base`: what is not above it is of an execution before this one. `clocks`: by number."""

    def __init__(self) -> None:
        self.base = MASK
        self.clocks: list[Clock] = []
        self.readers: dict[int, Epoch] = {}
        self.lines: dict[Line, Epoch] = {}

    def begin(self) -> None:
        """A new execution: everything so far comes before everything in it."""
        self.base = max((clock[0] for clock in self.clocks), default=self.base) | MASK
        self.clocks = []
        self.readers = {}
        self.lines = {}
        ti = CPU.ti
        if isinstance(ti, thread_info):
            ti.clock = None

    def thread(self, epoch: int) -> Thread:
        """The thread of an epoch of this execution."""
        found: Thread = self.clocks[(epoch & MASK) - 1][2]
        return found


TIME = Time()


def born(ti: thread_info, parent: Sequence[int] = ()) -> Clock:
    """The clock of a thread that begins, and has seen what its parent had."""
    number = len(TIME.clocks) + 1
    seen = [*parent, *[NEVER] * (number - len(parent)), FOREVER]
    epoch = TIME.base + 1 + number
    c = ti.clock = [epoch, seen, Thread(ti), epoch]
    TIME.clocks.append(c)
    return c


def now() -> Clock:
    """The running thread's clock."""
    ti = CPU.ti
    c: Clock | None = ti.clock
    if c is None or c[0] <= TIME.base:
        c = born(ti)
    return c


def before(epoch: int, c: Clock) -> bool:
    """True if what was done in `epoch` comes before what is done by the thread of `c` now."""
    return epoch <= TIME.base or knows(c[1], epoch)


def knows(seen: list[int], epoch: int) -> bool:
    """True if an epoch has been seen, and is of this execution."""
    number = epoch & MASK
    return number < len(seen) and seen[number] >= epoch


def join(c: Clock, found: Epoch) -> None:
    """The thread of `c` sees what `found` had seen, and `found`."""
    epoch, theirs, since = found
    if since == MIXED:
        for part in theirs:
            join(c, part)
        return
    seen: list[int] = c[1]
    number = epoch & MASK
    known = seen[number] if number < len(seen) else NEVER
    if known >= epoch or epoch <= TIME.base:
        return
    me = c[0] & MASK
    if me < len(theirs) and theirs[me] >= c[3]:
        seen = theirs.copy()
    elif known >= since:
        seen = seen.copy()
    else:
        seen = _merged(seen, theirs)
    seen[number] = epoch
    seen[me] = FOREVER
    c[1] = seen
    c[3] = c[0]


def _merged(seen: list[int], theirs: list[int]) -> list[int]:
    merged = [a if a > b else b for a, b in zip(seen, theirs, strict=False)]
    both = len(merged)
    return merged + (seen[both:] or theirs[both:])


def release() -> Epoch:
    """End the running thread's epoch; returns what is to be left for others to find."""
    c = now()
    left = (c[0], c[1], c[3])
    c[0] += STEP
    return left


def both(first: Epoch, second: Epoch | None) -> Epoch:
    """One epoch to find for two."""
    if second is None or second[0] <= TIME.base:
        return first
    if first[2] != MIXED and second[2] != MIXED:
        if _knows(first, second):
            return first
        if _knows(second, first):
            return second
        return max(first[0], second[0]), (first, second), MIXED
    ours = first[1] if first[2] == MIXED else (first,)
    parts = list(ours)
    for part in second[1] if second[2] == MIXED else (second,):
        for our in ours:
            if _knows(our, part):
                break
        else:
            parts = [our for our in parts if not _knows(part, our)]
            parts.append(part)
    if len(parts) == 1:
        only: Epoch = parts[0]
        return only
    return max(first[0], second[0]), tuple(parts), MIXED


def _knows(p: Epoch, q: Epoch) -> bool:
    """True if what one thread has left holds what the same or another has left."""
    epoch = q[0]
    number = epoch & MASK
    if number == p[0] & MASK:
        return p[0] >= epoch
    seen: list[int] = p[1]
    return number < len(seen) and seen[number] >= epoch


def fence_acquire() -> None:
    """What the loads before the fence found is seen after it."""
    c = now()
    loads = c[2].loads
    if loads:
        for found in loads.values():
            join(c, found)
        loads.clear()


def fence_release() -> None:
    """Who finds a store that comes after the fence sees what was done before it."""
    left = release()
    CPU.ti.clock[2].fence = left


def relaxed_load(found: Epoch | None) -> None:
    """A load without order: a fence may follow. Of each thread the last one found is enough."""
    if found is None:
        return
    c = now()
    for epoch, seen, since in found[1] if found[2] == MIXED else (found,):
        if epoch > TIME.base and not knows(c[1], epoch):
            number = epoch & MASK
            loads = c[2].loads
            if number not in loads or loads[number][0] < epoch:
                loads[number] = (epoch, seen, since)


# -- instructions ------------------------------------------------------------------------------


def _lock_init(_: Any, lock: Any, name: str = "") -> None:
    lock.clock = None


def _locked(_: Any, lock: Any) -> None:
    try:
        found = lock.clock
    except AttributeError:
        return
    if found is not None:
        join(now(), found)


def _trylocked(taken: int, lock: Any) -> None:
    if taken:
        _locked(None, lock)


def _clock(v: Any) -> Epoch | None:
    try:
        found: Epoch | None = v.clock
    except AttributeError:  # nobody has left anything yet
        return None
    return found


def full(v: Any) -> None:
    """A read-modify-write of an atomic or a bitmap that orders everything around it."""
    c = now()
    try:
        found = v.clock
    except AttributeError:
        found = None
    if found is not None:
        join(c, found)
    epoch = c[0]
    v.clock = (epoch, c[1], c[3])
    c[0] = epoch + STEP


def _atomic_cmpxchg(was: Any, v: Any, old: Any, new: Any) -> None:
    if was == old:
        full(v)
    else:
        relaxed_load(_clock(v))


def _read_acquire(result: Any, v: Any) -> None:
    found = _clock(v)
    if found is not None:
        join(now(), found)


def _set(_: Any, v: Any, i: Any) -> None:
    v.clock = now()[2].fence


def _set_release(_: Any, v: Any, i: Any) -> None:
    v.clock = release()


def relaxed(v: Any) -> None:
    """A read-modify-write without order: who released before is still to be found."""
    c = CPU.ti.clock
    fence = c[2].fence if c is not None else None
    if fence is None:
        return
    found = _clock(v)
    if found is None:
        v.clock = fence
    elif found[2] == MIXED:
        if fence not in found[1]:
            v.clock = both(fence, found)
    elif found is not fence and not _knows(found, fence):
        v.clock = both(fence, found)


def _fetch_relaxed(v: Any) -> None:
    c = now()
    found = _clock(v)
    if found is not None and (found[2] == MIXED or not knows(c[1], found[0])):
        relaxed_load(found)
    if c[2].fence is not None:
        relaxed(v)


def _fetch_release(v: Any) -> None:
    c = now()
    found = _clock(v)
    left = (c[0], c[1], c[3])
    c[0] += STEP
    if found is None or (found[2] != MIXED and _knows(left, found)):
        v.clock = left
    else:
        relaxed_load(found)
        v.clock = both(left, found)


def _unset(v: Any) -> bool:
    """Nobody has left anything with `v` yet: that will not be an exception the next time."""
    with suppress(AttributeError):
        v.clock = None
    return True


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
        left = release()
        TIME.readers[left[0] & MASK] = left


def _grace_period(_: Any) -> None:
    c = now()
    for reader in TIME.readers.values():
        join(c, reader)


def _interrupt(line: Line) -> None:
    found = TIME.lines.get(line)
    if found is not None:
        join(now(), found)


def _handled(_: Any, line: Line) -> None:
    TIME.lines[line] = both(release(), TIME.lines.get(line))


def _irq_freed(_: Any, line: Line) -> None:
    _interrupt(line)


def connect(machine: Any) -> None:
    """Make order of what a machine does between threads: starting, waking, raising a line.

    And nothing of one execution of `Virt.run()` races with what follows it.
    """
    start, wake, block = machine.start, machine.wake, machine.block
    raise_line, run = machine.raise_line, machine.run

    def told(c: Clock) -> None:
        thread = c[2]
        if thread.woken is not None:
            join(c, thread.woken)
            thread.woken = None

    def starts(ti: thread_info, function: Callable[[], None]) -> None:
        epoch, seen, _ = release()
        parent = seen.copy()
        parent[epoch & MASK] = epoch
        born(ti, parent)
        start(ti, function)

    def wakes(ti: thread_info) -> None:
        sleeper = ti.clock
        if sleeper is None or sleeper[0] <= TIME.base:
            sleeper = born(ti)
        thread = sleeper[2]
        thread.woken = both(release(), thread.woken)
        wake(ti)

    def blocks(deadline: int | None = None) -> bool:
        woken: bool = block(deadline)
        if woken:
            told(now())
        return woken

    def raises(line: Line) -> None:
        told(now())  # a device has read what it was told to read
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


# What is done at every lock is text in the instruction (`kport.arch.hook`).
_NAMES = {
    "_race_born": born,
    "_race_cpu": CPU,
    "_race_fetch_relaxed": _fetch_relaxed,
    "_race_fetch_release": _fetch_release,
    "_race_full": full,
    "_race_join": join,
    "_race_now": now,
    "_race_relaxed": relaxed,
    "_race_relaxed_load": relaxed_load,
    "_race_time": TIME,
    "_race_unset": _unset,
}


def _lines(text: str) -> Lines:
    return Lines(text, **_NAMES)


_LOCKED = _lines("""
try:
    _found = $0.clock
    _known = _found is None or _race_cpu.ti.clock[1][_found[0] & 1048575] >= _found[0]
except AttributeError:
    _known = _race_unset($0)
except (IndexError, TypeError):
    _known = False
if not _known:
    _race_join(_race_now(), _found)
""")
_UNLOCKED = _lines("""
_c = _race_cpu.ti.clock
if _c is None or _c[0] <= _race_time.base:
    _c = _race_born(_race_cpu.ti)
_e = _c[0]
$0.clock = (_e, _c[1], _c[3])
_c[0] = _e + 1048576
""")
_READ = """
try:
    _found = $0.clock
    _known = _found is None or (
        _race_cpu.ti.clock[1][_found[0] & 1048575] >= _found[0] and _found[2] != 1 << 63
    )
except AttributeError:
    _known = _race_unset($0)
except (IndexError, TypeError):
    _known = False
if not _known:
    _race_relaxed_load(_found)
"""
_READ_V, _READ_IV = _lines(_READ), _lines(_READ.replace("$0", "$1"))
_RELAXED = """
_c = _race_cpu.ti.clock
if _c is not None and _c[2].fence is not None:
    _race_relaxed($0)
"""
_RELAXED_V, _RELAXED_IV = _lines(_RELAXED), _lines(_RELAXED.replace("$0", "$1"))
_FULL_V, _FULL_IV = _lines("_race_full($0)"), _lines("_race_full($1)")

RULES: dict[str | Callable[..., Any], Hook] = {
    "spin_lock_init": Hook(None, _lock_init),
    "spin_lock": Hook(None, _LOCKED),
    "spin_lock_irq": Hook(None, _LOCKED),
    "spin_lock_irqsave": Hook(None, _LOCKED),
    "spin_trylock": Hook(None, _trylocked),
    "spin_unlock": Hook(None, _UNLOCKED),
    "spin_unlock_irq": Hook(None, _UNLOCKED),
    "spin_unlock_irqrestore": Hook(None, _UNLOCKED),
    "atomic_read": Hook(None, _READ_V),
    "atomic_read_acquire": Hook(None, _read_acquire),
    "atomic_set": Hook(None, _set),
    "atomic_set_release": Hook(None, _set_release),
    "atomic_add": Hook(None, _RELAXED_IV),
    "atomic_sub": Hook(None, _RELAXED_IV),
    "atomic_inc": Hook(None, _RELAXED_V),
    "atomic_dec": Hook(None, _RELAXED_V),
    "atomic_inc_return": Hook(None, _FULL_V),
    "atomic_dec_and_test": Hook(None, _FULL_V),
    "atomic_fetch_add": Hook(None, _FULL_IV),
    "atomic_fetch_sub": Hook(None, _FULL_IV),
    "atomic_fetch_add_relaxed": Hook(None, _lines("_race_fetch_relaxed($1)")),
    "atomic_fetch_sub_release": Hook(None, _lines("_race_fetch_release($1)")),
    "atomic_xchg": Hook(None, _FULL_V),
    "atomic_cmpxchg": Hook(None, _atomic_cmpxchg),
    "atomic64_fetch_add": Hook(None, _FULL_IV),
    "smp_mb": Hook(None, _mb),
    "smp_rmb": Hook(None, _rmb),
    "smp_wmb": Hook(None, _wmb),
    "test_bit": Hook(None, _READ_IV),
    "set_bit": Hook(None, _RELAXED_IV),
    "clear_bit": Hook(None, _RELAXED_IV),
    "test_and_set_bit": Hook(None, _FULL_IV),
    "test_and_clear_bit": Hook(None, _FULL_IV),
    "rcu_read_unlock": Hook(None, _rcu_unlocked),
    mutex.__mutex_lock_common: Hook(None, _mutex_locked),
    mutex.mutex_trylock: Hook(None, _mutex_tried),
    sched.schedule: Hook(None, _scheduled),
    sched._schedule_until: Hook(None, _scheduled),
    rcupdate._wait_for_readers: Hook(None, _grace_period),
    rwsem._down: Hook(None, _down),
    interrupt.handle_irq_event: Hook(_interrupt, _handled),
    interrupt.free_irq: Hook(None, _irq_freed),
}
