# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Scheduler events of kernels before 6.17, told as those since.

The old events print pointers, the new ones the numbers of fences. Where dma_fence:* was recorded
too, the numbers can be had: a thread that arms a job initialises its two fences, of neighbouring
contexts and with the ring's name, and then queues it. From there on the pointer of the finished
fence names the job until it is done, and ring and id name it until it runs. An entity keeps its
context, so of several jobs that a thread has armed the right one is found.

Jobs whose pair is not in the file are left out and noted. Where the queueing was lost, the pair
would be taken for the thread's next job; it is given up when the job turns out to run. Numbers have
32 bits. There is no device and no client in the old events. A dependency is told when the scheduler
looks at it, not when it is declared, whether it holds the job up or not.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator

from kport.trace.events import BEFORE_6_17, Event, Value, Values
from kport.trace.reader import Notes
from kport.trace.source import TraceError

Key = tuple[int, int]
Thread = tuple[str, int]

ARMED_MAX = 4096  # jobs that a thread has armed and not queued
_MASK = 0xFFFFFFFF
_DRIVER = "drm_sched"
_REMEDY = "record dma_fence:* with gpu_scheduler:*: its events name them"


class Numbering:
    """Goes over the events of one recording, in order of time."""

    def __init__(self, notes: Notes) -> None:
        self._notes = notes
        self._first = 0  # line of the first old event
        self._known = False  # a job has been named, by old events or new ones
        self._scheduled: dict[Thread, Values] = {}  # what a thread initialised last
        self._armed: defaultdict[Thread, deque[tuple[str, Key]]] = defaultdict(
            lambda: deque(maxlen=ARMED_MAX)
        )
        self._owner: dict[Key, Thread] = {}  # of those armed, by their finished fences
        self._context: dict[Value, int] = {}  # of an entity
        self._entity: dict[int, Value] = {}
        self._by_fence: dict[Value, Key] = {}
        self._by_id: dict[tuple[Value, Value], Key] = {}
        self._feeders: dict[str, Callable[[int, Event], Event | None]] = {
            "drm_sched_job": self._queue,
            "drm_run_job": self._run,
            "drm_sched_process_job": self._done,
            "drm_sched_job_wait_dep": self._depend,
        }

    def tell(self, events: Iterable[tuple[int, Event]]) -> Iterator[tuple[int, Event]]:
        """The events with their line numbers, all as of 6.17. Raises TraceError if none can be."""
        for line, event in events:
            name = event.name
            if name in BEFORE_6_17:
                self._first = self._first or line
                told = self._feeders[name](line, event)
                if told is not None:
                    yield line, told
                continue
            if name == "dma_fence_init":
                self._init(event)
            elif name == "dma_fence_signaled":
                self._signal(event)
            elif name.startswith("drm_sched"):
                self._known = True
            yield line, event
        if self._first and not self._known:
            what = "scheduler events of a kernel before 6.17 name no fences"
            raise TraceError(self._first, what, _REMEDY)

    def _init(self, event: Event) -> None:
        driver, timeline, context, seqno = values = event.values
        if driver != _DRIVER:
            return
        thread = (event.comm, event.pid)
        before = self._scheduled.pop(thread, None)
        neighbour = (driver, timeline, (int(context) - 1) & _MASK, seqno)
        if before == neighbour:
            key = int(context), int(seqno)
            armed = self._armed[thread]
            if len(armed) == ARMED_MAX:
                self._owner.pop(armed[0][1], None)
            armed.append((str(timeline), key))
            self._owner[key] = thread
        else:
            self._scheduled[thread] = values

    def _signal(self, event: Event) -> None:
        """A job that was not seen queued is scheduled."""
        key = (int(event.values[2]) + 1) & _MASK, int(event.values[3])
        thread = self._owner.pop(key, None) if self._owner else None
        if thread is not None:
            self._armed[thread] = deque(
                (pair for pair in self._armed[thread] if pair[1] != key), maxlen=ARMED_MAX
            )

    def _claim(self, thread: Thread, entity: Value, ring: Value) -> Key | None:
        """The finished fence of the job that this thread queues to this entity."""
        armed = self._armed[thread]
        wanted = self._context.get(entity)
        found = None
        for pair in armed:
            timeline, (context, _) = pair
            if timeline != ring:
                continue
            if context == wanted:
                found = pair
                break
            if found is None and context not in self._entity:
                found = pair
        if found is None:
            return None
        armed.remove(found)
        self._owner.pop(found[1], None)
        context = found[1][0]
        if wanted is not None and wanted != context:
            self._entity.pop(wanted, None)  # another entity at the same address
        self._context[entity], self._entity[context] = context, entity
        return found[1]

    def _job(self, event: Event, name: str, key: Key) -> Event:
        _, _, _, ring, job_count, hw_job_count = event.values
        return event._replace(name=name, values=("", *key, ring, job_count, hw_job_count, 0))

    def _queue(self, line: int, event: Event) -> Event | None:
        entity, number, fence, ring, _, _ = event.values
        key = self._claim((event.comm, event.pid), entity, ring)
        if key is None:
            self._by_fence.pop(fence, None)
            self._notes.add("jobs queued without a trace of their fences, left out", line)
            return None
        self._known = True
        self._by_fence[fence] = self._by_id[ring, number] = key
        return self._job(event, "drm_sched_job_queue", key)

    def _run(self, line: int, event: Event) -> Event | None:
        _, number, fence, ring, _, _ = event.values
        self._by_id.pop((ring, number), None)
        key = self._by_fence.get(fence)
        if key is None:
            self._notes.add("jobs run whose fences are not known, left out", line)
            return None
        return self._job(event, "drm_sched_job_run", key)

    def _done(self, line: int, event: Event) -> Event | None:
        key = self._by_fence.pop(event.values[0], None)
        if key is None:
            self._notes.add("jobs done whose fences are not known, left out", line)
            return None
        return event._replace(name="drm_sched_job_done", values=key)

    def _depend(self, line: int, event: Event) -> Event | None:
        ring, number, _, context, seqno = event.values
        key = self._by_id.get((ring, number))
        if key is None:
            self._notes.add("dependencies of jobs whose fences are not known, left out", line)
            return None
        values = (*key, int(context) & _MASK, int(seqno))
        return event._replace(name="drm_sched_job_add_dep", values=values)
