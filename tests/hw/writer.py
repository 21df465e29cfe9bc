# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""A driver of one ring, as small as can be."""

from __future__ import annotations

from kport.hw import packets
from kport.hw.batch import Batch
from kport.hw.ring import Ring


class Writer:
    """Writes packets and rings the doorbell, as a driver does."""

    def __init__(self, ring: Ring) -> None:
        self.ring = ring
        self.at = ring.wptr

    def put(self, opcode: int, *body: int) -> None:
        for word in (packets.header(opcode, len(body)), *body):
            self.ring.write(self.at, word)
            self.at += 1

    def execute(self, duration: int | None, vmid: int = 1) -> Batch:
        batch = Batch(duration)
        self.put(packets.EXECUTE, self.ring.gpu.map(batch), vmid)
        return batch

    def fence(self, cell: int, seq: int, flags: int = 0) -> None:
        self.put(packets.FENCE, cell, seq, flags)

    def go(self) -> None:
        self.ring.doorbell(self.at)


def drained(ring: Ring) -> bool:
    return ring.rptr == ring.wptr
