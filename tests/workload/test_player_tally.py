# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The accounts of a run, job by job."""

from __future__ import annotations

from errno import ECANCELED, EIO, ESRCH

from kport.hw.batch import Batch
from kport.linux.tracepoint import tracepoints
from kport.workload.player.tally import EntityFigures, Iteration, Job, Tally


class Books:
    """A tally with one client and one entity, and a clock that the test sets."""

    def __init__(self) -> None:
        self.tally = Tally(("rcs", "bcs"))
        self.tally.add_client(1)
        self.entity = EntityFigures("client:1", 1, 9, ("rcs", "bcs"))
        self.tally.add_entity(self.entity)
        self.iteration = Iteration(1, 1000)
        self.seqno = 0

    def job(self) -> int:
        self.seqno += 1
        job = Job(self.entity, self.iteration, Batch(500), "line 3")
        self.tally.open(9, self.seqno, job)
        return self.seqno

    def event(self, name: str, ts: int, seqno: int, ring: str = "rcs") -> None:
        values = (9, seqno) if name == "done" else ("dev", 9, seqno, ring, 0, 0, 1)
        getattr(self.tally, name)(tracepoints["drm_sched_job_done"], None, ts, values)

    def finish(self, seqno: int, queued: int, run: int, done: int, error: int = 0) -> None:
        job = self.tally.jobs[9, seqno]
        self.event("queued", queued, seqno)
        self.event("run", run, seqno)
        job.batch.began, job.batch.ended = run + 10, done - 10
        self.event("done", done, seqno)
        self.tally.freed((9, seqno), error)


def test_a_finished_job():
    books = Books()
    books.finish(books.job(), queued=2000, run=2500, done=4000)
    tally = books.tally
    assert (tally.count.submitted, tally.count.finished) == (1, 1)
    for figures in (tally.rings["rcs"], books.entity):
        assert (figures.jobs, figures.gpu, list(figures.waits)) == (1, 1480, [500])
    assert (tally.first, tally.last) == (2000, 4000)
    assert not tally.jobs
    assert [(run.ring, run.client, run.began, run.ended) for run in tally.runs] == [
        ("rcs", 1, 2510, 3990)
    ]


def test_killed_and_failed_jobs_are_told_apart():
    books = Books()
    for error in (-ESRCH, -ECANCELED):
        seqno = books.job()
        books.event("queued", 100, seqno)
        books.tally.freed((9, seqno), error)
    books.finish(books.job(), 1, 2, 3, error=-EIO)
    count = books.tally.count
    assert (count.submitted, count.finished, count.failed, count.cancelled) == (3, 0, 1, 2)
    assert books.tally.errors == {(1, "line 3", -EIO): 1}
    assert len(books.entity.waits) == 1  # jobs that never ran did not wait to the end


def test_an_iteration_lasts_until_its_last_job_is_done():
    books = Books()
    first, second = books.job(), books.job()
    books.finish(second, 1500, 1600, 9000)
    books.tally.end_iteration(books.iteration)
    assert not books.tally.latencies[1]
    books.finish(first, 1400, 1600, 5000)
    assert list(books.tally.latencies[1]) == [8000]


def test_an_iteration_with_a_cancelled_job_has_no_latency():
    books = Books()
    books.finish(books.job(), 1, 2, 3)
    seqno = books.job()
    books.tally.freed((9, seqno), -ESRCH)
    books.tally.end_iteration(books.iteration)
    assert not books.tally.latencies[1]


def test_jobs_of_others_are_not_counted():
    books = Books()
    for name in ("queued", "run", "done"):
        books.event(name, 5, 77)
    assert books.tally.count.submitted == 0


def test_watching_ends(kernel):
    tally = Tally(("rcs",))
    before = [list(tp.funcs) for tp in tracepoints.values()]
    with tally.watching():
        assert tally.run in tracepoints["drm_sched_job_run"].funcs
    assert [list(tp.funcs) for tp in tracepoints.values()] == before
