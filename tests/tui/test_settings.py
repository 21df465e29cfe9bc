# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Settings: kept where XDG wants them, harmless when they are nonsense."""

from __future__ import annotations

import json

import pytest

from tui import settings
from tui.view import View


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path


def test_what_was_saved_is_loaded(home):
    view = View(screen="why", theme="light", span=5_000, convention="head", maximised=True)
    view.sorts["queues"] = ("key", True)
    view.filters["why"] = "ring=gfx"
    assert settings.save(view) == ""
    assert settings.path() == home / "config" / "kport" / "monitor.json"
    again = View()
    assert settings.load(again) == ""
    assert again == view


def test_without_a_file_the_defaults_hold(home):
    view = View()
    assert settings.load(view) == ""
    assert view == View()


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "{", "\0\xff", '{"theme": 7, "span": -1, "screen": "moon", "sorts": {"x": 1}}',
        '{"span": 1e99, "filters": [1], "convention": null, "maximised": "yes"}',
    ],
)  # fmt: skip
def test_nonsense_is_left_out(home, text):
    settings.path().parent.mkdir(parents=True)
    settings.path().write_bytes(text.encode("latin-1"))
    view = View()
    message = settings.load(view)
    assert view == View()
    assert "\n" not in message
    assert bool(message) == (not text.startswith('{"'))


def test_a_place_that_cannot_be_written_costs_a_line(home, monkeypatch):
    (home / "file").write_text("")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "file"))
    message = settings.save(View())
    assert message.startswith("settings not saved: ")
    assert "\n" not in message


def test_saving_leaves_no_part_behind(home):
    settings.save(View())
    settings.save(View(theme="light"))
    assert [file.name for file in settings.path().parent.iterdir()] == ["monitor.json"]
    assert json.loads(settings.path().read_text())["theme"] == "light"
