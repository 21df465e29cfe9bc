# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""What a running port can be told about what is selected: lines to choose from.

A port names its commands; those that are known here are offered with arguments that fit the
selected ring and entity, others with the ring alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from kport.trace.snapshot import Entity, Ring
from tui.scene import Scene
from tui.screens import SCREENS
from tui.text import clean

Arguments = dict[str, str | int]
PRIORITIES = ("kernel", "high", "normal", "low")
HANG_US = 50_000
STRIKES = ("fault", "swap", "dead", "late", "silent")


class Offer(NamedTuple):
    """A command as a line, and what to send."""

    text: str
    command: str
    arguments: Arguments


def selected_entity(scene: Scene) -> Entity | None:
    """The entity of the selected row or job."""
    view = scene.view
    context = view.job[0] if view.job is not None else None
    if view.screen == "queues":
        screen = SCREENS["queues"]
        row = screen.table.selected(scene, screen.data(scene)) if screen.table is not None else None
        context = row["_context"] if row is not None else context
    for entity in scene.snapshot.entities:
        if entity.context == context:
            return entity
    return None


def offers(scene: Scene, commands: Iterable[str]) -> list[Offer]:
    """Every command of the port, as often as there are sensible arguments."""
    out: list[Offer] = []
    key = scene.view.current_ring(scene.model)
    ring = next((r for r in scene.snapshot.rings if r.key == key), None)
    entity = selected_entity(scene)
    for command in commands:
        if command in ("kill", "priority"):
            out += _of_entity(scene, command, entity)
        elif command in ("pause", "resume"):
            what = "all schedulers that run stop" if command == "pause" else "and go on"
            out.append(Offer(f"{command}: {what}", command, {}))
        elif ring is not None:
            out += _of_ring(scene, command, ring)
    return out


def _of_ring(scene: Scene, command: str, ring: Ring) -> Iterator[Offer]:
    name = scene.ring_name(ring.key)
    where: Arguments = {"ring": ring.key.ring}
    if ring.key.dev:
        where["dev"] = ring.key.dev
    if command == "hang":
        yield Offer(f"hang {name} for ever", command, where)
        yield Offer(f"hang {name} for {HANG_US // 1000} ms", command, {**where, "us": HANG_US})
    elif command == "lose":
        yield Offer(f"lose the next interrupt of {name}", command, where)
    elif command == "timeout":
        yield Offer(f"timeout of {name}: its handler runs now", command, where)
    elif command == "stop":
        yield Offer(f"stop the scheduler of {name}", command, where)
    elif command == "start":
        yield Offer(f"start the scheduler of {name}", command, where)
    elif command == "credits":
        now = ring.credit_limit or 0
        for limit in sorted({1, 2, 4, 16, 64, now * 2} - {0, now}):
            text = f"credits of {name}: {limit} (now {now or 'unknown'})"
            yield Offer(text, command, {**where, "credits": limit})
    elif command == "strike":
        for kind in STRIKES:
            yield Offer(f"strike {name} with {kind}", command, {**where, "kind": kind})
    else:
        yield Offer(f"{clean(command)} {name}", command, where)


def _of_entity(scene: Scene, command: str, entity: Entity | None) -> Iterator[Offer]:
    if entity is None:
        return
    name = f"entity {entity.name or entity.context} of {scene.ring_name(entity.ring)}"
    where: Arguments = {"context": entity.context}
    if command == "kill":
        yield Offer(f"kill {name}", command, where)
        return
    for priority in PRIORITIES:
        if priority.lower() != entity.priority.lower():
            yield Offer(f"priority of {name}: {priority}", command, {**where, "priority": priority})
