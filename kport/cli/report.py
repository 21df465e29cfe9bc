# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""A result as text: how long did jobs wait, who got the GPU, in which order.

Lines for a terminal of 80 columns. Times in tables are milliseconds.
"""

from __future__ import annotations

from collections import Counter

from kport.cli.order import order_lines
from kport.cli.table import Cell, number, shorten, table
from kport.cli.terminal import Style
from kport.workload.result import (
    ClientResult,
    EntityResult,
    Figures,
    Recovery,
    Result,
    RingResult,
    Waits,
)

MANY = 20  # rows of entities; --json has all


def report(heading: str, result: Result, width: int, style: Style) -> list[str]:
    """The lines of a report."""
    parts = [[style(shorten(heading, width), "bold")]]
    if result.clients:
        parts.append(_clients(result.clients, width, style))
    if result.recorded is None:
        parts.append(_rings(result.rings, width, style))
        parts.append(_entities(result.entities, width, style))
    else:
        parts.append(_rings_against(result.recorded, result, width, style))
        parts.append(_entities_against(result.recorded, result, width, style))
    if result.recovery is not None:
        parts.append(_recovery(result.recovery, width, style))
    names = [client.name for client in result.clients]
    parts.append(order_lines(result.order, names, width, style))
    parts.append(_totals(result, style))
    lines: list[str] = []
    for part in parts:
        if part:
            lines += [*part, ""]
    return lines[:-1]


def _ms(us: float) -> str:
    return number(us / 1000)


def _waits(waits: Waits, jobs: int) -> list[Cell]:
    if not jobs:
        return ["-", "-", "-"]
    return [_ms(waits.p50), _ms(waits.p99), _ms(waits.max)]


def _clients(clients: list[ClientResult], width: int, style: Style) -> list[str]:
    rows: list[list[Cell]] = []
    for client in clients:
        latency = client.latency_ms
        dropped: Cell = "-"
        if client.periods:
            dropped = f"{client.dropped}/{client.periods}"
            if client.dropped:
                dropped = dropped, "yellow"
        row: list[Cell] = [
            client.name,
            f"{client.elapsed_s:.2f}",
            f"{client.cycles:,}",
            number(client.per_s),
            dropped,
        ]
        seen = latency.max > 0  # at least one whole cycle
        row += [number(value) if seen else "-" for value in (latency.p50, latency.p99, latency.max)]
        rows.append(row)
    return table(
        "CLIENTS  dropped: cycles that missed their period; latency of a cycle in ms",
        ["", "elapsed s", "cycles", "per s", "dropped", "p50", "p99", "max"],
        rows,
        width,
        style,
    )


def _rings(rings: list[RingResult], width: int, style: Style) -> list[str]:
    rows: list[list[Cell]] = [
        [ring.ring, f"{ring.jobs:,}", f"{ring.busy_pct:.1f}", *_waits(ring.wait_us, ring.jobs)]
        for ring in rings
        if ring.jobs
    ]
    if not rows:
        return []
    return table(
        "RINGS  wait in ms, from submission until the scheduler runs the job",
        ["", "jobs", "busy %", "wait p50", "p99", "max"],
        rows,
        width,
        style,
    )


def _entities(entities: list[EntityResult], width: int, style: Style) -> list[str]:
    shown = _largest(entities)
    rows: list[list[Cell]] = [
        [
            entity.name,
            entity.ring,
            f"{entity.jobs:,}",
            number(entity.gpu_ms),
            f"{entity.share_pct:.1f}",
            *_waits(entity.wait_us, entity.jobs),
        ]
        for entity in shown
    ]
    if not rows:
        return []
    lines = table(
        "ENTITIES  share of the GPU time of its rings; wait in ms",
        ["client:context", "ring", "jobs", "GPU ms", "share %", "wait p50", "p99", "max"],
        rows,
        width,
        style,
    )
    return lines + _more(entities, shown)


def _largest(entities: list[EntityResult]) -> list[EntityResult]:
    """Those with the most GPU time, in the order they have."""
    busy = [entity for entity in entities if entity.jobs]
    kept = sorted(range(len(busy)), key=lambda at: -busy[at].gpu_ms)[:MANY]
    return [busy[at] for at in sorted(kept)]


def _more(entities: list[EntityResult], shown: list[EntityResult]) -> list[str]:
    left = len(entities) - len(shown)
    return [f"and {left} more; --json has them all"] if left else []


# -- faults ---------------------------------------------------------------------------------------


def _recovery(recovery: Recovery, width: int, style: Style) -> list[str]:
    row: list[Cell] = [
        "",
        f"{recovery.faults:,}",
        f"{recovery.timeouts:,}",
        f"{recovery.soft:,}",
        f"{recovery.ring:,}",
        f"{recovery.full:,}",
        (f"{recovery.failed:,}", "red") if recovery.failed else "0",
        (f"{recovery.lost:,}", "yellow") if recovery.lost else "0",
        f"{recovery.resubmitted:,}",
    ]
    lines = table(
        "RECOVERY  resets that helped: soft, ring, full; jobs lost, and run again",
        ["", "faults", "timeouts", "soft", "ring", "full", "failed", "lost", "resubmitted"],
        [row],
        width,
        style,
    )
    if recovery.guilty:
        hangs = Counter(recovery.guilty)
        names = [name if count == 1 else f"{name} x{count}" for name, count in hangs.items()]
        lines.append(shorten(f"guilty: {', '.join(names)}", width))
    if recovery.device_lost:
        lines.append(style("the device was lost", "red"))
    return lines


# -- recordings: kernel against port -------------------------------------------------------------


def _pair(kernel: Waits, port: Waits) -> list[Cell]:
    return [_ms(kernel.p50), _ms(port.p50), _ms(kernel.p99), _ms(port.p99)]


def _rings_against(kernel: Figures, port: Figures, width: int, style: Style) -> list[str]:
    recorded = {(ring.dev, ring.ring): ring for ring in kernel.rings}
    single = len({ring.dev for ring in port.rings}) == len(port.rings)
    rows: list[list[Cell]] = []
    for ring in port.rings:
        other = recorded.get((ring.dev, ring.ring), RingResult(ring.dev, ring.ring))
        inversions: Cell = "-" if ring.inversions is None else f"{ring.inversions:,}"
        if ring.inversions:
            inversions = f"{ring.inversions:,}", "yellow"
        name = ring.dev if single else f"{ring.dev} {ring.ring}"
        pair = _pair(other.wait_us, ring.wait_us)
        rows.append([name, f"{ring.jobs:,}", inversions, *pair])
    lines = table(
        "RINGS  kernel (k), port (p); wait in ms; inversions: pairs run the other way",
        ["", "jobs", "inversions", "p50 k", "p50 p", "p99 k", "p99 p"],
        rows,
        width,
        style,
    )
    lines.append(f"makespan: kernel {kernel.makespan_s:.3f} s, port {port.makespan_s:.3f} s")
    return lines


def _entities_against(kernel: Figures, port: Figures, width: int, style: Style) -> list[str]:
    recorded = {entity.context: entity.wait_us for entity in kernel.entities}
    shown = _largest(port.entities)
    rows: list[list[Cell]] = [
        [
            f"{entity.context} {entity.ring.partition(' ')[0]}",
            f"{entity.jobs:,}",
            number(entity.gpu_ms),
            f"{entity.share_pct:.1f}",
            *_pair(recorded.get(entity.context, Waits()), entity.wait_us),
        ]
        for entity in shown
    ]
    if not rows:
        return []
    lines = table(
        "ENTITIES  by fence context; share of the GPU time of the ring; wait in ms",
        ["", "jobs", "GPU ms", "share %", "p50 k", "p50 p", "p99 k", "p99 p"],
        rows,
        width,
        style,
    )
    return lines + _more(port.entities, shown)


# -- the end -------------------------------------------------------------------------------------


def _count(number_of: int, what: str) -> str:
    return f"{number_of:,} {what}{'s' if number_of != 1 else ''}"


def _totals(result: Result, style: Style) -> list[str]:
    jobs = result.jobs
    open_jobs = jobs.submitted - jobs.finished - jobs.failed - jobs.cancelled
    parts = [
        f"{_count(jobs.submitted, 'job')}: {jobs.finished:,} finished",
        style(f"{jobs.failed:,} failed", *(["red"] if jobs.failed else [])),
        f"{jobs.cancelled:,} cancelled",
    ]
    if open_jobs:
        parts.append(style(f"{open_jobs:,} unaccounted for", "red"))
    leaks = style(_count(result.leaks, "leak"), *(["red"] if result.leaks else []))
    lines = [", ".join(parts), f"makespan {result.makespan_s:.3f} s, {leaks}"]
    if result.interrupted:
        lines.append("interrupted: these are the figures of what ran")
    lines += [style("warning: ", "yellow") + text for text in result.warnings]
    return lines
