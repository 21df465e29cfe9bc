# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""What carries a task of the machine `virt`: a stack that can be left and come back to.

Two carriers do the same. A greenlet switches stacks within one OS thread, in a tenth of a
microsecond. An OS thread per task does it where greenlet is missing, by handing a token over: all
but one of them sleep. The machine cannot tell them apart, and neither can a run: which task
continues is decided above.

A stack is expensive to make, so one is used again when its task has ended: `run` is called anew
each time the stack is entered after its last call has returned. Greenlets are kept for the next
kernel too; OS threads end with `close()`.
"""

from __future__ import annotations

import sys
import threading
from _thread import allocate_lock
from collections.abc import Callable
from types import FrameType
from typing import Any, Protocol

try:
    import greenlet as _greenlet

    greenlet: Any = _greenlet
except ImportError:  # an optional extra: OS threads carry the tasks then
    greenlet = None


class Stack(Protocol):
    """One stack. `run` is what to do when it is entered and nothing is under way on it."""

    run: Callable[[], Any]

    def switch(self) -> None:
        """Leave the running stack and go on with this one; returns when somebody comes back."""

    def frame(self) -> FrameType | None:
        """The innermost frame while it is left, None if nothing is under way."""


class Carrier(Protocol):
    """A kind of stacks."""

    name: str

    def main(self) -> Stack:
        """The stack of the calling thread."""

    def make(self) -> Stack:
        """A stack with nothing on it."""

    def keep(self, stack: Stack) -> None:
        """The stack is free; make() may give it again."""

    def close(self) -> None:
        """No stack will be entered again."""


ROOM = 1000  # frames that a task may use, as many as Python allows a program


class GreenletStack:
    """A stack on a greenlet.

    A greenlet begins at the depth of the one that starts it, and Python counts from there: a
    hundred tasks that start one another would soon be too deep. So the limit grows with them.
    """

    __slots__ = ("_greenlet", "run", "switch")

    def __init__(self, carried: Any = None) -> None:
        self._greenlet = carried if carried is not None else greenlet.greenlet(self._forever)
        if carried is None:
            self._greenlet.depth = depth = _depth()
            sys.setrecursionlimit(max(sys.getrecursionlimit(), depth + ROOM))
        self.switch = self._greenlet.switch
        self.run: Callable[[], Any] = bool

    def _forever(self) -> None:
        while True:
            self.run()

    def frame(self) -> FrameType | None:
        frame: FrameType | None = self._greenlet.gr_frame
        return frame


def _depth() -> int:
    """How deep the running greenlet is, in frames: its own, and where it began."""
    depth = int(getattr(greenlet.getcurrent(), "depth", 0))
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        depth += 1
        frame = frame.f_back
    return depth


class Greenlets:
    """Stacks on greenlets of the calling OS thread."""

    name = "greenlet"
    _pools = threading.local()  # a greenlet belongs to the thread that made it

    def main(self) -> GreenletStack:
        return GreenletStack(greenlet.getcurrent())

    def _pool(self) -> list[GreenletStack]:
        try:
            pool: list[GreenletStack] = self._pools.free
        except AttributeError:
            pool = self._pools.free = []
        return pool

    def make(self) -> GreenletStack:
        pool = self._pool()
        return pool.pop() if pool else GreenletStack()

    def keep(self, stack: Any) -> None:
        self._pool().append(stack)

    def close(self) -> None:
        """Greenlets cost nothing while they wait for the next kernel."""


class ThreadStack:
    """A stack on an OS thread that sleeps until it is switched to."""

    def __init__(self, carrier: OSThreads, thread: threading.Thread | None = None) -> None:
        self._carrier = carrier
        self._turn = allocate_lock()
        self._turn.acquire()
        self._thread = thread
        self._ended = False
        self.run: Callable[[], Any] = bool

    def switch(self) -> None:
        left = self._carrier.running
        if left is self:
            return
        self._carrier.running = self
        if self._thread is None:
            self._thread = threading.Thread(target=self._forever, name="virt", daemon=True)
            self._thread.start()
        else:
            self._turn.release()
        left._turn.acquire()

    def _forever(self) -> None:
        while not self._ended:
            self.run()

    def end(self) -> None:
        """Let the thread return; it is free, so it sleeps inside `run` of its last task."""
        self._ended = True
        if self._thread is not None:
            self._turn.release()
            self._thread.join()

    def frame(self) -> FrameType | None:
        ident = self._thread.ident if self._thread is not None else None
        return sys._current_frames().get(ident) if ident is not None else None


class OSThreads:
    """Stacks on OS threads, of which one runs at a time."""

    name = "thread"

    def __init__(self) -> None:
        self._free: list[ThreadStack] = []
        self.running = ThreadStack(self, threading.current_thread())

    def main(self) -> ThreadStack:
        return self.running

    def make(self) -> ThreadStack:
        return self._free.pop() if self._free else ThreadStack(self)

    def keep(self, stack: Any) -> None:
        self._free.append(stack)

    def close(self) -> None:
        for stack in self._free:
            stack.end()
        self._free.clear()


def carrier(name: str | None) -> Carrier:
    """The carrier of a name; without one greenlets, or OS threads where greenlet is missing.

    Raises ValueError for another name, RuntimeError for greenlets that are not installed.
    """
    if name is None:
        name = "thread" if greenlet is None else "greenlet"
    if name == "thread":
        return OSThreads()
    if name != "greenlet":
        raise ValueError(f"unknown carrier {name!r}; there is: greenlet, thread")
    if greenlet is None:
        raise RuntimeError("greenlet is not installed; use carrier='thread', or install the extra")
    return Greenlets()
