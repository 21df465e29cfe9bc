# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The device: rings, memory cells for sequence numbers, batches by address, resets.

Two interrupt lines belong to the GPU as a whole: `fault_line` (a batch read an address that is not
mapped; `page_faults` says which) and `hotplug_line` (the bus has noticed that the GPU is gone).
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable
from itertools import count
from typing import NamedTuple

from kport.arch.api import Line, Machine
from kport.hw.batch import Batch
from kport.hw.faults import Cure, Fault
from kport.hw.orders import Cut, Order
from kport.hw.ring import Ring


class PageFault(NamedTuple):
    """A read of an address that is not mapped."""

    ring: str
    vmid: int
    address: int


class FakeGpu:
    """A GPU called `name`, with the rings that `add_ring()` makes; `faults` are to strike it.

    `dead` is true once it is gone. `vf`: it is a virtual function, which only the host can reset.
    `host_refuses`: so many of the next resets of the function the host will not do.
    """

    def __init__(
        self,
        machine: Machine,
        name: str,
        cells: int = 64,
        faults: Iterable[Fault] = (),
        vf: bool = False,
    ) -> None:
        self.machine = machine
        self.name = name
        self.memory = [0] * cells
        self.batches: dict[int, Batch] = {}
        self.rings: dict[str, Ring] = {}
        self.faults = tuple(faults)
        self.epoch = machine.clock()
        self.vf = vf
        self.host_refuses = 0
        self.dead = False
        self.resets = 0
        self.page_faults: deque[PageFault] = deque()
        self.fault_line: Line | None = None
        self.hotplug_line: Line | None = None
        self._addresses = count(0x1000, 0x100)

    def add_ring(self, name: str, words: int = 4096) -> Ring:
        """A new ring with a running engine. Raises ValueError for a name that is taken."""
        if name in self.rings:
            raise ValueError(f"{self.name} has a ring {name} already")
        ring = self.rings[name] = Ring(self, name, words)
        return ring

    def map(self, batch: Batch) -> int:
        """The address under which EXECUTE packets find the batch, until `unmap()`."""
        address = next(self._addresses)
        self.batches[address] = batch
        return address

    def unmap(self, address: int) -> None:
        """The address is free; packets that still name it find nothing there."""
        self.batches.pop(address, None)

    def reset(self) -> bool:
        """Reset the whole GPU: what is in the rings is lost. False if that does not help it.

        A virtual function cannot do that.
        """
        return not self.vf and self._reset()

    def reset_function(self) -> bool:
        """Ask the host to reset the virtual function; False if it does not, or if it is none."""
        if not self.vf:
            return False
        if self.host_refuses:
            self.host_refuses -= 1
            return False
        return self._reset()

    def _reset(self) -> bool:
        if self.dead:
            return False
        orders = [(ring, Order(Cut.RESET, force=Cure.FULL)) for ring in self.rings.values()]
        for ring, order in orders:
            ring.demand(order)
        for ring, order in orders:
            ring.await_order(order)
        done = all(order.ok for _, order in orders)
        self.resets += done
        return done

    def struck(self) -> Counter[Fault]:
        """How often each fault has struck."""
        return sum((ring.engine.struck for ring in self.rings.values()), Counter())

    def die(self) -> None:
        """The GPU is gone: no engine does anything any more, and nothing brings it back."""
        self.dead = True
        for ring in self.rings.values():
            self.machine.wake(ring.ti)

    def report_fault(self, ring: str, vmid: int, address: int) -> None:
        """A batch read what is not mapped."""
        self.page_faults.append(PageFault(ring, vmid, address))
        if self.fault_line is not None:
            self.machine.raise_line(self.fault_line)

    def rush(self) -> None:
        """From now on no batch takes time: what is under way ends, what follows ends at once."""
        for ring in self.rings.values():
            ring.rush()

    def power_off(self) -> None:
        """Stop every engine."""
        for ring in self.rings.values():
            ring.power_off()
