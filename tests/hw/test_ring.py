# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The fake GPU: packets, the nominal clock, doorbells, endless batches, interrupts, power."""

from __future__ import annotations

from itertools import pairwise

import pytest

from kport.hw import packets
from kport.hw.batch import Batch
from kport.hw.gpu import FakeGpu
from kport.linux.interrupt import IRQ_HANDLED, free_irq, request_irq
from tests.hw.writer import Writer, drained
from tests.support import MS, US, eventually, never, sleep_ms


@pytest.fixture
def gpu(kernel):
    made = FakeGpu(kernel.machine, "gpu0")
    yield made
    made.power_off()


@pytest.fixture
def ring(gpu):
    return gpu.add_ring("gfx")


# -- packets ---------------------------------------------------------------------------------------


def test_headers():
    word = packets.header(packets.FENCE, 3)
    assert packets.opcode(word) == packets.FENCE
    assert packets.length(word) == 3


def test_a_fence_packet_writes_its_number(ring, gpu):
    w = Writer(ring)
    w.fence(5, 1234)
    w.go()
    eventually(lambda: gpu.memory[5] == 1234)


def test_a_nop_skips_its_words(ring, gpu):
    w = Writer(ring)
    w.put(packets.NOP, 99, 99, 99)
    w.put(packets.NOP)
    w.fence(0, 7)
    w.go()
    eventually(lambda: gpu.memory[0] == 7)
    assert (ring.executed, ring.busy) == (0, 0)


def test_nothing_is_fetched_before_the_doorbell(ring, gpu):
    w = Writer(ring)
    w.fence(0, 1)
    never(lambda: gpu.memory[0])
    w.go()
    eventually(lambda: gpu.memory[0] == 1)


def test_only_what_is_before_the_doorbell_is_fetched(ring, gpu):
    w = Writer(ring)
    w.fence(0, 1)
    w.go()
    w.fence(0, 2)
    eventually(lambda: gpu.memory[0] == 1)
    never(lambda: gpu.memory[0] == 2, msecs=5)
    w.go()
    eventually(lambda: gpu.memory[0] == 2)


def test_the_ring_wraps(gpu):
    ring = gpu.add_ring("small", words=16)
    w = Writer(ring)
    for seq in range(1, 40):
        assert ring.space() == 16
        w.execute(0)
        w.fence(1, seq)
        w.go()
        eventually(lambda seq=seq: gpu.memory[1] == seq and drained(ring))
    assert ring.executed == 39
    assert ring.wptr > 2 * ring.words


def test_the_room_in_a_ring(ring):
    w = Writer(ring)
    assert ring.space() == 4096
    batch = w.execute(None)
    w.fence(0, 1)
    w.go()
    eventually(lambda: ring.running is batch)
    assert ring.space() == 4096 - 7
    batch.end(ring.gpu.machine)
    eventually(lambda: ring.space() == 4096)


# -- time ------------------------------------------------------------------------------------------


def test_a_batch_takes_its_time_to_the_nanosecond(ring, gpu):
    w = Writer(ring)
    batch = w.execute(2 * MS)
    rang = gpu.machine.clock()
    w.go()
    eventually(lambda: drained(ring))
    assert batch.began >= rang
    assert batch.ended - batch.began == 2 * MS
    assert gpu.machine.clock() >= batch.ended
    assert (ring.busy, ring.executed) == (2 * MS, 1)


def test_a_fence_behind_a_batch_comes_when_the_batch_has_ended(ring, gpu):
    w = Writer(ring)
    batch = w.execute(3 * MS)
    w.fence(0, 1)
    w.go()
    eventually(lambda: gpu.memory[0] == 1)
    assert gpu.machine.clock() >= batch.ended


def test_batches_follow_each_other_without_a_gap(ring):
    w = Writer(ring)
    batches = [w.execute(200 * US) for _ in range(50)]
    w.go()
    eventually(lambda: drained(ring))
    for before, after in pairwise(batches):
        assert after.began == before.ended
    assert ring.busy == 50 * 200 * US


def test_batches_from_different_doorbells_follow_without_a_gap_while_the_ring_is_busy(ring):
    w = Writer(ring)
    first = w.execute(50 * MS)
    w.go()
    eventually(lambda: first.began)
    second = w.execute(MS)
    w.go()
    eventually(lambda: drained(ring))
    assert second.began == first.ended


def test_a_batch_does_not_begin_before_its_doorbell(ring, gpu):
    w = Writer(ring)
    first = w.execute(US)
    w.go()
    eventually(lambda: drained(ring))
    sleep_ms(3)
    second = w.execute(US)
    rang = gpu.machine.clock()
    w.go()
    eventually(lambda: drained(ring))
    assert second.began >= rang > first.ended


def test_rings_run_beside_each_other(gpu):
    rings = [gpu.add_ring(f"ring{n}") for n in range(3)]
    batches = []
    for ring in rings:
        w = Writer(ring)
        batches.append(w.execute(10 * MS))
        w.go()
    eventually(lambda: all(drained(ring) for ring in rings))
    assert max(b.began for b in batches) < min(b.ended for b in batches)


# -- endless batches -------------------------------------------------------------------------------


def test_an_endless_batch_ends_when_somebody_ends_it(ring, gpu):
    w = Writer(ring)
    batch = w.execute(None)
    w.fence(0, 1)
    w.go()
    eventually(lambda: ring.running is batch)
    never(lambda: gpu.memory[0])
    before = gpu.machine.clock()
    batch.end(gpu.machine)
    eventually(lambda: gpu.memory[0] == 1)
    assert before <= batch.ended <= gpu.machine.clock()
    assert ring.busy == batch.ended - batch.began
    assert ring.running is None


def test_an_endless_batch_that_was_ended_before_it_began_takes_no_time(ring, gpu):
    w = Writer(ring)
    first, second = w.execute(2 * MS), w.execute(None)
    second.end(gpu.machine)
    w.go()
    eventually(lambda: drained(ring))
    assert second.began == second.ended == first.ended


def test_ending_twice_is_ending_once(ring, gpu):
    w = Writer(ring)
    batch = w.execute(None)
    w.go()
    eventually(lambda: ring.running is batch)
    batch.end(gpu.machine)
    eventually(lambda: batch.ended)
    ended = batch.ended
    sleep_ms(1)
    batch.end(gpu.machine)
    assert (batch.ended, batch.stop_at) == (ended, ended)


def test_ending_a_batch_with_a_duration_does_nothing(ring, gpu):
    w = Writer(ring)
    batch = w.execute(5 * MS)
    w.go()
    eventually(lambda: batch.began)
    batch.end(gpu.machine)
    eventually(lambda: drained(ring))
    assert batch.ended - batch.began == 5 * MS


def test_a_rush_ends_what_runs_and_whatever_follows(gpu):
    ring = gpu.add_ring("gfx")
    w = Writer(ring)
    batches = [w.execute(None), w.execute(60_000 * MS), w.execute(None)]
    w.fence(0, 3)
    w.go()
    eventually(lambda: ring.running is batches[0])
    gpu.rush()
    eventually(lambda: gpu.memory[0] == 3)
    assert all(b.ended >= b.began for b in batches)
    assert ring.busy < 60_000 * MS


# -- interrupts ------------------------------------------------------------------------------------


def test_a_fence_raises_the_rings_line_if_it_asks_for_it(ring, gpu):
    raised: list[int] = []

    def handler(irq: int, dev: object) -> int:
        raised.append(gpu.memory[0])
        return IRQ_HANDLED

    ring.line = request_irq(handler, "gfx", None)
    w = Writer(ring)
    w.fence(0, 1)
    w.go()
    eventually(lambda: gpu.memory[0] == 1)
    never(lambda: raised, msecs=3)
    w.fence(0, 2, packets.FENCE_INTERRUPT)
    w.go()
    eventually(lambda: raised)
    assert raised == [2], "the number is written before the interrupt"
    free_irq(ring.line)


def test_without_a_line_an_interrupt_is_lost(ring, gpu):
    w = Writer(ring)
    w.fence(0, 1, packets.FENCE_INTERRUPT)
    w.go()
    eventually(lambda: gpu.memory[0] == 1)


# -- the device ------------------------------------------------------------------------------------


def test_ring_names_are_unique(gpu):
    gpu.add_ring("gfx")
    with pytest.raises(ValueError, match="gpu0 has a ring gfx already"):
        gpu.add_ring("gfx")


def test_a_batch_is_mapped_until_it_is_unmapped(gpu, ring):
    addresses = [gpu.map(Batch(0)) for _ in range(5)]
    assert len(set(addresses)) == 5
    w = Writer(ring)
    for _ in range(2):
        w.put(packets.EXECUTE, addresses[0], 1)
    w.go()
    eventually(lambda: drained(ring))
    assert ring.executed == 2
    gpu.unmap(addresses[0])
    gpu.unmap(addresses[0])
    w.put(packets.EXECUTE, addresses[0], 1)
    w.go()
    eventually(lambda: drained(ring))
    assert (ring.executed, ring.engine.strays) == (2, 1), "nothing is found there"


@pytest.mark.parametrize("duration", [None, 60_000 * MS])
def test_power_off_stops_an_engine_in_the_middle_of_a_batch(kernel, duration):
    gpu = FakeGpu(kernel.machine, "gpu1")
    ring = gpu.add_ring("gfx")
    w = Writer(ring)
    batch = w.execute(duration)
    w.go()
    eventually(lambda: ring.running is batch)
    gpu.power_off()
    gpu.power_off()
    w.fence(0, 1)
    w.go()
    never(lambda: gpu.memory[0])


def test_engines_have_the_names_of_their_rings(gpu):
    assert gpu.add_ring("comp_1.0.0").ti.name == "gpu0:comp_1.0.0"


@pytest.mark.boot(scale=0.2)
def test_gpu_time_is_kernel_time(ring, gpu):
    w = Writer(ring)
    batch = w.execute(50 * MS)
    w.go()
    eventually(lambda: drained(ring))
    assert batch.ended - batch.began == 50 * MS
