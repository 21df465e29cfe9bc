# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Faults of the fake GPU and what ends them: kills, resets of a ring, of the GPU, of a function."""

from __future__ import annotations

import pytest

from kport.arch.asm import cpu_relax
from kport.hw import packets
from kport.hw.faults import Cure, Fault, Kind, Schedule
from kport.hw.gpu import FakeGpu, PageFault
from kport.linux.interrupt import IRQ_HANDLED, free_irq, request_irq
from tests.hw.writer import Writer, drained
from tests.support import MS, US, eventually, never, sleep_ms

INT = packets.FENCE_INTERRUPT


class Bench:
    """A GPU with one ring whose interrupts are noted as (number in memory, time)."""

    def __init__(self, kernel, *faults: Fault, vf: bool = False) -> None:
        self.gpu = FakeGpu(kernel.machine, "gpu0", faults=faults, vf=vf)
        self.ring = self.gpu.add_ring("gfx")
        self.clock = kernel.machine.clock
        self.raised: list[tuple[int, int]] = []
        self.lines = [request_irq(self._handler, "gfx", None)]
        self.ring.line = self.lines[0]
        self.writer = Writer(self.ring)
        self.seq = 0

    def _handler(self, irq: int, dev: object) -> int:
        self.raised.append((self.gpu.memory[0], self.clock()))
        return IRQ_HANDLED

    def job(self, duration: int | None, vmid: int = 1, go: bool = True):
        """A batch and its fence."""
        self.seq += 1
        batch = self.writer.execute(duration, vmid)
        self.writer.fence(0, self.seq, INT)
        if go:
            self.writer.go()
        return batch

    def done(self, seq: int) -> None:
        """Wait until the ring has written this number."""
        eventually(lambda: self.gpu.memory[0] == seq)

    def numbers(self) -> list[int]:
        return [number for number, _ in self.raised]

    def close(self) -> None:
        self.gpu.power_off()
        for line in self.lines:
            free_irq(line)


@pytest.fixture
def bench(kernel):
    made: list[Bench] = []

    def make(*faults: Fault, **options) -> Bench:
        made.append(Bench(kernel, *faults, **options))
        return made[-1]

    yield make
    for each in made:
        each.close()


# -- when ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("when", "struck"),
    [
        ({"at": 3}, [3]),
        ({"at": 2, "every": 4}, [2, 6, 10]),
        ({"time": 55}, [6]),
        ({"time": 0, "every": 40}, [1, 4, 8, 12]),
        ({"at": 13}, []),
    ],
)
def test_a_fault_strikes_at_its_packet_or_time_and_again(when, struck):
    schedule = Schedule([Fault(Kind.HANG, **when)], "gfx")
    assert [n for n in range(1, 13) if schedule.batch(n, n * 10)] == struck
    assert not any(schedule.fence(n, n * 10) for n in range(1, 13))


def test_faults_of_other_rings_do_not_strike():
    mine, all_rings = Fault(Kind.LOST, "gfx", at=1), Fault(Kind.LATE, at=1)
    other = Fault(Kind.LOST, "sdma", at=1)
    schedule = Schedule([other, mine, all_rings], "gfx")
    assert [schedule.fence(n, 0) for n in (1, 2, 3)] == [mine, all_rings, None]


@pytest.mark.parametrize("bad", [{}, {"at": 1, "time": 1}, {"at": 0}, {"at": 1, "every": 0}])
def test_a_fault_must_know_when(bad):
    with pytest.raises(ValueError, match=r"fault|packets"):
        Fault(Kind.HANG, **bad)


# -- hangs -----------------------------------------------------------------------------------------


def test_a_hang_for_a_time_delays_its_batch_and_nothing_else(bench):
    b = bench(Fault(Kind.HANG, at=2, duration=5 * MS))
    first, second, third = b.job(MS), b.job(MS), b.job(MS)
    b.done(3)
    assert first.ended - first.began == MS
    assert 6 * MS <= second.ended - second.began
    assert third.ended - third.began == MS
    assert b.ring.hung is None


def test_a_hang_is_for_ever_until_a_kill(bench):
    fault = Fault(Kind.HANG, at=1)
    b = bench(fault)
    batch = b.job(MS, vmid=5)
    eventually(lambda: b.ring.hung is fault)
    b.ring.kill(4)
    never(lambda: b.gpu.memory[0], msecs=5)
    b.ring.kill(5)
    b.done(1)
    assert batch.ended is not None
    assert b.ring.executed == 1


def test_a_kill_ends_a_batch_that_only_takes_long(bench):
    b = bench()
    long, next_ = b.job(60_000 * MS), b.job(MS)
    eventually(lambda: b.ring.running is long)
    b.ring.kill(1)
    b.done(2)
    assert long.ended - long.began < 60_000 * MS
    assert next_.ended - next_.began == MS


def test_a_kill_that_comes_too_late_kills_nothing(bench):
    b = bench()
    b.ring.kill(1)
    batch = b.job(MS)
    b.done(1)
    assert batch.ended - batch.began == MS


@pytest.mark.parametrize("cure", list(Cure))
def test_each_hang_ends_with_its_cure_and_no_milder_one(bench, cure):
    b = bench(Fault(Kind.HANG, at=1, cure=cure))
    b.job(MS)
    eventually(lambda: b.ring.hung)
    b.ring.kill(1)
    if cure > Cure.SOFT:
        never(lambda: b.gpu.memory[0], msecs=5)
        assert b.ring.reset() is (cure is Cure.RING)
    if cure > Cure.RING:
        assert b.gpu.reset() is (cure is Cure.FULL)
    if cure is not Cure.NEVER:
        eventually(lambda: drained(b.ring))
    assert bool(b.ring.hung) is (cure is Cure.NEVER)
    assert b.gpu.resets == (cure is Cure.FULL)


def test_a_reset_loses_what_is_in_the_ring_and_the_ring_works_on(bench):
    b = bench()
    hung, lost = b.job(None), b.job(MS)
    eventually(lambda: b.ring.running is hung)
    assert b.ring.reset() is True
    assert drained(b.ring)
    never(lambda: b.gpu.memory[0], msecs=5)
    assert (hung.ended is None, lost.began) == (False, None)
    b.job(MS)
    b.done(3)
    eventually(lambda: b.raised)
    assert b.numbers() == [3]


def test_a_full_reset_reaches_every_ring(bench):
    b = bench()
    other = b.gpu.add_ring("sdma")
    w = Writer(other)
    elsewhere = w.execute(None)
    w.go()
    here = b.job(None)
    eventually(lambda: b.ring.running is here and other.running is elsewhere)
    assert b.gpu.reset() is True
    assert drained(b.ring)
    assert drained(other)
    assert b.gpu.resets == 1


def test_packets_count_on_over_a_reset(bench):
    b = bench(Fault(Kind.HANG, at=1), Fault(Kind.HANG, at=2))
    b.job(0)
    for _ in range(2):
        eventually(lambda: b.ring.hung)
        assert b.ring.reset()
        b.job(0)
    b.done(3)


def test_a_virtual_function_is_reset_by_its_host_alone(bench):
    b = bench(vf=True)
    b.gpu.host_refuses = 1
    b.job(None)
    eventually(lambda: b.ring.running)
    assert b.gpu.reset() is False
    assert b.gpu.reset_function() is False, "the host refuses once"
    assert b.ring.running
    assert b.gpu.reset_function() is True
    eventually(lambda: b.ring.running is None)
    assert bench().gpu.reset_function() is False, "no virtual function"


# -- page faults -----------------------------------------------------------------------------------


def test_a_page_fault_is_told_with_an_interrupt_and_hangs(bench):
    b = bench(Fault(Kind.FAULT, at=1))
    told = []
    line = request_irq(lambda irq, dev: told.append(b.gpu.page_faults.popleft()) or 1, "vm", None)
    b.lines.append(line)
    b.gpu.fault_line = line
    b.job(MS, vmid=9)
    eventually(lambda: told)
    assert told == [PageFault("gfx", 9, 0x1000)]
    never(lambda: b.gpu.memory[0], msecs=5)
    b.ring.kill(9)
    b.done(1)


# -- interrupts ------------------------------------------------------------------------------------


def test_one_interrupt_is_lost(bench):
    b = bench(Fault(Kind.LOST, at=2))
    b.job(MS)
    eventually(lambda: len(b.raised) == 1)
    b.job(MS)
    b.done(2)
    never(lambda: len(b.raised) > 1, msecs=5)
    b.job(MS)
    eventually(lambda: len(b.raised) == 2)
    assert b.numbers() == [1, 3]


def test_one_interrupt_is_late_and_the_engine_does_not_wait_for_it(bench):
    b = bench(Fault(Kind.LATE, at=1, duration=20 * MS))
    first = b.job(MS)
    b.done(1)
    eventually(lambda: b.raised)
    assert b.raised[0][1] - first.ended >= 20 * MS
    second = b.job(MS)
    b.done(2)
    assert second.ended - second.began == MS


def test_late_interrupts_come_while_other_batches_run(bench):
    b = bench(Fault(Kind.LATE, at=1, duration=5 * MS))
    b.job(0)
    b.job(60 * MS)
    eventually(lambda: b.raised)
    assert b.numbers() == [1]


def test_for_a_time_numbers_are_written_without_interrupts(bench):
    b = bench(Fault(Kind.SILENT, at=2, duration=60 * MS))
    b.job(US)
    eventually(lambda: b.raised)
    for n in (2, 3):
        b.job(US)
        b.done(n)
    assert b.numbers() == [1]
    sleep_ms(65)
    b.job(US)
    eventually(lambda: len(b.raised) == 2)
    assert b.numbers() == [1, 4]


def test_silence_ends_with_a_reset(bench):
    b = bench(Fault(Kind.SILENT, at=1))
    b.job(0)
    b.done(1)
    never(lambda: b.raised, msecs=5)
    assert b.ring.reset()
    b.job(0)
    eventually(lambda: b.raised)


# -- order -----------------------------------------------------------------------------------------


def test_two_batches_end_in_the_wrong_order(bench):
    b = bench(Fault(Kind.SWAP, at=2))
    batches = [b.job(MS, go=False) for _ in range(4)]
    b.writer.go()
    eventually(lambda: drained(b.ring))
    eventually(lambda: b.numbers()[-1:] == [4])
    assert sorted(range(4), key=lambda n: batches[n].ended) == [0, 2, 1, 3]
    assert b.gpu.memory[0] == 4


def test_a_batch_without_a_next_one_keeps_its_place_and_a_later_one_does_not(bench):
    b = bench(Fault(Kind.SWAP, at=1))
    alone = b.job(MS)
    b.done(1)
    assert alone.ended
    batches = [b.job(MS, go=False) for _ in range(2)]
    b.writer.go()
    b.done(2)
    assert batches[1].ended < batches[0].ended


# -- preemption ------------------------------------------------------------------------------------


def covered(b: Bench, duration: int | None, cell: int = 6):
    """A job under COND_EXEC."""
    b.writer.put(packets.COND_EXEC, cell, 7)
    return b.job(duration)


def test_preemption_keeps_what_was_done_and_tells_the_fence_it_did_not_reach(bench):
    b = bench()
    b.gpu.memory[6] = 1
    batch, skipped = covered(b, 100 * MS), covered(b, MS)
    eventually(lambda: b.ring.running is batch)
    sleep_ms(5)
    b.gpu.memory[6] = 0
    b.ring.preempt(4, 77)
    eventually(lambda: b.gpu.memory[4] == 77)
    assert drained(b.ring)
    assert (b.gpu.memory[0], b.gpu.memory[packets.PREEMPTED]) == (0, 1)
    assert 5 * MS <= batch.spent < 100 * MS
    assert (batch.ended, skipped.began) == (None, None)
    b.gpu.memory[6] = 1
    w = b.writer
    w.put(packets.COND_EXEC, 6, 7)
    w.put(packets.EXECUTE, 0x1000, 1)
    w.fence(0, 3, INT)
    w.go()
    b.done(3)
    assert batch.ended - batch.began == 100 * MS - batch.spent
    assert b.ring.busy == 100 * MS


def test_an_engine_that_is_late_for_a_preemption_does_no_more_than_the_batch(bench):
    b = bench()
    b.gpu.memory[6] = 1
    engine = b.ring.engine
    wait = engine._wait

    def late(deadline: int | None) -> None:
        if engine.running is not None:
            b.ring.preempt(4, 1)
            while b.clock() <= deadline:  # it waits for its CPU
                cpu_relax()
        wait(deadline)

    engine._wait = late
    batch = covered(b, 100 * MS)
    eventually(lambda: b.gpu.memory[4] == 1)
    assert (batch.ended, batch.spent, b.ring.busy) == (None, 100 * MS, 100 * MS)


def test_what_is_not_covered_runs_to_its_end_before_the_engine_answers(bench):
    b = bench()
    batch = b.job(50 * MS)
    eventually(lambda: b.ring.running is batch)
    b.ring.preempt(4, 1)
    eventually(lambda: b.gpu.memory[4] == 1)
    assert batch.ended - batch.began == 50 * MS
    assert b.gpu.memory[0] == 1


def test_an_idle_engine_answers_at_once_and_a_hung_one_never(bench):
    b = bench(Fault(Kind.HANG, at=1))
    b.ring.preempt(4, 1)
    eventually(lambda: b.gpu.memory[4] == 1)
    b.gpu.memory[6] = 1
    covered(b, MS)
    eventually(lambda: b.ring.hung)
    b.ring.preempt(4, 2)
    never(lambda: b.gpu.memory[4] == 2, msecs=5)
    assert b.ring.reset()


# -- death -----------------------------------------------------------------------------------------


def test_a_dead_gpu_does_nothing_any_more(bench):
    b = bench(Fault(Kind.DEAD, at=2, duration=5 * MS))
    told = []
    line = request_irq(lambda irq, dev: told.append(b.clock()) or 1, "hotplug", None)
    b.lines.append(line)
    b.gpu.hotplug_line = line
    b.job(MS)
    second = b.job(MS)
    eventually(lambda: b.gpu.dead)
    assert b.gpu.memory[0] == 1
    never(lambda: b.gpu.memory[0] == 2, msecs=3)
    b.ring.kill(1)
    assert (b.ring.reset(), b.gpu.reset()) == (False, False)
    eventually(lambda: told)
    assert told[0] >= second.began + 5 * MS
    assert second.ended is None
    other = b.gpu.add_ring("late")
    w = Writer(other)
    w.fence(9, 9)
    w.go()
    never(lambda: b.gpu.memory[9], msecs=3)
