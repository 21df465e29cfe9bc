# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The engine of a ring: a thread that fetches packets and does what they say.

The engine keeps a nominal clock. A packet begins when it has arrived (its doorbell rang) and the
one before it has ended, whichever is later, and takes its exact time on that clock; the thread then
sleeps until the clock has caught up. So back-to-back batches follow each other without a gap,
however late the host wakes the thread, and a queue of a thousand 1 ms batches takes one second.

Whatever it waits for, the engine wakes up for the driver's orders and for late interrupts that are
due. An order that concerns the running batch leaves a `Cut`, and whoever waits for the batch's end
looks at it.
"""

from __future__ import annotations

from bisect import insort
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

from kport.arch.api import Line
from kport.arch.types import thread_info
from kport.hw import packets
from kport.hw.batch import Batch
from kport.hw.faults import Cure, Fault, Kind, Schedule
from kport.hw.orders import Cut, Order

if TYPE_CHECKING:
    from kport.hw.ring import Ring

FOREVER = 1 << 62  # ns that are never reached


class Engine:
    """The engine of one ring. Its thread alone changes what is here, but for `powered` and
    `rushed`.

    `batches` and `fences` count the packets that faults are aimed at, `strays` the batches that
    were not there any more when their packet was fetched; `struck` are the faults that struck.
    """

    def __init__(self, ring: Ring) -> None:
        self.ring = ring
        self.gpu = ring.gpu
        self.ti = thread_info(f"{ring.gpu.name}:{ring.name}")
        self.busy = 0
        self.executed = 0
        self.batches = 0
        self.fences = 0
        self.strays = 0
        self.struck: Counter[Fault] = Counter()
        self.running: Batch | None = None
        self.hung: Fault | None = None
        self.powered = True
        self.rushed = False
        self.ended = False
        self._machine = ring.machine
        self._faults = Schedule(ring.gpu.faults, ring.name)
        self._clock = 0
        self._next = 0  # where the packet behind this one begins
        self._covered = 0  # the end of what a COND_EXEC covers
        self._vmid = 0
        self._cut: Cut | None = None
        self._trail: Order | None = None
        self._late: list[tuple[int, int, Line]] = []
        self._silent_until = 0
        self._opcodes: dict[int, Callable[[list[int], int], None]] = {
            packets.NOP: self._nop,
            packets.EXECUTE: self._execute,
            packets.FENCE: self._fence,
            packets.COND_EXEC: self._cond_exec,
        }

    def run(self) -> None:
        """What the thread runs."""
        ring = self.ring
        try:
            while self.powered:
                if ring.orders:
                    self._obey()
                if self.gpu.dead:
                    self._wait(None)
                elif ring.rptr != ring.wptr:
                    self._packet()
                elif self._trail is not None:
                    self.gpu.memory[self._trail.cell] = self._trail.seq
                    self._trail = None
                else:
                    self._wait(None)
        finally:
            self.ended = True

    def strike(self, fault: Fault) -> None:
        """A fault is to come that nobody planned. Any thread may call this."""
        self._faults.add(fault)

    # -- waiting -----------------------------------------------------------------------------------

    def _wait(self, deadline: int | None) -> None:
        """Sleep until the deadline, or until there is something to look at."""
        late = self._late
        while late and late[0][0] <= self._machine.clock():
            self._machine.raise_line(late.pop(0)[2])
        if late:
            deadline = late[0][0] if deadline is None else min(deadline, late[0][0])
        if not self.ring.orders:
            self._machine.block(deadline)
        if self.ring.orders:
            self._obey()

    def _held(self) -> bool:
        """True as long as an engine that waits has no reason to stop."""
        return self._cut is None and self.powered and not self.rushed

    def _stall(self, until: int | None) -> None:
        """Stand still until `until` ns, or for ever."""
        while self._held() and (until is None or self._machine.clock() < until):
            self._wait(until)

    # -- orders ------------------------------------------------------------------------------------

    def _obey(self) -> None:
        """Deal with the orders."""
        while self.ring.orders:
            order = self.ring.orders.popleft()
            if not self.gpu.dead:
                self._answer(order)
            order.done = True

    def _answer(self, order: Order) -> None:
        hang = self.hung.cure if self.hung is not None else None
        if order.cut is Cut.RESET:
            if hang is None or hang <= order.force:
                order.ok = True
                self._reset()
        elif hang is not None and hang > Cure.SOFT:
            return  # hangs too hard to notice
        elif order.cut is Cut.KILL:
            if self.running is not None and self._vmid == order.vmid:
                order.ok = True
                self._cut = Cut.KILL
        elif hang is None:
            order.ok = True
            self._trail = order
            if self.running is not None and self.ring.rptr < self._covered:
                self._cut = Cut.PREEMPT

    def _reset(self) -> None:
        """Forget everything in the ring."""
        ring = self.ring
        ring.doorbells.clear()
        ring.rptr = self._next = ring.wptr
        self.hung = None
        self._covered = 0
        self._trail = None
        self._silent_until = 0
        self._late.clear()
        if self.running is not None:
            self._cut = Cut.RESET

    # -- packets -----------------------------------------------------------------------------------

    def _packet(self) -> None:
        """Fetch the packet at the read pointer and do what it says."""
        ring = self.ring
        opcode, body, self._next = self._fetch(ring.rptr)
        self._opcodes[opcode](body, self._arrival())
        ring.rptr = self._next

    def _fetch(self, at: int) -> tuple[int, list[int], int]:
        """Opcode and words of the packet at `at`, and where the next one begins."""
        ring = self.ring
        word = ring.buffer[at % ring.words]
        end = at + 1 + packets.length(word)
        body = [ring.buffer[i % ring.words] for i in range(at + 1, end)]
        return packets.opcode(word), body, end

    def _arrival(self) -> int:
        """When the packet at the read pointer arrived."""
        doorbells = self.ring.doorbells
        while doorbells[0][0] <= self.ring.rptr:
            doorbells.popleft()
        return doorbells[0][1]

    def _nop(self, body: list[int], arrival: int) -> None:
        """A NOP takes no time."""

    def _cond_exec(self, body: list[int], arrival: int) -> None:
        cell, words = body
        self._covered = self._next + words
        if not self.gpu.memory[cell]:
            self._next = self._covered

    def _execute(self, body: list[int], arrival: int) -> None:
        batch = self.gpu.batches.get(body[0])
        if batch is None:
            self.strays += 1
            return
        self.batches += 1
        now = self._machine.clock()
        fault = self._faults.batch(self.batches, now - self.gpu.epoch)
        if fault is not None and fault.kind is Kind.SWAP:
            if self._swap(batch, body, arrival):
                self.struck[fault] += 1
                return
            self._faults.again(fault, self.batches + 1)
            fault = None
        self._run_batch(batch, body, arrival, fault)

    def _run_batch(
        self, batch: Batch, body: list[int], arrival: int, fault: Fault | None = None
    ) -> Cut | None:
        """Run a batch until it ends or is cut; returns how it was cut."""
        batch.engine = self.ti
        self._vmid = body[1]
        first = began = batch.began = max(self._clock, arrival)
        self.running = batch
        if fault is not None:
            self._strike(fault, began, body[0])
            began = max(began, self._machine.clock())
        while self._held():
            ended = None if self.gpu.dead else batch.end_at(began)
            if ended is not None and self._machine.clock() >= ended:
                break
            self._wait(ended)
        else:
            planned = batch.end_at(began)
            ended = max(began, self._machine.clock())
            if planned is not None and self._cut in (None, Cut.PREEMPT):
                ended = min(ended, planned)  # this thread may come late, the batch does no more
        assert ended is not None
        self.running = None
        cut, self._cut = self._cut, None
        self._clock = ended
        self.busy += ended - first
        if cut is Cut.PREEMPT:
            self._preempted(batch, ended - began)
        else:
            batch.ended = ended
            self.executed += cut is not Cut.RESET
        return cut

    def _fence(self, body: list[int], arrival: int) -> None:
        address, seq, flags = body
        self._clock = max(self._clock, arrival)
        self.gpu.memory[address] = seq
        if flags & packets.FENCE_INTERRUPT and self.ring.line is not None:
            self._interrupt(self.ring.line)

    def _interrupt(self, line: Line) -> None:
        """Raise the ring's line, unless a fault is against it."""
        self.fences += 1
        now = self._machine.clock()
        fault = self._faults.fence(self.fences, now - self.gpu.epoch)
        if fault is not None:
            self.struck[fault] += 1
        if fault is not None and fault.kind is Kind.LATE:
            insort(self._late, (now + (fault.duration or 0), self.fences, line))
            return
        if fault is not None and fault.kind is Kind.SILENT:
            self._silent_until = FOREVER if fault.duration is None else now + fault.duration
        if (fault is None or fault.kind is not Kind.LOST) and now >= self._silent_until:
            self._machine.raise_line(line)

    # -- what goes wrong ---------------------------------------------------------------------------

    def _strike(self, fault: Fault, began: int, address: int) -> None:
        """A fault strikes the batch that is about to run."""
        self.struck[fault] += 1
        if fault.kind is Kind.DEAD:
            self.gpu.die()
            if fault.duration is not None and self.gpu.hotplug_line is not None:
                due = self._machine.clock() + fault.duration
                insort(self._late, (due, self.fences, self.gpu.hotplug_line))
            return
        self.hung = fault
        until = None if fault.duration is None else began + fault.duration
        if fault.kind is Kind.FAULT:
            self.gpu.report_fault(self.ring.name, self._vmid, address)
            until = None
        self._stall(until)
        self.hung = None

    def _preempted(self, batch: Batch, done: int) -> None:
        """Note how far the batch came and which fence it did not reach; skip its frame."""
        batch.spent += done
        at = self._next
        while at < self._covered:
            opcode, body, at = self._fetch(at)
            if opcode == packets.FENCE:
                self.gpu.memory[body[0] + packets.PREEMPTED] = body[1]
        self._next = self._covered

    def _swap(self, batch: Batch, body: list[int], arrival: int) -> bool:
        """Run the next batch and its fence before this one and its fence; False without a next."""
        first, end = self._frame(self._next)
        second, end = self._frame(end)
        if not first or not second or second[0][0] != packets.EXECUTE:
            return False
        other = self.gpu.batches.get(second[0][1][0])
        if other is None:
            return False
        self.batches += 1
        self._covered, self._next = 0, end
        for which, words, fence in (
            (other, second[0][1], second[-1][1]),
            (batch, body, first[-1][1]),
        ):
            if self._run_batch(which, words, arrival) is Cut.RESET or self.gpu.dead:
                break
            self._fence(fence, arrival)
        return True

    def _frame(self, at: int) -> tuple[list[tuple[int, list[int]]], int]:
        """What comes up to and with the next fence, but for NOP and COND_EXEC; [] if none does."""
        frame: list[tuple[int, list[int]]] = []
        while at < self.ring.wptr:
            opcode, body, at = self._fetch(at)
            if opcode in (packets.EXECUTE, packets.FENCE):
                frame.append((opcode, body))
            if opcode == packets.FENCE:
                return frame, at
        return [], at
