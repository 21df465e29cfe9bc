# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""What drivers show of their hardware, and let happen to it.

A scheduler is embedded in a driver's ring. A driver registers itself for the class of that struct,
once, when it is loaded:

    show(amdgpu_ring, Shown())

Whoever observes schedulers finds the driver by the struct a scheduler is in. All that is asked is
answered from fields that may change meanwhile; nothing here takes a lock of the kernel.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from time import perf_counter, sleep
from typing import Any, NamedTuple, Protocol

from kport.trace.snapshot import Port


class Hardware(NamedTuple):
    """A hardware ring: words read and written so far, and what the engine does, in a few words."""

    rptr: int | None = None
    wptr: int | None = None
    text: str = ""
    resetting: bool = False


class Driver(Protocol):
    """What a driver answers about a ring of its own, by the struct that embeds the scheduler."""

    def schedulers(self, ring: Any) -> Iterable[Any]:
        """The schedulers of all rings of the same device."""

    def hardware(self, ring: Any) -> Hardware:
        """What the hardware does."""

    def strike(self, ring: Any, kind: str, duration: int | None) -> None:
        """Let a fault of this kind (kport.hw.faults.Kind) strike the ring's next packet; `duration`
        in ns, None for ever. Raises ValueError for a kind that is not there."""


STRETCH = 15e-6  # s
PAUSE = 100e-6  # s; Linux makes it up to 0.15 ms


class Pace:
    """The pace of a thread that works beside the port: `step()` often, and the port has its way.

    A step sleeps when the last sleep is STRETCH ago. It really sleeps: a thread that gives up the
    interpreter and wants it back at once has it back before one that waits for it has woken up.
    """

    def __init__(self) -> None:
        self._since = perf_counter()

    def step(self) -> None:
        """Let the port have the interpreter, if it is time."""
        if perf_counter() - self._since > STRETCH:
            sleep(PAUSE)
            self._since = perf_counter()


# Called with the name of an event, the thread, the time in ns, the values.
Note = Callable[[str, Any, int, tuple[Any, ...]], None]


class Observer(Protocol):
    """A running port as a server sees it. Called from the server's threads only."""

    def start(self, note: Note) -> None:
        """Begin to look: a viewer may come at any time. Every trace event exists after this.

        The server listens to the events of Linux 6.17 and later itself; what other schedulers do
        is to be told to `note` as such events.
        """

    def stop(self) -> None:
        """Look no more."""

    def release(self) -> None:
        """The last viewer has gone: undo what keeps the port from going on."""

    def clock(self) -> int:
        """The port's time in ns, 0 while no kernel is booted."""

    def observe(self, since: int, pace: Pace) -> tuple[Port | None, int]:
        """What the port says of itself with the log from line number `since` on, and the number of
        the next line; None while no kernel is booted. Takes no lock of the kernel, and steps at
        `pace`."""

    def command(self, name: str, args: dict[str, Any]) -> str:
        """Do what a viewer asks; returns one line. Raises ValueError with one line if it cannot."""


_drivers: dict[type, Driver] = {}


def show(ring: type, driver: Driver) -> None:
    """Register the driver of rings of this class."""
    _drivers[ring] = driver


def driver_of(ring: Any) -> Driver | None:
    """The driver of a ring, None for one that has registered none."""
    return _drivers.get(type(ring))
