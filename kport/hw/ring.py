# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""A hardware ring: the driver's side of it. The engine behind it is in `engine`."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from kport.arch.api import Line, Machine
from kport.arch.types import thread_info
from kport.hw.batch import Batch
from kport.hw.engine import Engine
from kport.hw.faults import Cure, Fault
from kport.hw.orders import Cut, Order

if TYPE_CHECKING:
    from kport.hw.gpu import FakeGpu

POLL = 100_000  # ns between two looks whether an engine has answered


class Ring:
    """One ring. The driver writes words and rings the doorbell; the engine does the rest.

    `busy` is the GPU time spent so far in ns, `executed` the number of batches that ended, `hung`
    the fault that the engine hangs in.
    """

    def __init__(self, gpu: FakeGpu, name: str, words: int) -> None:
        self.gpu = gpu
        self.name = name
        self.words = words
        self.buffer = [0] * words
        self.wptr = 0
        self.rptr = 0
        self.line: Line | None = None
        self.machine: Machine = gpu.machine
        self.doorbells: deque[tuple[int, int]] = deque()
        self.orders: deque[Order] = deque()
        self.engine = Engine(self)
        self.machine.start(self.engine.ti, self.engine.run)

    @property
    def ti(self) -> thread_info:
        """The engine's thread."""
        return self.engine.ti

    @property
    def busy(self) -> int:
        """GPU time spent so far, in ns."""
        return self.engine.busy

    @property
    def executed(self) -> int:
        """The number of batches that ran to their end or were killed."""
        return self.engine.executed

    @property
    def running(self) -> Batch | None:
        """The batch on the engine."""
        return self.engine.running

    @property
    def hung(self) -> Fault | None:
        """The fault that the engine hangs in."""
        return self.engine.hung

    def write(self, at: int, word: int) -> None:
        """Store a word at an absolute position; the position wraps at the ring's size."""
        self.buffer[at % self.words] = word

    def read(self, at: int) -> int:
        """The word at an absolute position."""
        return self.buffer[at % self.words]

    def doorbell(self, wptr: int) -> None:
        """Everything before the absolute position `wptr` is ready to be fetched."""
        self.doorbells.append((wptr, self.machine.clock()))
        self.wptr = wptr
        self.machine.wake(self.ti)

    def space(self) -> int:
        """How many words can be written now without overtaking the engine."""
        return self.words - (self.wptr - self.rptr)

    def demand(self, order: Order) -> None:
        """Give the engine an order."""
        self.orders.append(order)
        self.machine.wake(self.ti)

    def await_order(self, order: Order) -> bool:
        """Sleep until the engine has answered the order; returns whether it could."""
        while not order.done and not self.engine.ended:
            self.machine.wake(self.ti)
            self.machine.block(self.machine.clock() + POLL)
        return order.ok

    def kill(self, vmid: int) -> None:
        """End what runs in this address space now, if it can be ended."""
        self.demand(Order(Cut.KILL, vmid=vmid))

    def reset(self) -> bool:
        """Reset this ring alone: what is in it is lost. False if it hangs as before."""
        order = Order(Cut.RESET, force=Cure.RING)
        self.demand(order)
        return self.await_order(order)

    def preempt(self, cell: int, seq: int) -> None:
        """Take the running batch off, skip what may be skipped, and write `seq` to `cell` then.

        An engine that hangs does not answer: whoever waits for the number needs a limit.
        """
        self.demand(Order(Cut.PREEMPT, cell=cell, seq=seq))

    def strike(self, fault: Fault) -> None:
        """Let a fault strike this ring, whatever ring it names: one `at` 1 strikes next."""
        self.engine.strike(fault)

    def rush(self) -> None:
        """End the running batch now, and every later one as soon as it begins."""
        self.engine.rushed = True
        self.machine.wake(self.ti)

    def power_off(self) -> None:
        """Stop the engine where it is and wait for its thread."""
        self.engine.powered = False
        while not self.engine.ended:
            self.machine.wake(self.ti)
            self.machine.block(self.machine.clock() + POLL)
