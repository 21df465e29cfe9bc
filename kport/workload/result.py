# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""What a run came to: the object that `kport run --json` prints, and the tables show.

    jobs         {submitted, finished, failed, cancelled}                           whole numbers
    rings        [{dev, ring                                                        texts
                   jobs, busy_pct, wait_us {p50, p99, max}                          numbers
                   inversions}]                                                     number or null
    entities     [{context                                                          number
                   name, client, ring                                               texts
                   jobs, gpu_ms, share_pct, wait_us {p50, p99, max}}]               numbers
    makespan_s   from the first submission to the end of the last job               number
    sched        "v7_2", "v6_1" or "v3_2023": whose scheduler                       text
    policy       "rr", "fifo" or "fair"                                             text
    recovery     {faults, timeouts, soft, ring, full, failed                        numbers
                  guilty                                                            [text]
                  lost, resubmitted                                                 numbers
                  device_lost                                                       true or false}
                 or null if no faults were asked for
    clients      [{name                                                             text
                   elapsed_s, cycles, per_s, periods, dropped
                   latency_ms {p50, p99, max}}]                                     numbers
    leaks        objects, work items and threads the kernel left behind             number
    warnings     the kernel's ("WARNING: ..."), and what else is to be said         [text]
    recorded     jobs, rings, entities and makespan_s of the recorded kernel        or null
    interrupted  true if the run was stopped before its end                         true or false

`recovery` counts the faults that struck, the timeouts, and the recoveries that helped: `soft`
(what ran was killed), `ring` and `full` resets; and the full ones that `failed`. `guilty` are the
entities whose jobs hung, `lost` the jobs that ended with an error because of all that,
`resubmitted` those that ran once more.

The keys are stable; new ones may come. Times are as their names say, on the kernel's clock. A wait
is the time from a job's submission to the moment the scheduler hands it to the hardware;
percentiles are nearest ranks. `busy_pct` is a ring's GPU time over the makespan, `share_pct` an
entity's part of the GPU time of its rings. `inversions` are the pairs of jobs of a ring that ran in
another order than in the recording, null without one; `clients` is empty with one. A client's cycle
is one pass through its workload, and lasts (`latency_ms`) until its last job has ended; of its
`periods`, the passes that reached a `p` step, `dropped` came too late for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from kport.workload.errors import InputError

STALLED = "stalled:"  # how the warning begins that a run could not go on
HUNG = "hung:"  # and that a client could not be ended


def percentile(values: Sequence[float], percent: float) -> float:
    """The nearest-rank percentile of sorted values, 0.0 for none."""
    if not values:
        return 0.0
    rank = max(1, -(-len(values) * percent // 100))
    return float(values[int(rank) - 1])


@dataclass
class Waits:
    """How long jobs waited, in us."""

    p50: float = 0.0
    p99: float = 0.0
    max: float = 0.0

    @classmethod
    def of(cls, waits_ns: Sequence[int], unit_ns: int = 1000) -> Waits:
        """From single waits in ns; `unit_ns` is 1000 for us, 1,000,000 for ms."""
        ordered = sorted(waits_ns)
        if not ordered:
            return cls()
        digits = 1 if unit_ns <= 1000 else 3
        return cls(
            p50=round(percentile(ordered, 50) / unit_ns, digits),
            p99=round(percentile(ordered, 99) / unit_ns, digits),
            max=round(ordered[-1] / unit_ns, digits),
        )


@dataclass
class JobCount:
    """Every submitted job is finished (without error), failed or cancelled."""

    submitted: int = 0
    finished: int = 0
    failed: int = 0
    cancelled: int = 0


@dataclass
class RingResult:
    """One ring. `inversions`: pairs of jobs that ran in another order than in the recording."""

    dev: str
    ring: str
    jobs: int = 0
    busy_pct: float = 0.0
    wait_us: Waits = field(default_factory=Waits)
    inversions: int | None = None


@dataclass
class EntityResult:
    """One entity, known by the context of its finished fences and a name where it has one."""

    context: int
    name: str
    client: str
    ring: str
    jobs: int = 0
    gpu_ms: float = 0.0
    share_pct: float = 0.0
    wait_us: Waits = field(default_factory=Waits)


@dataclass
class ClientResult:
    """One client of a workload: its iterations, and the periods that it was late for."""

    name: str
    elapsed_s: float = 0.0
    cycles: int = 0
    per_s: float = 0.0
    periods: int = 0
    dropped: int = 0
    latency_ms: Waits = field(default_factory=Waits)


@dataclass
class Recovery:
    """What the faults of a run led to. `guilty`: names of entities whose jobs hung."""

    faults: int = 0
    timeouts: int = 0
    soft: int = 0
    ring: int = 0
    full: int = 0
    failed: int = 0
    guilty: list[str] = field(default_factory=list)
    lost: int = 0
    resubmitted: int = 0
    device_lost: bool = False


@dataclass(slots=True)
class Run:
    """A batch on a ring, from `began` to `ended` ns since boot, for the client of this number."""

    ring: str
    client: int
    began: int
    ended: int


@dataclass
class Figures:
    """What is counted both of the port and of a recorded kernel."""

    jobs: JobCount = field(default_factory=JobCount)
    rings: list[RingResult] = field(default_factory=list)
    entities: list[EntityResult] = field(default_factory=list)
    makespan_s: float = 0.0


@dataclass
class Result(Figures):
    """A run of the port.

    `reports` are those of what watched the kernel, if anything did (the command fills them in).
    `order` and `unwritten`, why the trace is not in its file, are not part of the JSON object.
    """

    sched: str = "v7_2"
    policy: str = "fifo"
    clients: list[ClientResult] = field(default_factory=list)
    recovery: Recovery | None = None
    leaks: int = 0
    warnings: list[str] = field(default_factory=list)
    reports: list[str] = field(default_factory=list)
    recorded: Figures | None = None
    interrupted: bool = False
    order: list[Run] = field(default_factory=list)
    unwritten: InputError | None = None

    @property
    def sound(self) -> bool:
        """True if every job is accounted for, nothing leaked, and there is no kernel warning.

        No job may have failed, unless faults were asked for.
        """
        jobs = self.jobs
        failed = jobs.failed if self.recovery is not None else 0
        return (
            jobs.submitted == jobs.finished + failed + jobs.cancelled
            and not self.leaks
            and not any(text.startswith(("WARNING:", STALLED, HUNG)) for text in self.warnings)
        )

    def to_json(self) -> dict[str, Any]:
        """The object for `--json`; keys are stable."""
        figures = asdict(replace(self, order=[], unwritten=None))
        del figures["order"], figures["unwritten"]
        return figures
