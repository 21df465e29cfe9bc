# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The fences that live, and the life of the selected one as a line."""

from __future__ import annotations

from collections.abc import Iterable

from kport.trace.model import Stage
from kport.trace.snapshot import Fence
from tui.scene import Scene
from tui.screens.base import Screen
from tui.table import Column, Row, Table
from tui.text import Line, fit_line, seconds, short

_STYLES = {"signalled": "good", "armed": "warn", "freed": "dim"}


def _row(scene: Scene, fence: Fence) -> Row:
    begin = fence.init if fence.init is not None else fence.emitted
    return {
        "fence": fence.name,
        "timeline": fence.timeline,
        "driver": fence.driver,
        "role": fence.role,
        "job": scene.job_name(fence.job),
        "state": fence.state,
        "error": fence.error or None,
        "refs": fence.refcount,
        "cbs": fence.callbacks,
        "waiters": " ".join(fence.waiters),
        "age": scene.now - begin if begin is not None else None,
        "_fence": fence.key,
        "_id": fence.key,
        "_job": fence.job,
    }


def data(scene: Scene) -> list[Row]:
    """The fences as rows, the youngest first."""
    return [_row(scene, fence) for fence in reversed(scene.snapshot.fences)]


def _state(row: Row) -> str:
    return "bad" if row["error"] else _STYLES.get(row["state"], "")


TABLE = Table(
    "fences",
    (
        Column("fence", 12),
        Column("timeline", 14, rank=1, grows=True),
        Column("driver", 10, rank=5),
        Column("role", 9, rank=2),
        Column("job", 10, rank=3),
        Column("state", 9, style=_state),
        Column("error", 5, right=True, rank=2, style=lambda row: "bad"),
        Column("refs", 4, right=True, rank=4),
        Column("cbs", 4, right=True, rank=4),
        Column("waiters", 12, rank=3, grows=True),
        Column("age", 8, short, right=True),
    ),
    "no fence lives at this moment",
)


def life(scene: Scene, title: str, stages: Iterable[Stage], width: int) -> list[Line]:
    """Stages as a line: when the first was, and how long after it each of the others."""
    known = list(stages)
    first = next((stage.at for stage in known if stage.at is not None), None)
    line: Line = [(title, "title"), (" ", "")]
    before = first
    for number, (name, at) in enumerate(known):
        if number:
            line.append((f" {scene.glyphs.rule}{scene.glyphs.arrow} ", "rule"))
        if at is None:
            line.append((f"({name})", "dim"))
        elif at == first and number == 0:
            line.append((f"{name} {seconds(at)}", "good"))
        else:
            line.append((f"{name} +{short(at - (before or at))}", "good"))
        before = at if at is not None else before
    return _wrapped(line, width)


def _wrapped(line: Line, width: int) -> list[Line]:
    """The line in as many rows as it takes, broken before arrows."""
    rows: list[Line] = [[]]
    used = 0
    for text, style in line:
        if used + len(text) > width and rows[-1]:
            rows.append([("    ", "")])
            used = 4
        rows[-1].append((text, style))
        used += len(text)
    return [fit_line(row, width) for row in rows]


def paint(scene: Scene, width: int, height: int) -> list[Line]:
    """The table, below it the life of the selected fence."""
    rows = data(scene)
    selected = TABLE.selected(scene, rows)
    key = selected["_fence"] if selected is not None else None
    below: list[Line] = []
    if key is not None and height > 6:
        stages = scene.model.fence_life(key, scene.view.at)
        below = life(scene, f" {key[0]}:{key[1]} ", stages, width)[: height // 2]
    more = scene.snapshot.fences_total - len(scene.snapshot.fences)
    if more > 0:
        text = f"the youngest {len(scene.snapshot.fences)} of {scene.snapshot.fences_total} fences"
        below.append(fit_line([(text, "dim")], width))
    return TABLE.lines(scene, rows, width, height - len(below)) + below


def choose(scene: Scene, row: Row) -> None:
    """The row's fence, and its job, become the selected ones."""
    scene.view.fence = row["_fence"]
    if row["_job"] is not None:
        scene.view.job = row["_job"]


SCREEN = Screen(paint, data, TABLE, choose)
