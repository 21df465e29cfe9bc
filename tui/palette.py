# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The command palette: go to a job, ring, client or time, do anything a key does, tell the port.

    401:17          that job: select it and go to where it was queued
    gfx             rings whose name has this
    client 7        its first waiting job
    12.4829         that time in s since boot; +5ms, -2s: from here
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider

from tui.commands import offers
from tui.filters import number
from tui.keys import KEYS, label

if TYPE_CHECKING:
    from tui.app import MonitorApp

_JOB = re.compile(r"\s*(\d{1,20}):(\d{1,20})\s*").fullmatch
_OLD = re.compile(r"\s*#(\d{1,20})\s*").fullmatch
_TIME = re.compile(r"\s*(\d+(?:\.\d+)?)\s*s?\s*").fullmatch
_MOVE = re.compile(r"\s*([+-])\s*(\d\S*)\s*").fullmatch
_CLIENT = re.compile(r"\s*client\s+(\d{1,20})\s*").fullmatch

Found = tuple[str, str, Callable[[], None]]


def direct(app: MonitorApp, query: str) -> Iterator[Found]:
    """(what to show, help, what to do) for a query that names a place."""
    from tui import actions

    model = app.feed.model
    if match := _JOB(query):
        key = int(match[1]), int(match[2])
        if model.job(key) is not None:
            yield f"job {query.strip()}", "select it, go there", partial(
                app.act, actions.go_to_job, key
            )
        elif model.fence(key) is not None:
            yield f"fence {query.strip()}", "show its life", partial(
                app.act, actions.go_to_fence, key
            )
    elif match := _OLD(query):
        old = actions.old_job(app, int(match[1]))
        if old is not None:
            yield f"job #{match[1]}", "select it, go there", partial(
                app.act, actions.go_to_job, old
            )
    elif match := _CLIENT(query):
        if int(match[1]) in model.clients():
            yield f"client {match[1]}", "its jobs", partial(
                app.act, actions.go_to_client, int(match[1])
            )
    elif match := _TIME(query):
        ns = int(float(match[1]) * 1e9)
        yield f"time {match[1]} s", "go there", partial(app.act, actions.go_to_time, ns)
    elif match := _MOVE(query):
        length = number(match[2])
        if length is not None:
            by = int(length) if match[1] == "+" else -int(length)
            yield f"{match[1]}{match[2]}", "go on, or back, by that", partial(
                app.act, actions.go_by, by
            )


def listed(app: MonitorApp) -> Iterator[Found]:
    """Everything that has a name."""
    from tui import actions

    scene = app.scene()
    for ring in app.feed.model.rings():
        text = f"ring {scene.ring_name(ring)}"
        yield text, f"select it ({ring.dev})" if ring.dev else "select it", partial(
            app.act, actions.go_to_ring, ring
        )
    for client in app.feed.model.clients():
        yield f"client {client}", "its jobs", partial(app.act, actions.go_to_client, client)
    for key in KEYS:
        if key.action not in ("command_palette", "quit"):
            yield key.help, f"key {label(key)}", partial(_do, app, key.action)
    for offer in offers(scene, app.feed.commands()):
        yield f"port: {offer.text}", "tell the port", partial(app.act, actions.tell, offer)
    yield "quit", "leave the monitor", app.exit


def _do(app: MonitorApp, action: str) -> None:
    app.call_later(app.run_action, action)


class Commands(Provider):
    """The monitor's entries of the palette."""

    @property
    def _monitor(self) -> MonitorApp:
        return cast("MonitorApp", self.app)

    async def discover(self) -> Hits:
        """Without a query: the port's commands first, then the rest."""
        found = list(listed(self._monitor))
        found.sort(key=lambda item: not item[0].startswith("port:"))
        for text, help_text, action in found:
            yield DiscoveryHit(text, action, help=help_text)

    async def search(self, query: str) -> AsyncIterator[Hit]:
        """Places that the query names exactly, then names that resemble it."""
        for text, help_text, action in direct(self._monitor, query):
            yield Hit(1.0, text, action, help=help_text)
        matcher = self.matcher(query)
        for text, help_text, action in listed(self._monitor):
            score = matcher.match(text)
            if score > 0:
                yield Hit(score * 0.9, matcher.highlight(text), action, text, help_text)
