# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""What a machine must offer to carry the port.

A machine has two faces. `Machine` is a handful of slow operations (start a task, sleep, wake, read
the clock, program the timer, raise an interrupt). `INSTRUCTIONS` are the fast ones: locks, atomics,
bits, barriers, `current`. The port calls an instruction several dozen times per job, so there is no
object in between: `kport.arch.link` binds the names of `kport.arch.asm` to the machine that boots,
as the kernel patches its alternatives at boot. Between them the two lists are all that the port
knows of the world below it.

`block()` and `wake()` are a binary semaphore per thread: a wake before the block is not lost, two
wakes before a block count once, and a block may return early. Whoever waits re-tests his condition.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

if TYPE_CHECKING:
    from types import FrameType

    from kport.arch.types import thread_info

PREEMPT_OFFSET = 1
SOFTIRQ_OFFSET = 0x100
HARDIRQ_OFFSET = 0x10000
PREEMPT_MASK = 0xFF
SOFTIRQ_MASK = 0xFF00
HARDIRQ_MASK = 0xF0000

INSTRUCTIONS = (
    "point",
    "current",
    "current_thread_info",
    "cpu_relax",
    "ktime_get",
    "local_irq_save",
    "local_irq_restore",
    "irqs_disabled",
    "preempt_disable",
    "preempt_enable",
    "preempt_count",
    "preempt_count_add",
    "preempt_count_sub",
    "rcu_read_lock",
    "rcu_read_unlock",
    "spin_lock_init",
    "spin_lock",
    "spin_trylock",
    "spin_unlock",
    "spin_lock_irq",
    "spin_unlock_irq",
    "spin_lock_irqsave",
    "spin_unlock_irqrestore",
    "spin_is_locked",
    "atomic_read",
    "atomic_set",
    "atomic_add",
    "atomic_sub",
    "atomic_inc",
    "atomic_dec",
    "atomic_inc_return",
    "atomic_dec_and_test",
    "atomic_fetch_add",
    "atomic_fetch_sub",
    "atomic_xchg",
    "atomic_cmpxchg",
    "atomic64_fetch_add",
    "READ_ONCE",
    "WRITE_ONCE",
    "smp_load_acquire",
    "smp_store_release",
    "xchg",
    "cmpxchg",
    "smp_mb",
    "smp_rmb",
    "smp_wmb",
    "test_bit",
    "set_bit",
    "clear_bit",
    "test_and_set_bit",
    "test_and_clear_bit",
    "lockdep_assert_held",
)

# Other names of the same instructions; the linker must know them.
ALIASES = {
    "rcu_dereference": "READ_ONCE",
    "rcu_access_pointer": "READ_ONCE",
    "rcu_dereference_raw": "READ_ONCE",
    "RCU_INIT_POINTER": "WRITE_ONCE",
    "rcu_assign_pointer": "smp_store_release",
    "mb": "smp_mb",
    "rmb": "smp_rmb",
    "wmb": "smp_wmb",
    "raw_spin_lock_init": "spin_lock_init",
    "raw_spin_lock": "spin_lock",
    "raw_spin_unlock": "spin_unlock",
    "raw_spin_lock_irq": "spin_lock_irq",
    "raw_spin_unlock_irq": "spin_unlock_irq",
    "raw_spin_lock_irqsave": "spin_lock_irqsave",
    "raw_spin_unlock_irqrestore": "spin_unlock_irqrestore",
    "assert_spin_locked": "lockdep_assert_held",
    "atomic_read_acquire": "atomic_read",
    "atomic_set_release": "atomic_set",
    "atomic_fetch_add_relaxed": "atomic_fetch_add",
    "atomic_fetch_sub_release": "atomic_fetch_sub",
    "atomic64_read": "atomic_read",
    "atomic64_set": "atomic_set",
    "atomic_long_read": "atomic_read",
    "atomic_long_set": "atomic_set",
    "atomic_long_xchg": "atomic_xchg",
    "atomic_long_cmpxchg": "atomic_cmpxchg",
}


class Halted(BaseException):
    """Raised in every thread of a kernel that has stopped; a BaseException, so nobody eats it."""


class KernelBug(Exception):
    """The port met what the kernel calls a BUG; on the way up it becomes an oops."""


class BadMagic:
    """Stands where a lock has not been initialised yet; touching it is the kernel's 'bad magic'."""

    __slots__ = ()

    def pop(self) -> NoReturn:
        raise KernelBug("BUG: spinlock bad magic: the lock was never given to spin_lock_init()")

    def append(self, token: None) -> NoReturn:
        raise KernelBug("BUG: spinlock bad magic: the lock was never given to spin_lock_init()")


class Hooks(Protocol):
    """What the machine calls in the kernel above it."""

    def begin(self) -> None:
        """Another execution begins on a machine that stays on."""

    def adopt(self, ti: thread_info) -> None:
        """A thread the machine did not start runs kernel code: give `ti` a task."""

    def tick(self) -> None:
        """The programmed event is due; called with interrupts off."""

    def interrupt(self, line: Line) -> None:
        """A device raised its line; called with interrupts off."""

    def oops(self, error: BaseException, ti: thread_info) -> None:
        """Kernel code raised; called once per error, before the machine halts."""

    def place(self, frame: FrameType) -> str:
        """Where a frame stands, for a report: file and line, with the C position if known."""

    def waits_for(self, frame: FrameType) -> str:
        """What a sleeping task waits for and who holds it, from its innermost frame; "" or so."""


class Line:
    """An interrupt line: `pending` from the moment a device raises it until its handler begins."""

    __slots__ = ("action", "name", "number", "pending", "private", "raised", "ti")

    def __init__(self, number: int, name: str, action: Callable[[Line], None]) -> None:
        self.number = number
        self.name = name
        self.action = action
        self.pending = False
        self.raised = 0
        self.ti: thread_info | None = None
        self.private: Any = None


class Machine(Protocol):
    """The slow half of a machine; times are nanoseconds since boot unless said otherwise.

    `table` is the code of its instructions, by name, that `power_on()` links.
    """

    name: str
    table: Mapping[str, Any]
    cpus: int
    dead: bool

    def power_on(self, hooks: Hooks) -> None:
        """Link the instructions and start the clock at 0."""

    def booted(self) -> None:
        """The kernel is initialised; what comes now is its life."""

    def power_off(self, timeout: float) -> list[str]:
        """Halt, wait at most `timeout` wall seconds for the threads, name those still running."""

    def halt(self) -> None:
        """Stop the kernel: from now on every thread that blocks or spins raises `Halted`."""

    def start(self, ti: thread_info, function: Callable[[], None]) -> None:
        """Run `function` as a new thread of execution whose thread_info is `ti`."""

    def block(self, deadline: int | None = None) -> bool:
        """Give up the CPU until woken (True) or until `deadline` has passed (False)."""

    def wake(self, ti: thread_info) -> None:
        """Make the next or current `block()` of `ti` return True."""

    def clock(self) -> int:
        """Nanoseconds since boot; never goes back."""

    def set_event(self, deadline: int | None) -> None:
        """Ask for one `Hooks.tick()` at `deadline`, never before it; None cancels."""

    def line(self, name: str, action: Callable[[Line], None]) -> Line:
        """Make an interrupt line whose `action` runs in hard interrupt context."""

    def free_line(self, line: Line) -> None:
        """Take the line down; its action does not run after this returns."""

    def raise_line(self, line: Line) -> None:
        """A device asserts the line. Raising a pending line again changes nothing."""
