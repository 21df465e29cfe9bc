# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The Textual application: a clock, keys and mouse, and five panels.

Fifteen times a second the feed is polled; if it had anything to say, or time passes on the screen,
a Scene is made and every panel is handed its lines. A key changes the View and paints at once. All
that decides what is seen is in plain functions elsewhere; this is what needs a terminal.
"""

from __future__ import annotations

from time import perf_counter, perf_counter_ns
from typing import Any, ClassVar

from textual import events as input_events
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.command import Provider
from textual.screen import Screen
from textual.widgets import Input

from tui import actions, settings
from tui.feed import BUDGET, Feed
from tui.frame import body, divide, status, tabs, title
from tui.glyphs import UNICODE, Glyphs
from tui.hits import in_lanes, in_tabs
from tui.keys import KEYS, label
from tui.palette import Commands
from tui.panel import Panel
from tui.scene import Scene, Source, scene_of
from tui.screens.latency import lags
from tui.screens.rings import paint as paint_lanes
from tui.theme import theme_of
from tui.view import View

RATE = 15  # frames per second
MESSAGE_SECONDS = 6.0


class _Main(Screen[None]):
    """The screen with the panels: Textual's own keys of a screen mean what the table says."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(name, f"app.{key.action}", key.help, show=False)
        for key in KEYS
        for name in key.keys.split(",")
        if name in ("tab", "shift+tab", "ctrl+c", "escape")
    ]


class MonitorApp(App[int]):
    """The monitor of one feed."""

    TITLE = "kport monitor"
    ENABLE_COMMAND_PALETTE = True
    COMMANDS: ClassVar[set[type[Provider]]] = {Commands}  # type: ignore[assignment]
    CSS = """
    Screen { layout: vertical; overflow: hidden; }
    #prompt { display: none; height: 1; border: none; padding: 0 1; }
    #prompt.open { display: block; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(key.keys, key.action, key.help, show=False, key_display=label(key), priority=False)
        for key in KEYS
    ]

    def __init__(
        self,
        feed: Feed,
        view: View | None = None,
        *,
        glyphs: Glyphs = UNICODE,
        remember: bool = True,
        message: str = "",
    ) -> None:
        super().__init__()
        self.feed = feed
        self.glyphs = glyphs
        self.view = View() if view is None else view
        self.playing = False
        self.speed = 1.0
        self.frames = 0
        self._remember = remember
        self._message = message
        self._message_until = perf_counter() + MESSAGE_SECONDS
        self._cache: dict[Any, Any] = {}
        self._scene: Scene | None = None
        self._played = 0.0
        self._clock = 0
        self.painting_ns = 0
        self._drag: tuple[int, int] | None = None
        self._source = Source()
        self._width = 0

    def get_default_screen(self) -> Screen[None]:
        """The screen with the panels."""
        return _Main(id="_default")

    # -- life ------------------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        """Title, tabs, lanes, body, prompt, status."""
        for name in ("title", "tabs", "lanes", "body"):
            yield Panel(name)
        yield Input(id="prompt", compact=True)
        yield Panel("status")

    def on_mount(self) -> None:
        """Start the clock."""
        self.theme = f"textual-{self.view.theme}"
        self.query_one("#prompt", Input).disabled = True
        self._panels = {
            name: self.query_one(f"#{name}", Panel)
            for name in ("title", "tabs", "lanes", "body", "status")
        }
        self.paint()
        self.set_interval(1 / RATE, self.tick)

    def on_unmount(self) -> None:
        """Remember the settings; let the feed go."""
        if self._remember:
            settings.save(self.view, span=self.feed.source().state != "REPLAY")
        self.feed.close()

    def on_resize(self) -> None:
        """Everything anew."""
        self.paint()

    def say(self, message: str) -> None:
        """Show a message in the status line for a while."""
        self._message = message
        self._message_until = perf_counter() + MESSAGE_SECONDS

    # -- frames ----------------------------------------------------------------------------------

    def tick(self) -> None:
        """Poll, go on with playing, paint if there is anything new."""
        news = self.feed.poll(BUDGET)
        for answer in self.feed.answers():
            self.say(answer)
            news = True
        if self.playing:
            self._play()
            news = True
        if self._message and perf_counter() > self._message_until:
            self._message = ""
            news = True
        source = self.feed.source()
        if source != self._source:
            news = True
        if news or (self.view.at is None and source.live) or self._lags():
            self.paint()

    def _lags(self) -> bool:
        """True while figures are still being worked out."""
        return self.view.screen == "latency" and self._scene is not None and lags(self._scene)

    def _play(self) -> None:
        """Go on in a recording as its clock would."""
        now = perf_counter()
        model, view = self.feed.model, self.view
        ns = view.now(model) if not self._played else self._clock
        ns += int((now - self._played) * 1e9 * self.speed) if self._played else 0
        self._played, self._clock = now, ns
        at = model.at_time(ns)
        if at >= model.log.end - 1:
            self.stop_playing()
        view.go_to(model, at)

    def stop_playing(self) -> None:
        """Stand still."""
        self.playing = False
        self._played = 0.0

    def scene(self) -> Scene:
        """The scene of this moment."""
        self._source = self.feed.source()
        return scene_of(
            self.feed.model,
            self.view,
            source=actions.source_of(self),
            glyphs=self.glyphs,
            message=self._message,
            dmesg=self.feed.dmesg(),
            cache=self._cache,
        )

    def paint(self) -> None:
        """Draw what has changed."""
        if not hasattr(self, "_panels") or not self.is_running:
            return
        began = perf_counter_ns()
        width, height = self.size
        scene = self._scene = self.scene()
        ground = theme_of(self.view.theme)
        lanes, rest = divide(scene, height)
        panels = self._panels
        for name, rows in (("lanes", lanes), ("body", rest)):
            panel = panels[name]
            panel.display = rows > 0
            if panel.styles.height is None or panel.styles.height.value != rows:
                panel.styles.height = rows
        if width != self._width:
            self._width = width
            self._cache.pop("lanes", None)
        panels["title"].show([title(scene, width)], ground)
        panels["tabs"].show([tabs(scene, width)], ground)
        if lanes:
            panels["lanes"].show(paint_lanes(scene, width, lanes), ground)
        if rest:
            panels["body"].show(body(scene, width, rest), ground)
        panels["status"].show([status(scene, width)], ground)
        self.frames += 1
        self.painting_ns = perf_counter_ns() - began

    # -- mouse -----------------------------------------------------------------------------------

    def _panel_of(self, event: input_events.MouseEvent) -> str:
        return event.widget.id or "" if isinstance(event.widget, Panel) else ""

    def on_mouse_down(self, event: input_events.MouseDown) -> None:
        """Choose a tab, a row, a moment; a drag in the lanes moves the window."""
        scene, panel = self._scene, self._panel_of(event)
        if scene is None:
            return
        if panel == "tabs":
            name = in_tabs(scene, event.x, self.size.width)
            if name is not None:
                self.action_screen(name)
        elif panel == "lanes":
            spot = in_lanes(scene, event.x, event.y)
            if spot.ring is not None:
                self.view.ring = spot.ring
            if spot.job is not None:
                self.view.job = spot.job
                job = scene.model.job(spot.job)
                self.say(actions.about(scene, job) if job is not None else "")
            elif spot.ns is not None and spot.ring is None:
                actions.stand(self)
                self.view.go_to_time(self.feed.model, spot.ns)
            self._drag = event.x, self.view.window(self.feed.model, 1000)[1]
            self.paint()
        elif panel == "body":
            actions.click_row(self, scene, event.y, False)
            self.paint()

    def on_mouse_move(self, event: input_events.MouseMove) -> None:
        """Drag the window."""
        if self._drag is None or not event.button or self._panel_of(event) != "lanes":
            self._drag = None if not event.button else self._drag
            return
        x, right = self._drag
        if event.x != x and (laid := self._cache.get("lanes")) is not None:
            self.view.right = right - (event.x - x) * self.view.span // laid[2]
            self.paint()

    def on_click(self, event: input_events.Click) -> None:
        """A double click on a row chooses it."""
        if event.chain == 2 and self._scene is not None and self._panel_of(event) == "body":
            actions.click_row(self, self._scene, event.y, True)
            self.paint()

    def on_mouse_up(self, event: input_events.MouseUp) -> None:
        """The drag is over."""
        self._drag = None

    def _scrolled(self, event: input_events.MouseEvent, direction: int) -> None:
        if self._scene is None:
            return
        if self._panel_of(event) == "lanes":
            spot = in_lanes(self._scene, event.x, event.y)
            self.view.zoom(self.feed.model, 1.25**direction, spot.ns)
            self.paint()
        else:
            self.action_move(3 * direction)

    def on_mouse_scroll_up(self, event: input_events.MouseScrollUp) -> None:
        """Zoom in where the mouse is, or move up."""
        self._scrolled(event, -1)

    def on_mouse_scroll_down(self, event: input_events.MouseScrollDown) -> None:
        """Zoom out where the mouse is, or move down."""
        self._scrolled(event, 1)

    # -- the prompt ------------------------------------------------------------------------------

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """The filter is as it was typed."""
        self.close_prompt()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter while it is being typed."""
        if not event.input.disabled:
            actions.set_filter(self, event.value)
            self.paint()

    def open_prompt(self, text: str, hint: str) -> None:
        """Ask for a line."""
        prompt = self.query_one("#prompt", Input)
        prompt.disabled = False
        prompt.placeholder = hint
        prompt.value = text
        prompt.add_class("open")
        self._panels["status"].display = False
        prompt.focus()

    def close_prompt(self) -> None:
        """The line is there, or nobody wants it."""
        prompt = self.query_one("#prompt", Input)
        prompt.remove_class("open")
        prompt.disabled = True
        self._panels["status"].display = True
        self.set_focus(None)
        self.paint()

    # -- actions: what a key does is in tui.actions ------------------------------------------------

    def act(self, action: Any, *arguments: Any) -> None:
        """Do something of tui.actions, show what it says, and paint."""
        scene = self._scene if self._scene is not None else self.scene()
        message = action(self, scene, *arguments)
        if message:
            self.say(message)
        self.paint()

    def action_screen(self, name: str) -> None:
        """Go to a screen."""
        self.view.screen = name
        self.paint()

    def action_turn(self, by: int) -> None:
        """The next screen, or the one before."""
        self.act(actions.turn, by)

    def action_maximise(self) -> None:
        """The screen without the lanes, and back."""
        self.view.maximised = not self.view.maximised
        self.paint()

    def action_pause(self) -> None:
        """Pause, follow or play."""
        self.act(actions.pause)

    def action_step(self, events: int) -> None:
        """Go on or back by events."""
        self.act(actions.step, events)

    def action_next(self, direction: int) -> None:
        """To the next start or end of a job."""
        self.act(actions.next_edge, direction)

    def action_first(self) -> None:
        """To the first event."""
        self.act(actions.first)

    def action_last(self) -> None:
        """To the last event."""
        self.act(actions.last)

    def action_pan(self, part: float) -> None:
        """Move the window."""
        self.act(actions.pan, part)

    def action_zoom(self, factor: float) -> None:
        """Change the window's width."""
        self.act(actions.zoom, factor)

    def action_fit(self) -> None:
        """The selected job, or everything."""
        self.act(actions.fit_job)

    def action_centre(self) -> None:
        """The moment into the middle."""
        self.act(actions.centre)

    def action_mark(self, name: str) -> None:
        """Set a marker."""
        self.act(actions.mark, name)

    def action_unmark(self) -> None:
        """Drop the markers."""
        self.act(actions.unmark)

    def action_move(self, by: int) -> None:
        """Move among rows or lanes."""
        self.act(actions.move, by)

    def action_lane(self, by: int) -> None:
        """Move among lanes."""
        self.act(actions.move_lane, by)

    def action_choose(self) -> None:
        """Ask of the row's job why it waits."""
        self.act(actions.choose)

    def action_clear(self) -> None:
        """Drop selection and filter; close the prompt."""
        if self.query_one("#prompt", Input).has_class("open"):
            self.close_prompt()
        self.act(actions.clear)

    def action_filter(self) -> None:
        """Ask for a filter."""
        text = self.view.filters.get(self.view.screen, "")
        self.open_prompt(text, actions.filter_hint(self.view))

    def action_sort(self) -> None:
        """Sort by the next column."""
        self.act(actions.sort)

    def action_reverse(self) -> None:
        """Reverse the order."""
        self.act(actions.reverse)

    def action_hide(self) -> None:
        """Hide the lane."""
        self.act(actions.hide)

    def action_unhide(self) -> None:
        """Show all lanes."""
        self.act(actions.unhide)

    def action_pin(self) -> None:
        """Pin the lane, or let it go."""
        self.act(actions.pin)

    def action_convention(self) -> None:
        """What a bar is."""
        self.act(actions.convention)

    def action_colours(self) -> None:
        """What colours stand for."""
        self.act(actions.colours)

    def action_theme(self) -> None:
        """Dark or light."""
        self.view.theme = "light" if self.view.theme == "dark" else "dark"
        self.theme = f"textual-{self.view.theme}"
        self.paint()

    def action_command(self) -> None:
        """A list of what the port can be told."""
        self.act(actions.commands)

    def action_export(self) -> None:
        """Write the visible window."""
        self.act(actions.export)

    def action_notes(self) -> None:
        """What was noted of the source."""
        self.act(actions.notes)

    def action_help(self) -> None:
        """All keys."""
        from tui.dialogs import Lines
        from tui.keys import help_lines

        self.push_screen(Lines("keys", help_lines(max(20, self.size.width - 8))))
