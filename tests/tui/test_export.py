# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Exports: well formed, and the same as the screen."""

from __future__ import annotations

import json
from xml.etree import ElementTree as ET

import pytest

from tests.tui.app import recording_view
from tests.tui.load import MS, model
from tui.export import CELL_HEIGHT, CELL_WIDTH, json_of, svg_of, text_of
from tui.frame import frame
from tui.main import picture
from tui.scene import scene_of
from tui.theme import DARK, LIGHT
from tui.view import SCREENS

SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
@pytest.mark.parametrize("screen", SCREENS)
def test_a_picture_has_the_words_of_the_screen(screen, theme):
    made = model()
    view = recording_view(made)
    view.screen = screen
    lines = frame(scene_of(made, view), 120, 40)
    root = ET.fromstring(svg_of(lines, theme))
    assert float(root.get("width")) == pytest.approx(120 * CELL_WIDTH, abs=0.1)
    assert int(root.get("height")) == 40 * CELL_HEIGHT
    texts = [element.text for element in root.iter(f"{SVG}text")]
    drawn = "".join("".join(texts).split())
    for word in ("kport", "Threads", "entities"):
        assert word in drawn
    words = "".join(c for line in text_of(lines) for c in line if c.isalnum())
    assert "".join(c for c in drawn if c.isalnum()) == words


def test_bars_are_as_long_as_on_the_screen():
    line = [(" ▌", "-|3"), ("██", "c1")]
    root = ET.fromstring(svg_of([line], DARK))
    widths = sorted(float(rect.get("width")) for rect in list(root.iter(f"{SVG}rect"))[1:])
    expected = sorted([2 * CELL_WIDTH, CELL_WIDTH / 2, 2 * CELL_WIDTH])
    assert widths == pytest.approx(expected, abs=0.25)


def test_what_a_name_holds_cannot_end_the_picture():
    root = ET.fromstring(svg_of([[("</svg><&\"'", "")]], DARK))
    assert [element.text for element in root.iter(f"{SVG}text")] == ["</svg><&\"'"]


@pytest.mark.parametrize("screen", SCREENS)
def test_json_has_the_rows_of_the_screen(screen):
    made = model()
    view = recording_view(made)
    view.screen = screen
    text = json.dumps(json_of(scene_of(made, view)))
    back = json.loads(text)
    assert back["screen"] == screen
    assert back["event"] == len(made.log) - 1
    if screen not in ("dmesg", "threads"):
        assert back["rows"]
    assert [job["key"] for job in back["jobs"]] == [[11, 31], [21, 11], [21, 12], [13, 1]]


def test_a_picture_of_a_moment():
    made = model()
    at = made.at_time(made.began + 30 * MS)
    text = picture(made, "x", screen="events", at=at, size=(160, 30), span=10 * MS, svg=False)
    assert f"event {at}/" in text
    assert "10.0ms" in text
    assert picture(made, "x", at=at, theme="light").count(LIGHT.ground) >= 1
