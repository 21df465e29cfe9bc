# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""What the keys do: functions of the application and its last scene that change the view.

Each returns what to show in the status line, or "".
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from kport.trace.snapshot import FenceKey, Job, JobKey, RingKey
from tui.commands import Offer, offers
from tui.scene import Scene, Source
from tui.screens import SCREENS, events
from tui.text import seconds, short
from tui.view import SCREENS as ORDER
from tui.view import View

if TYPE_CHECKING:
    from tui.app import MonitorApp


def source_of(app: MonitorApp) -> Source:
    """What the title says of the source, with what the view makes of it."""
    source = app.feed.source()
    if app.playing:
        return replace(source, state=f"PLAY x{app.speed:g}")
    if source.live and app.view.at is not None:
        return replace(source, state="PAUSED")
    return source


def about(scene: Scene, job: Job) -> str:
    """One line on a job."""
    wait = (job.run if job.run is not None else scene.now) - job.queued
    text = f"{job.name} on {scene.ring_name(job.ring)}, client {job.client}: {job.state}"
    text += f", queued {seconds(job.queued)}, waited {short(wait)}"
    if job.run is not None:
        text += f", ran {short((job.done or scene.now) - job.run)}"
    return text


def stand(app: MonitorApp) -> None:
    """No more playing and following; a machine that can be held is."""
    app.stop_playing()
    if app.feed.gate is not None:
        app.feed.gate.hold()
    app.view.pause(app.feed.model)


# -- screens and time ----------------------------------------------------------------------------


def turn(app: MonitorApp, scene: Scene, by: int) -> str:
    """The next screen, or the one before."""
    view = app.view
    view.screen = ORDER[(ORDER.index(view.screen) + by) % len(ORDER)]
    return ""


def pause(app: MonitorApp, scene: Scene) -> str:
    """A live source: stand still, or follow again. A recording: play, or stand still."""
    view, model, gate = app.view, app.feed.model, app.feed.gate
    if app.feed.source().live:
        if view.at is None and gate is not None:
            if gate.held:
                gate.run()
                return "the machine runs; space holds it"
            gate.hold()
            return "the machine is held; . lets one event happen"
        if view.at is None:
            view.pause(model)
            return "paused: the port goes on; space follows it again"
        view.follow()
        return ""
    if app.playing:
        app.stop_playing()
        return "stopped"
    if view.at is None or view.at >= model.log.end - 1:
        view.at = model.log.first - 1
        if view.right is not None and model.began < view.right - view.span:
            view.right = model.began + view.span
    app.playing = True
    return f"playing at {app.speed:g} x; space stops"


def step(app: MonitorApp, scene: Scene, by: int) -> str:
    """Go that many events on, or back. A machine that is held goes on by so many."""
    view, model, gate = app.view, app.feed.model, app.feed.gate
    newest = view.at is None or view.at >= model.log.end - 1
    if gate is not None and by > 0 and newest and app.feed.source().live:
        gate.step(by)
        view.follow()
        return f"the machine goes on by {by} event{'s' if by > 1 else ''}"
    stand(app)
    view.step(model, by)
    at = view.at
    if at is None or at < model.log.first:
        return "before the first event"
    return model.log[at].name + " " + model.log.text(at)


def next_edge(app: MonitorApp, scene: Scene, direction: int) -> str:
    """To the next event that starts or ends a job of the selected ring."""
    stand(app)
    view, model = app.view, app.feed.model
    ring = view.current_ring(model)
    at = view.at if view.at is not None else model.log.end - 1
    names = ("drm_sched_job_run", "drm_sched_job_done", "drm_run_job", "drm_sched_process_job")
    start = at + 1 if direction > 0 else at - 1
    found = at
    for _ in range(1000):
        numbers = model.log.find(
            lambda event: event.name in names, start, backwards=direction < 0, limit=1
        )
        if not numbers:
            return "no start or end of a job further on"
        found = numbers[0]
        event = model.log[found]
        if event.name.endswith("_run") and (event.values[0], event.values[3]) == ring:
            break
        if event.name == "drm_sched_job_done":
            job = model.job((int(event.values[0]), int(event.values[1])), found)
            if job is not None and job.ring == ring:
                break
        if ring is not None and not ring.dev:
            break
        start = found + direction
    view.go_to(model, found)
    return model.log[found].name + " " + model.log.text(found)


def first(app: MonitorApp, scene: Scene) -> str:
    """To the first event."""
    stand(app)
    app.view.go_to(app.feed.model, app.feed.model.log.first)
    return "first event"


def last(app: MonitorApp, scene: Scene) -> str:
    """To the last event; a live source is followed again."""
    app.stop_playing()
    if app.feed.source().live:
        app.view.follow()
        return "following"
    app.view.go_to(app.feed.model, app.feed.model.log.end - 1)
    return "last event"


def go_to_time(app: MonitorApp, scene: Scene, ns: int) -> str:
    """To a moment in ns."""
    stand(app)
    app.view.go_to_time(app.feed.model, ns)
    return f"at {seconds(app.view.now(app.feed.model))} s"


def go_by(app: MonitorApp, scene: Scene, ns: int) -> str:
    """On, or back, by a length of time."""
    return go_to_time(app, scene, app.view.now(app.feed.model) + ns)


# -- the window ----------------------------------------------------------------------------------


def pan(app: MonitorApp, scene: Scene, part: float) -> str:
    """Move the window by a part of its width."""
    app.view.pan(app.feed.model, part)
    return ""


def zoom(app: MonitorApp, scene: Scene, factor: float) -> str:
    """Widen or narrow the window around the moment."""
    app.view.zoom(app.feed.model, factor)
    return f"window {short(app.view.span)}"


def fit_job(app: MonitorApp, scene: Scene) -> str:
    """The window around the selected job; without one, or when it is there, around everything."""
    view, model = app.view, app.feed.model
    job = model.job(view.job) if view.job is not None else None
    if job is not None:
        begin = job.run if job.run is not None else job.queued
        end = job.done or job.signalled or view.now(model)
        before = view.right, view.span
        view.fit(begin, end)
        if (view.right, view.span) != before:
            return about(scene, job)
    view.show_all(model)
    return f"everything: {short(view.span)}"


def centre(app: MonitorApp, scene: Scene) -> str:
    """The moment into the middle of the window."""
    app.view.right = app.view.now(app.feed.model) + app.view.span // 2
    return ""


def mark(app: MonitorApp, scene: Scene, name: str) -> str:
    """Set a marker at the moment."""
    view = app.view
    view.marks[name] = view.now(app.feed.model)
    distance = view.distance()
    text = f"marker {name} at {seconds(view.marks[name])} s"
    return text if distance is None else f"{text}, A to B {short(distance)}"


def unmark(app: MonitorApp, scene: Scene) -> str:
    """Drop both markers."""
    app.view.marks.clear()
    return "no markers"


# -- rows and lanes ------------------------------------------------------------------------------


def move(app: MonitorApp, scene: Scene, by: int) -> str:
    """Among the rows of the screen, or the lanes on the first one."""
    view = app.view
    if view.screen == "rings":
        return move_lane(app, scene, by)
    if view.screen == "events":
        stand(app)
        target = events.move(scene, by)
        if target is None:
            return "no further event passes the filter"
        view.go_to(app.feed.model, target)
        return ""
    screen = SCREENS[view.screen]
    rows, table = screen.data(scene), screen.table
    if table is None:
        row = min(view.rows.get(view.screen, 0), len(rows) - 1)
        view.rows[view.screen] = max(0, min(row + by, len(rows) - 1))
        return ""
    rows, _ = table.arrange(scene, rows)
    table.select(scene, rows, table.row(scene, rows) + by)
    if view.screen == "why" and rows:
        screen.choose(scene, rows[view.rows["why"]])
    return ""


def move_lane(app: MonitorApp, scene: Scene, by: int) -> str:
    """Select the lane above or below."""
    lanes = app.view.lanes(app.feed.model)
    ring = app.view.current_ring(app.feed.model)
    if ring is not None:
        app.view.ring = lanes[max(0, min(lanes.index(ring) + by, len(lanes) - 1))]
    return ""


def click_row(app: MonitorApp, scene: Scene, y: int, twice: bool) -> None:
    """Select the row of the screen that is in line `y`; twice: choose it."""
    view = app.view
    if y < 1:
        return
    if view.screen == "events":
        shown = events.numbers(scene, app.query_one("#body").size.height - 1)
        if y <= len(shown):
            stand(app)
            view.go_to(app.feed.model, shown[y - 1])
        return
    screen = SCREENS[view.screen]
    if screen.table is None:
        return
    rows, _ = screen.table.arrange(scene, screen.data(scene))
    row = view.tops.get(view.screen, 0) + y - 1
    if row < len(rows):
        screen.table.select(scene, rows, row)
        screen.choose(scene, rows[row])
        if twice:
            choose(app, scene)


def choose(app: MonitorApp, scene: Scene) -> str:
    """The row's job becomes the selected one, and the question is why it waits."""
    view = app.view
    screen = SCREENS[view.screen]
    if view.screen == "rings":
        ring = view.current_ring(app.feed.model)
        rows = [row for row in screen.data(scene) if row["_ring"] == ring]
        waiting = [j for j in scene.snapshot.jobs if j.ring == ring and j.state == "queued"]
        view.job = waiting[0].key if waiting else rows[0]["_job"] if rows else view.job
    elif view.screen == "events":
        at = view.at if view.at is not None else scene.model.log.end - 1
        found = events.job_of(scene, at) if at >= scene.model.log.first else None
        if found is None:
            return "no job belongs to it"
        stand(app)
        view.job, chosen = found, scene.model.job(found)
        view.ring = chosen.ring if chosen is not None else view.ring
    elif view.screen == "why":
        job = scene.model.job(view.job) if view.job is not None else None
        blocker = next((k.job for k in scene.model.why(view.job, view.at)[1:] if k.job), None) if (
            view.job is not None
        ) else None  # fmt: skip
        if blocker is not None and blocker != view.job:
            view.job = blocker
        return about(scene, job) if job is not None else ""
    else:
        rows = screen.data(scene)
        selected = screen.table.selected(scene, rows) if screen.table is not None else None
        if selected is None:
            return ""
        screen.choose(scene, selected)
        if selected.get("_job") is None:
            return "no job belongs to it"
    view.screen = "why"
    return f"why does {scene.job_name(view.job)} wait?" if view.job is not None else "no job here"


def clear(app: MonitorApp, scene: Scene) -> str:
    """Drop the filter of the screen; without one, the selection."""
    view = app.view
    if view.filters.pop(view.screen, None):
        return "no filter"
    view.job = view.fence = None
    view.chosen.clear()
    return ""


def filter_hint(view: View) -> str:
    """What can be typed for the screen."""
    screen = SCREENS[view.screen]
    columns = events.COLUMNS if view.screen == "events" else ()
    names = screen.table.names if screen.table is not None else columns
    return f"words, -word, column=text, column>5ms: {' '.join(names)}"


def set_filter(app: MonitorApp, text: str) -> None:
    """Filter the screen's rows."""
    if text.strip():
        app.view.filters[app.view.screen] = text
    else:
        app.view.filters.pop(app.view.screen, None)


def sort(app: MonitorApp, scene: Scene) -> str:
    """Sort by the next column; after the last one as the source has it."""
    table = SCREENS[app.view.screen].table
    if table is None:
        return "nothing to sort here"
    names = table.names
    name, reverse = app.view.sorts.get(table.key, ("", False))
    number = names.index(name) + 1 if name in names else 0
    if number == len(names):
        del app.view.sorts[table.key]
        return "in the order of the source"
    app.view.sorts[table.key] = names[number], reverse
    return f"sorted by {names[number]}; r reverses, o goes on"


def reverse(app: MonitorApp, scene: Scene) -> str:
    """The other way round."""
    view = app.view
    if view.screen not in view.sorts:
        return "press o first: sort by a column"
    name, down = view.sorts[view.screen]
    view.sorts[view.screen] = name, not down
    return ""


def hide(app: MonitorApp, scene: Scene) -> str:
    """Hide the selected lane."""
    ring = app.view.current_ring(app.feed.model)
    if ring is None:
        return "no lane to hide"
    move_lane(app, scene, 1)
    app.view.hidden.add(ring)
    if ring in app.view.pinned:
        app.view.pinned.remove(ring)
    return f"{scene.ring_name(ring)} is hidden; H shows all"


def unhide(app: MonitorApp, scene: Scene) -> str:
    """Show all lanes."""
    count = len(app.view.hidden)
    app.view.hidden.clear()
    return f"{count} shown again"


def pin(app: MonitorApp, scene: Scene) -> str:
    """Keep the selected lane at the top, or let it go."""
    ring = app.view.current_ring(app.feed.model)
    if ring is None:
        return "no lane to pin"
    app.view.ring = ring
    if ring in app.view.pinned:
        app.view.pinned.remove(ring)
        return f"{scene.ring_name(ring)} is no longer pinned"
    app.view.pinned.append(ring)
    return f"{scene.ring_name(ring)} is pinned"


def convention(app: MonitorApp, scene: Scene) -> str:
    """What a bar is where jobs overlap."""
    view = app.view
    view.convention = "head" if view.convention == "run" else "run"
    if view.convention == "head":
        return "bars: time at the ring's head, as Perfetto and gpuvis draw it"
    return "bars: from run to done"


def colours(app: MonitorApp, scene: Scene) -> str:
    """What colours stand for."""
    app.view.colours = "client" if scene.by_entity else "entity"
    return f"colours: by {app.view.colours}"


# -- going to things -----------------------------------------------------------------------------


def go_to_job(app: MonitorApp, scene: Scene, key: JobKey) -> str:
    """Select a job, and go to where it was queued if it is not known at the moment."""
    view, model = app.view, app.feed.model
    job = model.job(key)
    if job is None:
        return f"{scene.job_name(key)} is not known"
    view.job, view.ring = key, job.ring
    view.hidden.discard(job.ring)
    stand(app)
    view.go_to_time(model, job.run if job.run is not None else job.queued)
    return about(scene, job)


def old_job(app: MonitorApp, number: int) -> JobKey | None:
    """The job of this number in a recording of an old kernel, the first of several."""
    for job in app.feed.model.snapshot(app.view.at, limit=0).jobs:
        if job.old and job.key[1] == number:
            return job.key
    return None


def go_to_fence(app: MonitorApp, scene: Scene, key: FenceKey) -> str:
    """Show a fence's life."""
    view = app.view
    fence = app.feed.model.fence(key)
    if fence is None:
        return f"{key[0]}:{key[1]} is not known"
    view.screen = "fences"
    view.filters["fences"] = f"fence={key[0]}:{key[1]}"
    begin = fence.init if fence.init is not None else fence.emitted or fence.signalled
    if begin is not None:
        stand(app)
        view.go_to_time(app.feed.model, begin)
    return f"fence {fence.name}"


def go_to_ring(app: MonitorApp, scene: Scene, ring: RingKey) -> str:
    """Select a lane."""
    app.view.hidden.discard(ring)
    app.view.ring = ring
    return scene.ring_name(ring)


def go_to_client(app: MonitorApp, scene: Scene, client: int) -> str:
    """The jobs of a client that are not over."""
    app.view.screen = "why"
    app.view.job = None
    app.view.filters["why"] = f"client={client}"
    return f"jobs of client {client}"


# -- the port, files -----------------------------------------------------------------------------


def commands(app: MonitorApp, scene: Scene) -> str:
    """Offer what the port can be told about the selected ring and entity."""
    from tui.dialogs import Choice

    offered = offers(scene, app.feed.commands())
    if not offered:
        return "this source takes no commands"

    def chosen(number: int | None) -> None:
        if number is not None:
            app.act(tell, offered[number])

    app.push_screen(Choice("tell the port", [offer.text for offer in offered]), chosen)
    return ""


def tell(app: MonitorApp, scene: Scene, offer: Offer) -> str:
    """Tell the port."""
    return app.feed.tell(offer.command, offer.arguments)


def export(app: MonitorApp, scene: Scene) -> str:
    """Write the visible window as SVG, text and JSON into the working directory."""
    from tui.export import save_all

    return save_all(scene, app.size.width, app.size.height)


def notes(app: MonitorApp, scene: Scene) -> str:
    """What was noted of the source."""
    from tui.dialogs import Lines

    noted = scene.source.notes
    if not noted:
        return "nothing was noted of this source"
    app.push_screen(Lines("notes", noted))
    return ""
