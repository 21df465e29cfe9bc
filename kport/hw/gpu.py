# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The device: rings, memory cells for sequence numbers, and batches by address."""

from __future__ import annotations

from itertools import count

from kport.arch.api import Machine
from kport.hw.batch import Batch
from kport.hw.ring import Ring


class FakeGpu:
    """A GPU called `name`, with the rings that `add_ring()` makes."""

    def __init__(self, machine: Machine, name: str, cells: int = 64) -> None:
        self.machine = machine
        self.name = name
        self.memory = [0] * cells
        self.batches: dict[int, Batch] = {}
        self.rings: dict[str, Ring] = {}
        self._addresses = count(0x1000, 0x100)

    def add_ring(self, name: str, words: int = 4096) -> Ring:
        """A new ring with a running engine. Raises ValueError for a name that is taken."""
        if name in self.rings:
            raise ValueError(f"{self.name} has a ring {name} already")
        ring = self.rings[name] = Ring(self, name, words)
        return ring

    def map(self, batch: Batch) -> int:
        """The address under which an EXECUTE packet finds the batch, once."""
        address = next(self._addresses)
        self.batches[address] = batch
        return address

    def rush(self) -> None:
        """From now on no batch takes time: what is under way ends, what follows ends at once."""
        for ring in self.rings.values():
            ring.rush()

    def power_off(self) -> None:
        """Stop every engine."""
        for ring in self.rings.values():
            ring.power_off()
