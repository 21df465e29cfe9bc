# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""What goes wrong in the fake GPU, and when.

A fault strikes one ring (or each ring for itself) at a packet number or at a time, once or again
and again. Two counts trigger faults: HANG, FAULT, SWAP and DEAD strike at batches, LOST, LATE and
SILENT at fences that ask for an interrupt; both count from 1 and go on over a reset. A fault that
is due by time strikes the next packet of its kind.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, IntEnum


class Kind(Enum):
    """What goes wrong."""

    HANG = "hang"  # the engine stands still before the batch
    FAULT = "fault"  # the batch reads an address that is not mapped: an interrupt, then as HANG
    SWAP = "swap"  # the batch and its fence come behind those of the next one
    DEAD = "dead"  # the whole GPU is gone
    LOST = "lost"  # one interrupt does not arrive
    LATE = "late"  # one interrupt arrives `duration` later
    SILENT = "silent"  # numbers are written, but for `duration` there are no interrupts


AT_BATCH = (Kind.HANG, Kind.FAULT, Kind.SWAP, Kind.DEAD)


class Cure(IntEnum):
    """The mildest measure that ends a hang."""

    SOFT = 1  # killing what runs
    RING = 2  # resetting the ring
    FULL = 3  # resetting the GPU
    NEVER = 4  # none


@dataclass(frozen=True, slots=True)
class Fault:
    """One line of a fault file.

    `ring` None: every ring has one. It strikes packet `at`, or at `time` ns after the GPU came up,
    and again `every` so many packets or ns. `duration` in ns, None for ever; for DEAD the time
    until the bus notices. `place` says where the fault was written, for messages.
    """

    kind: Kind
    ring: str | None = None
    at: int | None = None
    time: int | None = None
    every: int | None = None
    duration: int | None = None
    cure: Cure = Cure.SOFT
    place: str = ""

    def __post_init__(self) -> None:
        if (self.at is None) == (self.time is None):
            raise ValueError("a fault strikes at a packet or at a time")
        if self.at is not None and self.at < 1:
            raise ValueError("packets count from 1")
        if self.every is not None and self.every < 1:
            raise ValueError("a fault comes again after 1 or more")


class _Due:
    """A fault and when it strikes next."""

    __slots__ = ("at", "fault", "time")

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self.at = fault.at
        self.time = fault.time

    def strikes(self, number: int, since: int) -> bool:
        return number >= self.at if self.at is not None else since >= (self.time or 0)

    def advance(self, number: int, since: int) -> bool:
        """Move on to the next strike; False if there is none."""
        every = self.fault.every
        if every is None:
            return False
        if self.at is not None:
            self.at += ((number - self.at) // every + 1) * every
        else:
            time = self.time or 0
            self.time = time + ((since - time) // every + 1) * every
        return True


class Schedule:
    """The faults of one ring that are still to come; only its engine asks.

    `batch()` and `fence()` are called once for each packet, with its number and the time since the
    GPU came up, and return the fault that strikes it. If several are due the others strike later.
    """

    def __init__(self, faults: Iterable[Fault], ring: str) -> None:
        mine = [_Due(fault) for fault in faults if fault.ring in (None, ring)]
        self._at_batch = [due for due in mine if due.fault.kind in AT_BATCH]
        self._at_fence = [due for due in mine if due.fault.kind not in AT_BATCH]

    def batch(self, number: int, since: int) -> Fault | None:
        """The fault that strikes a batch."""
        return self._next(self._at_batch, number, since) if self._at_batch else None

    def fence(self, number: int, since: int) -> Fault | None:
        """The fault that strikes a fence."""
        return self._next(self._at_fence, number, since) if self._at_fence else None

    def add(self, fault: Fault) -> None:
        """One more fault is to come. Any thread may call this."""
        (self._at_batch if fault.kind in AT_BATCH else self._at_fence).append(_Due(fault))

    def again(self, fault: Fault, number: int) -> None:
        """The fault could not strike: it shall strike batch `number`."""
        due = _Due(fault)
        due.at, due.time = number, None
        self._at_batch.append(due)

    @staticmethod
    def _next(pending: list[_Due], number: int, since: int) -> Fault | None:
        for due in pending:
            if due.strikes(number, since):
                if not due.advance(number, since):
                    pending.remove(due)
                return due.fault
        return None
