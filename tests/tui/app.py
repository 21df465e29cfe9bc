# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Driving the monitor without a terminal."""

from __future__ import annotations

import asyncio

from tests.tui.load import live_model, model
from tui.app import MonitorApp
from tui.feed import RecordingFeed
from tui.scene import Source
from tui.view import View


class LiveFeed(RecordingFeed):
    """A port that says nothing more by itself; what it is told is kept in `told`."""

    def __init__(self):
        super().__init__(live_model(), "a port")
        self._source = Source("a port", "LIVE", live=True)
        self.told = []
        self.replies = []

    def commands(self):
        return self.model.port().commands

    def tell(self, command, arguments):
        self.told.append((command, dict(arguments)))
        self.replies.append(f"done: {command}")
        return f"told the port: {command}"

    def answers(self):
        out, self.replies = self.replies, []
        return out

    def dmesg(self):
        return self.model.port().dmesg


def recording_view(made):
    view = View(at=made.log.end - 1)
    view.show_all(made)
    return view


def drive(steps, *, size=(100, 30), feed=None, view=None, remember=False, **options):
    """Run the monitor, and `await steps(app, pilot)` in it."""
    if feed is None:
        feed = RecordingFeed(model(), "by hand")
        view = view or recording_view(feed.model)

    async def main():
        app = MonitorApp(feed, view, remember=remember, **options)
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            await steps(app, pilot)

    asyncio.run(main())


def shown(app, name):
    """The text of a panel as it is on the screen."""
    panel = app.query_one(f"#{name}")
    strips = [panel.render_line(y) for y in range(panel.size.height)]
    return "\n".join("".join(s.text for s in strip) for strip in strips)


