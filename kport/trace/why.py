# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Why a job waits: the chain from it down to what the hardware does, or to where nobody knows.

The scheduler lets a job run when its dependencies have signalled, it is the first in the queue of
its entity, its scheduler is not stopped, the ring has as many credits left as it needs, and the
policy picks its entity. What does not hold is the reason: each dependency that has not signalled
and the head of the queue, or else the first of the others. Then the same is asked of whatever is in
the way.

Credits and stopped schedulers are known of a running port. In a recording the limit is taken from
the most the ring was ever seen to hold, which the text says.
"""

from __future__ import annotations

from bisect import bisect_right

from kport.trace.history import NEVER, SHIFT, History, JobRecord
from kport.trace.snapshot import FenceKey, JobKey, Link, LinkKind, Port, Ring
from kport.trace.stats import ready_at, signalled_at

DEPTH = 32


def name_of(job: JobRecord) -> str:
    """`401:17`, or `#17`."""
    return f"#{job.key[1]}" if job.old else f"{job.key[0]}:{job.key[1]}"


def length(ns: int) -> str:
    """A length of time to read: `812 ns`, `3.4 us`, `12.1 ms`, `2.345 s`."""
    if ns < 1_000:
        return f"{ns} ns"
    if ns < 1_000_000:
        return f"{ns / 1e3:.1f} us"
    if ns < 1_000_000_000:
        return f"{ns / 1e6:.1f} ms"
    return f"{ns / 1e9:.3f} s"


class Chain:
    """The links of one question. `now` is a position, `port` what a port said then."""

    def __init__(self, history: History, now: int, port: Port | None) -> None:
        self._history = history
        self._now = now
        self._rings = {ring.key: ring for ring in port.rings} if port is not None else {}
        self._wants = {job.key: job.credits for job in port.jobs} if port is not None else {}
        self._seen: set[JobKey] = set()
        self.links: list[Link] = []

    def ask(self, job: JobRecord, depth: int = 0) -> None:
        """Append why this job is not over."""
        if job.key in self._seen or depth > DEPTH:
            return
        self._seen.add(job.key)
        now = self._now
        if job.over <= now:
            self._link(depth, "over", f"{name_of(job)} is over", job, since=job.over)
        elif job.run <= now:
            self._hardware(job, depth)
        elif not (
            self._dependency(job, depth) + self._head_of_line(job, depth)
            or self._stopped(job, depth)
            or self._credits(job, depth)
            or self._policy(job, depth)
        ):
            text = f"{name_of(job)} could run; nothing in the trace says why it does not"
            self._link(depth, "unknown", text, job, since=ready_at(self._history, job, now))

    def _link(
        self,
        depth: int,
        kind: LinkKind,
        text: str,
        job: JobRecord | None = None,
        fence: FenceKey | None = None,
        since: int = NEVER,
    ) -> None:
        ring = job.ring.key if job is not None else None
        key = job.key if job is not None else None
        when = self._history.when(since, self._now)
        self.links.append(Link(depth, kind, text, key, fence, ring, when))

    def _age(self, position: int) -> str:
        return length((self._now >> SHIFT) - (position >> SHIFT))

    # -- on the hardware -------------------------------------------------------------------------

    def _hardware(self, job: JobRecord, depth: int) -> None:
        front = self._front(job)
        where = f"on the hardware of {job.ring.key.ring} for {self._age(job.run)}"
        if front is job or front is None:
            self._link(depth, "hardware", f"{name_of(job)} is {where}", job, since=job.run)
            return
        text = f"{name_of(job)} is {where}, behind {name_of(front)}"
        self._link(depth, "hardware", text, job, since=job.run)
        self.ask(front, depth + 1)

    def _front(self, job: JobRecord) -> JobRecord | None:
        """The job that has been on the ring longest."""
        ring, now = job.ring, self._now
        number = bisect_right(ring.bar_to, now)
        if number < len(ring.bar_job) and ring.bar_from[number] <= now:
            return ring.bar_job[number]
        return ring.front if ring.front is not None and ring.front_from <= now else None

    # -- waiting ---------------------------------------------------------------------------------

    def _dependency(self, job: JobRecord, depth: int) -> bool:
        now, found = self._now, False
        keys = [(since, key) for since, key in job.depends or () if since <= now]
        looks = [(since, key) for since, key in job.looks or () if since <= now]
        if looks and looks[-1][1] not in [key for _, key in keys]:
            keys.append(looks[-1])  # the driver gave it while the job was in the queue
        for since, key in keys:
            if signalled_at(self._history, key, now) != NEVER:
                continue
            if job.old and self._history.fence(key, now) is None and looks[-1] != (since, key):
                continue
            found = True
            self._dependency_on(job, key, since, depth)
        return found

    def _dependency_on(self, job: JobRecord, key: FenceKey, since: int, depth: int) -> None:
        owner = self._history.owner(key, self._now)
        what = f"fence {key[0]}:{key[1]}"
        if owner is None:
            fence = self._history.fence(key, self._now)
            if fence is not None and fence.timeline:
                what += f" of {fence.driver} {fence.timeline}"
            text = f"{name_of(job)} depends on {what}, which has not signalled"
            self._link(depth, "dependency", text, job, key, since)
            return
        other, role = owner
        role = {"parent": "hardware"}.get(role, role)
        on = f"{name_of(other)} on {other.ring.key.ring} ({role} fence)"
        self._link(depth, "dependency", f"{name_of(job)} depends on {on}", job, key, since)
        self.ask(other, depth + 1)

    def _head_of_line(self, job: JobRecord, depth: int) -> bool:
        entity, now = job.entity, self._now
        number = bisect_right(entity.queues, job.queued) - 1
        ahead = None
        for other in reversed(entity.jobs[:number]):
            if other.run > now and other.over > now:
                ahead = other
            else:
                break
        if ahead is None:
            return False
        where = f"in the queue of entity {self._entity(job)}"
        text = f"{name_of(job)} is behind {name_of(ahead)} {where}"
        self._link(depth, "head-of-line", text, job, since=job.queued)
        self.ask(ahead, depth + 1)
        return True

    @staticmethod
    def _entity(job: JobRecord) -> str:
        return f"{job.entity.context:x}" if job.old else str(job.entity.context)

    def _stopped(self, job: JobRecord, depth: int) -> bool:
        ring = self._rings.get(job.ring.key)
        if ring is None or ring.state in ("running", ""):
            return False
        text = f"{name_of(job)} waits: the scheduler of {job.ring.key.ring} is {ring.state}"
        self._link(depth, "stopped", text, job)
        return True

    def _credits(self, job: JobRecord, depth: int) -> bool:
        on_ring = self._on_ring(job)
        if not on_ring:
            return False
        ring: Ring | None = self._rings.get(job.ring.key)
        if ring is not None and ring.credit_limit is not None and ring.credits is not None:
            held, limit, of = ring.credits, ring.credit_limit, ""
            wants = self._wants.get(job.key) or 1
        else:
            peaks = job.ring.peaks
            limit = peaks[bisect_right(peaks, self._now, key=_first) - 1][1]
            held, wants, of = self._held(job, on_ring), 1, " ever seen"
        if held + wants <= limit:
            return False
        text = (
            f"{name_of(job)} needs {wants} credit{'s' if wants != 1 else ''} of "
            f"{job.ring.key.ring}: {held} of {limit}{of} in use"
        )
        self._link(depth, "credits", text, job, since=on_ring[-1].run)
        self.ask(on_ring[0], depth + 1)
        return True

    def _held(self, job: JobRecord, on_ring: list[JobRecord]) -> int:
        """The credits in use as the events print them, or the number of jobs if they do not."""
        ring, now = job.ring, self._now
        last = bisect_right(ring.runs, now)
        ended = bisect_right(ring.ran_ends, now) - bisect_right(ring.ran_ends, ring.runs[last - 1])
        return max(len(on_ring), ring.ran[last - 1].hw_after - ended)

    def _on_ring(self, job: JobRecord) -> list[JobRecord]:
        ring, now = job.ring, self._now
        count = bisect_right(ring.runs, now)
        left = count - bisect_right(ring.ran_ends, now)
        out: list[JobRecord] = []
        while len(out) < left and count:
            count -= 1
            if ring.ran[count].over > now:
                out.append(ring.ran[count])
        return out[::-1]

    def _policy(self, job: JobRecord, depth: int) -> bool:
        """Some other entity's job was run while this one was ready, or is to be run before it."""
        ready = ready_at(self._history, job, self._now)
        ring, now = job.ring, self._now
        last = bisect_right(ring.runs, now) - 1
        if last >= 0 and ring.runs[last] > ready and ring.ran[last].entity is not job.entity:
            other = ring.ran[last]
            text = f"{name_of(job)} is ready; the policy picked {name_of(other)} before it"
            self._link(depth, "policy", text, job, since=ready)
            self.ask(other, depth + 1)
            return True
        return False


def _first(pair: tuple[int, int]) -> int:
    return pair[0]
