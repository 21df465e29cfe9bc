# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The model as a whole: feeding, snapshots with and without a port, lives, order."""

from __future__ import annotations

import json
import random

from kport.trace.model import SETTLE, Model
from kport.trace.snapshot import (
    Entity,
    Fence,
    Job,
    Port,
    Ring,
    plain,
)
from tests.trace.sample import DMA, GFX, MS, US, Trace, random_trace, whole_life


def test_events_of_a_port_are_sorted():
    trace = random_trace(4, jobs=100)
    rng = random.Random(1)
    events = trace.events
    shuffled = [
        event
        for i in range(0, len(events), 5)
        for event in rng.sample(events[i : i + 5], len(events[i : i + 5]))
    ]
    model = Model()
    for i in range(0, len(shuffled), 13):
        model.feed(shuffled[i : i + 13])
    assert model.settle() > 0
    assert model.settle() == 0
    times = [model.log[n].ts for n in range(model.log.end)]
    assert times == sorted(times)
    assert len(times) == len(events)


def test_the_youngest_events_wait_for_later_ones():
    model = Model()
    assert model.feed(Trace().queue(3, 1, at=1000).events) == 0
    assert model.feed([], clock=1 * MS + SETTLE - 1) == 0
    assert model.feed([], clock=1 * MS + SETTLE) == 1


def test_events_of_other_names_are_passed_over():
    trace = Trace()("sched_switch", 1)
    assert len(trace.model().log) == 0 if not trace.events else True
    model = Model()
    model.feed(trace.events)
    assert model.settle() == 0


def test_an_empty_model_answers():
    model = Model()
    assert model.snapshot().rings == ()
    assert model.snapshot().event == -1
    assert (model.rings(), model.clients(), model.began, model.ended) == ((), (), 0, 0)
    assert model.job((3, 1)) is None
    assert model.fence((3, 1)) is None
    assert model.why((3, 1)) == ()
    assert model.job_life((3, 1)) == model.fence_life((3, 1)) == ()
    assert model.stats("wait").count == 0
    assert model.at_time(5) == -1


def test_a_snapshot_counts():
    trace = Trace().queue(3, 1, at=0).queue(3, 2).queue(5, 1, client=4).queue(9, 1, DMA)
    trace.run(3, 1, at=10, held=2).done(3, 1, at=510).run(3, 2, held=2)
    snapshot = trace.queue(9, 2, DMA, at=1000).model().snapshot()
    gfx, dma = snapshot.rings
    assert (gfx.running, gfx.waiting, gfx.finished) == (1, 1, 1)
    assert (gfx.head, gfx.tail, gfx.credits) == ((3, 2), (5, 1), 2)
    assert (dma.running, dma.waiting, dma.head, dma.tail) == (0, 2, None, (9, 2))
    assert gfx.busy_pct == 99.0
    assert snapshot.finished == 1
    assert [job.key for job in snapshot.jobs] == [(3, 2), (5, 1), (9, 1), (9, 2)]
    first, second, third = snapshot.entities
    assert (first.context, first.head, first.oldest_ns) == (5, (5, 1), 1000 * US)
    assert (second.context, second.waiting) == (9, 2)
    assert (third.context, third.running, third.finished, third.head) == (3, 1, 1, None)


def test_busy_is_that_of_the_last_second():
    trace = Trace().queue(3, 1, at=0)
    for i in range(1, 5):
        trace.queue(3, i).run(3, i, at=i * 500_000).done(3, i, at=i * 500_000 + 100_000)
    model = trace.queue(3, 9, at=2_500_000).model()
    percents = [model.snapshot(model.at_time(us * US)).rings[0].busy_pct for us in
                (600_000, 1_100_000, 2_500_000)]  # fmt: skip
    assert percents == [100 * 1 / 6, 20.0, 20.0]


def test_living_fences_are_limited_to_the_youngest():
    trace = Trace()
    for seqno in range(1, 21):
        trace.fence("init", 7, seqno)
    model = trace.fence("destroy", 7, 20).model()
    snapshot = model.snapshot(limit=5)
    assert [fence.key[1] for fence in snapshot.fences] == [15, 16, 17, 18, 19]
    assert snapshot.fences_total == 19
    assert model.snapshot(limit=0).fences == ()


def test_a_port_adds_what_no_event_tells():
    trace = Trace().queue(3, 1, at=0).queue(5, 1).fence("init", 3, 1).run(3, 1, at=10)
    model = trace.model()
    port = Port(
        ts=12 * US,
        policy="fair",
        rings=(Ring(GFX, state="stopped", credits=7, credit_limit=9), Ring(DMA, state="running")),
        entities=(
            Entity(5, GFX, 0, waiting=1, place=0, key=44, key_kind="vruntime", priority="high"),
            Entity(3, GFX, 0, guilty=True),
        ),
        jobs=(Job((3, 1), GFX, 1, "running", 0, credits=2, karma=1),),
        fences=(Fence((3, 1), refcount=3, callbacks=1, error=-62),),
    )
    model.add_port(port)
    snapshot = model.snapshot()
    assert snapshot.port == port
    gfx, dma = snapshot.rings
    assert (gfx.state, gfx.credits, gfx.credit_limit, gfx.running) == ("stopped", 7, 9, 1)
    assert (dma.state, dma.waiting) == ("running", 0)
    assert [e.context for e in snapshot.entities] == [5, 3]
    assert (snapshot.entities[0].priority, snapshot.entities[0].client) == ("high", 1)
    assert snapshot.entities[1].guilty
    assert (snapshot.jobs[0].credits, snapshot.jobs[0].karma) == (2, 1)
    fence = snapshot.fences[0]
    assert (fence.refcount, fence.callbacks, fence.error) == (3, 1, -62)
    assert model.fence((3, 1)) == fence
    assert model.job((3, 1)).karma == 1
    assert model.rings() == (GFX, DMA)


def test_time_travel_takes_the_port_of_the_time():
    model = Trace().queue(3, 1, at=0).queue(3, 2, at=10).queue(3, 3, at=20).model()
    for us in (5, 15):
        model.add_port(Port(ts=us * US, policy=str(us)))
    assert model.port(0) is None
    assert [model.snapshot(at).port.policy for at in (1, 2)] == ["5", "15"]
    assert model.port().policy == "15"


def test_now_goes_on_while_nothing_happens():
    model = Trace().queue(3, 1, at=0).run(3, 1, at=10).model()
    model.feed([], clock=510 * US)
    assert model.snapshot().ts == 510 * US
    assert "for 500.0 us" in model.why((3, 1))[0].text
    assert model.snapshot(1).ts == 10 * US


def test_the_queue_of_an_entity():
    trace = Trace().queue(3, 1).queue(3, 2).queue(3, 3).run(3, 1)
    model = trace.model()
    assert [job.key for job in model.entity_jobs(3, GFX)] == [(3, 2), (3, 3)]
    assert [job.key for job in model.entity_jobs(3, GFX, 1)] == [(3, 1), (3, 2)]
    assert model.entity_jobs(99, GFX) == []
    assert model.entity(3, GFX).waiting == 2
    assert model.entity(99, GFX) is None


def test_the_order_of_running():
    trace = Trace().queue(3, 1, at=0).queue(5, 1).queue(3, 2)
    trace.run(5, 1, at=10).run(3, 1, at=20).run(3, 2, at=30)
    model = trace.model()
    assert model.order(0, 99 * US, GFX) == [(5, 1), (3, 1), (3, 2)]
    assert model.order(20 * US, 30 * US, GFX) == [(3, 1)]
    assert model.order(0, 99 * US, DMA) == []


def test_lives_as_stages():
    model = whole_life(Trace()).model()
    assert [(stage.name, stage.at) for stage in model.job_life((3, 1))] == [
        ("queued", 20 * US), ("dependencies clear", 20 * US), ("picked", 30 * US),
        ("scheduled", 50 * US), ("hardware done", 70 * US), ("signalled", 90 * US),
        ("freed", 100 * US),
    ]  # fmt: skip
    assert [(stage.name, stage.at) for stage in model.fence_life((3, 1))] == [
        ("init", 10 * US), ("armed", None), ("scheduled", 50 * US), ("parent", 40 * US),
        ("finished", 80 * US), ("signalled", 90 * US), ("freed", 100 * US),
    ]  # fmt: skip
    assert [stage.name for stage in model.fence_life((900, 1))] == [
        "init", "armed", "signalled", "freed",
    ]  # fmt: skip


def test_the_job_under_a_click():
    model = Trace().queue(3, 1).run(3, 1, at=10).done(3, 1, at=20).model()
    assert model.job_at(GFX, 15 * US) == (3, 1)
    assert model.job_at(GFX, 25 * US) is None


def test_a_snapshot_is_json():
    model = random_trace(2).model()
    for at in range(0, model.log.end, 17):
        assert json.loads(json.dumps(plain(model.snapshot(at))))["event"] == at
