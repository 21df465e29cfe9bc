# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""What all screens have in common."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from kport.trace.snapshot import RingKey
from tui.scene import Scene
from tui.table import Row, Table
from tui.text import Line

Paint = Callable[[Scene, int, int], list[Line]]


def nothing(scene: Scene) -> list[Row]:
    """The rows of a screen that has none."""
    return []


def ignore(scene: Scene, row: Row) -> None:
    """Choosing a row of a screen means nothing else than that it is chosen."""


@dataclass(frozen=True, slots=True)
class Screen:
    """A screen: how it is drawn, its rows, and what choosing one of them sets in the view.

    `data` are the rows as plain values, for the export; `table` is None where the rows cannot be
    filtered and sorted.
    """

    paint: Paint
    data: Callable[[Scene], list[Row]] = nothing
    table: Table | None = None
    choose: Callable[[Scene, Row], None] = ignore


def choose_job(scene: Scene, row: Row) -> None:
    """The row's job and ring become the selected ones."""
    job, ring = row.get("_job"), row.get("_ring")
    if isinstance(job, tuple):
        scene.view.job = job
    if isinstance(ring, RingKey):
        scene.view.ring = ring
