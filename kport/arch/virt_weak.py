# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The memory of the machine `virt` where it is weak: what all models of it share.

The interpreter has one copy of each object, and it stays what it is: every attribute holds the
value that is last in the order of its stores, and a plain access sees that, whoever makes it.
Beside it a weak memory keeps the *history* of each location that a marked access has touched: its
stores in coherence order. A marked load may return an older one where the model allows it, a marked
store may go in behind another, and which of them it is the strategy says (`Strategy.number`): 0 is
always what a machine without reordering does.

A plain store to a location with a history is found by the value being another one than the last:
the history begins anew with it. So plain accesses are sequentially consistent, and only what is
marked in C (READ_ONCE, atomics, bits, locks) is weak.

`depth` bounds a history: of a location's stores only the last so many can be seen.
"""

from __future__ import annotations

from typing import Any, Protocol

from kport.arch.types import thread_info

# The ordering an access asks for.
ONCE, ACQUIRE, RELEASE, MB = range(4)
MODES = ("once", "acquire", "release", "mb")

CELLS = "cells"  # the "member" of a bitmap: all its bits are one location, as the word is in C


class Write:
    """A store in a location's history.

    `rank` is its place, `born` when it was made; what else it carries is the model's.
    """

    __slots__ = ("born", "deps", "event", "hb", "loc", "own", "rank", "rmw", "ti", "value", "view")

    def __init__(self, loc: Loc, value: Any, ti: thread_info | None) -> None:
        self.loc = loc
        self.value = value
        self.ti = ti
        self.rank = 0
        self.born = 0
        self.rmw = False
        self.view: Any = None
        self.hb: Any = None
        self.own: Any = None
        self.deps: Any = None
        self.event: Any = None

    def __repr__(self) -> str:
        return f"<write {self.loc.f}={self.value!r} #{self.rank}>"


class Loc:
    """A location: an object's member, with the history of its stores."""

    __slots__ = ("f", "o", "writes")

    def __init__(self, o: Any, f: str, now: int) -> None:
        self.o = o
        self.f = f
        self.writes: list[Write] = []
        first = Write(self, self.load(), None)
        first.born = now
        self.writes.append(first)

    def load(self) -> Any:
        """The value that is there."""
        return tuple(self.o.cells) if self.f == CELLS else getattr(self.o, self.f)

    def store(self) -> None:
        """Let the value that is there be the last of the history."""
        value = self.writes[-1].value
        if self.f == CELLS:
            self.o.cells[:] = value
        else:
            setattr(self.o, self.f, value)

    def insert(self, at: int, write: Write) -> None:
        """Put a store into the history."""
        self.writes.insert(at, write)
        if at == len(self.writes) - 1:
            write.rank = self.writes[at - 1].rank + 1 if at else 0
            self.store()
        else:
            first = self.writes[0].rank
            for rank, each in enumerate(self.writes, first):
                each.rank = rank


View = dict[Loc, Write]


def join(into: dict[Any, Write], more: dict[Any, Write] | None) -> None:
    """Make `into` know all that `more` knows: of each key the later store."""
    if more:
        for key, write in more.items():
            old = into.get(key)
            if old is None or old.rank < write.rank:
                into[key] = write


class Memory(Protocol):
    """A memory model. The running thread is always the one that acts."""

    def begin(self) -> None:
        """Another execution begins: all histories are forgotten."""

    def read(self, o: Any, f: str, mode: int) -> Any:
        """A marked load."""

    def write(self, o: Any, f: str, value: Any, mode: int) -> None:
        """A marked store."""

    def update(self, o: Any, f: str, new: Any, mode: int, returns: bool) -> Any:
        """An atomic read-modify-write that stores `new(old)`; returns the old value."""

    def compare(self, o: Any, f: str, old: Any, new: Any, mode: int) -> Any:
        """A compare-and-exchange; returns the value found."""

    def fence(self, kind: str) -> None:
        """A barrier: mb, rmb, wmb, rcu-lock, rcu-unlock, gp-begin, gp-end."""

    def lock(self, lock: Any) -> None:
        """The running thread has taken a lock."""

    def unlock(self, lock: Any) -> None:
        """The running thread is about to release a lock."""

    def locked(self, lock: Any) -> Any:
        """1 if a lock is seen held."""

    def publish(self, key: Any) -> None:
        """What the running thread has done is before what follows `receive()` of the key."""

    def receive(self, key: Any) -> None:
        """Go on behind all that was published under the key."""

    def finish(self) -> None:
        """The execution is over: bind what nobody has looked at."""


class Strong:
    """`Memory` without any weakness: what is there is what everybody sees."""

    def begin(self) -> None:
        """There is no history."""

    def read(self, o: Any, f: str, mode: int) -> Any:
        return tuple(o.cells) if f == CELLS else getattr(o, f)

    def write(self, o: Any, f: str, value: Any, mode: int) -> None:
        if f == CELLS:
            o.cells[:] = value
        else:
            setattr(o, f, value)

    def update(self, o: Any, f: str, new: Any, mode: int, returns: bool) -> Any:
        old = self.read(o, f, mode)
        self.write(o, f, new(old), mode)
        return old

    def compare(self, o: Any, f: str, old: Any, new: Any, mode: int) -> Any:
        was = self.read(o, f, mode)
        if was is old or was == old:
            self.write(o, f, new, mode)
        return was

    def fence(self, kind: str) -> None:
        """Everything is in order."""

    def lock(self, lock: Any) -> None:
        """Everything is in order."""

    def unlock(self, lock: Any) -> None:
        """Everything is in order."""

    def locked(self, lock: Any) -> Any:
        return 1 if lock.owner is not None else 0

    def publish(self, key: Any) -> None:
        """Everything is seen."""

    def receive(self, key: Any) -> None:
        """Everything is seen."""

    def finish(self) -> None:
        """Nothing is left to be bound."""
