# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Every key of the monitor: the one table behind the bindings, the help and the palette."""

from __future__ import annotations

from typing import NamedTuple


class Key(NamedTuple):
    """`keys` as Textual names them, the action, what it does, and under which heading."""

    keys: str
    action: str
    help: str
    group: str
    shown: str = ""


KEYS = (
    Key("1", "screen('rings')", "rings: lanes of all rings", "screens"),
    Key("2", "screen('queues')", "run queues: entities in the order of picking", "screens"),
    Key("3", "screen('fences')", "fences, and the life of one", "screens"),
    Key("4", "screen('why')", "why is this job waiting?", "screens"),
    Key("5", "screen('latency')", "latency of the stages", "screens"),
    Key("6", "screen('events')", "events of the trace", "screens"),
    Key("7", "screen('dmesg')", "the kernel's log", "screens"),
    Key("8", "screen('threads')", "threads, locks, work items", "screens"),
    Key("tab", "turn(1)", "next screen", "screens"),
    Key("shift+tab", "turn(-1)", "screen before", "screens"),
    Key("m", "maximise", "the screen without the lanes, and back", "screens"),
    Key("space", "pause", "pause; follow again; play a recording", "time"),
    Key("full_stop", "step(1)", "one event forward", "time", "."),
    Key("comma", "step(-1)", "one event back", "time", ","),
    Key("greater_than_sign", "step(100)", "100 events forward", "time", ">"),
    Key("less_than_sign", "step(-100)", "100 events back", "time", "<"),
    Key("n", "next(1)", "next start or end of a job of the ring", "time"),
    Key("p", "next(-1)", "the one before", "time"),
    Key("home", "first", "to the first event", "time"),
    Key("end", "last", "to the last event, and follow", "time"),
    Key("a,left", "pan(-0.25)", "earlier", "window", "a left"),
    Key("d,right", "pan(0.25)", "later", "window", "d right"),
    Key("w", "zoom(0.5)", "zoom in at the moment", "window"),
    Key("s", "zoom(2.0)", "zoom out", "window"),
    Key("z", "fit", "fit the selected job; again: fit everything", "window"),
    Key("c", "centre", "the moment into the middle", "window"),
    Key("A", "mark('A')", "marker A at the moment", "window"),
    Key("B", "mark('B')", "marker B; the ruler tells the distance", "window"),
    Key("M", "unmark", "drop the markers", "window"),
    Key("up,k", "move(-1)", "row, or lane, above", "rows and lanes", "up k"),
    Key("down,j", "move(1)", "row, or lane, below", "rows and lanes", "down j"),
    Key("pageup", "move(-10)", "ten up", "rows and lanes"),
    Key("pagedown", "move(10)", "ten down", "rows and lanes"),
    Key("left_square_bracket", "lane(-1)", "lane above", "rows and lanes", "["),
    Key("right_square_bracket", "lane(1)", "lane below", "rows and lanes", "]"),
    Key("enter", "choose", "the row's job: why is it waiting?", "rows and lanes"),
    Key("escape", "clear", "drop selection and filter", "rows and lanes"),
    Key("slash", "filter", "filter the rows: gfx -idle ring=gfx wait>5ms", "rows and lanes", "/"),
    Key("o", "sort", "sort by the next column", "rows and lanes"),
    Key("r", "reverse", "reverse the order", "rows and lanes"),
    Key("h", "hide", "hide the lane", "rows and lanes"),
    Key("H", "unhide", "show all lanes", "rows and lanes"),
    Key("P", "pin", "pin the lane to the top, and back", "rows and lanes"),
    Key("v", "convention", "bars: run to done, or time at the ring's head", "looks"),
    Key("C", "colours", "colours: by client, or by entity", "looks"),
    Key("t", "theme", "dark, light", "looks"),
    Key("g,ctrl+p,colon", "command_palette", "go to 401:17, a ring, a client, a time; everything",
        "doing", "g :"),
    Key("x", "command", "tell the port: hang a ring, lose an interrupt ...", "doing"),
    Key("e", "export", "the visible window as SVG, text and JSON", "doing"),
    Key("N", "notes", "what was noted of the source", "doing"),
    Key("question_mark", "help", "these keys", "doing", "?"),
    Key("q,ctrl+c", "quit", "leave", "doing", "q"),
)  # fmt: skip


def label(key: Key) -> str:
    """How a key is written on the screen."""
    return key.shown or key.keys.replace(",", " ")


def help_lines(columns: int) -> list[str]:
    """The table as text, in as many columns of groups as fit into `columns`."""
    groups: dict[str, list[Key]] = {}
    for key in KEYS:
        groups.setdefault(key.group, []).append(key)
    out = []
    for group, keys in groups.items():
        out.append(group.upper())
        for key in keys:
            out.append(f"  {label(key):10} {key.help}"[:columns])
        out.append("")
    return out[:-1]
