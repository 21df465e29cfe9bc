# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""What the names of styles look like, on a dark and on a light ground.

Names: the roles below; "c3" is text in the colour of client 3; "b3" a bar of it (its colour is the
ground), "b3'" the same in the other tone, which tells neighbours apart; "3|5" and "3'|-" a cell of
which the left part belongs to one bar and the right part to another ("-": to none). Joined names
("dim+select") add up, the later over the earlier. Every client also has a letter, and every state
a word or a glyph: colour is never all there is.
"""

from __future__ import annotations

from functools import cached_property

from rich.color import Color
from rich.style import Style

CLIENT_COLOURS = 12
LETTERS = "abcdefghijklmnopqrstuvwxyz"

_DARK_CLIENTS = (
    "#5fa8f0", "#f0a030", "#58c470", "#e06c9f", "#b38cf5", "#40c4c8",
    "#d8c040", "#f07860", "#86b040", "#c87ad8", "#7f9cc0", "#c09878",
)  # fmt: skip
_LIGHT_CLIENTS = (
    "#2468b8", "#b86800", "#1f8a3c", "#b83870", "#7446c8", "#0c7c86",
    "#8a7400", "#c03c24", "#547a10", "#8c3ca8", "#48648c", "#805838",
)  # fmt: skip
_DARK = {
    "": "#d8d8d8 on #14161a",
    "dim": "#8a9099",
    "title": "bold #ffffff on #263040",
    "tab": "#b8c0cc on #1d222b",
    "tab-on": "bold #14161a on #8fbcff",
    "head": "bold #9fb4d0 on #1d222b",
    "key": "bold #8fbcff",
    "good": "#70d088",
    "warn": "#f0c040",
    "bad": "bold #ff7070",
    "select": "on #34435c",
    "mark": "bold #14161a on #f0c040",
    "cursor": "bold #ff9050",
    "gauge": "#70d088",
    "rule": "#4a5464",
    "accent": "#8fbcff",
}
_LIGHT = {
    "": "#1c1e22 on #fafafa",
    "dim": "#5c636e",
    "title": "bold #ffffff on #30507c",
    "tab": "#30343c on #e2e6ec",
    "tab-on": "bold #ffffff on #2458a0",
    "head": "bold #2c4468 on #e6eaf0",
    "key": "bold #2458a0",
    "good": "#1a7434",
    "warn": "#8a5c00",
    "bad": "bold #c01818",
    "select": "on #c8d8f0",
    "mark": "bold #ffffff on #8a5c00",
    "cursor": "bold #c04800",
    "gauge": "#1a7434",
    "rule": "#a8b0bc",
    "accent": "#2458a0",
}


def _toned(colour: str, by: float) -> str:
    """The colour, nearer to black."""
    red, green, blue = Color.parse(colour).get_truecolor()
    return f"#{int(red * by):02x}{int(green * by):02x}{int(blue * by):02x}"


class Theme:
    """One of the two grounds. `style()` is quick: each name is worked out once."""

    def __init__(self, name: str) -> None:
        dark = name == "dark"
        self.name = name
        self._roles = _DARK if dark else _LIGHT
        clients = _DARK_CLIENTS if dark else _LIGHT_CLIENTS
        self._tones = {"-": self._roles[""].split(" on ")[1]}
        for number, colour in enumerate(clients):
            self._tones[f"{number}"] = colour
            self._tones[f"{number}'"] = _toned(colour, 0.80 if dark else 1.25)
        self._styles: dict[str, Style] = {}

    @cached_property
    def ground(self) -> str:
        """The colour behind everything, as #rrggbb."""
        return self._tones["-"]

    @cached_property
    def ink(self) -> str:
        """The colour of plain text, as #rrggbb."""
        return self._roles[""].split(" on ")[0]

    def style(self, name: str) -> Style:
        """The style of a name. Raises KeyError for one that is not there."""
        style = self._styles.get(name)
        if style is None:
            style = Style.parse(self._roles[""])
            parts = name.split("+")
            bar = parts[0][:1] == "b" and parts[0][1:2].isdigit()
            for part in parts:
                if part != "select" or not bar:  # a bar keeps its colour in a selected row
                    style += Style.parse(self._part(part))
            self._styles[name] = style
        return style

    def _part(self, name: str) -> str:
        if name in self._roles:
            return self._roles[name] or "none"
        if "|" in name:
            left, right = name.split("|")
            return f"{self._tones[left]} on {self._tones[right]}"
        if name[:1] == "b":
            return f"{self.ground} on {self._tones[name[1:]]}"
        if name[:1] == "c":
            return self._tones[name[1:]]
        raise KeyError(name)


DARK = Theme("dark")
LIGHT = Theme("light")


def theme_of(name: str) -> Theme:
    """The theme of a name: "light", else the dark one."""
    return LIGHT if name == "light" else DARK


def letter(index: int) -> str:
    """The letter of the client that came as number `index`."""
    return LETTERS[index % len(LETTERS)]
