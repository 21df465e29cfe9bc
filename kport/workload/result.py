# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""What a run came to: the object that `kport run --json` prints, and the tables show.

Times are as their names say (us, s). A wait is the time from a job's submission to the moment the
scheduler hands it to the hardware. The same classes hold the figures of a recorded kernel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any


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
    def of(cls, waits_ns: Sequence[int]) -> Waits:
        """From single waits in ns."""
        ordered = sorted(waits_ns)
        if not ordered:
            return cls()
        return cls(
            p50=round(percentile(ordered, 50) / 1000, 1),
            p99=round(percentile(ordered, 99) / 1000, 1),
            max=round(ordered[-1] / 1000, 1),
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
class Figures:
    """What is counted both of the port and of a recorded kernel."""

    jobs: JobCount = field(default_factory=JobCount)
    rings: list[RingResult] = field(default_factory=list)
    entities: list[EntityResult] = field(default_factory=list)
    makespan_s: float = 0.0


@dataclass
class Result(Figures):
    """A run of the port."""

    policy: str = "fifo"
    clients: list[ClientResult] = field(default_factory=list)
    leaks: int = 0
    warnings: list[str] = field(default_factory=list)
    recorded: Figures | None = None
    interrupted: bool = False

    def to_json(self) -> dict[str, Any]:
        """The object for `--json`; keys are stable."""
        return asdict(self)
