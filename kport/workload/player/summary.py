# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""From the accounts of a run to its result."""

from __future__ import annotations

from collections.abc import Sequence
from errno import errorcode

from kport.linux.err import ENODEV
from kport.linux.ktime import NSEC_PER_MSEC, NSEC_PER_SEC
from kport.workload.player.client import Client
from kport.workload.player.plan import Plan
from kport.workload.player.tally import EntityFigures, Figures, Tally
from kport.workload.player.world import DEVICE, World
from kport.workload.result import (
    ClientResult,
    EntityResult,
    Recovery,
    Result,
    RingResult,
    Waits,
)
from kport.workload.wsim.engines import rings_text


def summarize(plan: Plan, tally: Tally, clients: Sequence[Client]) -> Result:
    """The result of a run that has ended; leaks and the kernel's warnings come later."""
    makespan = max(0, tally.last - tally.first)
    names = {client.number: client.plan.name for client in clients}
    result = Result(sched=plan.sched, policy=plan.policy, jobs=tally.count)
    result.makespan_s = round(makespan / NSEC_PER_SEC, 6)
    result.rings = [_ring(name, figures, makespan) for name, figures in tally.rings.items()]
    by_client = sorted(tally.entities, key=lambda entity: (entity.client, entity.context))
    result.entities = [_entity(entity, names, tally) for entity in by_client]
    result.clients = [_client(client, tally) for client in clients]
    result.order = sorted(tally.runs, key=lambda run: run.began)
    result.warnings = list(dict.fromkeys(n for c in plan.clients for n in c.workload.notes))
    for (number, place, error), count in sorted(tally.errors.items()):
        went_on = plan.faults and error != -ENODEV
        result.warnings.append(
            f"{names[number]}: {count} x the batch of {place} failed "
            f"(-{errorcode.get(-error, error)}); "
            f"the client {'made a new context' if went_on else 'ended'}"
        )
    return result


def recovery(plan: Plan, tally: Tally, world: World) -> tuple[Recovery | None, list[str]]:
    """What the faults of a run led to, None if there were to be none; and what is to be said."""
    if not plan.faults:
        return None, []
    stats, struck = world.reset_stats, world.gpu.struck()
    names = {entity.context: entity.name for entity in tally.entities}
    result = Recovery(
        faults=struck.total(),
        timeouts=stats.timeouts,
        soft=stats.soft,
        ring=stats.ring,
        full=stats.full,
        failed=stats.failed,
        guilty=[names.get(context, str(context)) for context in stats.guilty or []],
        lost=tally.lost,
        resubmitted=stats.resubmitted,
        device_lost=world.device_lost,
    )
    places = dict.fromkeys(fault.place for fault in plan.faults)
    for fault in struck:
        places.pop(fault.place, None)
    return result, [f"{place}: the fault did not strike" for place in places]


def _ring(name: str, figures: Figures, makespan: int) -> RingResult:
    return RingResult(
        dev=DEVICE,
        ring=name,
        jobs=figures.jobs,
        busy_pct=_percent(figures.gpu, makespan),
        wait_us=Waits.of(figures.waits),
    )


def _entity(entity: EntityFigures, names: dict[int, str], tally: Tally) -> EntityResult:
    total = sum(tally.rings[ring].gpu for ring in entity.rings)
    return EntityResult(
        context=entity.context,
        name=entity.name,
        client=names[entity.client],
        ring=rings_text(entity.rings),
        jobs=entity.jobs,
        gpu_ms=round(entity.gpu / NSEC_PER_MSEC, 3),
        share_pct=_percent(entity.gpu, total),
        wait_us=Waits.of(entity.waits),
    )


def _client(client: Client, tally: Tally) -> ClientResult:
    elapsed = ((client.ended or client.began) - client.began) / NSEC_PER_SEC
    return ClientResult(
        name=client.plan.name,
        elapsed_s=round(elapsed, 6),
        cycles=client.cycles,
        per_s=round(client.cycles / elapsed, 3) if elapsed else 0.0,
        periods=client.periods,
        dropped=client.dropped,
        latency_ms=Waits.of(tally.latencies.get(client.number, ()), NSEC_PER_MSEC),
    )


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 1) if whole else 0.0
