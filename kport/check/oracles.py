# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""What must always be true of the GPU scheduler: one function for each oracle.

    problems = oracles.check(sched)         # at rest: nothing runs that could change the scheduler
    oracles.assert_clean(sched)             # the same, as an assertion

Each function looks at the structures of one scheduler, of any of the three, and returns what is
wrong with it as `Violation`s; it calls no instruction and takes no lock, so it may be called at any
moment of a run on `virt`. At rest means that nobody is inside the scheduler: no thread in a call of
it, no timer about to expire, no fence about to signal. What it is a violation to be in is

- `credit_sum`: the count of what is on the hardware is not the sum of what is on it;
- `score_sum`: the load is not queued jobs, running jobs and entities on lists;
- `tree`: the tree holds an entity that has no jobs, was stopped, or is on no list (7.2 only);
- `quiescence`: a job could run, or has finished and could be freed, and nothing will do it;
- `leftover`: a job has finished and is in nobody's hands, yet was never freed.

`boot(check="oracles")` watches a run as well (`oracles_watch`), and finds what is not in any
structure: `once`, `order`, `dependencies`, `stopped`, `containers`, `locks`, `ended`.

Differences between the schedulers are in `oracles_era`, and one is a fault of all three: the jobs
of a killed entity never leave the score (drm_sched_entity_push_job() counts them in, only
drm_sched_job_done() counts them out, and a killed job does not come by there). The balance must
hold with them: `killed` says how many there were.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from kport.check import oracles_era as era
from kport.check import oracles_model as model
from kport.linux.facility import Facility
from kport.linux.field import raw_get as raw


class Violation(NamedTuple):
    """What an oracle found: its name, the object, what it should be and what it is."""

    oracle: str
    thing: str
    expected: str
    was: str

    def __str__(self) -> str:
        return f"{self.oracle}: {self.thing}: expected {self.expected}, was {self.was}"


def facilities() -> Sequence[Facility]:
    """The facility `oracles`."""
    from kport.check.oracles_watch import Oracles  # which asks this module at rest

    return [Oracles()]


def _ring(sched: Any) -> str:
    return f"scheduler {era.name_of(sched)}"


def _job(job: Any) -> str:
    fence = raw(job, "s_fence").finished
    number = f"{raw(fence, 'context')}:{raw(fence, 'seqno')}"
    return f"job {number} of {era.name_of(raw(job, 'sched'))}"


def _entity(entity: Any) -> str:
    return f"entity of fence context {raw(entity, 'fence_context')}"


def _is_over(job: Any) -> bool:
    return era.signaled(raw(job, "s_fence").finished)


def _unfinished(sched: Any) -> list[Any]:
    return [job for job in era.pending(sched) if not _is_over(job)]


def credit_sum(sched: Any) -> list[Violation]:
    """What is counted as on the hardware is the sum of what is there; not while it is stopped.

    A job that its timeout handler has taken from the list is on the hardware, too: not at rest.
    """
    if not raw(sched, "ready") or era.is_stopped(sched):
        return []
    jobs = _unfinished(sched)
    there = sum(era.credits_of(job) for job in jobs)
    counted = era.credit_count(sched)
    if counted == there:
        return []
    return [Violation("credits", _ring(sched), f"{there} for {len(jobs)} jobs", str(counted))]


def score_sum(sched: Any, killed: int = 0, others: Iterable[Any] = ()) -> list[Violation]:
    """The load of a scheduler: queued jobs, running jobs, and one for each entity on a list.

    `killed` jobs are still counted, see above; with the facility on it knows how many there were,
    and how many were pushed to an entity that took no more. `others` share the score.
    """
    jobs = on_lists = 0
    for each in (sched, *others):
        if not raw(each, "ready") or era.is_stopped(each):
            return []
        listed = [entity for _, entity in era.entities(each)]
        on_lists += len(listed)
        notes = model.notes(each)
        if notes is not None and not notes.partial:
            jobs += notes.live
            killed = max(killed, notes.killed)
        else:
            jobs += sum(map(era.queued, listed)) + len(_unfinished(each)) + killed
    counted = int(raw(sched, "score").counter)
    if counted == jobs + on_lists:
        return []
    also = f", {killed} of them killed," if killed else ""
    expected = f"{jobs + on_lists} ({jobs} jobs{also} and {on_lists} entities)"
    return [Violation("score", _ring(sched), expected, str(counted))]


def tree(sched: Any) -> list[Violation]:
    """An entity in the tree of a run queue is on its list, not stopped, and has jobs (7.2)."""
    found = []
    if era.era_of(sched) != "v7_2" or not raw(sched, "ready"):
        return []
    for rq in era.run_queues(sched):
        inside = era.tree(rq)
        for entity in inside:
            wrong = era.misplaced(entity)
            if wrong:
                found.append(Violation("tree", _entity(entity), "not in the tree", wrong))
        for entity in era.members(rq.entities, "list"):
            if era.queued(entity) and entity not in inside and not raw(entity, "stopped"):
                text = f"{era.queued(entity)} jobs and not in the tree"
                found.append(Violation("tree", _entity(entity), "in the tree", text))
    return found


def quiescence(sched: Any) -> list[Violation]:
    """Whatever could go on is going on: if not, a wake-up was lost.

    It also finds an entity that still waits for a fence that has signalled, and a finished job that
    nobody is going to free.
    """
    if not raw(sched, "ready") or era.is_stopped(sched):
        return []
    found = unfreed(sched)
    if era.runner_sleeps(sched):
        found += _waits_in_vain(sched)
        stuck = _could_run(sched)
        if stuck is not None:
            text = "nothing holds it, there is room, and nothing is queued that runs it"
            found.append(Violation("quiescence", _job(stuck), "running", text))
    return found


def unfreed(sched: Any) -> list[Violation]:
    """The half of `quiescence` that is about freeing: it holds while jobs are pushed, too."""
    if raw(sched, "ready") and not era.is_stopped(sched) and era.freer_sleeps(sched):
        first = next(iter(era.pending(sched)), None)
        if first is not None and _is_over(first):
            text = "it has finished, and nothing is queued that frees it"
            return [Violation("quiescence", _job(first), "freed", text)]
    return []


def _waits_in_vain(sched: Any) -> list[Violation]:
    found = []
    for _, entity in era.entities(sched):
        fence = raw(entity, "dependency")
        if fence is not None and era.queued(entity) and era.signaled(fence):
            number = f"{raw(fence, 'context')}:{raw(fence, 'seqno')}"
            text = f"it waits for {number}, which has signalled"
            found.append(Violation("quiescence", _entity(entity), "ready", text))
    return found


def _could_run(sched: Any) -> Any:
    """The job that the scheduler would take now if it looked, or None."""
    room = era.credit_limit(sched) - era.credit_count(sched)
    new = era.era_of(sched) == "v7_2"
    for rq in era.run_queues(sched):
        listed = list(era.members(rq.entities, "list"))
        for entity in era.tree(rq) if new else listed:
            if not era.is_ready(entity):
                continue
            job = era.first_job(entity)
            if job is None:
                continue
            return job if min(era.credits_of(job), era.credit_limit(sched)) <= room else None
    return None


def leftover(sched: Any) -> list[Violation]:
    """A job that has finished is freed, or waits for that; known only while the facility is on."""
    notes = model.notes(sched)
    if notes is None:
        return []
    if not notes.gone and (era.is_stopped(sched) or not era.freer_sleeps(sched)):
        return []
    text = "it has finished, is on no list, and free_job() was never called"
    return [
        Violation("leftover", str(job), "freed", text)
        for job in model.jobs(notes)
        if job.finished and not job.refused and not job.is_freed() and not era.is_pending(job.job)
    ]


ORACLES = (credit_sum, score_sum, tree, quiescence, leftover)


def check(*scheds: Any) -> list[Violation]:
    """What is wrong with the schedulers, by all oracles; those of one score belong in one call."""
    found: list[Violation] = []
    for sched in scheds:
        sharing = [s for s in scheds if s is not sched and raw(s, "score") is raw(sched, "score")]
        for oracle in ORACLES:
            found += oracle(sched, others=sharing) if oracle is score_sum else oracle(sched)
    return found


def assert_clean(*scheds: Any) -> None:
    """Raise AssertionError with a line for each violation."""
    found = check(*scheds)
    if found:
        raise AssertionError("\n".join(str(violation) for violation in found))


def rest() -> list[Violation]:
    """`check()` of every scheduler the facility knows and that has not been taken down."""
    return check(*model.schedulers())
