# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The machine words: what an instruction of `kport.arch.asm` can work on.

These five classes are the register file of kport. They stand in the lowest layer because both
machines must agree on their layout: an object made by the port is handed to whichever machine is
linked. The kernel's structs are built on top of them in `kport.linux`.

`atomic_t` and `bitmap` carry a lock of their own. Nothing in Python adds to a number atomically,
not even with the GIL, and one lock for all of them would make strangers wait for each other. A lock
is a list with one token in it, or none while it is held.
"""

from __future__ import annotations

from _thread import RLock
from typing import Any, Self

from kport.arch.api import BadMagic

_UNINITIALISED: Any = BadMagic()

XCHG_LOCK = RLock()  # orders cmpxchg(), xchg() and the stores to members they are used on
CHECK_LOCK = RLock()  # of what debug options keep for all threads; nothing waits while it is held


class thread_info:
    """What the machine knows of one thread of execution (`current_thread_info()` in C).

    `preempt_count` packs three depths as in include/linux/preempt.h: preemption in bits 0-7,
    softirq in 8-15, hardirq in 16-19. Only the thread itself writes the counters; others read them.
    `held`, `clock` and `debug` are for debug options: its locks, its vector clock, the rest.
    """

    __slots__ = (
        "clock",
        "cpu",
        "debug",
        "held",
        "irqs_off",
        "name",
        "park",
        "preempt_count",
        "private",
        "rcu_nesting",
        "rcu_passes",
        "relax_first",
        "relax_last",
        "softirq_pending",
        "task",
    )

    def __init__(self, name: str) -> None:
        self.name = name
        self.task: Any = None
        self.park: Any = None
        self.private: Any = None
        self.clock: Any = None
        self.debug: Any = None
        self.held: Any = None
        self.cpu = 0
        self.irqs_off = 0
        self.preempt_count = 0
        self.rcu_nesting = 0
        self.rcu_passes = 0
        self.relax_first = 0
        self.relax_last = 0
        self.softirq_pending = 0


class spinlock_t:
    """A spin lock. Zeroed it is unusable until `spin_lock_init()`, as with CONFIG_DEBUG_SPINLOCK.

    `raw` is the token (on `virt` the tasks that spin), `owner` the holder's thread_info or None,
    `name` the expression the lock was initialised with (lock reports print it). `dep_map` and
    `clock` are set by debug options only.
    """

    __slots__ = ("clock", "dep_map", "name", "owner", "raw")

    def __init__(self) -> None:
        self.raw: Any = _UNINITIALISED
        self.owner: Any = _UNINITIALISED
        self.name = ""

    def _zero(self) -> None:
        self.raw = self.owner = _UNINITIALISED

    def _free(self) -> None:
        del self.raw, self.owner


class atomic_t:
    """A 32-bit signed counter."""

    __slots__ = ("clock", "counter", "lock")

    def __init__(self, counter: int = 0) -> None:
        self.counter = counter
        self.lock: list[None] = [None]

    def _zero(self) -> None:
        self.counter = 0

    def _free(self) -> None:
        del self.counter


class atomic64_t:
    """A 64-bit signed counter."""

    __slots__ = ("clock", "counter", "lock")

    def __init__(self, counter: int = 0) -> None:
        self.counter = counter
        self.lock: list[None] = [None]

    def _zero(self) -> None:
        self.counter = 0

    def _free(self) -> None:
        del self.counter


class atomic_long_t:
    """A machine word: a 64-bit number, or where C casts one to `long`, an object reference."""

    __slots__ = ("clock", "counter", "lock")

    def __init__(self, counter: Any = 0) -> None:
        self.counter = counter
        self.lock: list[None] = [None]

    def _zero(self) -> None:
        self.counter = 0

    def _free(self) -> None:
        del self.counter


class bitmap:
    """An `unsigned long` whose address goes to the bit operations: one cell per bit.

    A cell is stored whole, so `set_bit()` needs no lock; only test-and-set takes it. As a number
    (`flags & BIT(n)`, `flags |= BIT(n)`, `int(flags)`) it behaves like the C word. The cells begin
    with eight bits and grow to 64 when a higher one is used.
    """

    __slots__ = ("cells", "clock", "lock")

    def __init__(self) -> None:
        self.cells = [0, 0, 0, 0, 0, 0, 0, 0]
        self.lock: list[None] = [None]

    def _zero(self) -> None:
        self.cells = [0, 0, 0, 0, 0, 0, 0, 0]

    def _free(self) -> None:
        del self.cells

    def assign(self, value: int) -> None:
        """Store a whole word; only while nobody else uses it."""
        self.cells = [0, 0, 0, 0, 0, 0, 0, 0]
        self |= value

    def grow(self) -> None:
        """Make room for all 64 bits; called by an instruction that met a bit above the eighth.

        Two callers at once make more room than there are bits, which does no harm.
        """
        self.cells.extend([0] * (64 - len(self.cells)))

    def __int__(self) -> int:
        return sum(1 << nr for nr, bit in enumerate(self.cells) if bit)

    def __and__(self, mask: int) -> int:
        return int(self) & mask

    def __or__(self, mask: int) -> int:
        return int(self) | mask

    def __ior__(self, mask: int) -> Self:
        if mask > 0xFF:
            self.grow()
        cells = self.cells
        while mask:
            low = mask & -mask
            cells[low.bit_length() - 1] = 1
            mask ^= low
        return self
