# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The run queues: entities in the order in which the policy would pick them.

The order and the key are known of a running port. Of a recording the entities stand in the order
in which the jobs at their heads were queued.
"""

from __future__ import annotations

from typing import Any

from tui.scene import Scene
from tui.screens.base import Screen, choose_job
from tui.table import Column, Row, Table
from tui.text import Line, short
from tui.theme import CLIENT_COLOURS, letter


def data(scene: Scene) -> list[Row]:
    """The entities as rows: those with something to do ring by ring, then the others."""
    order = {ring: number for number, ring in enumerate(scene.lanes)}
    entities = [entity for entity in scene.snapshot.entities if entity.ring in order]
    out = []
    names: dict[int, str] = scene.cache.setdefault("submitters", {})
    names |= {job.key[0]: job.submitter for job in scene.snapshot.jobs}
    entities.sort(key=lambda e: (not (e.waiting or e.running), order[e.ring]))
    for e in entities:
        number = scene.number_of(e.client, e.context)
        flags = [
            word
            for word, on in (("GUILTY", e.guilty), ("stopped", e.stopped))
            if on
        ]
        if e.blocked_on is not None:
            flags.append(f"waits for {e.blocked_on[0]}:{e.blocked_on[1]}")
        out.append(
            {
                "who": letter(number),
                "ring": scene.ring_name(e.ring),
                "place": e.place,
                "entity": e.name or str(e.context),
                "client": e.client,
                "priority": e.priority,
                "key": e.key if e.place is not None else None,
                "queue": e.waiting,
                "hw": e.running,
                "done": e.finished,
                "wants": e.wants,
                "oldest": e.oldest_ns if e.waiting else None,
                "head": scene.job_name(e.head),
                "by": names.get(e.context, ""),
                "flags": " ".join(flags),
                "_ring": e.ring,
                "_job": e.head,
                "_number": number,
                "_kind": e.key_kind,
                "_context": e.context,
                "_id": (e.context, e.ring),
            }
        )
    return out


def _who(row: Row) -> str:
    return f"b{row['_number'] % CLIENT_COLOURS}"


def _oldest(row: Row) -> str:
    return "warn" if (row["oldest"] or 0) > 100_000_000 else ""


def _flags(row: Row) -> str:
    return "bad" if "GUILTY" in row["flags"] else "warn"


def _key(value: Any) -> str:
    return short(value)


TABLE = Table(
    "queues",
    (
        Column("who", 1, style=_who, title=" "),
        Column("ring", 12, grows=True, tail=True),
        Column("place", 5, right=True, rank=3, title="pick"),
        Column("entity", 10, rank=0),
        Column("client", 6, right=True, rank=4),
        Column("priority", 8, rank=3),
        Column("key", 8, _key, right=True, rank=2),
        Column("queue", 5, right=True),
        Column("hw", 4, right=True, rank=1),
        Column("done", 7, right=True, rank=5),
        Column("wants", 5, right=True, rank=6, title="cred"),
        Column("oldest", 8, short, right=True, style=_oldest),
        Column("head", 10, rank=2),
        Column("by", 14, rank=4, title="last job by"),
        Column("flags", 12, style=_flags, rank=1, grows=True),
    ),
    "no entity has been seen yet",
)


def paint(scene: Scene, width: int, height: int) -> list[Line]:
    """The table of entities."""
    return TABLE.lines(scene, data(scene), width, height)


SCREEN = Screen(paint, data, TABLE, choose_job)
