# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""What the events of a trace say, as lives: of jobs, fences, entities and rings.

Time travel needs no undo. A record is never changed once it says something: each fact is written
once, as the *position* of the event that brought it, so the state after any event is found by
looking only at facts up to its position. A position is one integer that orders the events and holds
their time:

    position = (ns since the first event) << 16 | number among the events of that ns

What may be alive after an event comes from a checkpoint before it (the records alive there) and
the records that began since. Checkpoints are a few thousand events apart, further if much lives.

dma_fence events carry 32 bits of context and seqno, gpu_scheduler events 64: fences are joined
modulo 2^32, jobs keep the full numbers. An entity has two contexts, N for its scheduled fences and
N+1 for its finished ones. Names are taken from the first event of a fence only: later ones may say
"detached-driver". The hardware's fence of a job is the first that the thread that ran it
initialises before it signals the job's scheduled fence.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from typing import NamedTuple

from kport.trace.events import Value
from kport.trace.snapshot import FenceKey, JobKey, RingKey

SHIFT = 16
NEVER = 1 << 62  # a position behind every other
MASK = 0xFFFFFFFF

# A parsed event: time in ns, code, the thread as "comm-pid", values. Codes index NAMES.
Parsed = tuple[int, int, str, tuple[Value, ...]]

NAMES = (
    "drm_sched_job_queue",
    "drm_sched_job_run",
    "drm_sched_job_done",
    "drm_sched_job_add_dep",
    "drm_sched_job_unschedulable",
    "dma_fence_init",
    "dma_fence_emit",
    "dma_fence_enable_signal",
    "dma_fence_signaled",
    "dma_fence_destroy",
    "dma_fence_wait_start",
    "dma_fence_wait_end",
    "drm_sched_job",
    "drm_run_job",
    "drm_sched_process_job",
    "drm_sched_job_wait_dep",
)
CODES = {name: code for code, name in enumerate(NAMES)}


class Wait:
    """A thread in dma_fence_wait(), from position to position."""

    __slots__ = ("begin", "end", "thread")

    def __init__(self, begin: int, thread: str) -> None:
        self.begin = begin
        self.end = NEVER
        self.thread = thread


class FenceRecord:
    """The life of one fence, in positions. `before` is an earlier fence of the same number."""

    __slots__ = (
        "armed", "before", "begin", "context", "driver", "emitted", "freed", "init", "job",
        "linked", "role", "seqno", "signalled", "timeline", "waits",
    )  # fmt: skip

    def __init__(
        self, context: int, seqno: int, driver: str, timeline: str, begin: int
    ) -> None:
        self.context = context
        self.seqno = seqno
        self.driver = driver
        self.timeline = timeline
        self.begin = begin
        self.init = self.emitted = self.armed = self.signalled = self.freed = NEVER
        self.job: JobRecord | None = None
        self.role = ""
        self.linked = NEVER  # since when job and role are known
        self.waits: list[Wait] | None = None
        self.before: FenceRecord | None = None


class JobRecord:
    """The life of one job, in positions. `over` is the first of done and the finished signal.

    `cut`: the trace began after it was queued, and `queued` is where it was first seen.
    """

    __slots__ = (
        "client", "cut", "depends", "done", "entity", "finished", "hw_after", "hw_before", "key",
        "looks", "number", "old", "over", "parent", "queue_depth", "queued", "ring", "run",
        "scheduled", "slot", "submitter",
    )  # fmt: skip

    def __init__(
        self, key: JobKey, ring: RingRecord, entity: EntityRecord, client: int, queued: int
    ) -> None:
        self.key = key
        self.ring = ring
        self.entity = entity
        self.client = client
        self.queued = queued
        self.run = self.done = self.over = NEVER
        self.scheduled: FenceRecord | None = None
        self.finished: FenceRecord | None = None
        self.parent: FenceRecord | None = None
        self.depends: list[tuple[int, FenceKey]] | None = None
        self.looks: list[tuple[int, FenceKey]] | None = None  # found unsignalled
        self.slot = -1
        self.number = -1  # in the ring, in order of running
        self.queue_depth = 0
        self.hw_before = self.hw_after = 0  # the ring's credits, as the events print them
        self.submitter = ""
        self.old = self.cut = False


class EntityRecord:
    """An entity: its jobs in order of queueing, and positions of queueing, running and ending.

    `ends` counts all jobs that are over, `ran_ends` those of them that had run.
    """

    __slots__ = (
        "begin", "client", "context", "ends", "jobs", "old", "queues", "ran_ends", "ring", "runs",
    )  # fmt: skip

    def __init__(self, context: int, ring: RingRecord, client: int, begin: int) -> None:
        self.context = context
        self.ring = ring
        self.client = client
        self.begin = begin
        self.old = False
        self.jobs: list[JobRecord] = []
        self.queues: list[int] = []
        self.runs: list[int] = []
        self.ends: list[int] = []
        self.ran_ends: list[int] = []


class RingRecord:
    """A ring: positions of queueing, running and ending, the jobs in these orders, its bars.

    A bar is a stretch of time with the job that had then been on the hardware longest: `bar_from`,
    `bar_to`, `bar_job`; `front` is the job of the bar that is open since `front_from`. `busy` are
    sums of the bars' lengths. `rows` are the jobs by slot, in order of running.
    """

    __slots__ = (
        "bar_from", "bar_job", "bar_to", "begin", "busy", "ends", "front", "front_from", "key",
        "peaks", "queued", "queues", "ran", "ran_ends", "row_runs", "rows", "runs", "slots",
    )  # fmt: skip

    def __init__(self, key: RingKey, begin: int) -> None:
        self.key = key
        self.begin = begin
        self.queues: list[int] = []
        self.queued: list[JobRecord] = []
        self.runs: list[int] = []
        self.ran: list[JobRecord] = []
        self.ends: list[int] = []
        self.ran_ends: list[int] = []
        self.peaks: list[tuple[int, int]] = []  # when the hardware held more credits than before
        self.slots: list[bool] = []  # taken
        self.rows: list[list[JobRecord]] = []
        self.row_runs: list[list[int]] = []
        self.bar_from: list[int] = []
        self.bar_to: list[int] = []
        self.bar_job: list[JobRecord] = []
        self.busy: list[int] = [0]
        self.front: JobRecord | None = None
        self.front_from = NEVER

    def began(self, job: JobRecord, position: int) -> None:
        """A job is handed to the hardware."""
        slots = self.slots
        slot = slots.index(False) if False in slots else len(slots)
        if slot == len(slots):
            slots.append(False)
            self.rows.append([])
            self.row_runs.append([])
        slots[slot] = True
        job.slot = slot
        job.number = len(self.ran)
        self.rows[slot].append(job)
        self.row_runs[slot].append(position)
        self.ran.append(job)
        self.runs.append(position)
        if self.front is None:
            self.front, self.front_from = job, position

    def ended(self, job: JobRecord, position: int) -> None:
        """A job is over."""
        self.ends.append(position)
        if job.number < 0:
            return
        self.ran_ends.append(position)
        self.slots[job.slot] = False
        if self.front is not job:
            return
        self.bar_from.append(self.front_from)
        self.bar_to.append(position)
        self.bar_job.append(job)
        self.busy.append(self.busy[-1] + (position >> SHIFT) - (self.front_from >> SHIFT))
        ran, number = self.ran, job.number + 1
        while number < len(ran) and ran[number].over != NEVER:
            number += 1
        if number < len(ran):
            self.front, self.front_from = ran[number], position
        else:
            self.front, self.front_from = None, NEVER


class Checkpoint(NamedTuple):
    """Who lived directly after the event at `position`."""

    position: int
    jobs: list[JobRecord]
    fences: list[FenceRecord]
    next_job: int  # number of jobs and fences up to here
    next_fence: int


class History:
    """Everything that was said so far. `origin` is the time of the first event.

    `jobs` and `fences` are in order of queueing and of the first event. Events must come in order
    of time; one that does not is put directly behind the last.
    """

    SPACING = 4096

    def __init__(self) -> None:
        self.origin = 0
        self.last = -1
        self.jobs: list[JobRecord] = []
        self.fences: list[FenceRecord] = []
        self.rings: dict[RingKey, RingRecord] = {}
        self.entities: dict[tuple[int, RingKey], EntityRecord] = {}
        self.over: list[int] = []  # positions of the ends of jobs
        self.checkpoints: list[Checkpoint] = []
        self._job_of: dict[int, JobRecord] = {}  # by context and seqno, as one number
        self._fence_of: dict[int, FenceRecord] = {}
        self._old_job_of: dict[str, JobRecord] = {}  # by the pointer of the finished fence
        self._old_by_key: dict[JobKey, JobRecord] = {}
        self._old_by_id: dict[tuple[str, int], JobRecord] = {}
        self._running_on: dict[str, JobRecord] = {}  # whose run_job() a thread is in
        self._events = 0
        self._next_checkpoint = self.SPACING
        self._handlers = (
            self._queue, self._run, self._done, self._depend, self._look,
            self._init, self._emit, self._arm, self._signal, self._destroy,
            self._wait, self._wait_end,
            self._old_queue, self._old_run, self._old_done, self._old_depend,
        )  # fmt: skip

    # -- asking ----------------------------------------------------------------------------------

    def time(self, position: int) -> int:
        """The time of a position in ns."""
        return self.origin + (position >> SHIFT)

    def when(self, position: int, now: int) -> int | None:
        """The time of a fact, or None if it is not there yet at position `now`."""
        return None if position > now else self.origin + (position >> SHIFT)

    def job(self, key: JobKey, now: int) -> JobRecord | None:
        """The job of this key that was known at position `now`."""
        job = self._job_of.get((key[0] & MASK) << 32 | key[1] & MASK)
        if job is None or job.key != key:
            job = self._old_by_key.get(key)
        return job if job is not None and job.queued <= now else None

    def fence(self, key: FenceKey, now: int) -> FenceRecord | None:
        """The fence of this number that was known at position `now`, the latest of several."""
        fence = self._fence_of.get(key[0] << 32 | key[1])
        while fence is not None and fence.begin > now:
            fence = fence.before
        return fence

    def owner(self, key: FenceKey, now: int) -> tuple[JobRecord, str] | None:
        """The job whose scheduled, finished or hardware fence this is, and which of them."""
        number = key[0] << 32 | key[1]
        for context, role in ((0, "finished"), (1 << 32, "scheduled")):
            job = self._job_of.get(number + context)
            if job is not None and job.queued <= now:
                return job, role
        fence = self.fence(key, now)
        if fence is not None and fence.job is not None and fence.linked <= now:
            return fence.job, fence.role
        return None

    def alive(self, now: int) -> tuple[list[JobRecord], list[FenceRecord]]:
        """The jobs that are not over and the fences that are not freed at position `now`."""
        number = bisect_right(self.checkpoints, now, key=_position) - 1
        start = self.checkpoints[number] if number >= 0 else Checkpoint(-1, [], [], 0, 0)
        first_job, first_fence = start.next_job, start.next_fence
        jobs = [job for job in start.jobs if job.over > now]
        fences = [fence for fence in start.fences if fence.freed > now]
        last_job = bisect_right(self.jobs, now, first_job, key=_queued)
        jobs += [job for job in self.jobs[first_job:last_job] if job.over > now]
        last_fence = bisect_right(self.fences, now, first_fence, key=_begin)
        fences += [f for f in self.fences[first_fence:last_fence] if f.freed > now]
        return jobs, fences

    # -- taking in -------------------------------------------------------------------------------

    def feed(self, events: Iterable[Parsed], positions: list[int]) -> None:
        """Take in events, and append the position of each to `positions`."""
        handlers = self._handlers
        append = positions.append
        last = self.last
        origin = self.origin
        count = 0
        for ts, code, thread, values in events:
            if last < 0:
                origin = self.origin = ts
            position = (ts - origin) << SHIFT
            if position <= last:
                position = last + 1
            last = position
            append(position)
            handlers[code](position, thread, values)
            count += 1
        self.last = last
        self._events += count
        if self._events >= self._next_checkpoint:
            self._checkpoint()

    def _checkpoint(self) -> None:
        jobs, fences = self.alive(self.last)
        self.checkpoints.append(
            Checkpoint(self.last, jobs, fences, len(self.jobs), len(self.fences))
        )
        self._next_checkpoint = self._events + max(self.SPACING, len(jobs) + len(fences))

    # -- the scheduler's events ------------------------------------------------------------------

    def _job(
        self, key: JobKey, ring_key: RingKey, client: int, position: int, thread: str
    ) -> JobRecord:
        """A job that is seen for the first time."""
        ring = self.rings.get(ring_key)
        if ring is None:
            ring = self.rings[ring_key] = RingRecord(ring_key, position)
        context = key[0]
        entity = self.entities.get((context, ring_key))
        if entity is None:
            entity = EntityRecord(context, ring, client, position)
            self.entities[context, ring_key] = entity
        job = JobRecord(key, ring, entity, client, position)
        job.submitter = thread
        self.jobs.append(job)
        entity.jobs.append(job)
        entity.queues.append(position)
        ring.queued.append(job)
        ring.queues.append(position)
        return job

    def _new_job(self, position: int, thread: str, values: tuple[Value, ...]) -> JobRecord:
        dev, context, seqno, name, _, _, client = values
        key: JobKey = (context, seqno)  # type: ignore[assignment]
        job = self._job(key, RingKey(dev, name), client, position, thread)  # type: ignore[arg-type]
        number = (context & MASK) << 32 | seqno & MASK  # type: ignore[operator]
        self._job_of[number] = job
        fence = self._fence_of.get(number)
        if fence is not None:
            self._link(fence, job, "finished", position)
        fence = self._fence_of.get(number - (1 << 32))
        if fence is not None:
            self._link(fence, job, "scheduled", position)
        return job

    @staticmethod
    def _link(fence: FenceRecord, job: JobRecord, role: str, position: int) -> None:
        fence.job, fence.role, fence.linked = job, role, position
        setattr(job, role, fence)

    def _queue(self, position: int, thread: str, values: tuple[Value, ...]) -> None:
        job = self._new_job(position, thread, values)
        job.queue_depth, job.hw_before = values[4], values[5]  # type: ignore[assignment]

    def _run(self, position: int, thread: str, values: tuple[Value, ...]) -> None:
        number = (values[1] & MASK) << 32 | values[2] & MASK  # type: ignore[operator]
        job = self._job_of.get(number)
        if job is None:
            job = self._new_job(position, thread, values)
            job.cut = True
        self._runs(job, position, values[5])  # type: ignore[arg-type]
        self._running_on[thread] = job

    @staticmethod
    def _runs(job: JobRecord, position: int, credit_count: int) -> None:
        if job.run == NEVER and job.over == NEVER:
            job.run = position
            job.hw_after = credit_count
            peaks = job.ring.peaks
            if not peaks or credit_count > peaks[-1][1]:
                peaks.append((position, credit_count))
            job.entity.runs.append(position)
            job.ring.began(job, position)

    def _done(self, position: int, thread: str, values: tuple[Value, ...]) -> None:
        job = self._job_of.get((values[0] & MASK) << 32 | values[1] & MASK)  # type: ignore[operator]
        if job is not None:
            self._finish(job, position)

    def _finish(self, job: JobRecord, position: int) -> None:
        if job.done == NEVER:
            job.done = position
        self._over(job, position)

    def _over(self, job: JobRecord, position: int) -> None:
        if job.over != NEVER:
            return
        job.over = position
        self.over.append(position)
        job.entity.ends.append(position)
        if job.number >= 0:
            job.entity.ran_ends.append(position)
        job.ring.ended(job, position)

    def _depend(self, position: int, thread: str, values: tuple[Value, ...]) -> None:
        context, seqno, on_context, on_seqno = values
        job = self._job_of.get((context & MASK) << 32 | seqno & MASK)  # type: ignore[operator]
        if job is not None:
            fact = position, (on_context & MASK, on_seqno & MASK)  # type: ignore[operator]
            if job.depends is None:
                job.depends = [fact]
            else:
                job.depends.append(fact)

    def _look(self, position: int, thread: str, values: tuple[Value, ...]) -> None:
        context, seqno, on_context, on_seqno = values
        job = self._job_of.get((context & MASK) << 32 | seqno & MASK)  # type: ignore[operator]
        if job is not None:
            self._looked(job, position, on_context, on_seqno)  # type: ignore[arg-type]

    @staticmethod
    def _looked(job: JobRecord, position: int, context: int, seqno: int) -> None:
        if job.looks is None:
            job.looks = []
        job.looks.append((position, (context & MASK, seqno & MASK)))

    # -- fences ----------------------------------------------------------------------------------

    def _new_fence(self, position: int, values: tuple[Value, ...]) -> FenceRecord:
        driver, timeline, context, seqno = values
        if driver == "detached-driver":
            driver = timeline = ""
        number: int = context << 32 | seqno  # type: ignore[operator]
        fence = FenceRecord(context, seqno, driver, timeline, position)  # type: ignore[arg-type]
        fence.before = self._fence_of.get(number)
        self._fence_of[number] = fence
        self.fences.append(fence)
        return fence

    def _known(self, position: int, values: tuple[Value, ...]) -> FenceRecord:
        """The fence of an event, which may be its first."""
        number: int = values[2] << 32 | values[3]  # type: ignore[operator]
        fence = self._fence_of.get(number)
        if fence is None:
            fence = self._new_fence(position, values)
            for add, role in ((0, "finished"), (1 << 32, "scheduled")):
                job = self._job_of.get(number + add)
                if job is not None:
                    self._link(fence, job, role, position)
        return fence

    def _init(self, position: int, thread: str, values: tuple[Value, ...]) -> None:
        fence = self._new_fence(position, values)
        fence.init = position
        if thread in self._running_on:
            job = self._running_on.pop(thread)
            if job.parent is None:
                self._link(fence, job, "parent", position)

    def _emit(self, position: int, thread: str, values: tuple[Value, ...]) -> None:
        fence = self._known(position, values)
        if fence.emitted == NEVER:
            fence.emitted = position

    def _arm(self, position: int, thread: str, values: tuple[Value, ...]) -> None:
        fence = self._known(position, values)
        if fence.armed == NEVER:
            fence.armed = position

    def _signal(self, position: int, thread: str, values: tuple[Value, ...]) -> None:
        fence = self._known(position, values)
        if fence.signalled != NEVER:
            return
        fence.signalled = position
        job = fence.job
        if job is None:
            return
        if fence.role == "finished":
            self._over(job, position)
        elif fence.role == "scheduled" and self._running_on.get(thread) is job:
            del self._running_on[thread]

    def _destroy(self, position: int, thread: str, values: tuple[Value, ...]) -> None:
        fence = self._known(position, values)
        if fence.freed == NEVER:
            fence.freed = position

    def _wait(self, position: int, thread: str, values: tuple[Value, ...]) -> None:
        fence = self._known(position, values)
        if fence.waits is None:
            fence.waits = []
        fence.waits.append(Wait(position, thread))

    def _wait_end(self, position: int, thread: str, values: tuple[Value, ...]) -> None:
        for wait in reversed(self._known(position, values).waits or ()):
            if wait.thread == thread and wait.end == NEVER:
                wait.end = position
                return

    # -- the scheduler's events before 6.17 ------------------------------------------------------

    def _old_job(self, position: int, thread: str, values: tuple[Value, ...]) -> JobRecord:
        pointer, number, fence, name, _, _ = values
        context = int(pointer, 16) if pointer != "(null)" else 0  # type: ignore[arg-type]
        key: JobKey = (context, number)  # type: ignore[assignment]
        job = self._job(key, RingKey("", name), 0, position, thread)  # type: ignore[arg-type]
        job.old = job.entity.old = True
        self._old_job_of[fence] = self._old_by_key[key] = job  # type: ignore[index]
        self._old_by_id[name, number] = job  # type: ignore[index]
        return job

    def _old_queue(self, position: int, thread: str, values: tuple[Value, ...]) -> None:
        job = self._old_job(position, thread, values)
        job.queue_depth, job.hw_before = values[4], values[5]  # type: ignore[assignment]

    def _old_run(self, position: int, thread: str, values: tuple[Value, ...]) -> None:
        job = self._old_job_of.get(values[2])  # type: ignore[arg-type]
        if job is None or job.run != NEVER:
            job = self._old_job(position, thread, values)
            job.cut = True
        self._runs(job, position, values[5])  # type: ignore[arg-type]
        self._running_on[thread] = job

    def _old_done(self, position: int, thread: str, values: tuple[Value, ...]) -> None:
        job = self._old_job_of.get(values[0])  # type: ignore[arg-type]
        if job is not None:
            self._finish(job, position)

    def _old_depend(self, position: int, thread: str, values: tuple[Value, ...]) -> None:
        name, number, _, context, seqno = values
        job = self._old_by_id.get((name, number))  # type: ignore[arg-type]
        if job is not None:
            self._looked(job, position, context, seqno)  # type: ignore[arg-type]


def _position(checkpoint: Checkpoint) -> int:
    return checkpoint.position


def _queued(job: JobRecord) -> int:
    return job.queued


def _begin(fence: FenceRecord) -> int:
    return fence.begin
