# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""A hardware ring and its engine.

The engine keeps a nominal clock. A packet begins when it has arrived (its doorbell rang) and the
one before it has ended, whichever is later, and takes its exact time on that clock; the thread then
sleeps until the clock has caught up. So back-to-back batches follow each other without a gap,
however late the host wakes the thread, and a queue of a thousand 1 ms batches takes one second.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from kport.arch.api import Line, Machine
from kport.arch.types import thread_info
from kport.hw import packets
from kport.hw.batch import Batch

if TYPE_CHECKING:
    from kport.hw.gpu import FakeGpu


class Ring:
    """One ring. The driver writes words and rings the doorbell; the engine does the rest.

    `busy` is the GPU time spent so far in ns, `executed` the number of batches that ended.
    """

    def __init__(self, gpu: FakeGpu, name: str, words: int) -> None:
        self.gpu = gpu
        self.name = name
        self.words = words
        self.buffer = [0] * words
        self.wptr = 0
        self.rptr = 0
        self.busy = 0
        self.executed = 0
        self.running: Batch | None = None
        self.line: Line | None = None
        self._machine: Machine = gpu.machine
        self._doorbells: deque[tuple[int, int]] = deque()
        self._clock = 0
        self._powered = True
        self._rushed = False
        self._ended = False
        self._opcodes: dict[int, Callable[[list[int], int], None]] = {
            packets.NOP: self._nop,
            packets.EXECUTE: self._execute,
            packets.FENCE: self._fence,
        }
        self.ti = thread_info(f"{gpu.name}:{name}")
        self._machine.start(self.ti, self._run)

    # -- the driver's side -----------------------------------------------------------------------

    def write(self, at: int, word: int) -> None:
        """Store a word at an absolute position; the position wraps at the ring's size."""
        self.buffer[at % self.words] = word

    def doorbell(self, wptr: int) -> None:
        """Everything before the absolute position `wptr` is ready to be fetched."""
        self._doorbells.append((wptr, self._machine.clock()))
        self.wptr = wptr
        self._machine.wake(self.ti)

    def space(self) -> int:
        """How many words can be written now without overtaking the engine."""
        return self.words - (self.wptr - self.rptr)

    def rush(self) -> None:
        """End the running batch now, and every later one as soon as it begins."""
        self._rushed = True
        self._machine.wake(self.ti)

    def power_off(self) -> None:
        """Stop the engine where it is and wait for its thread."""
        self._powered = False
        while not self._ended:
            self._machine.wake(self.ti)
            self._machine.block(self._machine.clock() + 100_000)

    # -- the engine ------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while self._powered:
                if self.rptr == self.wptr:
                    self._machine.block()
                    continue
                word = self.buffer[self.rptr % self.words]
                count = packets.length(word)
                body = [self.buffer[(self.rptr + 1 + i) % self.words] for i in range(count)]
                self._opcodes[packets.opcode(word)](body, self._arrival())
                self.rptr += 1 + count
        finally:
            self._ended = True

    def _arrival(self) -> int:
        """When the packet at the read pointer arrived."""
        doorbells = self._doorbells
        while doorbells and doorbells[0][0] <= self.rptr:
            doorbells.popleft()
        return doorbells[0][1]

    def _nop(self, body: list[int], arrival: int) -> None:
        """A NOP takes no time."""

    def _execute(self, body: list[int], arrival: int) -> None:
        batch = self.gpu.batches.pop(body[0])
        batch.engine = self.ti
        began = batch.began = max(self._clock, arrival)
        self.running = batch
        if batch.duration is None:
            while batch.stop_at is None and self._powered and not self._rushed:
                self._machine.block()
            stopped = self._machine.clock() if batch.stop_at is None else batch.stop_at
            ended = max(began, stopped)
        else:
            ended = began + batch.duration
            if not self._sleep_until(ended):
                ended = max(began, min(ended, self._machine.clock()))
        self.running = None
        batch.ended = self._clock = ended
        self.busy += ended - began
        self.executed += 1

    def _fence(self, body: list[int], arrival: int) -> None:
        address, seq, flags = body
        self._clock = max(self._clock, arrival)
        self.gpu.memory[address] = seq
        if flags & packets.FENCE_INTERRUPT and self.line is not None:
            self._machine.raise_line(self.line)

    def _sleep_until(self, deadline: int) -> bool:
        """True if the deadline was reached, False if the engine must not wait for it."""
        while self._machine.clock() < deadline:
            if not self._powered or self._rushed:
                return False
            self._machine.block(deadline)
        return True
