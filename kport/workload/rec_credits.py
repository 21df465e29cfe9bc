# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""How many credits a recorded ring had, and how many its jobs took.

A run event prints the credits in use, the job's own included; a done event frees the job's. So the
credits of a job are the step at its run. Almost every driver takes one per job, and the counter is
read beside the events (a done on another CPU may be in the count and not yet in the trace), so
steps are believed only where one credit per job does not explain the recording.

The limit is printed nowhere. It shows where jobs had to wait for it: the ring is as full as it ever
gets, something has been queued since before it became full, and after `SLACK` ns, far longer than
the scheduler needs to look, it still has not run. That must happen `TIMES`, or once for `LONG` ns:
the scheduler's own worker may have been kept from running for a tick. Where it does not happen
there was no limit, or none that mattered, and the ring gets none. Taking a limit for one that is
none does little harm: the recording never had more on the hardware than that.
"""

from __future__ import annotations

from kport.workload.rec_model import Job, Ring

SLACK = 200_000  # ns
LONG = 20_000_000  # ns
TIMES = 3
CREDITS_MAX = 1 << 31  # above that a count is damaged
_BELIEVE = 0.2  # share of runs that may differ from one credit per job

QUEUE, RUN, DONE = range(3)


def _events(ring: Ring) -> list[tuple[int, int, Job]]:
    """What happened on the ring: (place, kind, job) in order."""
    events = []
    for job in ring.jobs:
        if job.arrived is not None:
            events.append((job.arrived, QUEUE, job))
        if job.started is not None:
            events.append((job.started, RUN, job))
            if job.ended is not None:
                events.append((job.ended, DONE, job))
    events.sort(key=lambda event: event[0])
    return events


def _steps(events: list[tuple[int, int, Job]]) -> dict[Job, int]:
    """The credits of each job, from the counter."""
    steps: dict[Job, int] = {}
    used = 0
    for _, kind, job in events:
        if kind == RUN:
            steps[job] = max(1, min(job.hw_count, CREDITS_MAX) - used)
            used += steps[job]
        elif kind == DONE:
            used -= steps[job]
    return steps


def _differ(events: list[tuple[int, int, Job]]) -> float:
    """The share of runs at which the counter is not the number of jobs on the hardware."""
    runs = differ = used = 0
    for _, kind, job in events:
        if kind == RUN:
            used += 1
            runs += 1
            differ += job.hw_count != used
        elif kind == DONE:
            used -= 1
    return differ / runs if runs else 0.0


def _limit(events: list[tuple[int, int, Job]], most: int) -> int | None:
    """`most` if a job had to wait while so many credits were in use, else None."""
    waiting: dict[Job, None] = {}
    used = times = 0
    full_since: int | None = None
    for _, kind, job in events:
        if kind == QUEUE:
            waiting[job] = None
        elif kind == RUN:
            waiting.pop(job, None)
            used += job.credits
            if used >= most and full_since is None:
                full_since = job.run
        else:
            oldest = next(iter(waiting), None)
            if (
                full_since is not None
                and oldest is not None
                and oldest.arrival < full_since
                and job.done is not None
                and job.done - full_since > SLACK
            ):
                times += 1
                if times == TIMES or job.done - full_since > LONG:
                    return most
            used -= job.credits
            if used < most:
                full_since = None
    return None


def find_credits(ring: Ring) -> None:
    """Set the credits of the ring's jobs and its limit."""
    events = _events(ring)
    if _differ(events) > _BELIEVE:
        for job, step in _steps(events).items():
            job.credits = step
    used = most = 0
    for _, kind, job in events:
        if kind == RUN:
            used += job.credits
            most = max(most, used)
        elif kind == DONE:
            used -= job.credits
    ring.credit_limit = _limit(events, most) if most else None
