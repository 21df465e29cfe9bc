# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""What the mouse points at: a time and a job in the lanes, a row of a table, a tab."""

from __future__ import annotations

from typing import NamedTuple

from kport.trace.snapshot import JobKey, RingKey
from tui.frame import tabs
from tui.scene import Scene
from tui.text import width_of
from tui.view import SCREENS


class Spot(NamedTuple):
    """A place in the lanes. `ns` is None in the labels, `ring` None in the ruler."""

    ns: int | None
    ring: RingKey | None
    job: JobKey | None


def in_lanes(scene: Scene, x: int, y: int) -> Spot:
    """What is at a cell of the lanes' panel, which has been painted before."""
    laid = scene.cache.get("lanes")
    if laid is None:
        return Spot(None, None, None)
    rows, label, columns, begin, end = laid
    ns = None
    if x >= label:
        ns = begin + (2 * (x - label) + 1) * (end - begin) // (2 * columns)
    if not 0 < y <= len(rows):
        return Spot(ns, None, None)
    ring, _, slot = rows[y - 1]
    job = None
    if ns is not None:
        eighth = 8 * (x - label)
        shown = scene.model.lane(
            ring, begin, end, columns, convention=scene.view.convention if slot is None else "run",
            slot=slot if slot is None or slot >= 0 else None,
        )  # fmt: skip
        for segment in shown:
            if segment.start < eighth + 8 and segment.end > eighth and segment.job is not None:
                job = segment.job
    return Spot(ns, ring, job)


def in_tabs(scene: Scene, x: int, width: int) -> str | None:
    """The screen whose tab is in this column."""
    left = 0
    for name, (text, _) in zip(SCREENS, tabs(scene, width), strict=False):
        left += width_of(text)
        if x < left:
            return name
    return None
