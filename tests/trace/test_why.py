# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Why a job waits."""

from __future__ import annotations

from kport.trace.snapshot import Job, Port, Ring
from kport.trace.why import length
from tests.trace.sample import DMA, GFX, US, Trace


def chain(model, key, at=None):
    return [(link.depth, link.kind, link.job) for link in model.why(key, at)]


def test_a_job_on_the_hardware():
    model = Trace().queue(3, 1, at=0).run(3, 1, at=10).queue(5, 1, at=30).model()
    (link,) = model.why((3, 1))
    assert (link.kind, link.since, link.ring) == ("hardware", 10 * US, GFX)
    assert link.text == "3:1 is on the hardware of gfx for 20.0 us"


def test_a_job_behind_another_on_the_hardware():
    model = Trace().queue(3, 1).queue(3, 2).run(3, 1).run(3, 2).model()
    assert chain(model, (3, 2)) == [(0, "hardware", (3, 2)), (1, "hardware", (3, 1))]


def test_a_job_that_is_over():
    model = Trace().queue(3, 1).run(3, 1).done(3, 1).model()
    assert chain(model, (3, 1)) == [(0, "over", (3, 1))]
    assert chain(model, (3, 1), 1) == [(0, "hardware", (3, 1))]
    assert model.why((99, 1)) == ()


def test_a_dependency_on_another_ring_down_to_the_hardware():
    trace = Trace().queue(9, 4, DMA).run(9, 4, DMA).queue(3, 1).depend(3, 1, 9, 4, at=5)
    model = trace.model()
    assert chain(model, (3, 1)) == [(0, "dependency", (3, 1)), (1, "hardware", (9, 4))]
    link = model.why((3, 1))[0]
    assert link.fence == (9, 4)
    assert link.text == "3:1 depends on 9:4 on sdma0 (finished fence)"


def test_a_dependency_that_has_signalled_is_none():
    trace = Trace().queue(9, 4, DMA).run(9, 4, DMA).queue(3, 1).depend(3, 1, 9, 4).done(9, 4)
    assert chain(trace.model(), (3, 1)) == [(0, "unknown", (3, 1))]


def test_a_dependency_on_the_scheduled_fence_of_a_job_that_has_run():
    trace = Trace().queue(9, 4, DMA).queue(3, 1).depend(3, 1, 8, 4)
    assert [link.kind for link in trace.model().why((3, 1))] == ["dependency", "unknown"]
    assert chain(trace.run(9, 4, DMA).model(), (3, 1)) == [(0, "unknown", (3, 1))]


def test_a_fence_of_nobody():
    trace = Trace().fence("init", 50, 7, "vblank").queue(3, 1).depend(3, 1, 50, 7)
    (link,) = trace.model().why((3, 1))
    assert (link.kind, link.fence) == ("dependency", (50, 7))
    assert link.text == "3:1 depends on fence 50:7 of vblank timeline, which has not signalled"


def test_what_the_driver_found_to_wait_for_while_the_job_was_queued():
    trace = Trace().fence("init", 50, 7).queue(3, 1).look(3, 1, 50, 7)
    assert chain(trace.model(), (3, 1)) == [(0, "dependency", (3, 1))]
    assert chain(trace.fence("signaled", 50, 7).model(), (3, 1)) == [(0, "unknown", (3, 1))]


def test_the_head_of_the_line():
    trace = Trace().fence("init", 50, 7).queue(3, 1).depend(3, 1, 50, 7).queue(3, 2).queue(3, 3)
    assert chain(trace.model(), (3, 3)) == [
        (0, "head-of-line", (3, 3)),
        (1, "dependency", (3, 1)),
    ]


def test_a_circle_ends():
    trace = Trace().queue(3, 1).queue(5, 1).depend(3, 1, 5, 1).depend(5, 1, 3, 1)
    assert chain(trace.model(), (3, 1)) == [(0, "dependency", (3, 1)), (1, "dependency", (5, 1))]


def test_credits_as_many_as_the_ring_was_ever_seen_to_hold():
    trace = Trace().queue(3, 1).queue(5, 1).queue(7, 1)
    trace.run(3, 1, held=1).run(5, 1, held=2)
    links = trace.model().why((7, 1))
    assert [link.kind for link in links] == ["credits", "hardware"]
    assert links[0].text == "7:1 needs 1 credit of gfx: 2 of 2 ever seen in use"
    assert links[1].job == (3, 1)


def test_credits_as_a_port_tells_them():
    model = Trace().queue(3, 1).queue(7, 1).run(3, 1).model()
    ring = Ring(GFX, state="running", credits=3, credit_limit=5)
    wants = Job((7, 1), GFX, 1, "queued", 0, credits=3)
    model.add_port(Port(ts=0, rings=(ring,), jobs=(wants,)))
    assert model.why((7, 1))[0].text == "7:1 needs 3 credits of gfx: 3 of 5 in use"


def test_a_scheduler_that_is_stopped():
    model = Trace().queue(3, 1).model()
    model.add_port(Port(ts=0, rings=(Ring(GFX, state="stopped"),)))
    (link,) = model.why((3, 1))
    assert (link.kind, link.text) == ("stopped", "3:1 waits: the scheduler of gfx is stopped")


def test_the_policy_picked_another():
    trace = Trace().queue(3, 1, at=0).queue(5, 1, at=1).run(5, 1, at=2, held=5)
    trace.queue(9, 1, DMA, at=3)
    model = trace.model()
    ring = Ring(GFX, state="running", credits=1, credit_limit=9)
    model.add_port(Port(ts=0, rings=(ring,)))
    assert chain(model, (3, 1)) == [(0, "policy", (3, 1)), (1, "hardware", (5, 1))]


def test_lengths_to_read():
    assert [length(ns) for ns in (812, 3_400, 12_100_000, 2_345_000_000)] == [
        "812 ns", "3.4 us", "12.1 ms", "2.345 s",
    ]  # fmt: skip
