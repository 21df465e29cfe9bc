# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""What a driver can demand of an engine beside the ring: kill what runs, reset, preempt.

An order is put into the engine's queue; the engine looks there whenever it waits and between two
packets, and answers. Nobody but the engine ever changes its state.
"""

from __future__ import annotations

from enum import Enum, auto

from kport.hw.faults import Cure


class Cut(Enum):
    """How a running batch is taken off the engine before its end."""

    KILL = auto()  # it ends here, and its fence comes
    RESET = auto()  # it is lost, with everything in the ring
    PREEMPT = auto()  # what is left of it runs when it comes again


class Order:
    """One demand. `done` is set when the engine has dealt with it, `ok` says with what success."""

    __slots__ = ("cell", "cut", "done", "force", "ok", "seq", "vmid")

    def __init__(
        self, cut: Cut, *, force: Cure = Cure.SOFT, vmid: int = 0, cell: int = 0, seq: int = 0
    ) -> None:
        self.cut = cut
        self.force = force
        self.vmid = vmid
        self.cell = cell
        self.seq = seq
        self.done = False
        self.ok = False
