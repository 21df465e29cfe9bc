# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""What a recording says: devices with rings, entities, jobs, and what jobs waited for.

A ring is a scheduler, known by device *and* name: every ring of the kernel's tests has one name. An
entity is known by the context of its finished fences; the scheduled ones have the context below.
Times are ns of the recording's clock, None for what was not recorded.

What no recording tells: priorities, the policy, the credit limit, and why a client submitted when
it did (it may have waited for a job before). So a replay knows arrivals, dependencies and GPU
times, and nothing of the closed loop between a client and its jobs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(slots=True, eq=False)
class Ring:
    """A ring. `credit_limit` is None where nothing ever had to wait for a credit.

    `slots` is a number of jobs that is never exceeded on the hardware at once.
    """

    dev: str
    name: str
    jobs: list[Job] = field(default_factory=list)
    credit_limit: int | None = None

    @property
    def slots(self) -> int:
        return max(1, len(self.jobs))


@dataclass(slots=True, eq=False)
class Device:
    """A device and its rings in order of first appearance."""

    name: str
    rings: list[Ring] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Entity:
    """An entity and its jobs in order of arrival.

    `killed` is when its last jobs were thrown away without having run, None if all ran.
    """

    context: int
    jobs: list[Job] = field(default_factory=list)
    killed: int | None = None

    @property
    def name(self) -> str:
        """The task that submitted first, as far as one was seen."""
        return next((job.comm for job in self.jobs if job.comm), "?")


@dataclass(slots=True, eq=False)
class Fence:
    """A fence of somebody else, which a job waited for until `signaled`."""

    context: int
    seqno: int
    signaled: int


@dataclass(slots=True, frozen=True)
class Dependency:
    """What a job waits for: a job (until it has finished, or until it is scheduled) or a fence."""

    job: Job | None = None
    scheduled: bool = False
    fence: Fence | None = None


@dataclass(slots=True, eq=False)
class Job:
    """One job.

    `index` is its place in the order of arrivals, over all entities; `started` and `ended` are the
    places of its run and its done among all events. `seen` is False if its queue event is missing
    and `queued` was inferred. A job with `cancelled` never ran. `pipelined` is False if jobs of
    the same ring, too, had to wait until it had finished.
    """

    entity: Entity
    seqno: int
    ring: Ring
    client: int
    comm: str = ""
    pid: int = 0
    queued: int | None = None
    run: int | None = None
    done: int | None = None
    line: int = 0
    arrived: int | None = None
    started: int | None = None
    ended: int | None = None
    hw_count: int = 0
    index: int = -1
    seen: bool = True
    cancelled: bool = False
    pipelined: bool = True
    gpu_ns: int = 0
    credits: int = 1
    depends: list[Dependency] = field(default_factory=list)

    @property
    def arrival(self) -> int:
        """When it was queued, or must have been at the latest."""
        assert self.queued is not None
        return self.queued

    @property
    def wait_ns(self) -> int | None:
        """From its queue event to its run event, if both were recorded."""
        if not self.seen or self.queued is None or self.run is None:
            return None
        return max(0, self.run - self.queued)


@dataclass(slots=True, eq=False)
class Recording:
    """A recording: `jobs` in order of arrival, `begin` and `end` the times of its first event and
    its last, `warnings` what could not be used of it, one line each."""

    name: str
    devices: list[Device] = field(default_factory=list)
    entities: list[Entity] = field(default_factory=list)
    jobs: list[Job] = field(default_factory=list)
    begin: int = 0
    end: int = 0
    warnings: list[str] = field(default_factory=list)

    def rings(self) -> Iterator[Ring]:
        """All rings, device by device."""
        for device in self.devices:
            yield from device.rings
