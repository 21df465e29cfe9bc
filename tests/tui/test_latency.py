# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Figures that take time are worked out over several frames, and then nothing more is."""

from __future__ import annotations

import pytest

from tests.tui.app import recording_view
from tests.tui.load import model
from tui.scene import scene_of
from tui.screens import latency
from tui.screens.latency import lags, paint
from tui.text import plain_text


def painted(made, view, cache):
    scene = scene_of(made, view, cache=cache)
    return scene, [plain_text(line) for line in paint(scene, 160, 40)]


@pytest.fixture
def view():
    made = recording_view(model())
    made.screen = "latency"
    return made


def test_one_frame_does_it_where_there_is_time(view, monkeypatch):
    monkeypatch.setattr(latency, "BUDGET", 10**12)
    scene, lines = painted(model(), view, {})
    assert not lags(scene)
    assert not any("~" in line for line in lines)


def test_a_figure_at_a_time_comes_to_the_same(view, monkeypatch):
    made, cache = model(), {}
    monkeypatch.setattr(latency, "BUDGET", 10**12)
    _, expected = painted(made, view, {})
    monkeypatch.setattr(latency, "BUDGET", 1)  # ns: whoever begins a figure has used it up
    scene, lines = painted(made, view, cache)
    assert lags(scene)
    assert lines != expected
    frames = 0
    while lags(scene):
        scene, lines = painted(made, view, cache)
        frames += 1
        assert frames < 200
    assert lines == expected
    assert frames > 10, "one figure in a frame"


def test_another_window_begins_anew_and_comes_to_an_end(view, monkeypatch):
    made, cache = model(), {}
    monkeypatch.setattr(latency, "BUDGET", 1)
    scene, _ = painted(made, view, cache)
    for at in (view.at, view.at - 7):
        view.at = at
        for _ in range(200):
            scene, lines = painted(made, view, cache)
            if not lags(scene):
                break
        assert not lags(scene)
        assert not any("~" in line for line in lines)
