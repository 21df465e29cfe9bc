# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The trace: the events around the moment, the moment's own event marked.

The list follows the moment: moving in it goes to another event, so lanes and tables show the state
directly after the selected line. With a filter only the events that pass are listed, and moving
goes from one of them to the next.
"""

from __future__ import annotations

from collections.abc import Callable

from kport.trace.events import WRITTEN, Event
from kport.trace.snapshot import JobKey
from tui.filters import Filter, FilterError
from tui.scene import Scene
from tui.screens.base import Screen
from tui.table import Row
from tui.text import Line, clean, fit, fit_line, seconds, styled

COLUMNS = ("number", "time", "task", "pid", "cpu", "event", "text", "ring", "client")
SCAN = 200_000  # events that one frame looks through

_STYLES = {
    "drm_sched_job_queue": "accent",
    "drm_sched_job_run": "warn",
    "drm_sched_job_done": "good",
    "drm_sched_job_unschedulable": "bad",
}


def row_of(number: int, event: Event) -> Row:
    """An event as a row."""
    kind = WRITTEN[event.name]
    named = dict(zip(kind.fields, event.values, strict=True))
    return {
        "number": number,
        "time": event.ts,
        "task": event.comm,
        "pid": event.pid,
        "cpu": event.cpu,
        "event": event.name,
        "text": kind.text(event.values),
        "ring": named.get("name") or named.get("timeline") or "",
        "client": named.get("client_id"),
    }


def job_of(scene: Scene, number: int) -> JobKey | None:
    """The job that an event is of: named in it, or the owner of its fence, even if a later one."""
    event = scene.model.log[number]
    named = dict(zip(WRITTEN[event.name].fields, event.values, strict=True))
    context = named.get("fence_context", named.get("context"))
    seqno = named.get("fence_seqno", named.get("seqno"))
    if not isinstance(context, int) or not isinstance(seqno, int):
        return None
    if scene.model.job((context, seqno)) is not None:
        return context, seqno
    return scene.model.owner((context, seqno))


def _predicate(scene: Scene) -> tuple[Callable[[Event], bool] | None, str]:
    """The filter of the screen as a function of an event; and what is wrong with it."""
    text = scene.view.filters.get("events", "")
    if not text:
        return None, ""
    try:
        wanted = Filter(text, COLUMNS)
    except FilterError as error:
        return None, str(error)
    return lambda event: wanted(row_of(0, event)), ""


def numbers(scene: Scene, height: int) -> list[int]:
    """The numbers of the events that a list of this height shows."""
    log, view = scene.model.log, scene.view
    at = log.end - 1 if view.at is None else view.at
    wanted, _ = _predicate(scene)
    after = 0 if view.at is None else height // 2
    if wanted is None:
        last = max(min(at + after, log.end - 1), log.first + height - 1)
        return list(range(max(log.first, last - height + 1), min(last + 1, log.end)))
    key = "events", view.filters.get("events"), at, log.end, height
    if scene.cache.get("events-key") != key:
        before = log.find(wanted, at, backwards=True, limit=height, scan=SCAN)
        behind = log.find(wanted, at + 1, limit=after, scan=SCAN) if after else []
        keep = max(height - len(behind), height - after)
        scene.cache["events-list"] = before[:keep][::-1] + behind
        scene.cache["events-key"] = key
    out: list[int] = scene.cache["events-list"]
    return out


def move(scene: Scene, by: int) -> int | None:
    """The event that is `by` rows from the moment's; None if there is none."""
    log = scene.model.log
    at = log.end - 1 if scene.view.at is None else scene.view.at
    wanted, _ = _predicate(scene)
    if wanted is None:
        target = max(log.first, min(at + by, log.end - 1))
        return target if len(log) else None
    start = at + 1 if by > 0 else at - 1
    found = log.find(wanted, start, backwards=by < 0, limit=abs(by))
    return found[-1] if found else None


def paint(scene: Scene, width: int, height: int) -> list[Line]:
    """The list."""
    wide = width >= 110
    head = fit("number", 8, ">") + " " + fit("time", 13, ">") + " "
    head += (fit("task", 22) + " cpu " if wide else "") + fit("event", 28 if wide else 18)
    out = [fit_line([(head + " what", "head")], width, "head")]
    _, error = _predicate(scene)
    log, view = scene.model.log, scene.view
    at = log.end - 1 if view.at is None else view.at
    if error:
        out.append(fit_line([(f"filter: {error}", "bad")], width))
    shown = [] if error else numbers(scene, max(0, height - 1))
    if not shown and not error:
        text = "no event passes the filter nearby" if view.filters.get("events") else "no event yet"
        out.append(fit_line([(text, "dim")], width))
    for number in shown:
        line = fit_line(_line(scene, number, log[number], wide), width)
        out.append(styled(line, "select") if number == at else line)
    return [*out, *([fit_line([], width)] * (height - len(out)))][:height]


def _line(scene: Scene, number: int, event: Event, wide: bool) -> Line:
    style = _STYLES.get(event.name, "")
    name = event.name if wide else event.name.removeprefix("drm_sched_")
    line: Line = [
        (fit(str(number), 8, ">") + " ", "dim"),
        (fit(seconds(event.ts), 13, ">") + " ", ""),
    ]
    if wide:
        task = clean(f"{event.comm}-{event.pid}")
        line.append((fit(task, 22, "<", scene.glyphs.ellipsis) + f" {event.cpu:3d} ", "dim"))
    line.append((fit(name, 28 if wide else 18, "<", scene.glyphs.ellipsis) + " ", style))
    line.append((clean(WRITTEN[event.name].text(event.values)), ""))
    return line


def data(scene: Scene) -> list[Row]:
    """The events around the moment."""
    return [row_of(number, scene.model.log[number]) for number in numbers(scene, 200)]


SCREEN = Screen(paint, data)
