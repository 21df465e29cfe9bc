# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The picture of a failure: a column for each task, the steps that matter, and why in a sentence.

The turns of a shrunk schedule are all needed, so what matters is around them: of each task that
was left where it could have gone on, the step before and the step after, and what others did
meanwhile that conflicts with a step of that task on either side. To that come the steps on which
tasks wait at the end.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from kport.explore import ops
from kport.explore.trace import Event, Tracer

ROWS = 12
NEAR = 40  # steps around a turn in which a conflict is looked for
WIDTH = 30


def picture(tracer: Tracer, kind: str, racing: Sequence[int] = ()) -> tuple[list[str], int]:
    """The lines, and how many steps they show; `racing` are events that must be among them."""
    found = _merged(_matter(tracer, kind, racing))
    waiting = sorted(tracer.waiting.values(), key=lambda e: e.task)
    waiting = [e for e in waiting if e.op[0] in (ops.ACQUIRE, ops.BLOCK) and not e.inside]
    tasks = list(dict.fromkeys(e.task for e in (*found, *waiting)))
    names = {e.task: e.name for e in (*found, *waiting)}
    if not tasks:
        return [], 0
    width = WIDTH if len(tasks) < 4 else max(14, 96 // len(tasks))
    head = "  step  " + "  ".join(names[t].ljust(width) for t in tasks)
    lines = [head.rstrip(), "  " + "-" * (len(head.rstrip()) - 2)]
    last = None
    for event in found:
        if last is not None and event.at > last + 1:
            lines.append("   ...")
        last = event.at
        lines.append(_row(str(event.at), event, tasks, width))
    lines += [_row("ends", event, tasks, width) for event in waiting]
    return lines, len(found) + len(waiting)


def _merged(events: list[Event]) -> list[Event]:
    """Without the inner steps of one statement: the first stands for all that follow it."""
    kept: list[Event] = []
    for event in events:
        before = kept[-1] if kept else None
        if before is None or (before.task, before.place) != (event.task, event.place):
            kept.append(event)
    return kept


def _row(at: str, event: Event, tasks: list[int], width: int) -> str:
    column = tasks.index(event.task)
    text = event.text
    if len(text) > width:
        text = text[: width - 1] + "…"
    cells = ["" if i != column else text for i in range(len(tasks))]
    row = "  ".join(cell.ljust(width) for cell in cells)
    return f"  {at:>4}  {row}  {event.function}+{event.place}"


def _matter(tracer: Tracer, kind: str, racing: Sequence[int]) -> list[Event]:
    """The steps around the turns, and the one at which it was noticed, in order."""
    events = tracer.events
    chosen: dict[int, int] = {}  # index: how much it matters (less is more)

    def keep(index: int, rank: int) -> None:
        rank += 3 * events[index].inside
        chosen[index] = min(rank, chosen.get(index, rank))

    for at in tracer.switched:
        if not 0 < at < len(events):
            continue
        left = events[at - 1].task
        back = next((i for i in range(at, len(events)) if events[i].task == left), len(events))
        keep(at - 1, 1)
        if back < len(events):
            keep(back, 1)
        for first, second in _conflicts(events, left, at, back):
            rank = 0 if events[first].op[0] <= ops.WRITE else 2
            keep(first, rank)
            keep(second, rank)
    for index in racing:
        chosen[index] = -1
    last = len(events) - 1
    told = last if kind in ("oops", "livelock") else tracer.told
    if not racing and told is not None and 0 <= told <= last:
        keep(told, 0)
        for i in range(told - 1, -1, -1):
            if events[i].task != events[told].task and _touch(events[i], events[told]):
                keep(i, 1)
                break
    for event in tracer.waiting.values():
        held = [
            i
            for i, e in enumerate(events)
            if e.op[0] in (ops.ACQUIRE, ops.TRY) and e.op[1] is event.op[1]
        ]
        if event.op[0] == ops.ACQUIRE and held:
            keep(held[-1], 0)
    ranked = sorted(chosen, key=lambda i: (chosen[i], -i))[:ROWS]
    return [events[i] for i in sorted(ranked)]


def _conflicts(events: list[Event], task: int, at: int, back: int) -> list[tuple[int, int]]:
    """Conflicts of what others did in [at, back) with the task's steps around it, nearest first.

    The task's step that comes first after the turn is the one that was late: what that conflicts
    with matters most, and data more than locks.
    """
    pairs = []
    others = [i for i in range(at, back) if events[i].task != task]
    after = [j for j in range(back, min(len(events), back + NEAR)) if events[j].task == task]
    before = [j for j in range(at - 1, max(-1, at - NEAR), -1) if events[j].task == task]
    for distance, j in enumerate(after):
        late = [i for i in others if _touch(events[i], events[j])]
        pairs += [(distance, i, j) for i in late[-2:]]
    for distance, j in enumerate(before):
        early = [i for i in others if _touch(events[j], events[i])]
        pairs += [(distance, j, i) for i in early[:2]]
    pairs = [p for p in pairs if not (events[p[1]].inside or events[p[2]].inside)]
    pairs.sort(key=lambda p: (_weight(events[p[1]]), _weight(events[p[2]]), p[0]))
    return [(i, j) for _, i, j in pairs[:4]]


def _weight(event: Event) -> int:
    """Less is more: data of the code itself, then of the primitives it uses, then locks."""
    return 2 if event.op[0] > ops.WRITE else 0 if event.direct else 1


def _touch(a: Event, b: Event) -> bool:
    if ops.conflict(a.op, b.op):
        return True
    return a.op[1] is not None and a.op[1] is b.op[1] and {a.op[0], b.op[0]} == {
        ops.ACQUIRE,
        ops.RELEASE,
    }


def sentence(tracer: Tracer, kind: str, report: str) -> str:
    """Why, in one sentence: the cycle, the missed wake-up, or the accesses that came in between.

    `report` is that of the machine; for a deadlock it says who waits for what, and who holds it.
    """
    if kind == "deadlock":
        why = _cycle(report) or _missed(tracer)
        if why:
            return why
    return _between(tracer)


def _between(tracer: Tracer) -> str:
    """Which step came between which, at the last turn."""
    events = tracer.events
    for at in reversed(tracer.switched):
        if not 0 < at < len(events):
            continue
        left = events[at - 1].task
        back = next((i for i in range(at, len(events)) if events[i].task == left), len(events))
        pairs = _conflicts(events, left, at, back)
        for before, between in pairs:
            for other, after in pairs:
                if between == other and before != between != after and before < at <= between:
                    b, m, a = events[before], events[between], events[after]
                    return (
                        f"{m.name} {m.what} ({_at(m)}) after {b.name} {b.what} ({_at(b)}) "
                        f"and before it {a.what} ({_at(a)})."
                    )
        for first, second in pairs:
            f, s = events[first], events[second]
            return f"{f.name} {f.what} ({_at(f)}) before {s.name} {s.what} ({_at(s)})."
    return ""


def _at(event: Event) -> str:
    return f"{event.function}, step {event.at}"


_HELD = re.compile(r"^(\S+): (?:sleeps, waits for|spins on the lock) (.+), held by (\S+)$", re.M)


def _cycle(report: str) -> str:
    """Who waits for whom, if it closes."""
    waits = {task: (what, holder) for task, what, holder in _HELD.findall(report)}
    for start in waits:
        path = [start]
        while (task := waits[path[-1]][1]) in waits and task not in path:
            path.append(task)
        if task == start:
            chain = "; ".join(f"{t} waits for {waits[t][0]}, held by {waits[t][1]}" for t in path)
            return f"{chain}: a cycle."
    return ""


def _missed(tracer: Tracer) -> str:
    """Who sleeps; and if others changed what he had looked at before he went to sleep, that."""
    events = tracer.events
    asleep = [e for e in tracer.waiting.values() if e.op[0] == ops.BLOCK and not e.inside]
    for event in sorted(asleep, key=lambda e: e.task):
        for look in reversed(events[: event.began]):
            if look.task != event.task or look.op[0] != ops.READ or not look.direct:
                continue
            for e in events[look.at : event.began]:
                if e.task != event.task and ops.conflict(look.op, e.op):
                    return (
                        f"{event.name} looked ({look.what}, {_at(look)}) before {e.name} "
                        f"{e.what} ({_at(e)}), and sleeps since: the wake-up was missed."
                    )
    for event in sorted(asleep, key=lambda e: e.task):
        why = _between(tracer)
        tail = f" {why}" if why else ""
        return f"{event.name} sleeps ({event.function}) and nobody is left to wake it.{tail}"
    return ""
