# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The kernel's memory model for whole kernels: `virt_weak_lkmm`, made fast by showing less.

Kernel code runs hundreds of accesses where a litmus test has four, and it computes with objects,
not with numbers. So what the exact machine keeps apart is put together here, always in the
direction that forbids more:

- every load orders the stores behind it, as a control dependency does (which it mostly is), and a
  load through a pointer is behind the load that returned the pointer, told by the object;
- what a load hands on to the stores behind it goes to whoever reads them, in any thread. (The model
  lets a chain of three threads that is held together by dependencies alone be seen out of order.)

Then one set of stores per purpose is enough for a thread: `next_read` binds its loads, `next_write`
its stores, `view` goes with its next relaxed store, `seen` with a release, `own` with smp_wmb().
What is left of weakness: stale loads, delayed stores, stores that overtake each other, and readers
that do not agree. Of the kernel's litmus tests all but load buffering come out as under the model.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kport.arch.types import atomic64_t, atomic_long_t, atomic_t, bitmap, spinlock_t
from kport.arch.virt_weak import ACQUIRE, MB, RELEASE, Loc, View, Write, join
from kport.arch.virt_weak_lkmm import (
    FULL,
    MODES_READ,
    MODES_WRITE,
    Bundle,
    Event,
    Lkmm,
    Thread,
)


PATIENCE = 4  # so that a loop that waits for a store ends
WORDS = (atomic_t, atomic64_t, atomic_long_t, bitmap, spinlock_t)


class Views(Lkmm):
    """`Memory` under the model, for kernels. Bundles are keyed by location alone."""

    def begin(self) -> None:
        super().begin()
        self.members: dict[int, list[Any]] = {}
        self.stale: dict[tuple[Any, Loc], int] = {}

    def _sweep(self) -> None:
        super()._sweep()
        self.members.clear()
        self.stale.clear()

    # -- accesses ----------------------------------------------------------------------------------

    def _bound(self, loc: Loc, thread: Thread, *views: View | None) -> Write:
        """The oldest store of a location that these views leave to the thread."""
        first = loc.writes[0]
        if len(loc.writes) == 1:
            return first
        floor = thread.coherent.get(loc)
        if floor is None or floor.rank < first.rank:
            floor = first
        for view in views:
            if view:
                write = view.get(loc)
                if write is not None and write.rank > floor.rank:
                    floor = write
        return floor

    def read(self, o: Any, f: str, mode: int) -> Any:
        thread = self.me()
        extra, addr = self._through(thread, o)
        loc = self.loc(o, f)
        floor = self._bound(loc, thread, thread.next_read, extra)
        write = self._patiently(thread, loc, self._readable(loc, floor))
        event = self._event(thread, "R", MODES_READ[mode], write, addr)
        self._learn(thread, write, mode == ACQUIRE)
        return self._pointer(thread, write, extra, event)

    def _patiently(self, thread: Thread, loc: Loc, choices: list[Write]) -> Write:
        """One of the stores; who has seen an old one PATIENCE times in a row sees the last."""
        if len(choices) == 1:
            return choices[0]
        key = (thread.ti, loc)
        old = self.stale.get(key, 0)
        write: Write = self._pick(choices) if old < PATIENCE else choices[0]
        self.stale[key] = 0 if write is choices[0] else old + 1
        return write

    def _learn(self, thread: Thread, write: Write, acquire: bool) -> None:
        loc, view = write.loc, write.view
        thread.coherent[loc] = write
        old = thread.seen.get(loc)
        if old is None or old.rank < write.rank:
            thread.seen[loc] = write
        if view and write.ti is not thread.ti:
            join(thread.next_write, view)
            join(thread.seen, view)
            if acquire:
                join(thread.next_read, view)

    def _through(self, thread: Thread, o: Any) -> tuple[View | None, frozenset[Event]]:
        """What an access through a pointer is behind."""
        pointers = thread.pointers
        if not pointers:
            return None, frozenset()
        view: View | None = None
        events: set[Event] = set()
        while o is not None:
            found = pointers.get(id(o))
            if found is not None and found[0] is o:
                if view is None:
                    view = found[1]
                else:
                    view = dict(view)
                    join(view, found[1])
                if found[2] is not None:
                    events.add(found[2])
            o = getattr(o, "_container", None)
        return view, frozenset(events)

    def _pointer(self, thread: Thread, write: Write, extra: View | None, event: Any) -> Any:
        value = write.value
        if value is None or isinstance(value, int | str | tuple):
            return value
        view = write.view if write.ti is not thread.ti else None
        if extra:
            view = dict(view or {})
            join(view, extra)
        old = thread.pointers.get(id(value))
        if old is not None and old[1]:
            view = dict(view or {})
            join(view, old[1])
        if view or event is not None:
            found = (view or {}, event)
            for each in self._members(value):
                thread.pointers[id(each)] = (each, *found)
        return value

    def _members(self, value: Any) -> list[Any]:
        """What a pointer leads to: the object, and the words that are part of it."""
        while (outer := getattr(value, "_container", None)) is not None:
            value = outer
        known = self.members.get(id(value))
        if known is None:
            found = [value]
            for each in found:
                found += _parts(each)
            known = self.members[id(value)] = found
        return known

    def write(self, o: Any, f: str, value: Any, mode: int) -> None:
        thread = self.me()
        extra, addr = self._through(thread, o)
        loc = self.loc(o, f)
        write = Write(loc, value, thread.ti)
        base = thread.seen if mode == RELEASE else thread.next_write
        at = self._pick(self._places(loc, self._bound(loc, thread, base, extra)))
        self._put(thread, write, at, mode == RELEASE, extra)
        self._event(thread, "W", ("once", "", "release", "")[mode], write, addr)

    def _put(
        self, thread: Thread, write: Write, at: int, release: bool, extra: View | None = None
    ) -> None:
        loc = write.loc
        write.born = self.ticks
        loc.insert(at, write)
        if len(loc.writes) > self.depth:
            del loc.writes[0]
            loc.writes[0].rmw = False
        if release:
            view = dict(thread.seen)
        else:
            view = dict(thread.view)
            join(view, thread.next_write)
        if extra:
            join(view, extra)
        if write.rmw and at:
            join(view, loc.writes[at - 1].view)
        write.view = view
        thread.coherent[loc] = write
        thread.own[loc] = write
        join(thread.own, view)
        join(thread.seen, view)
        thread.seen[loc] = write

    # -- atomics -----------------------------------------------------------------------------------

    def update(self, o: Any, f: str, new: Callable[[Any], Any], mode: int, returns: bool) -> Any:
        thread = self.me()
        extra, addr = self._through(thread, o)
        loc = self.loc(o, f)
        if mode == MB:
            self._mb(thread)
        base = thread.seen if mode == RELEASE else thread.next_write
        floor = self._bound(loc, thread, thread.next_read, base, extra)
        read = self._pick([w for w in self._readable(loc, floor) if self._free(w)])
        return self._atomically(thread, read, new, mode, returns, addr, extra)

    def _atomically(
        self,
        thread: Thread,
        read: Write,
        new: Callable[[Any], Any],
        mode: int,
        returns: bool,
        addr: frozenset[Event],
        extra: View | None,
    ) -> Any:
        loc = read.loc
        first = self._event(thread, "R", MODES_READ[mode] if returns else "noreturn", read, addr)
        self._learn(thread, read, mode == ACQUIRE)
        write = Write(loc, new(read.value), thread.ti)
        write.rmw = True
        at = loc.writes.index(read) + 1
        self._put(thread, write, at, mode == RELEASE, extra)
        second = self._event(thread, "W", MODES_WRITE[mode], write, addr)
        if first is not None and second is not None:
            first.pair, second.pair = second, first
        if mode == MB:
            self._mb(thread)
        return self._pointer(thread, read, extra, first)

    def compare(self, o: Any, f: str, old: Any, new: Any, mode: int) -> Any:
        thread = self.me()
        extra, addr = self._through(thread, o)
        loc = self.loc(o, f)
        weak = self._bound(loc, thread, thread.next_read, extra)
        strong = weak
        if mode == MB:
            strong = self._bound(loc, thread, thread.seen, self.strong, extra)
        choices = []
        for w in self._readable(loc, weak):
            same = w.value is old or w.value == old
            if not same or (w.rank >= strong.rank and self._free(w)):
                choices.append((w, same))
        read, same = self._pick(choices)
        if same:
            if mode == MB:
                self._mb(thread)
            return self._atomically(thread, read, lambda was: new, mode, True, addr, extra)
        event = self._event(thread, "R", "failed", read, addr)
        self._learn(thread, read, False)
        return self._pointer(thread, read, extra, event)

    # -- barriers ----------------------------------------------------------------------------------

    def fence(self, kind: str) -> None:
        thread = self.me()
        if kind in FULL:
            self._mb(thread)
        elif kind == "rmb":
            thread.next_read = dict(thread.seen)
        elif kind == "wmb":
            join(thread.next_write, thread.own)
            join(thread.view, thread.own)
        elif kind == "rcu-lock":
            if thread.ti.rcu_nesting == 1:
                self._see(thread, self.gp_view)
        elif kind == "rcu-unlock":
            if thread.ti.rcu_nesting == 1:
                join(self.readers, thread.seen)
        elif kind == "gp-begin":
            self._mb(thread)
            join(self.gp_view, thread.seen)
        elif kind == "gp-end":
            self._see(thread, self.readers)
            self._mb(thread)
        self._event(thread, "F", kind, None)

    def _see(self, thread: Thread, view: View) -> None:
        for mine in (thread.next_read, thread.next_write, thread.view, thread.seen):
            join(mine, view)

    def _mb(self, thread: Thread) -> None:
        seen = thread.seen
        join(seen, self.strong)
        self.strong = dict(seen)
        thread.next_read = dict(seen)
        thread.next_write = dict(seen)
        thread.view = dict(seen)

    # -- locks -------------------------------------------------------------------------------------

    def lock(self, lock: Any) -> None:
        thread = self.me()
        loc = self._lock_loc(lock)
        read = loc.writes[-1]
        first = self._event(thread, "R", "lock", read)
        self._learn(thread, read, True)
        self._handed(thread, thread.at_unlock, thread.own_at_unlock)
        if read.own is not None and read.ti is not thread.ti:
            join(thread.view, read.own)
        write = Write(loc, 1, thread.ti)
        write.rmw = True
        self._put(thread, write, len(loc.writes), False)
        second = self._event(thread, "W", "lock", write)
        if first is not None and second is not None:
            first.pair, second.pair = second, first

    def _handed(self, thread: Thread, seen: Bundle, own: View) -> None:
        """What was before the last release of any lock is before what follows taking the next."""
        if seen:
            join(thread.next_read, seen)
            join(thread.next_write, seen)
            join(thread.view, own)
            thread.at_unlock = {}
            thread.own_at_unlock = {}

    def unlock(self, lock: Any) -> None:
        thread = self.me()
        loc = self._lock_loc(lock)
        write = Write(loc, 0, thread.ti)
        self._put(thread, write, len(loc.writes), True)
        write.own = thread.own_at_unlock = dict(thread.own)
        thread.at_unlock = dict(thread.seen)
        self._event(thread, "W", "unlock", write)

    def locked(self, lock: Any) -> Any:
        thread = self.me()
        loc = self._lock_loc(lock)
        floor = self._bound(loc, thread, thread.next_read)
        write = self._pick(self._readable(loc, floor))
        self._event(thread, "R", "islocked", write)
        self._learn(thread, write, False)
        return write.value

    # -- threads and devices -----------------------------------------------------------------------

    def publish(self, key: Any) -> None:
        thread = self.me()
        self._mb(thread)
        view = dict(thread.seen)
        old = self.published.get(id(key))
        if old is not None:
            join(view, old[1])
        self.published[id(key)] = (key, view, view)

    def receive(self, key: Any) -> None:
        thread = self.me()
        found = self.published.get(id(key))
        if found is not None:
            join(thread.seen, found[1])
        self._mb(thread)


def _parts(o: Any) -> list[Any]:
    """The words and structs that are embedded in an object."""
    found = []
    for kind in type(o).__mro__:
        slots = kind.__dict__.get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            try:
                value = object.__getattribute__(o, name)
            except AttributeError:  # not set, or freed
                continue
            if type(value) in WORDS or getattr(value, "_container", None) is o:
                found.append(value)
    return found
