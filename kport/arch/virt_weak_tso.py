# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Total store order as a machine: what x86 does.

Each thread has a buffer of its stores, first in, first out. It sees them, others do not before
they have left. Loads are never late, and barriers other than smp_mb() do nothing. Atomics with or
without a result, taking a lock, sleeping and waking empty the buffer first; releasing a lock is a
store.

When a store leaves its buffer matters only to who looks at its location. So nothing leaves before
somebody looks, and then the strategy chooses what has left by then: 0 is everything to that
location. `depth` is the size of a buffer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kport.arch.types import thread_info
from kport.arch.virt_asm import CPU
from kport.arch.virt_weak import Loc, Write

Buffer = list[Write]


class Tso:
    """`Memory` in total store order. `number(n)` makes a choice."""

    def __init__(self, number: Callable[[int], int], *, depth: int = 8) -> None:
        self.number = number
        self.depth = depth
        self.begin()

    def begin(self) -> None:
        self.locs: dict[tuple[int, str], Loc] = {}
        self.buffers: dict[thread_info, Buffer] = {}
        self.draining: list[Buffer] = []

    def _mine(self) -> Buffer:
        ti = CPU.ti
        buffer = self.buffers.get(ti)
        if buffer is None:
            buffer = self.buffers[ti] = []
        return buffer

    def _loc(self, o: Any, f: str) -> Loc:
        """A location; `writes` are the store in memory and those still in buffers."""
        loc = self.locs.get((id(o), f))
        if loc is None:
            loc = self.locs[id(o), f] = Loc(o, f, 0)
            return loc
        self._overwritten(loc)
        return loc

    def _overwritten(self, loc: Loc) -> bool:
        """Whether a plain store has come: then it is there for all, and what waited is gone."""
        value, last = loc.load(), loc.writes[-1].value
        if value is last or (type(value) is type(last) and value == last):
            return False
        for buffer in self.buffers.values():
            buffer[:] = [w for w in buffer if w.loc is not loc]
        loc.writes = [Write(loc, value, None)]
        return True

    # -- buffers -----------------------------------------------------------------------------------

    def _drain(self, buffer: Buffer, until: Write | None = None) -> None:
        """Stores leave a buffer, in order, up to one of them or all."""
        self.draining.append(buffer)
        while buffer and (until is None or until in buffer):
            self._look(buffer[0].loc)
            if buffer:
                self._leave(buffer)
        self.draining.pop()

    def _leave(self, buffer: Buffer) -> None:
        loc = buffer[0].loc
        if isinstance(loc, _Released):
            loc.writes.remove(buffer.pop(0))
            return
        if self._overwritten(loc):
            return
        write = buffer.pop(0)
        at = loc.writes.index(write)
        loc.writes[: at + 1] = [w for w in loc.writes[1:at] if self._waits(w)]
        loc.writes.insert(0, write)
        loc.store()

    def _waits(self, write: Write) -> bool:
        return any(write in buffer for buffer in self.buffers.values())

    def _look(self, loc: Loc) -> None:
        """Somebody looks at a location: what has left the buffers by now?"""
        while len(loc.writes) > 1:
            held = [
                (buffer, next(w for w in buffer if w.loc is loc))
                for buffer in self.buffers.values()
                if not any(buffer is each for each in self.draining)
                and any(w.loc is loc for w in buffer)
            ]
            if not held:
                return
            choice = self.number(len(held) + 1)
            if choice == len(held):
                return
            self._drain(*held[choice])

    def _rivals(self, mine: Buffer, loc: Loc) -> bool:
        """Whether another buffer holds a store to the location."""
        return any(
            buffer is not mine and any(w.loc is loc for w in buffer)
            for buffer in self.buffers.values()
        )

    def _newest(self, buffer: Buffer, loc: Loc) -> Write | None:
        return next((w for w in reversed(buffer) if w.loc is loc), None)

    # -- accesses ----------------------------------------------------------------------------------

    def read(self, o: Any, f: str, mode: int) -> Any:
        loc, mine = self._loc(o, f), self._mine()
        own = self._newest(mine, loc)
        if own is not None and len(loc.writes) > 1 and self._rivals(mine, loc):
            if self.number(2) == 0:  # it has left, and perhaps another has come behind it
                self._drain(mine, own)
                own = None
        if own is None:
            self._look(loc)
            own = loc.writes[0]
        return own.value

    def write(self, o: Any, f: str, value: Any, mode: int) -> None:
        self._buffer(self._loc(o, f), value)

    def _buffer(self, loc: Loc, value: Any) -> None:
        mine = self._mine()
        if len(mine) >= self.depth:
            self._drain(mine, mine[0])
        write = Write(loc, value, CPU.ti)
        loc.writes.append(write)
        mine.append(write)
        loc.store()

    def update(self, o: Any, f: str, new: Callable[[Any], Any], mode: int, returns: bool) -> Any:
        loc = self._atomic(o, f)
        old = loc.writes[0].value
        self._set(loc, new(old))
        return old

    def compare(self, o: Any, f: str, old: Any, new: Any, mode: int) -> Any:
        loc = self._atomic(o, f)
        was = loc.writes[0].value
        if was is old or was == old:
            self._set(loc, new)
        return was

    def _atomic(self, o: Any, f: str) -> Loc:
        mine = self._mine()
        self._drain(mine)
        loc = self._loc(o, f)
        self._look(loc)
        return loc

    def _set(self, loc: Loc, value: Any) -> None:
        loc.writes[0] = Write(loc, value, CPU.ti)
        if len(loc.writes) == 1:
            loc.store()

    # -- barriers and locks ------------------------------------------------------------------------

    def fence(self, kind: str) -> None:
        if kind in ("mb", "before-atomic", "after-atomic", "gp-begin"):
            self._drain(self._mine())
        elif kind == "gp-end":
            for buffer in list(self.buffers.values()):
                self._drain(buffer)

    def lock(self, lock: Any) -> None:
        self._drain(self._mine())
        loc = self._released(lock)
        for write in list(loc.writes):
            for buffer in self.buffers.values():
                if write in buffer:
                    self._drain(buffer, write)

    def unlock(self, lock: Any) -> None:
        mine = self._mine()
        write = Write(self._released(lock), 0, CPU.ti)
        write.loc.writes.append(write)
        mine.append(write)

    def _released(self, lock: Any) -> Loc:
        loc = self.locs.get((id(lock), "released"))
        if loc is None:
            loc = self.locs[id(lock), "released"] = _Released(lock, 0)
        return loc

    def locked(self, lock: Any) -> Any:
        loc, mine = self._released(lock), self._mine()
        if lock.owner is not None:
            return 1
        for write in list(loc.writes):
            for buffer in self.buffers.values():
                if buffer is not mine and write in buffer:
                    if self.number(2):
                        return 1
                    self._drain(buffer, write)
        return 0

    # -- threads and devices -----------------------------------------------------------------------

    def publish(self, key: Any) -> None:
        self._drain(self._mine())

    def receive(self, key: Any) -> None:
        """What was published has left its buffer."""

    def finish(self) -> None:
        """Everything leaves, in any order."""
        while held := [buffer for buffer in self.buffers.values() if buffer]:
            choice = self.number(len(held)) if self._contended(held) else 0
            self._drain(held[choice], held[choice][0])

    def _contended(self, held: list[Buffer]) -> bool:
        """Whether two buffers hold stores to one location."""
        first = {id(w.loc) for w in held[0]}
        return any(id(w.loc) in first for buffer in held[1:] for w in buffer)


class _Released(Loc):
    """The releases of a lock that are still in buffers."""

    __slots__ = ()

    def __init__(self, lock: Any, now: int) -> None:
        super().__init__(lock, "released", now)
        self.writes.clear()

    def load(self) -> Any:
        return 0

    def store(self) -> None:
        """The lock's own members say who holds it."""
