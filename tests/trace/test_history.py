# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Lives from events: what is joined with what, and the state at any moment."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from kport.trace.bulk import Block, parsed_of, sorted_blocks
from kport.trace.history import History
from kport.trace.model import Model, open_recording
from kport.trace.reader import Reader
from kport.trace.snapshot import RingKey
from tests.trace.sample import GFX, RECORDING, US, Trace, model_of, random_trace, whole_life


def test_the_life_of_a_job():
    job = whole_life(Trace()).model().job((3, 1))
    assert (job.queued, job.run, job.scheduled) == (20 * US, 30 * US, 50 * US)
    assert (job.hw_done, job.done, job.signalled) == (70 * US, 80 * US, 90 * US)
    assert job.freed == 100 * US
    assert (job.state, job.ring, job.parent, job.slot) == ("over", GFX, (900, 1), 0)


def test_nothing_is_known_before_it_happened():
    model = whole_life(Trace()).model()
    seen = [model.job((3, 1), at) for at in range(model.log.end)]
    assert seen[:2] == [None, None]
    states = [job.state for job in seen[2:]]
    assert states == ["queued"] + 5 * ["running"] + 5 * ["over"]
    assert [job.parent for job in seen[2:5]] == [None, None, (900, 1)]
    assert seen[3].scheduled is None
    assert seen[5].scheduled == 50 * US
    assert [job.slot for job in seen[2:4]] == [-1, 0]


def test_fences_get_their_roles():
    model = whole_life(Trace()).model()
    roles = {key: model.fence(key).role for key in ((2, 1), (3, 1), (900, 1))}
    assert roles == {(2, 1): "scheduled", (3, 1): "finished", (900, 1): "parent"}
    assert model.fence((2, 1), 1).role == ""  # the job is not queued yet
    assert model.fence((900, 1)).armed == 60 * US
    assert model.fence((3, 1)).state == "freed"
    assert model.fence((3, 1), 9).state == "signalled"
    assert model.owner((2, 1)) == (3, 1)


def test_fences_are_joined_modulo_2_to_the_32():
    wide = (1 << 32) + 3
    trace = Trace().fence("init", 3, 1).queue(wide, (1 << 32) + 1).fence("signaled", 3, 1)
    model = trace.model()
    job = model.job((wide, (1 << 32) + 1))
    assert job.signalled is not None
    assert model.fence((3, 1)).job == job.key
    assert model.job((3, 1)) is None


def test_names_are_those_of_the_first_event():
    trace = Trace().fence("init", 5, 1, "real").fence("signaled", 5, 1, "detached-driver")
    trace.fence("destroy", 6, 1, "detached-driver")
    model = trace.model()
    assert model.fence((5, 1)).driver == "real"
    assert model.fence((6, 1)).driver == ""


def test_a_number_that_is_used_again_is_another_fence():
    trace = Trace().fence("init", 5, 1, at=1).fence("destroy", 5, 1, at=2)
    trace.fence("init", 5, 1, at=3)
    model = trace.model()
    assert model.fence((5, 1), 1).freed == 2 * US
    assert model.fence((5, 1), 2).freed is None
    assert model.fence((5, 1), 2).init == 3 * US


def test_waiters():
    trace = Trace().fence("init", 5, 1).fence("wait_start", 5, 1, comm="a")
    trace.fence("wait_start", 5, 1, comm="b").fence("wait_end", 5, 1, comm="a")
    model = trace.model()
    assert [model.fence((5, 1), at).waiters for at in range(4)] == [
        (), ("a-7",), ("a-7", "b-7"), ("b-7",),
    ]  # fmt: skip


def test_rings_of_two_devices_with_one_name_are_two():
    other = RingKey("0000:04:00.0", "gfx")
    trace = Trace().queue(3, 1).queue(9, 1, other).run(9, 1, other)
    rings = {ring.key: ring for ring in trace.model().snapshot().rings}
    assert (rings[GFX].running, rings[GFX].waiting) == (0, 1)
    assert (rings[other].running, rings[other].waiting) == (1, 0)


def test_a_killed_job_is_over_without_having_run():
    trace = Trace().fence("init", 3, 1).queue(3, 1).fence("signaled", 3, 1)
    snapshot = trace.model().snapshot()
    (ring,) = snapshot.rings
    assert (ring.running, ring.waiting, ring.finished) == (0, 0, 1)
    assert snapshot.jobs == ()


def test_a_job_that_was_queued_before_the_trace_began():
    model = Trace().run(3, 8, at=5).done(3, 8, at=9).model()
    job = model.job((3, 8))
    assert job.cut
    assert job.run == 5 * US
    assert model.stats("wait").count == 0
    assert model.stats("run").p50 == 4 * US


def test_events_of_kernels_before_6_17():
    trace = Trace()
    trace("drm_sched_job", "ffff01", 17, "00aa", "gfx", 0, 0, at=1)
    trace("drm_sched_job_wait_dep", "gfx", 17, "00bb", 55, 4, at=2)
    trace("drm_run_job", "ffff01", 17, "00aa", "gfx", 0, 1, at=5)
    trace("drm_sched_process_job", "00aa", at=9)
    model = trace.model()
    key = 0xFFFF01, 17
    job = model.job(key)
    assert (job.name, job.ring, job.old) == ("#17", RingKey("", "gfx"), True)
    assert (job.queued, job.run, job.done) == (1 * US, 5 * US, 9 * US)
    assert model.job(key, 1).blocked_on == (55, 4)
    assert model.job(key).blocked_on is None


def test_a_pointer_of_an_old_kernel_that_is_used_again_is_the_latest_job():
    trace = Trace()
    for number in (1, 2):
        trace("drm_sched_job", "ffff01", number, "00aa", "gfx", 0, 0)
        trace("drm_run_job", "ffff01", number, "00aa", "gfx", 0, 1)
        trace("drm_sched_process_job", "00aa")
    model = trace.model()
    assert [model.job((0xFFFF01, n)).state for n in (1, 2)] == ["over", "over"]
    assert model.snapshot().finished == 2


def test_events_of_one_moment_keep_their_order():
    trace = Trace()
    for seqno in range(1, 50):
        trace.queue(3, seqno, at=1)
    model = trace.model()
    assert [job.key[1] for job in model.snapshot().jobs] == list(range(1, 50))
    assert [len(model.snapshot(at).jobs) for at in (0, 10, 48)] == [1, 11, 49]


def test_an_event_out_of_order_is_put_behind_the_last():
    history = History()
    positions = []
    events = Trace().queue(3, 1, at=9).queue(3, 2, at=4).events
    history.feed([parsed_of(event) for event in events], positions)
    assert positions == sorted(set(positions))
    assert len(history.jobs) == 2


def equal(model, other, at):
    """All that a monitor shows at an event is the same."""
    state = model.snapshot(at)
    assert state == other.snapshot(at)
    for job in state.jobs:
        assert model.why(job.key, at) == other.why(job.key, at)
        assert model.job_life(job.key, at) == other.job_life(job.key, at)
    for ring in model.rings():
        for convention in ("run", "head"):
            window = ring, model.began, model.time_of(at), 10_000
            assert model.lane(*window, at=at, convention=convention) == other.lane(
                *window, at=at, convention=convention
            )


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.booleans())
def test_any_moment_is_what_a_recomputation_from_the_first_event_says(seed, fences):
    events = random_trace(seed, fences=fences).events
    whole = model_of(events)
    History.SPACING, spacing = 16, History.SPACING
    try:
        spaced = Model()
        for i in range(0, len(events), 7):
            some = events[i : i + 7]
            spaced.add(Block([parsed_of(event) for event in some], events=some))
    finally:
        History.SPACING = spacing
    for at in random.Random(seed).sample(range(len(events)), 12):
        other = model_of(events[: at + 1])
        other.clock = 0
        equal(whole, other, at)
        assert whole.snapshot(at) == spaced.snapshot(at)


def test_200_moments_of_a_recording_equal_a_recomputation():
    whole = open_recording(str(RECORDING))
    reader = Reader(str(RECORDING), old=True)
    events = [event for block in sorted_blocks(reader) for event in block.events]
    other, done = Model(), 0
    for at in sorted(random.Random(1).sample(range(len(events)), 200)):
        some = events[done : at + 1]
        other.add(Block([parsed_of(event) for event in some], events=some))
        done = at + 1
        assert whole.snapshot(at) == other.snapshot(at)


def test_stepping_back_and_forward_returns_to_the_same_state():
    model = random_trace(5).model()
    forward = [model.snapshot(at) for at in range(model.log.end)]
    back = [model.snapshot(at) for at in reversed(range(model.log.end))]
    assert forward == back[::-1]
