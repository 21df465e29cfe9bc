# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Playing a recording through the port, and comparing.

The port gets what the recording tells: devices and rings, entities, arrivals, dependencies, GPU
times, credits. It decides the order itself. In kernel time everything happens as recorded, whatever
the scale of the clock: the wall time of one kernel second.

Arrivals are played at their recorded times, whether or not the port has finished what the client
may have waited for; a recording does not tell. Neither does it tell priorities: every entity has
the normal one. So where priorities, or their absence, decided the order, it differs.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from threading import Event

import kport
from kport.drivers.compat import package
from kport.linux.ktime import NSEC_PER_SEC
from kport.workload.collect import Collector
from kport.workload.rec_compare import port_figures, recorded_figures
from kport.workload.rec_model import Recording
from kport.workload.rec_player import Player
from kport.workload.result import Result
from kport.workload.trace_out import TraceOut

POLICIES = {"rr": 0, "fifo": 1, "fair": 2}
LATE = 1.0  # wall seconds behind the recording that are worth a word, and
LATE_PART = 0.05  # what part they are of the recording


def replay(
    recording: Recording,
    *,
    policy: str = "fifo",
    sched: str = "v7_2",
    scale: float = 1.0,
    credits: int | None = None,  # noqa: A002 - the option's name
    progress: Callable[[int, int], None] | None = None,
    stop: Event | None = None,
    trace_out: str | None = None,
) -> Result:
    """Play a recording on a kernel of its own and return the figures of both.

    `sched` names the scheduler, `scale` is wall seconds per kernel second; `credits` is the credit
    limit of every ring instead of the recorded one; `progress` is told how many jobs are over, and
    of how many; `stop` ends the run early; `trace_out` is a file for the port's own trace. Raises
    InputError if that cannot be opened, KernelOops if the port breaks.
    """
    seen = Collector()
    package(sched)  # its trace events must be there before the trace begins
    params = {"sched_policy": POLICIES[policy], "scheduler": sched}
    booted = kport.boot(params=params, scale=scale)
    # The trace is outermost: it is written when the kernel is gone.
    with TraceOut(trace_out) as trace, booted as kernel:
        player = Player(recording, credits, scale)
        with seen.watching():
            complete = player.run(progress, stop or Event())
        player.down()
    result = Result(sched=sched, policy=policy, interrupted=not complete)
    port_figures(result, recording, player.played, seen)
    result.recorded = recorded_figures(recording)
    result.leaks = len(kernel.leaks)
    result.warnings = [*recording.warnings, *kernel.warnings(), *kernel.leaks.lines()]
    if (note := late_note(recording, player.late, scale)) is not None:
        result.warnings.append(note)
    result.unwritten = trace.error
    return result


def late_note(recording: Recording, late: int, scale: float) -> str | None:
    """What to say if the port could not keep up with the recording; `late` in ns."""
    jobs = recording.jobs
    span = jobs[-1].arrival - jobs[0].arrival
    if late * scale < LATE * NSEC_PER_SEC or late < LATE_PART * span:
        return None
    enough = math.ceil(scale * (1 + late / max(1, span)))
    return (
        f"the port was up to {late / NSEC_PER_SEC:.1f} s late with the jobs of "
        f"{span / NSEC_PER_SEC:.1f} s; --scale {enough} would slow the clock enough"
    )
