# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The panels of a frame: how the screen is divided, title, tabs and status, and whole frames.

    title     source, state, moment, window, counts
    tabs      the screens by number
    lanes     the rings (also above every other screen, unless that is maximised)
    body      the screen
    status    the last message, or the keys that matter most

The widgets draw the panels one by one; `frame()` puts them together for exports and tests.
"""

from __future__ import annotations

from typing import NamedTuple

from tui.scene import Scene
from tui.screens import SCREENS
from tui.screens.rings import paint as paint_lanes
from tui.screens.rings import rows_wanted
from tui.text import Line, clean, fit_line, line_width, seconds, short
from tui.view import SCREENS as ORDER
from tui.view import TITLES

_STATES = {
    "LIVE": "good",
    "VIRT": "good",
    "HELD": "warn",
    "PAUSED": "warn",
    "ENDED": "warn",
    "LOST": "bad",
}
_HELP = "?:keys  space:pause  , .:step  wasd:zoom pan  enter:why  /:filter  m:max  q:quit"


class Heights(NamedTuple):
    """Rows of the two panels in the middle; either may be 0."""

    lanes: int
    body: int


def divide(scene: Scene, height: int) -> Heights:
    """How many rows lanes and body have on a screen of this height."""
    room = max(0, height - 3)
    view = scene.view
    if view.screen == "rings":
        lanes = rows_wanted(scene)
        return Heights(room, 0) if view.maximised or room - lanes < 5 else Heights(
            lanes, room - lanes
        )  # fmt: skip
    if view.maximised or room < 9:
        return Heights(0, room)
    lanes = min(1 + len(scene.lanes), max(4, room * 2 // 5))
    return Heights(lanes, room - lanes)


def body(scene: Scene, width: int, height: int) -> list[Line]:
    """The panel below the lanes: the screen, or the run queues where only lanes were asked for."""
    name = "queues" if scene.view.screen == "rings" else scene.view.screen
    return SCREENS[name].paint(scene, width, height)


def title(scene: Scene, width: int) -> Line:
    """The first line."""
    source, snapshot, view = scene.source, scene.snapshot, scene.view
    log = scene.model.log
    at = log.end - 1 if view.at is None else view.at
    state = source.state
    out: Line = [
        (" kport ", "title"),
        (f" {state} ", f"title+{_STATES[state]}" if state in _STATES else "title"),
        (f" t {seconds(scene.now)}s ", "title"),
        (f" event {at}/{log.end - 1} ", "title"),
    ]
    port = scene.port
    extra = [
        f"{len(snapshot.rings)} rings {len(snapshot.entities)} entities",
        (f"{sum(job.state == 'queued' for job in snapshot.jobs)} wait "
        f"{sum(job.state == 'running' for job in snapshot.jobs)} run {snapshot.finished} done"),
    ]
    if port is not None and port.policy:
        extra.insert(0, port.policy.upper())
    if source.badge:
        extra.insert(0, source.badge)
    if source.live:
        extra.append(f"lag {short(max(0, source.lag_ns))} lost {source.lost}")
    for text in extra:
        if line_width(out) + len(text) + 2 <= width:
            out.append((f" {text} ", "title"))
    name = clean(source.name)
    room = width - line_width(out) - 2
    if room >= 8:
        name = name if len(name) <= room else scene.glyphs.ellipsis + name[-room + 1 :]
        out.append((f" {name} ", "title"))
    return fit_line(out, width, "title")


def tabs(scene: Scene, width: int) -> Line:
    """The second line: `1 Rings 2 Run queues ...`."""
    line: Line = []
    full = sum(len(TITLES[name]) + 4 for name in ORDER) <= width
    for number, name in enumerate(ORDER, 1):
        text = TITLES[name] if full else TITLES[name].split()[-1 if name == "queues" else 0]
        if width < 72:
            text = text[:4]
        line.append((f" {number} {text} ", "tab-on" if scene.view.screen == name else "tab"))
    return fit_line(line, width, "tab")


def status(scene: Scene, width: int) -> Line:
    """The last line."""
    view = scene.view
    line: Line = []
    text = view.filters.get(view.screen, "")
    if text:
        line.append((f" filter: {clean(text)} ", "mark"))
    if scene.message:
        line.append((f" {clean(scene.message)}", "key"))
    else:
        line.append((f" {_HELP}", "dim"))
        notes = scene.source.notes
        if notes:
            line.append((f"  {len(notes)} note{'s'[: len(notes) - 1]}: N", "warn"))
    return fit_line(line, width)


def frame(scene: Scene, width: int, height: int) -> list[Line]:
    """A whole frame, `height` lines of `width` columns."""
    lanes, rest = divide(scene, height)
    out = [title(scene, width), tabs(scene, width)]
    if lanes:
        out += paint_lanes(scene, width, lanes)
    if rest:
        out += body(scene, width, rest)
    out.append(status(scene, width))
    return out[:height]
