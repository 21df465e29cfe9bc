# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The monitor's page names every key and every screen, and its pictures are there."""

from __future__ import annotations

import re
from pathlib import Path

from tui.keys import KEYS, label
from tui.view import TITLES

DOCS = Path(__file__).parents[2] / "tui"
PAGE = (DOCS / "README.md").read_text(encoding="utf-8")


def test_every_key_is_in_the_table():
    for key in KEYS:
        assert f"| `{label(key)}` | {key.help} |" in PAGE


def test_every_screen_has_its_picture():
    for title in TITLES.values():
        assert f"**{title}**" in PAGE
    pictures = re.findall(r"\]\((pictures/\w+\.svg)\)", PAGE)
    assert len(pictures) == len(TITLES)
    for picture in pictures:
        assert (DOCS / picture).read_text(encoding="utf-8").startswith("<svg")
