# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The instructions of the machine `virt` on a weak memory.

Everything that does not touch shared memory is the code of `virt_asm`. What does counts its step in
the same way and then asks the memory (`virt_weak`). A machine with sequentially consistent memory
is not linked to any of this and pays nothing for it.

Here the aliases of an instruction differ: rcu_assign_pointer() is a release, RCU_INIT_POINTER() is
not; atomic_fetch_sub_release() is no full barrier.
"""

from __future__ import annotations

from typing import Any

from kport.arch.virt import STRONG
from kport.arch.virt_asm import CPU, wrap32
from kport.arch.virt_weak import ACQUIRE, CELLS, MB, ONCE, RELEASE, Memory, Strong


class _Bus:
    """The way to the memory of the machine that is on."""

    __slots__ = ("memory",)
    memory: Memory


BUS = _Bus()


# The linker binds the names of instructions, in this module too: what is used here has others.
_cpu_relax = STRONG["cpu_relax"]
_rcu_read_lock, _rcu_read_unlock = STRONG["rcu_read_lock"], STRONG["rcu_read_unlock"]
_spin_lock, _spin_trylock, _spin_unlock = (
    STRONG[name] for name in ("spin_lock", "spin_trylock", "spin_unlock")
)
_spin_lock_irq, _spin_unlock_irq = STRONG["spin_lock_irq"], STRONG["spin_unlock_irq"]
_spin_lock_irqsave = STRONG["spin_lock_irqsave"]
_spin_unlock_irqrestore = STRONG["spin_unlock_irqrestore"]


def _step() -> None:
    CPU.left = left = CPU.left - 1
    if left < 0:
        CPU.machine.decide()


# -- marked accesses and barriers ------------------------------------------------------------------


def READ_ONCE(o: Any, f: str) -> Any:
    _step()
    return BUS.memory.read(o, f, ONCE)


def WRITE_ONCE(o: Any, f: str, v: Any) -> None:
    _step()
    BUS.memory.write(o, f, v, ONCE)


def smp_load_acquire(o: Any, f: str) -> Any:
    _step()
    return BUS.memory.read(o, f, ACQUIRE)


def smp_store_release(o: Any, f: str, v: Any) -> None:
    _step()
    BUS.memory.write(o, f, v, RELEASE)


def xchg(o: Any, f: str, v: Any) -> Any:
    _step()
    return BUS.memory.update(o, f, lambda old: v, MB, True)


def cmpxchg(o: Any, f: str, old: Any, new: Any) -> Any:
    _step()
    return BUS.memory.compare(o, f, old, new, MB)


def smp_mb() -> None:
    _step()
    BUS.memory.fence("mb")


def smp_rmb() -> None:
    BUS.memory.fence("rmb")


def smp_wmb() -> None:
    BUS.memory.fence("wmb")


def rcu_read_lock() -> None:
    _rcu_read_lock()
    BUS.memory.fence("rcu-lock")


def rcu_read_unlock() -> None:
    BUS.memory.fence("rcu-unlock")
    _rcu_read_unlock()


# -- spin locks ------------------------------------------------------------------------------------


def spin_lock(lock: Any) -> None:
    _spin_lock(lock)
    BUS.memory.lock(lock)


def spin_trylock(lock: Any) -> int:
    taken: int = _spin_trylock(lock)
    if taken:
        BUS.memory.lock(lock)
    return taken


def spin_unlock(lock: Any) -> None:
    _step()
    BUS.memory.unlock(lock)
    CPU.left += 1  # the step that the release itself counts is the one above
    _spin_unlock(lock)


def spin_lock_irq(lock: Any) -> None:
    _spin_lock_irq(lock)
    BUS.memory.lock(lock)


def spin_unlock_irq(lock: Any) -> None:
    _step()
    BUS.memory.unlock(lock)
    CPU.left += 1
    _spin_unlock_irq(lock)


def spin_lock_irqsave(lock: Any) -> int:
    flags: int = _spin_lock_irqsave(lock)
    BUS.memory.lock(lock)
    return flags


def spin_unlock_irqrestore(lock: Any, flags: int) -> None:
    _step()
    BUS.memory.unlock(lock)
    CPU.left += 1
    _spin_unlock_irqrestore(lock, flags)


def spin_is_locked(lock: Any) -> Any:
    _step()
    return BUS.memory.locked(lock)


# -- atomics ---------------------------------------------------------------------------------------


def atomic_read(v: Any) -> Any:
    _step()
    return BUS.memory.read(v, "counter", ONCE)


def atomic_read_acquire(v: Any) -> Any:
    """atomic_read() that orders what follows it."""
    _step()
    return BUS.memory.read(v, "counter", ACQUIRE)


def atomic_set(v: Any, i: Any) -> None:
    _step()
    BUS.memory.write(v, "counter", i, ONCE)


def atomic_set_release(v: Any, i: Any) -> None:
    """atomic_set() that orders what is before it."""
    _step()
    BUS.memory.write(v, "counter", i, RELEASE)


def _add(i: int, v: Any) -> None:
    _step()
    BUS.memory.update(v, "counter", lambda old: wrap32(old + i), ONCE, False)


def atomic_add(i: int, v: Any) -> None:
    _add(i, v)


def atomic_sub(i: int, v: Any) -> None:
    _add(-i, v)


def atomic_inc(v: Any) -> None:
    _add(1, v)


def atomic_dec(v: Any) -> None:
    _add(-1, v)


def _fetch_add(i: int, v: Any, mode: int) -> Any:
    _step()
    return BUS.memory.update(v, "counter", lambda old: wrap32(old + i), mode, True)


def atomic_inc_return(v: Any) -> int:
    return wrap32(_fetch_add(1, v, MB) + 1)


def atomic_dec_and_test(v: Any) -> bool:
    return bool(_fetch_add(-1, v, MB) == 1)


def atomic_fetch_add(i: int, v: Any) -> Any:
    return _fetch_add(i, v, MB)


def atomic_fetch_add_relaxed(i: int, v: Any) -> Any:
    """Add without ordering; returns the value before."""
    return _fetch_add(i, v, ONCE)


def atomic_fetch_sub(i: int, v: Any) -> Any:
    return _fetch_add(-i, v, MB)


def atomic_fetch_sub_release(i: int, v: Any) -> Any:
    """Subtract, ordering what is before it; returns the value before."""
    return _fetch_add(-i, v, RELEASE)


def atomic_xchg(v: Any, new: Any) -> Any:
    _step()
    return BUS.memory.update(v, "counter", lambda old: new, MB, True)


def atomic_cmpxchg(v: Any, old: Any, new: Any) -> Any:
    _step()
    return BUS.memory.compare(v, "counter", old, new, MB)


def atomic64_fetch_add(i: int, v: Any) -> Any:
    _step()
    add = (lambda old: (old + i + (1 << 63) & (1 << 64) - 1) - (1 << 63))  # fmt: skip
    return BUS.memory.update(v, "counter", add, MB, True)


# -- bits ------------------------------------------------------------------------------------------


def _room(nr: int, addr: Any) -> None:
    if nr >= len(addr.cells):
        addr.grow()


def _with(cells: tuple[int, ...], nr: int, bit: int) -> tuple[int, ...]:
    cells = cells + (0,) * (nr + 1 - len(cells))
    return (*cells[:nr], bit, *cells[nr + 1 :])


def test_bit(nr: int, addr: Any) -> int:
    _step()
    cells = BUS.memory.read(addr, CELLS, ONCE)
    return cells[nr] if nr < len(cells) else 0


def set_bit(nr: int, addr: Any) -> None:
    _step()
    _room(nr, addr)
    BUS.memory.update(addr, CELLS, lambda old: _with(old, nr, 1), ONCE, False)


def clear_bit(nr: int, addr: Any) -> None:
    _step()
    _room(nr, addr)
    BUS.memory.update(addr, CELLS, lambda old: _with(old, nr, 0), ONCE, False)


def _test_and(nr: int, addr: Any, bit: int) -> int:
    _step()
    _room(nr, addr)
    old = BUS.memory.update(addr, CELLS, lambda old: _with(old, nr, bit), MB, True)
    return old[nr] if nr < len(old) else 0


def test_and_set_bit(nr: int, addr: Any) -> int:
    return _test_and(nr, addr, 1)


def test_and_clear_bit(nr: int, addr: Any) -> int:
    return _test_and(nr, addr, 0)


_ALIASES = {
    "RCU_INIT_POINTER": WRITE_ONCE,
    "atomic_read_acquire": atomic_read_acquire,
    "atomic_set_release": atomic_set_release,
    "atomic_fetch_add_relaxed": atomic_fetch_add_relaxed,
    "atomic_fetch_sub_release": atomic_fetch_sub_release,
}
TABLE: dict[str, Any] = {
    name: globals().get(name, code) for name, code in STRONG.items()
} | _ALIASES


# -- the machine -----------------------------------------------------------------------------------


def attach(machine: Any, memory: Memory) -> None:
    """Give a machine that is off a weak memory: its instructions, and what its threads order.

    While a kernel boots the memory is strong, and `machine.strengthen()` makes it so again.

    Sleeping and waking order as schedule() and try_to_wake_up() do: all that was done before a
    wake-up is before what its sleeper does next. The same holds for starting a thread and for a
    device that raises its line.
    """
    reset, block, wake = machine._reset, machine.block, machine.wake
    start, raise_line, takes = machine.start, machine.raise_line, machine._takes
    power_on, booted = machine.power_on, machine.booted
    strong = Strong()

    def weak_power_on(hooks: Any) -> None:
        power_on(hooks)
        BUS.memory = strong  # booting is nothing to explore; run() and booted() make it weak

    def weak_booted() -> None:
        weaken()
        booted()

    def weaken() -> None:
        memory.begin()
        BUS.memory = memory

    def strengthen() -> None:
        BUS.memory = strong

    def weak_reset(hooks: Any) -> None:
        weaken()
        reset(hooks)

    def weak_block(deadline: int | None = None) -> Any:
        key = machine.current
        BUS.memory.publish(BUS)
        woken = block(deadline)
        BUS.memory.receive(key)
        return woken

    def weak_wake(ti: Any) -> None:
        BUS.memory.publish(ti.park)
        wake(ti)

    def weak_start(ti: Any, function: Any) -> None:
        def begin() -> None:
            BUS.memory.receive(ti)
            function()

        BUS.memory.publish(ti)
        start(ti, begin)

    def weak_raise_line(line: Any) -> None:
        BUS.memory.publish(line)
        raise_line(line)

    def weak_takes(me: Any) -> None:
        if me.takes is not None:
            BUS.memory.receive(me.takes.line)
        takes(me)

    def fence(kind: str) -> None:
        BUS.memory.fence(kind)

    machine.memory, machine.strengthen, machine.fence = memory, strengthen, fence
    machine.table = TABLE
    machine.power_on, machine.booted = weak_power_on, weak_booted
    machine._reset, machine.block, machine.wake = weak_reset, weak_block, weak_wake
    machine.start, machine.raise_line, machine._takes = weak_start, weak_raise_line, weak_takes


def memory_of(name: str, machine: Any) -> Memory:
    """A memory model by its name, for a machine. Raises ValueError."""
    from kport.arch.virt_weak_tso import Tso
    from kport.arch.virt_weak_views import Views

    def number(n: int) -> int:
        return int(machine.strategy.number(n))

    if name == "lkmm":
        return Views(number)
    if name == "tso":
        return Tso(number)
    raise ValueError(f"there is no memory {name!r}; there is: sc, tso, lkmm")


# -- for programs that are given with their orderings ----------------------------------------------


def litmus_names(lazy: bool) -> dict[str, Any]:
    """Primitives with all orderings that C has, of which the port uses only some.

    With `lazy` a relaxed load is no step: it does nothing before its value is used.
    """
    modes = {"": MB, "_relaxed": ONCE, "_acquire": ACQUIRE, "_release": RELEASE}
    names: dict[str, Any] = {
        "litmus_fence": _fence,
        "litmus_synchronize_rcu": _synchronize_rcu,
        "litmus_update": {},
    }
    if lazy:
        names |= {"READ_ONCE": _load, "rcu_dereference": _load}
    made = names["litmus_update"]
    for suffix, mode in modes.items():
        made["xchg" + suffix] = _xchg(mode)
        made["cmpxchg" + suffix] = _cmpxchg(mode)
        made["atomic_fetch_add" + suffix] = _adder(mode, 0)
        made["atomic_add_return" + suffix] = _adder(mode, 1)
    return names


def _load(o: Any, f: str) -> Any:
    return BUS.memory.read(o, f, ONCE)


def _fence(kind: str) -> None:
    _step()
    BUS.memory.fence(kind)


def _synchronize_rcu() -> None:
    """A grace period: wait until everybody who is in a section now has left it once."""
    _fence("gp-begin")
    tasks = [task.ti for task in CPU.machine.tasks if task.ti.rcu_nesting]
    readers = [(ti, ti.rcu_passes) for ti in tasks]
    while any(ti.rcu_nesting and ti.rcu_passes == passes for ti, passes in readers):
        _cpu_relax()
    _fence("gp-end")


def _xchg(mode: int) -> Any:
    def exchange(o: Any, f: str, v: Any) -> Any:
        _step()
        return BUS.memory.update(o, f, lambda old: v, mode, True)

    return exchange


def _cmpxchg(mode: int) -> Any:
    def compare(o: Any, f: str, old: Any, new: Any) -> Any:
        _step()
        return BUS.memory.compare(o, f, old, new, mode)

    return compare


def _adder(mode: int, after: int) -> Any:
    def add(i: int, v: Any) -> Any:
        return _fetch_add(i, v, mode) + after * i

    return add
