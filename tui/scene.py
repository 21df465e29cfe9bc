# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""What is to be drawn: the model's answer for one moment, and the view it is drawn for.

A Scene is made once per frame, and every panel of the frame draws from the same one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from kport.trace.model import Model
from kport.trace.snapshot import JobKey, Port, RingKey, Segment, Snapshot
from tui.glyphs import UNICODE, Glyphs
from tui.text import clean
from tui.view import View


@dataclass(frozen=True, slots=True)
class Source:
    """What the monitor looks at, for the title line.

    `state` is one word: LIVE, PAUSED, REPLAY, ENDED, LOST,
    HELD or VIRT (a machine with a gate that stands or runs). `notes` are worth a word each.
    """

    name: str = ""
    state: str = "REPLAY"
    live: bool = False
    lag_ns: int = 0
    lost: int = 0
    badge: str = ""
    notes: tuple[str, ...] = ()


@dataclass
class Scene:
    """One moment as one person wants to see it. `message` is the last thing to be told."""

    model: Model
    view: View
    snapshot: Snapshot
    source: Source = Source()
    glyphs: Glyphs = UNICODE
    message: str = ""
    dmesg: tuple[str, ...] = ()
    cache: dict[Any, Any] = field(default_factory=dict)

    @property
    def now(self) -> int:
        """The moment in ns."""
        return self.snapshot.ts

    @property
    def port(self) -> Port | None:
        """What the port said of itself, if there is one."""
        return self.snapshot.port

    @cached_property
    def lanes(self) -> list[RingKey]:
        """The rings that are shown, in order."""
        return self.view.lanes(self.model)

    @cached_property
    def ring_names(self) -> dict[RingKey, str]:
        """What each ring is called here: its name, with the device where two have the same."""
        rings = self.model.rings()
        names = [ring.ring for ring in rings]
        devices = _told_apart({ring.dev for ring in rings})
        return {
            ring: clean(
                ring.ring if names.count(ring.ring) == 1 else f"{ring.ring}@{devices[ring.dev]}"
            )
            for ring in rings
        }

    def ring_name(self, ring: RingKey) -> str:
        """What a ring is called here."""
        return self.ring_names.get(ring, clean(ring.ring))

    @cached_property
    def _job_names(self) -> dict[JobKey, str]:
        return {job.key: job.name for job in self.snapshot.jobs}

    def job_name(self, key: JobKey | None) -> str:
        """`401:17`, or `#17` for a job of a kernel before 6.17; "" for none."""
        if key is None:
            return ""
        name = self._job_names.get(key)
        if name is None:
            job = self.model.job(key, self.view.at)
            name = job.name if job is not None else f"{key[0]}:{key[1]}"
        return name

    @cached_property
    def job(self) -> JobKey | None:
        """The selected job; without one, the job that has waited longest, else the ring's head."""
        if self.view.job is not None:
            return self.view.job
        waiting = [job for job in self.snapshot.jobs if job.state == "queued"]
        jobs = waiting or self.snapshot.jobs
        return jobs[0].key if jobs else None

    @cached_property
    def by_entity(self) -> bool:
        """True if colours stand for entities, as all work is of one client."""
        if self.view.colours:
            return self.view.colours == "entity"
        return len(self.model.clients()) < 2

    @cached_property
    def numbers(self) -> dict[int, int]:
        """The number, hence colour and letter, of each client or entity."""
        if not self.by_entity:
            return {client: number for number, client in enumerate(self.model.clients())}
        contexts = self.cache.setdefault("contexts", {})
        for entity in self.snapshot.entities:
            contexts.setdefault(entity.context, len(contexts))
        return contexts  # type: ignore[no-any-return]

    def number_of(self, client: int, context: int) -> int:
        """The number of who owns a job."""
        return self.numbers.get(context if self.by_entity else client, 0)

    @cached_property
    def indexer(self) -> Callable[[Segment], int]:
        """The number of who owns a segment of a lane."""
        numbers = self.numbers
        if not self.by_entity:
            return lambda segment: numbers.get(segment.client, 0)
        return lambda segment: numbers.get(segment.job[0], 0) if segment.job is not None else 0


def _told_apart(names: set[str]) -> dict[str, str]:
    """A short part of each name: its last word if these differ, else what is not common to all."""
    last = {name: re.split(r"[^0-9A-Za-z]", name)[-1] for name in names}
    if len(set(last.values())) == len(names) and all(last.values()):
        return last
    count = 0
    for number, chars in enumerate(zip(*names, strict=False), 1):
        if len(set(chars)) > 1:
            break
        if not chars[0].isalnum():
            count = number
    return {name: name[count:] for name in names}


def scene_of(
    model: Model,
    view: View,
    *,
    source: Source = Source(),
    glyphs: Glyphs = UNICODE,
    message: str = "",
    dmesg: tuple[str, ...] = (),
    cache: dict[Any, Any] | None = None,
) -> Scene:
    """The scene at the view's moment."""
    limit = 4000 if view.screen == "fences" else 0
    snapshot = model.snapshot(view.at, limit=limit)
    return Scene(
        model, view, snapshot, source, glyphs, message, dmesg, {} if cache is None else cache
    )
