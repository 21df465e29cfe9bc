# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""What each step of a workload does on the scheduler and the device.

Jobs are told apart by their durations, which the hardware takes to the nanosecond. Whatever a test
asks for, every run must also be sound: jobs accounted for, nothing leaked, no kernel warning.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from kport.workload.player import entity, play, world
from kport.workload.player.plan import Plan
from kport.workload.result import Result, Run
from kport.workload.wsim.load import load_workload

MS = 1_000_000
US = 1_000


_machine = ["threads"]


@pytest.fixture(autouse=True)
def machine(arch: str) -> Iterator[None]:
    """The tests run on both machines."""
    _machine[0] = arch
    yield
    _machine[0] = "threads"


def run(*texts: str, copies: int = 1, sound: bool = True, **options) -> Result:
    plan = Plan(**options)
    for text in texts:
        plan.add(load_workload(text.replace(" ", ",")), copies=copies)
    result = play.play(plan, debug=True, machine=_machine[0])
    assert result.leaks == 0, result.warnings
    if sound:
        assert result.sound, (result.jobs, result.warnings)
        assert result.jobs.finished == result.jobs.submitted
    return result


def took(result: Result, us: int) -> Run:
    """The one batch that took so long."""
    (found,) = [each for each in result.order if each.ended - each.began == us * US]
    return found


# -- batches and dependencies ----------------------------------------------------------------------


def test_batches_of_an_entity_run_in_order_without_a_gap():
    runs = run("1.RCS.9000.0.0 1.RCS.6000.0.0 1.RCS.7000.0.1").order
    assert [(r.ended - r.began) // US for r in runs] == [9000, 6000, 7000]
    assert runs[0].ended == runs[1].began
    assert runs[1].ended == runs[2].began


def test_batches_without_a_dependency_overlap_on_different_engines():
    result = run("1.RCS.20000.0.0 1.BCS.19000.0.0 2.VECS.18000.0.0 2.CCS.17000.0.0")
    assert {r.ring for r in result.order} == {"rcs", "bcs", "vecs", "ccs"}
    assert max(r.began for r in result.order) < min(r.ended for r in result.order)


@pytest.mark.parametrize("dep", ["-1", "f-1", "-1/f-1"])
def test_data_and_fence_dependencies_wait_for_the_end(dep):
    result = run(f"1.RCS.3000.0.0 2.BCS.500.{dep}.1")
    assert took(result, 500).began >= took(result, 3000).ended


def test_several_dependencies_wait_for_the_last():
    result = run("1.RCS.3000.0.0 1.VCS1.5000.0.0 2.BCS.500.-1/f-2.1")
    assert took(result, 500).began >= took(result, 5000).ended


def test_a_submit_dependency_waits_for_the_start_only():
    result = run("f 1.RCS.9000.f-1.0 2.BCS.500.s-1.0 d.3000 a.-4 s.-3")
    first, second = took(result, 9000), took(result, 500)
    assert second.began >= first.began - US  # both wait for the fence
    assert second.ended < first.ended
    assert result.clients[0].elapsed_s >= 0.003


def test_a_fence_holds_its_batches_until_it_is_signalled():
    result = run("f 1.RCS.500.f-1.0 1.BCS.400.f-2.0 2.VCS1.300.0.1 d.5000 a.-5")
    free = took(result, 300)
    for held in (took(result, 500), took(result, 400)):
        assert held.began > free.ended + 4 * MS


def test_fences_may_be_signalled_in_any_order_and_are_all_signalled_at_the_end():
    result = run("f f 1.RCS.500.f-2/f-1.0 1.BCS.400.f-3.0 a.-4 d.20000 a.-5")
    assert took(result, 500).began > took(result, 400).began  # needs both
    assert run("f 1.RCS.500.f-1.0", repeat=3).jobs.finished == 3


def test_an_endless_batch_runs_until_it_is_ended():
    result = run("1.RCS.*.0.0 1.RCS.300.0.0 d.30000 T.-3 s.-3")
    endless = result.order[0]
    assert 5 * MS <= endless.ended - endless.began < 1000 * MS
    assert took(result, 300).began == endless.ended


def test_an_endless_batch_that_is_ended_before_it_begins_takes_no_time():
    result = run("1.RCS.4000.0.0 1.RCS.*.0.0 T.-1 1.RCS.300.0.1")
    assert [(r.ended - r.began) // US for r in result.order] == [4000, 0, 300]


# -- working sets ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "second", "ordered"),
    [
        ("w1-0", "r1-0", True),
        ("r1-0", "w1-0", True),
        ("w1-0", "w1-0", True),
        ("r1-0", "r1-0", False),
        ("w1-0", "w1-1", False),
        ("w1-0-2", "r1-2", True),
        ("r1-0/w1-1", "r1-1/w1-0", True),
        ("r1-0/w1-0", "r1-0", True),
    ],
)
def test_uses_of_a_working_set_are_ordered_if_one_writes(first, second, ordered):
    result = run(f"w.1.3n4k 1.RCS.20000.{first}.0 2.BCS.500.{second}.1")
    assert (took(result, 500).began >= took(result, 20000).ended) == ordered


def test_clients_share_the_upper_case_sets_only():
    shared = run("W.1.4k 1.VCS.20000.w1-0.0", copies=2).order
    assert shared[1].began >= shared[0].ended
    own = run("w.1.4k 1.VCS.20000.w1-0.0", copies=2).order
    assert own[1].began < own[0].ended


def test_files_do_not_share_sets():
    runs = run("W.1.4k 1.VCS1.20000.w1-0.0", "W.1.4k 1.VCS2.20000.w1-0.0").order
    assert runs[1].began < runs[0].ended


def test_a_batch_does_not_overwrite_what_the_pass_before_still_reads():
    result = run("q.8 1.RCS.300.0.0 2.BCS.2000.-1.0", repeat=4)
    reads = sorted((r for r in result.order if r.ring == "bcs"), key=lambda r: r.began)
    writes = sorted((r for r in result.order if r.ring == "rcs"), key=lambda r: r.began)
    for read, write in zip(reads, writes[1:], strict=False):
        assert write.began >= read.ended


def test_locks_taken_in_opposite_orders_do_not_deadlock():
    text = "W.1.4n4k 1.RCS.5.w1-0/w1-1/w1-2/w1-3.0 2.BCS.5.w1-3/w1-2/w1-1/w1-0.0"
    assert run(text, copies=6, repeat=15).jobs.finished == 180


# -- contexts --------------------------------------------------------------------------------------


def test_a_class_of_two_engines_uses_both():
    result = run("1.VCS.20000.0.0 2.VCS.20000.0.0")
    assert {r.ring for r in result.order} == {"vcs1", "vcs2"}


def test_a_balanced_context_moves_to_the_engine_that_is_free():
    result = run("M.1.RCS|VECS B.1 2.RCS.20000.0.0 1.DEFAULT.300.0.1")
    assert took(result, 300).ring == "vecs"
    (entity_result,) = [e for e in result.entities if e.name.endswith(":1")]
    assert entity_result.ring == "rcs|vecs"


def test_a_map_decides_what_default_means():
    result = run("M.1.BCS 1.DEFAULT.300.0.1 2.DEFAULT.400.0.1")
    assert took(result, 300).ring == "bcs"
    assert took(result, 400).ring == "rcs"


@pytest.mark.parametrize("repeat", [1, 6])
def test_a_bond_sends_the_second_batch_beside_the_first(repeat):
    text = (
        "M.1.VCS B.1 M.2.VCS B.2 b.2.VCS1.VCS2 b.2.VCS2.VCS1 "
        "1.DEFAULT.3000.0.0 2.DEFAULT.2000.s-1.0 3.VCS.700.0.0"
    )
    runs = run(text, repeat=repeat).order
    masters = [r.ring for r in runs if r.ended - r.began == 3000 * US]
    bonded = [r.ring for r in runs if r.ended - r.began == 2000 * US]
    assert len(masters) == len(bonded) == repeat
    assert all(a != b for a, b in zip(masters, bonded, strict=True))


def test_a_bonded_context_keeps_its_order_across_entities():
    text = (
        "M.1.VCS B.1 M.2.VCS B.2 b.2.VCS1.VCS2 b.2.VCS2.VCS1 3.RCS.9000.0.0 "
        "1.VCS1.100.0.0 2.DEFAULT.4000.s-1.0 1.VCS2.110.0.0 2.DEFAULT.300.s-1.0"
    )
    result = run(text)
    first, second = took(result, 4000), took(result, 300)
    assert (first.ring, second.ring) == ("vcs2", "vcs1")
    assert second.began >= first.ended


def test_priority_counts_from_the_first_batch_of_the_context():
    result = run(
        "P.2.1 P.4.-1 3.RCS.60000.0.0 d.10000 "  # the ring is busy while the others come
        "4.RCS.600.0.0 1.RCS.500.0.0 2.RCS.400.0.0 1.RCS.300.0.1",
        credits=1,
    )
    order = [(r.ended - r.began) // US for r in result.order]
    assert order == [60000, 400, 500, 300, 600]


@pytest.mark.parametrize(("high", "low"), [(1, 2), (2, 1)])
def test_priority_changes_on_the_way_under_fair(high, low):
    batches = "1.RCS.2000.0.0 2.RCS.2100.0.0 " * 8
    result = run(
        f"1.RCS.100.0.0 2.RCS.110.0.1 P.{high}.1 P.{low}.-1 "  # when the entities exist already
        f"9.RCS.50000.0.0 d.5000 {batches}",
        policy="fair",
        credits=1,
    )
    ends = [[r.ended for r in result.order if r.ended - r.began == us * US] for us in (2000, 2100)]
    first, second = ends if high == 1 else reversed(ends)
    assert len(first) == len(second) == 8
    assert first[-1] < second[3]


# -- the client's time -----------------------------------------------------------------------------


def test_a_delay_sleeps():
    assert run("d.30000").clients[0].elapsed_s >= 0.03


def test_a_wait_waits():
    assert run("1.RCS.30000.0.1").clients[0].elapsed_s >= 0.03
    result = run("1.RCS.30000.0.0 s.-1 1.BCS.300.0.0")
    assert took(result, 300).began >= took(result, 30000).ended


def test_periods_are_kept_and_those_missed_are_counted():
    kept = run("p.5000", repeat=6).clients[0]
    assert kept.elapsed_s >= 0.03
    assert (kept.periods, kept.dropped) == (6, 0)
    missed = run("1.RCS.3000.0.1 p.1000", repeat=5).clients[0]
    assert (missed.periods, missed.dropped) == (5, 5)


def test_latency_is_from_the_beginning_of_a_cycle_to_the_end_of_its_last_job():
    latency = run("1.RCS.2000.0.0 2.BCS.3000.-1.0 d.100000", repeat=3).clients[0].latency_ms
    assert 5 <= latency.p50 < 100


def test_throttling_keeps_the_queue_short():
    def longest_wait(text: str) -> float:
        return run(f"{text} {'1.RCS.8000.0.0 ' * 8}").entities[0].wait_us.max

    for free in ("d.1", "t.0 q.0"):
        assert longest_wait(free) > 40_000  # two are on the hardware, the last waits for six
    for short in ("q.2", "t.2"):  # a busy machine may be late, but hardly three times
        assert min(longest_wait(short) for _ in range(3)) < 30_000


def test_scales_of_durations_and_delays():
    result = run("1.RCS.1000.0.1 d.20000", duration_scale=2.5, delay_scale=0.1)
    took(result, 2500)
    assert 0.002 <= result.clients[0].elapsed_s < 0.02


@pytest.mark.threads_only("the time of virt is not that of the wall")
def test_a_slow_clock_makes_the_run_longer_and_changes_no_figure():
    began = time.monotonic()
    result = run("1.RCS.10000.0.1", scale=5.0)
    assert time.monotonic() - began >= 0.05
    took(result, 10000)


# -- clients ---------------------------------------------------------------------------------------


def durations(result: Result, client: int) -> list[int]:
    return [r.ended - r.began for r in result.order if r.client == client]


def test_random_durations_depend_on_the_seed_and_the_client():
    def play_seed(seed: int, same: bool) -> Result:
        plan = Plan(repeat=6)
        plan.add(load_workload("1.VCS.10-900.0.1"), copies=2, seed=seed, same_durations=same)
        return play.play(plan)

    one, again, other = play_seed(1, False), play_seed(1, False), play_seed(2, False)
    assert durations(one, 1) == durations(again, 1)
    assert durations(one, 2) == durations(again, 2)
    assert durations(one, 1) != durations(one, 2)
    assert durations(one, 1) != durations(other, 1)
    assert all(10 * US <= ns <= 900 * US for ns in durations(one, 1))
    same = play_seed(1, True)
    assert durations(same, 1) == durations(same, 2)


def test_clients_are_named_after_their_files_and_numbered():
    plan = Plan()
    for text in ("d.1", "d.2"):
        plan.add(load_workload(text), copies=2)
    assert [client.name for client in plan.clients] == ["text-1", "text-2", "text-3", "text-4"]


def test_a_client_is_a_process_of_its_own_and_shows_in_the_trace(tmp_path):
    path = tmp_path / "trace"
    plan = Plan()
    plan.add(load_workload("1.RCS.100.0.1"), copies=2)
    play.play(plan, trace_out=str(path))
    queued = [line for line in path.read_text().splitlines() if "drm_sched_job_queue" in line]
    heads = {line.split("[")[0].strip(): line.rsplit(":", 1)[1] for line in queued}
    assert {head.rsplit("-", 1)[0] for head in heads} == {"text-1", "text-2"}
    assert len({head.rsplit("-", 1)[1] for head in heads}) == 2
    assert sorted(heads.values()) == ["1", "2"]  # their drm client ids


def test_background_clients_run_as_long_as_the_master():
    plan = Plan(repeat=10)
    plan.add(load_workload("1.RCS.4000.0.1"))
    plan.add(load_workload("1.BCS.100.0.1"), background=True)
    result = play.play(plan)
    assert result.sound
    master, other = result.clients
    assert master.cycles == 10
    assert other.cycles > 20


def test_repeat_and_seconds_end_whichever_comes_first():
    assert run("d.1000", repeat=3, seconds=30.0).clients[0].cycles == 3
    result = run("1.RCS.2000.0.1", repeat=None, seconds=0.3)
    assert result.clients[0].cycles > 10
    assert result.clients[0].elapsed_s < 1


# -- ends ------------------------------------------------------------------------------------------


def stopped_after(seconds: float, *texts: str, copies: int = 1) -> tuple[Result, float]:
    """The result of a run that is stopped, and how long it took to stop."""
    plan = Plan(repeat=None)
    for text in texts:
        plan.add(load_workload(text.replace(" ", ",")), copies=copies)
    stop = threading.Event()
    timer = threading.Timer(seconds, stop.set)
    began = time.monotonic()
    timer.start()
    result = play.play(plan, stop=stop, debug=True)
    timer.join()
    assert result.interrupted
    assert result.leaks == 0
    assert result.sound, result.warnings
    return result, time.monotonic() - began - seconds


@pytest.mark.parametrize(
    "text",
    [
        "1.RCS.100000000.0.1",  # waits for a batch of 100 s
        "1.RCS.2000.0.0",  # queues as fast as it can
        "d.100000000",
        "1.RCS.100.0.1 p.100000000",
        "1.RCS.*.0.0 2.RCS.100.0.0 d.100000000 T.-3",
        "f 1.RCS.100.f-1.0 1.RCS.100.0.0 d.100000000 a.-4",
        "W.1.4k f 1.RCS.100.f-1/w1-0.0 d.100000000 a.-3 2.BCS.10.r1-0.1",
    ],
)
def test_a_stop_ends_whatever_runs_and_accounts_for_it(text):
    result, seconds = stopped_after(0.1, text, copies=2)
    assert seconds < 5
    assert result.jobs.failed == 0


def test_a_stop_cancels_what_is_queued():
    result, _ = stopped_after(0.2, "1.RCS.50000.0.0")
    assert result.jobs.cancelled > 10
    assert result.jobs.finished >= 1


def test_when_time_is_up_queues_are_drained_for_a_while():
    result = run("1.RCS.1000.0.0", repeat=None, seconds=0.1)
    assert result.jobs.cancelled == 0
    cut = run("1.RCS.300000.0.0", repeat=None, seconds=0.1, sound=False)
    assert cut.sound
    assert cut.jobs.cancelled > 10


def test_an_entity_has_at_most_32_unfinished_submissions(monkeypatch):
    monkeypatch.setattr(entity, "SCHED_JOBS", 5)
    result, _ = stopped_after(0.2, "1.RCS.100000000.0.0")
    assert result.jobs.submitted == 5
    held = run("f " + "1.RCS.10.f-1.0 " + "1.RCS.10.0.0 " * 9 + "a.-11 s.-2")
    assert held.jobs.finished == 10  # a client that holds its queue back is not stopped by it


def test_a_hang_fails_its_job_and_ends_its_client(monkeypatch):
    monkeypatch.setattr(world, "HANG_MS", 100)
    text = "1.RCS.*.0.0 1.RCS.200.0.0 d.400000 T.-3"
    result = run(text, "2.RCS.300.0.1 d.10000", repeat=8, credits=1, sound=False)
    assert result.jobs.submitted == result.jobs.finished + result.jobs.failed
    assert result.jobs.failed == 2  # the hang, and the next one of its entity
    assert not result.sound
    hung, other = result.clients
    assert hung.cycles == 1
    assert other.cycles == 8
    assert any("failed (-ENODATA)" in text for text in result.warnings)


def test_a_long_batch_is_no_hang(monkeypatch):
    monkeypatch.setattr(world, "HANG_MS", 10)
    assert run("1.RCS.100000.0.1").jobs.finished == 1


def test_clients_that_wait_for_each_other_are_found(monkeypatch):
    monkeypatch.setattr(play, "STALL_WALL", 0.1)
    monkeypatch.setattr(play, "STALL", 100 * MS)
    result = run("q.1 f 1.RCS.10.f-1.0 1.RCS.10.f-2.0 a.-3", sound=False)
    assert not result.sound
    assert result.jobs.cancelled == 2
    (text,) = [text for text in result.warnings if text.startswith("stalled:")]
    assert text.endswith("(text-1 at text:1:22)")


@pytest.mark.parametrize("sched", ["v6_1", "v3_2023", "v7_2"])
def test_a_killed_client_that_waits_for_itself_is_told(monkeypatch, sched):
    """Its last batch waits for its second, of another entity that it has stopped: R07.

    So does the third, but it is at the head, and before 7.2 a kill drops what that waits for: F05.
    """
    stop = threading.Event()

    def report(self: play._Run) -> None:
        if all(client.waiting is not None for client in self.clients):
            stop.set()

    monkeypatch.setattr(play, "STALL_WALL", 0.2)
    monkeypatch.setattr(play, "STALL", 100 * MS)
    monkeypatch.setattr(play._Run, "_report", report)
    plan = Plan(sched=sched)
    plan.add(load_workload("1.RCS.500000.0.0,2.BCS.10.-1.0,1.RCS.10.-1.0,1.RCS.10.-2.1"))
    result = play.play(plan, stop=stop, machine=_machine[0])
    assert result.interrupted
    assert result.jobs.submitted == 4
    hung = [text for text in result.warnings if text.startswith("hung:")]
    if sched == "v7_2":
        assert hung == []
        assert result.jobs.finished + result.jobs.cancelled == 4
        return
    assert not result.sound
    (text,) = hung
    assert text.startswith("hung: text-1 waits for ever")
    assert _machine[0] == "virt" or "drm_sched_entity_kill_jobs+" in text


def test_progress_goes_up_to_the_end():
    seen: list[tuple[int, int]] = []
    plan = Plan(repeat=40)
    plan.add(load_workload("d.5000"))
    play.play(plan, progress=lambda done, total: seen.append((done, total)))
    assert seen
    assert {total for _, total in seen} == {40}
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
