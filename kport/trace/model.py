# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The model of a monitor: everything it shows, without a screen.

    model = open_recording("x.trace.xz")         a file: kport.trace.model.open_recording()
    model = Model(); model.feed(events)          a running port: see kport.trace.client

    at = model.log.end - 1                       an event number is a moment: directly after it
    model.snapshot(at)                           rings, entities, jobs, fences then (None: now)
    model.lane(ring, t0, t1, columns)            segments of a ring's lane
    model.why((401, 17), at)                     the chain of what a job waits for
    model.stats("wait", ring=ring, client=7)     percentiles
    model.log[at], model.log.find("401:17", at)  the events

Moments. Time travel goes by event numbers, from `log.first` to `log.end` - 1: the state shown is
that directly after the event, and it is the same whether one came there by stepping, jumping or
reading the file up to there. `at_time(ns)` gives the number for a time. `None` means "now": behind
the last event, with the clock of the port (`clock`), so that lengths of time go on growing while
nothing happens.

Nothing here blocks or starts a thread; one thread uses a model. A model that follows a port for
long forgets: with `keep` it holds between half as many events and as many. What was queued before
the oldest of them is then as if the trace had begun there (`Job.cut`).
"""

from __future__ import annotations

import gc
from bisect import bisect_right
from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import NamedTuple

from sortedcontainers import SortedDict

from kport.trace.bulk import Block, Unsorted, parsed_of, quick, sorted_blocks
from kport.trace.events import Event
from kport.trace.history import CODES, SHIFT, EntityRecord, History, JobRecord, RingRecord
from kport.trace.lanes import Convention, Lane
from kport.trace.log import EventLog
from kport.trace.reader import Reader
from kport.trace.snapshot import (
    Entity,
    Fence,
    FenceKey,
    Job,
    JobKey,
    Link,
    Port,
    RingKey,
    Segment,
    Snapshot,
    Stats,
)
from kport.trace.source import TraceError
from kport.trace.stats import candidates, lengths, stats
from kport.trace.views import (
    entity_view,
    fence_view,
    job_view,
    of_port,
    ring_view,
    with_entities,
    with_fences,
    with_jobs,
    with_rings,
)
from kport.trace.why import Chain

PORTS = 3000  # Ports that are kept
SETTLE = 20_000_000  # ns that the youngest events of a port are held back, to sort them


class Stage(NamedTuple):
    """One point in a life: what happened, and when (ns), or None if it has not."""

    name: str
    at: int | None


class Model:
    """What is known of one source. `notes` are things worth a word that reading the file found."""

    def __init__(self, keep: int | None = None) -> None:
        self.log = EventLog()
        self.notes: list[str] = []
        self.keep = keep
        self.clock = 0
        self._history = History()
        self._young: tuple[History, list[int]] | None = None
        self._ports: SortedDict[int, Port] = SortedDict()
        self._held: list[Event] = []
        self._lanes: dict[RingKey, Lane] = {}

    # -- feeding ---------------------------------------------------------------------------------

    def feed(self, events: Iterable[Event], clock: int | None = None) -> int:
        """Take in events of a port; returns how many went into the log.

        They may be a little out of order: those of the last SETTLE ns before `clock` (the port's
        time; by default that of the youngest event) wait for the next call. Events of other names
        are passed over.
        """
        held = self._held
        held += [event for event in events if event.name in CODES]
        if held:
            held.sort(key=attrgetter("ts"))
            self.clock = max(self.clock, held[-1].ts)
        self.clock = max(self.clock, clock or 0)
        cut = bisect_right(held, self.clock - SETTLE, key=attrgetter("ts"))
        if cut:
            ready, self._held = held[:cut], held[cut:]
            self.add(Block([parsed_of(event) for event in ready], events=ready))
        return cut

    def settle(self) -> int:
        """Take in the events that are held back: no more will come. Returns how many."""
        ready, self._held = self._held, []
        if ready:
            self.add(Block([parsed_of(event) for event in ready], events=ready))
        return len(ready)

    def add(self, block: Block) -> None:
        """Append a block of events, in order of time."""
        parsed = block.parsed
        for i in range(0, len(parsed), History.SPACING):
            self._history.feed(parsed[i : i + History.SPACING], self.log.positions)
        self.log.add(block)
        if parsed:
            self.clock = max(self.clock, parsed[-1][0])
        if self.keep is not None:
            self._forget(block)

    def _forget(self, block: Block) -> None:
        """Keep a second history from the middle on, and go over to it when the first is full."""
        assert self.keep is not None
        if self._young is not None:
            history, positions = self._young
            history.feed(block.parsed, positions)
        else:
            if len(self.log) >= self.keep // 2:
                self._young = History(), []
            return
        if len(self.log) < self.keep:
            return
        history, positions = self._young
        self.log.forget(self.log.end - len(positions))
        self._history, self.log.positions = history, positions
        self._young = History(), []
        self._lanes.clear()

    def add_port(self, port: Port) -> None:
        """Take in what a port says of itself."""
        self._ports[port.ts] = port
        self.clock = max(self.clock, port.ts)
        while len(self._ports) > PORTS:
            self._ports.popitem(0)

    # -- moments ---------------------------------------------------------------------------------

    @property
    def began(self) -> int:
        """The time of the first event that is kept, in ns; 0 without one."""
        return self._history.origin

    @property
    def ended(self) -> int:
        """The time of the last event in ns, or the clock of the port if that is later."""
        return max(self.clock, self._history.time(max(0, self._history.last)))

    def at_time(self, ns: int) -> int:
        """The number of the last event at or before a time; `log.first` - 1 before the first."""
        return self.log.number_at(((ns - self._history.origin + 1) << SHIFT) - 1)

    def time_of(self, at: int | None) -> int:
        """The time of a moment in ns."""
        if at is None:
            return self.ended
        position = self._position(at)
        return self._history.time(position) if position >= 0 else self._history.origin

    def _position(self, at: int | None) -> int:
        """The position up to which facts count."""
        if at is None:
            history = self._history
            return max(history.last, ((self.clock - history.origin) << SHIFT))
        return self.log.position(min(at, self.log.end - 1))

    def port(self, at: int | None = None) -> Port | None:
        """The latest Port that is not younger than the moment."""
        if at is None:
            return self._ports.peekitem(-1)[1] if self._ports else None
        index = self._ports.bisect_right(self.time_of(at)) - 1
        return self._ports.peekitem(index)[1] if index >= 0 else None

    # -- state -----------------------------------------------------------------------------------

    def snapshot(self, at: int | None = None, *, limit: int = 1000) -> Snapshot:
        """Everything at a moment; of fences the youngest `limit` that live."""
        history, now, port = self._history, self._position(at), self.port(at)
        job_records, fence_records = history.alive(now)
        rings = [ring_view(history, r, now) for r in history.rings.values() if r.begin <= now]
        entities = [
            entity_view(history, e, now) for e in history.entities.values() if e.begin <= now
        ]
        entities.sort(key=lambda e: (e.head is None, -e.oldest_ns))
        jobs = [job_view(history, job, now) for job in job_records]
        shown = fence_records[-limit:] if limit else []
        fences = [fence_view(history, fence, now) for fence in shown]
        if port is not None:
            rings, jobs = with_rings(rings, port), with_jobs(jobs, port)
            entities, fences = with_entities(entities, port), with_fences(fences, port)
        return Snapshot(
            ts=self.time_of(at),
            event=self.log.end - 1 if at is None else at,
            rings=tuple(rings),
            entities=tuple(entities),
            jobs=tuple(jobs),
            fences=tuple(fences),
            fences_total=len(fence_records),
            finished=bisect_right(history.over, now),
            port=port,
        )

    def rings(self) -> tuple[RingKey, ...]:
        """All rings of the trace or port, in order of their first event."""
        known = dict.fromkeys(self._history.rings)
        port = self.port()
        if port is not None:
            told = dict.fromkeys(ring.key for ring in port.rings)
            for key in known:
                told.pop(of_port(key, told), None)
            known.update(told)
        return tuple(known)

    def clients(self) -> tuple[int, ...]:
        """All clients, by number."""
        return tuple(sorted({e.client for e in self._history.entities.values()}))

    def slots(self, ring: RingKey) -> int:
        """How many jobs the ring has had on the hardware at once, at most."""
        record = self._history.rings.get(ring)
        return len(record.rows) if record is not None else 0

    def job(self, key: JobKey, at: int | None = None) -> Job | None:
        """One job, over or not, or None if it was not known yet."""
        now = self._position(at)
        record = self._history.job(key, now)
        if record is None:
            return None
        job = job_view(self._history, record, now)
        port = self.port(at)
        return job if port is None else with_jobs([job], port)[0]

    def fence(self, key: FenceKey, at: int | None = None) -> Fence | None:
        """One fence, freed or not, or None if it was not known yet."""
        now = self._position(at)
        record = self._history.fence(key, now)
        if record is None:
            return None
        fence = fence_view(self._history, record, now)
        port = self.port(at)
        return fence if port is None else with_fences([fence], port)[0]

    def owner(self, key: FenceKey, at: int | None = None) -> JobKey | None:
        """The job whose scheduled, finished or hardware fence this is."""
        found = self._history.owner(key, self._position(at))
        return None if found is None else found[0].key

    def entity_jobs(self, context: int, ring: RingKey, at: int | None = None) -> list[Job]:
        """The jobs in an entity's queue at a moment, the head first."""
        now, entity = self._position(at), self._history.entities.get((context, ring))
        jobs = entity.jobs if entity is not None else []
        waiting = [job for job in jobs if job.queued <= now < min(job.run, job.over)]
        return [job_view(self._history, job, now) for job in waiting]

    # -- what it means ---------------------------------------------------------------------------

    def why(self, key: JobKey, at: int | None = None) -> tuple[Link, ...]:
        """The chain from a job to what it waits for; empty if the job is not known."""
        now = self._position(at)
        record = self._history.job(key, now)
        if record is None:
            return ()
        chain = Chain(self._history, now, self.port(at))
        chain.ask(record)
        return tuple(chain.links)

    def job_life(self, key: JobKey, at: int | None = None) -> tuple[Stage, ...]:
        """A job from being queued to being freed, in the order in which it is meant to go."""
        job = self.job(key, at)
        if job is None:
            return ()
        return (
            Stage("queued", job.queued),
            Stage("dependencies clear", job.ready),
            Stage("picked", job.run),
            Stage("scheduled", job.scheduled),
            Stage("hardware done", job.hw_done),
            Stage("signalled", job.signalled),
            Stage("freed", job.freed),
        )

    def fence_life(self, key: FenceKey, at: int | None = None) -> tuple[Stage, ...]:
        """A fence from init to freed; of a job's finished fence the job's stages as well."""
        fence = self.fence(key, at)
        if fence is None:
            return ()
        stages = [Stage("init", fence.init), Stage("armed", fence.armed)]
        job = self.job(fence.job, at) if fence.job is not None else None
        if job is not None and fence.role == "finished":
            stages += [
                Stage("scheduled", job.scheduled or job.run),
                Stage("parent", self._parent(job, at)),
                Stage("finished", job.done),
            ]
        return (*stages, Stage("signalled", fence.signalled), Stage("freed", fence.freed))

    def _parent(self, job: Job, at: int | None) -> int | None:
        """When the hardware's fence of a job was made."""
        fence = self.fence(job.parent, at) if job.parent is not None else None
        return fence.init if fence is not None else None

    def lane(
        self,
        ring: RingKey,
        begin: int,
        end: int,
        columns: int,
        *,
        at: int | None = None,
        convention: Convention = "run",
        slot: int | None = None,
    ) -> list[Segment]:
        """The cells of a ring from `begin` to `end` (ns), as segments from left to right.

        What is not covered by a segment is idle. `slot` draws the jobs of one slot only (0 up to
        `slots(ring)` - 1), each from its run to its end. Nothing after `at` is drawn.
        """
        lane = self._lane(ring)
        if lane is None:
            return []
        origin = self._history.origin
        return lane.draw(
            begin - origin, end - origin, columns, self._position(at), convention, slot
        )

    def _lane(self, ring: RingKey) -> Lane | None:
        lane = self._lanes.get(ring)
        if lane is None:
            record = self._history.rings.get(ring)
            if record is not None:
                lane = self._lanes[ring] = Lane(record)
        return lane

    def prepare_lanes(self) -> None:
        """Work out what the first look at all lanes needs: of a million events some 0.1 s."""
        for ring in self._history.rings:
            lane = self._lane(ring)
            if lane is not None:
                lane.prepare()

    def job_at(self, ring: RingKey, ns: int, slot: int | None = None) -> JobKey | None:
        """The job that a lane shows at a time, for a click on it."""
        segments = self.lane(ring, ns, ns + 1, 1, slot=slot)
        return segments[0].job if segments else None

    def stats(
        self,
        stage: str,
        *,
        ring: RingKey | None = None,
        client: int | None = None,
        begin: int | None = None,
        end: int | None = None,
    ) -> Stats:
        """Percentiles of a stage (kport.trace.stats.STAGES), of one ring or client or of all.

        Those count that ended after `begin` and not after `end` (ns). Raises KeyError for a stage
        that is not there.
        """
        return stats(self.lengths(stage, ring=ring, client=client, begin=begin, end=end))

    def lengths(
        self,
        stage: str,
        *,
        ring: RingKey | str | None = None,
        client: int | None = None,
        begin: int | None = None,
        end: int | None = None,
    ) -> list[int]:
        """The lengths behind `stats()` in ns, sorted. A text for `ring` is a name on any device."""
        history = self._history
        low = -1 if begin is None else ((begin - history.origin + 1) << SHIFT) - 1
        high = history.last if end is None else ((end - history.origin + 1) << SHIFT) - 1
        record = history.rings.get(ring) if isinstance(ring, RingKey) else None
        jobs = candidates(history, low, high, record)
        if client is not None or (ring is not None and record is None):
            wanted = _selector(ring, client)
            jobs = [job for job in jobs if wanted(job)]
        return lengths(history, stage, jobs, low, high)

    def order(self, begin: int, end: int, ring: RingKey) -> list[JobKey]:
        """The jobs that were run on a ring in begin <= t < end, in this order."""
        record: RingRecord | None = self._history.rings.get(ring)
        if record is None:
            return []
        low = ((begin - self._history.origin) << SHIFT) - 1
        high = ((end - self._history.origin) << SHIFT) - 1
        ran = record.ran[bisect_right(record.runs, low) : bisect_right(record.runs, high)]
        return [job.key for job in ran]

    def entity(self, context: int, ring: RingKey, at: int | None = None) -> Entity | None:
        """One entity, or None if it was not known yet."""
        now = self._position(at)
        record: EntityRecord | None = self._history.entities.get((context, ring))
        if record is None or record.begin > now:
            return None
        return entity_view(self._history, record, now)


def _selector(ring: RingKey | str | None, client: int | None) -> Callable[[JobRecord], bool]:
    def wanted(job: JobRecord) -> bool:
        if client is not None and job.client != client:
            return False
        if ring is None:
            return True
        return job.ring.key == ring if isinstance(ring, RingKey) else job.ring.key.ring == ring

    return wanted


def open_recording(path: str, progress: Callable[[int], None] | None = None) -> Model:
    """The model of a recording: trace text, plain or compressed, "-" for standard input.

    `progress` is told the number of lines read, now and then. Raises TraceError for a file that is
    none; of a compressed one that ends in the middle, what is there is read, and noted.
    """
    collecting = gc.isenabled()
    gc.disable()  # nothing of what is made here is garbage
    try:
        return _open(path, progress)
    finally:
        if collecting:
            gc.enable()
        gc.freeze()


def _open(path: str, progress: Callable[[int], None] | None) -> Model:
    model, reader = Model(), Reader(path, old=True)
    try:
        for block in quick(path, reader) if path != "-" else sorted_blocks(reader):
            model.add(block)
            if progress is not None:
                progress(reader.lines)
    except Unsorted:
        model, reader = Model(), Reader(path, old=True)
        for block in sorted_blocks(reader):
            model.add(block)
            if progress is not None:
                progress(reader.lines)
    except TraceError as error:
        if not len(model.log) or "ends in the middle" not in error.what:
            raise
        reader.notes.add(error.what, error.line)
    model.notes = reader.notes.texts()
    model.prepare_lanes()
    return model
