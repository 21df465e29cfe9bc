# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Every key of the monitor, the mouse, the palette and the prompt, in a terminal that is none."""

from __future__ import annotations

import json

import pytest
from textual.widgets import Input, OptionList

from tests.tui.app import LiveFeed, drive, recording_view, shown
from tests.tui.load import DMA, GFX, MS, OTHER, START, model
from tui import settings
from tui.dialogs import Choice, Lines
from tui.feed import RecordingFeed
from tui.glyphs import ASCII
from tui.keys import KEYS
from tui.view import SCREENS, View

LAST = len(model().log) - 1


def facts(app):
    """What a key may change, as plain values."""
    view = app.view
    return {
        "screen": view.screen, "at": view.at, "span": view.span, "right": view.right,
        "ring": view.ring, "job": view.job, "marks": dict(view.marks), "hidden": set(view.hidden),
        "pinned": list(view.pinned), "convention": view.convention, "max": view.maximised,
        "theme": view.theme, "colours": view.colours, "sorts": dict(view.sorts),
        "filters": dict(view.filters), "playing": app.playing, "row": dict(view.rows),
        "dialog": type(app.screen).__name__, "running": app.is_running,
    }  # fmt: skip


# action: the keys before, and what is then so after the key itself
EXPECTED = {
    "screen('rings')": ([*"2"], lambda old, new: new["screen"] == "rings"),
    **{
        f"screen('{name}')": ([], lambda old, new, name=name: new["screen"] == name)
        for name in SCREENS[1:]
    },
    "turn(1)": ([], lambda old, new: new["screen"] == "queues"),
    "turn(-1)": ([], lambda old, new: new["screen"] == "threads"),
    "maximise": ([], lambda old, new: new["max"] and not old["max"]),
    "pause": ([], lambda old, new: new["playing"] and not old["playing"]),
    "step(1)": (["home"], lambda old, new: new["at"] == old["at"] + 1),
    "step(-1)": ([], lambda old, new: new["at"] == old["at"] - 1),
    "step(100)": (["home"], lambda old, new: new["at"] == old["at"] + 100),
    "step(-100)": ([], lambda old, new: new["at"] == old["at"] - 100),
    "next(1)": (["home"], lambda old, new: model().log[new["at"]].name == "drm_sched_job_run"),
    "next(-1)": ([], lambda old, new: new["at"] < old["at"]),
    "first": ([], lambda old, new: new["at"] == 0),
    "last": (["home"], lambda old, new: new["at"] == LAST),
    "pan(-0.25)": ([], lambda old, new: new["right"] == old["right"] - old["span"] // 4),
    "pan(0.25)": ([], lambda old, new: new["right"] == old["right"] + old["span"] // 4),
    "zoom(0.5)": ([], lambda old, new: new["span"] == old["span"] // 2),
    "zoom(2.0)": ([], lambda old, new: new["span"] == old["span"] * 2),
    "fit": (["w", "w"], lambda old, new: new["span"] > old["span"]),
    "centre": ([], lambda old, new: new["right"] > old["right"]),
    "mark('A')": ([], lambda old, new: set(new["marks"]) == {"A"}),
    "mark('B')": (["A", "comma"], lambda old, new: new["marks"]["B"] < new["marks"]["A"]),
    "unmark": (["A"], lambda old, new: old["marks"] and not new["marks"]),
    "move(-1)": (["down", "down"], lambda old, new: (old["ring"], new["ring"]) == (DMA, OTHER)),
    "move(1)": ([], lambda old, new: new["ring"] == OTHER),
    "move(-10)": (["down", "down"], lambda old, new: new["ring"] == GFX),
    "move(10)": ([], lambda old, new: new["ring"] == DMA),
    "lane(-1)": (["down"], lambda old, new: new["ring"] == GFX),
    "lane(1)": ([], lambda old, new: new["ring"] == OTHER),
    "choose": ([], lambda old, new: new["screen"] == "why" and new["job"] == (13, 1)),
    "clear": (["enter"], lambda old, new: old["job"] and new["job"] is None),
    "filter": (["2"], lambda old, new: True),  # see test_filtering
    "sort": (["2"], lambda old, new: new["sorts"]["queues"] == ("who", False)),
    "reverse": (["2", "o"], lambda old, new: new["sorts"]["queues"] == ("who", True)),
    "hide": ([], lambda old, new: new["hidden"] == {GFX}),
    "unhide": (["h", "h"], lambda old, new: len(old["hidden"]) == 2 and not new["hidden"]),
    "pin": (["down"], lambda old, new: new["pinned"] == [OTHER]),
    "convention": ([], lambda old, new: new["convention"] == "head"),
    "colours": ([], lambda old, new: new["colours"] == "entity"),
    "theme": ([], lambda old, new: new["theme"] == "light"),
    "command_palette": ([], lambda old, new: new["dialog"] == "CommandPalette"),
    "command": ([], lambda old, new: new["dialog"] == "_Main"),  # a recording takes none
    "export": ([], lambda old, new: True),  # see test_export_of_the_window
    "notes": ([], lambda old, new: new["dialog"] == "_Main"),  # there are none
    "help": ([], lambda old, new: new["dialog"] == "Lines"),
}


def test_every_key_is_tested():
    assert {key.action for key in KEYS} == {*EXPECTED, "quit"}


def test_no_key_means_two_things():
    keys = [name for key in KEYS for name in key.keys.split(",")]
    assert len(keys) == len(set(keys))


PRESSES = [(name, key.action) for key in KEYS for name in key.keys.split(",")]


def test_keys(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    async def steps(app, pilot):
        main = app.screen
        for key, action in PRESSES:
            if action == "quit":
                continue
            before, holds = EXPECTED[action]
            app.view = recording_view(app.feed.model)
            app.stop_playing()
            app.speed = 0.001  # of a short trace: it must not be over before it is looked at
            await pilot.press(*before)
            old = facts(app)
            await pilot.press(key)
            await pilot.pause()
            assert holds(old, facts(app)), key
            if app.screen is not main or main.query_one("#prompt").has_class("open"):
                await pilot.press("escape")
                await pilot.pause()

    drive(steps)


@pytest.mark.parametrize("key", ["q", "ctrl+c"])
def test_leaving(key):
    left = []

    async def steps(app, pilot):
        await pilot.press(key)
        await pilot.pause()
        left.append(app.return_code)

    drive(steps)
    assert left == [0]


def test_the_screens_show_what_they_are_for():
    async def steps(app, pilot):
        looked_for = {
            "1": "gfx", "2": "priority", "3": "finished", "4": "13:1", "5": "stage",
            "6": "drm_sched_job_queue", "7": "no log", "8": "running port only",
        }  # fmt: skip
        for key, text in looked_for.items():
            await pilot.press(key, *("m" if key == "1" else ""))
            await pilot.pause()
            name = "lanes" if key == "1" else "body"
            assert text in shown(app, name), key

    drive(steps, size=(120, 40))


def test_stepping_forward_and_back_shows_the_same():
    async def steps(app, pilot):
        await pilot.press("4")
        app.action_step(-60)
        pictures = []
        for _ in range(50):
            pictures.append((app.view.at, shown(app, "body"), shown(app, "lanes")))
            app.action_step(1)
        for at, table, lanes in reversed(pictures):
            app.action_step(-1)
            assert (app.view.at, shown(app, "body"), shown(app, "lanes")) == (at, table, lanes)

    drive(steps, size=(120, 40))


def test_why_follows_the_chain_to_the_hardware():
    async def steps(app, pilot):
        app.view.job = (21, 11)
        await pilot.press("4")
        text = shown(app, "body")
        assert "DEP" in text
        assert "21:11 depends on 11:31 on gfx (finished fence)" in text
        assert "11:31 is on the hardware of gfx" in text
        await pilot.press("enter")  # follow the link
        assert app.view.job == (11, 31)

    drive(steps, size=(120, 40))


def test_from_an_event_to_its_job():
    async def steps(app, pilot):
        for name, job in (("drm_sched_job_run", (11, 31)), ("dma_fence_init", (21, 12))):
            app.view = recording_view(app.feed.model)
            app.view.screen = "events"
            log = app.feed.model.log
            at = next(n for n in range(LAST, 0, -1) if log[n].name == name)
            at -= 3 if name == "dma_fence_init" else 0  # of the job before the last
            app.view.at = at
            app.paint()
            await pilot.press("enter")
            assert (app.view.screen, app.view.job, app.view.at) == ("why", job, at)
            assert app.view.ring == (GFX if job[0] == 11 else DMA)

    drive(steps)


def test_filtering():
    async def steps(app, pilot):
        await pilot.press("4", "slash")
        prompt = app.query_one("#prompt", Input)
        assert prompt.has_focus
        await pilot.press(*"ring=sdma0 q")  # letters go into the prompt, not to the keys
        assert app.is_running
        await pilot.press("backspace", "backspace", "enter")
        assert app.view.filters["why"] == "ring=sdma0"
        rows = shown(app, "body").splitlines()[1:3]
        assert all("sdma0" in row for row in rows)
        assert "filter: ring=sdma0" in shown(app, "status")
        await pilot.press("slash", *" wat>5ms", "enter")
        assert "filter: no column 'wat'" in shown(app, "body")
        await pilot.press("escape")
        assert "why" not in app.view.filters

    drive(steps)


def test_leaving_the_prompt_with_escape_drops_the_filter():
    async def steps(app, pilot):
        await pilot.press("2", "slash", *"gfx", "escape")
        assert not app.query_one("#prompt").has_class("open")
        assert app.view.filters == {}
        await pilot.press("3")
        assert app.view.screen == "fences"

    drive(steps)


PALETTE = [
    ("11:5", lambda view, made: view.job == (11, 5) and view.ring == GFX),
    ("900:1105", lambda view, made: view.filters["fences"] == "fence=900:1105"),
    ("ring sdma0", lambda view, made: view.ring == DMA),
    ("client 3", lambda view, made: view.filters["why"] == "client=3"),
    ("1.05", lambda view, made: made.time_of(view.at) <= START + 50 * MS),
    ("-20ms", lambda view, made: made.time_of(view.at) <= START + 80 * MS),
    ("run queues", lambda view, made: view.screen == "queues"),
]


@pytest.mark.long
def test_the_palette_goes_there():
    async def steps(app, pilot):
        for query, holds in PALETTE:
            app.view = recording_view(app.feed.model)
            await pilot.press("g")
            await pilot.pause()
            app.screen.query_one(Input).value = query
            for _ in range(100):
                await pilot.pause(0.05)
                if app.screen.query_one(OptionList).option_count:
                    break
            await pilot.pause(0.2)
            await pilot.press("down", "enter")
            await pilot.pause(0.1)
            assert holds(app.view, app.feed.model), (query, app.view)

    drive(steps)


def test_telling_the_port():
    feed = LiveFeed()

    async def steps(app, pilot):
        await pilot.press("x")
        await pilot.pause()
        assert isinstance(app.screen, Choice)
        await pilot.press("enter")
        await pilot.pause(0.2)
        assert feed.told == [("hang", {"ring": "gfx", "dev": "0000:03:00.0"})]
        assert "done: hang" in shown(app, "status")

    drive(steps, feed=feed, view=View(span=100 * MS))


def test_following_pausing_and_following_again():
    feed = LiveFeed()

    async def steps(app, pilot):
        assert "LIVE" in shown(app, "title")
        await pilot.press("space")
        assert app.view.at == LAST
        assert "PAUSED" in shown(app, "title")
        await pilot.press("comma", "comma")
        assert app.view.at == LAST - 2
        await pilot.press("space")
        assert app.view.at is None
        assert "LIVE" in shown(app, "title")

    drive(steps, feed=feed, view=View(span=100 * MS))


def test_a_recording_plays_and_stops_at_its_end():
    async def steps(app, pilot):
        app.speed = 0.2
        await pilot.press("space")
        await pilot.pause(0.15)
        assert "PLAY" in shown(app, "title")
        assert app.view.at < LAST
        app.speed = 50.0
        for _ in range(100):
            await pilot.pause(0.02)
            if not app.playing:
                break
        assert not app.playing
        assert app.view.at == LAST

    drive(steps)


def test_a_click_on_a_bar_selects_its_job():
    async def steps(app, pilot):
        _, label, columns, begin, end = app._cache["lanes"]
        x = label + (START + 46_000_000 - begin) * columns // (end - begin)
        await pilot.click("#lanes", offset=(x, 1))
        assert app.view.ring == GFX
        assert app.view.job is not None
        assert app.view.job[0] == 11
        assert f"11:{app.view.job[1]} on gfx" in shown(app, "status")

    drive(steps, size=(200, 40))


def test_a_click_on_a_tab_and_on_a_row():
    async def steps(app, pilot):
        await pilot.click("#tabs", offset=(40, 0))
        assert app.view.screen == "why"
        await pilot.click("#body", offset=(5, 2))
        assert app.view.rows["why"] == 1
        assert app.view.job is not None

    drive(steps)


def test_the_wheel_zooms_at_the_mouse_and_moves_rows():
    async def steps(app, pilot):
        span = app.view.span
        app.screen._forward_event  # noqa: B018 - the screen must be up
        await pilot.press("2")
        from textual import events

        def scroll(kind, panel, x, y):
            widget = app.query_one(panel)
            area = widget.region
            app.screen._forward_event(
                kind(widget, area.x + x, area.y + y, 0, 0, 0, False, False, False)
            )

        scroll(events.MouseScrollUp, "#lanes", 60, 1)
        await pilot.pause()
        assert app.view.span < span
        scroll(events.MouseScrollDown, "#body", 5, 2)
        await pilot.pause()
        assert app.view.rows["queues"] == 3

    drive(steps)


def test_settings_survive_a_restart(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))

    async def change(app, pilot):
        await pilot.press("t", "v", "5", "m", "s")

    feed = RecordingFeed(model(), "by hand")
    view = recording_view(feed.model)
    drive(change, feed=feed, view=view, remember=True)
    again = View()
    assert settings.load(again) == ""
    assert (again.theme, again.convention, again.screen, again.maximised) == (
        "light", "head", "latency", True
    )  # fmt: skip
    assert again.span == View().span  # that of a recording is no choice


def test_the_window_of_a_port_survives_a_restart(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))

    async def change(app, pilot):
        await pilot.press("s", "s")

    drive(change, feed=LiveFeed(), view=View(span=100 * MS), remember=True)
    again = View()
    settings.load(again)
    assert again.span == 400 * MS


def test_export_of_the_window(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    async def steps(app, pilot):
        await pilot.press("4", "e")
        assert "written" in shown(app, "status")

    drive(steps, size=(120, 40))
    (text,) = tmp_path.glob("*.txt")
    assert "Why waiting?" in text.read_text()
    made = json.loads(next(tmp_path.glob("*.json")).read_text())
    assert made["screen"] == "why"
    assert {row["job"] for row in made["rows"]} >= {"21:11", "21:12", "13:1"}
    assert next(tmp_path.glob("*.svg")).read_text().startswith("<svg")


def test_an_export_that_cannot_be_written_is_told(tmp_path, monkeypatch):
    tmp_path.chmod(0o700)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("builtins.open", _refuse)

    async def steps(app, pilot):
        await pilot.press("e")
        assert "not written" in shown(app, "status")

    drive(steps)


def _refuse(*_arguments, **_options):
    raise PermissionError(13, "Permission denied")


@pytest.mark.parametrize("size", [(20, 5), (1, 1), (80, 24), (120, 40), (200, 60), (300, 100)])
def test_resizing(size):
    async def steps(app, pilot):
        for screen in SCREENS:
            app.view.screen = screen
            await pilot.resize_terminal(*size)
            await pilot.pause()
            app.paint()
            assert app.size == size
            for name in ("title", "tabs"):
                for line in shown(app, name).splitlines():
                    assert len(line) == size[0]

    drive(steps, size=(80, 24))


def test_a_terminal_without_utf8_gets_ascii():
    async def steps(app, pilot):
        for screen in SCREENS:
            app.view.screen = screen
            app.paint()
            for name in ("title", "tabs", "lanes", "body", "status"):
                assert shown(app, name).isascii(), (screen, name)

    drive(steps, glyphs=ASCII)


def test_help_shows_every_key():
    async def steps(app, pilot):
        await pilot.press("question_mark")
        await pilot.pause()
        assert isinstance(app.screen, Lines)
        text = "\n".join(app.screen._lines)
        for key in KEYS:
            assert key.help[:60] in text
        await pilot.press("escape")
        await pilot.pause()
        assert not isinstance(app.screen, Lines)

    drive(steps)


def test_a_model_without_events(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    from kport.trace.model import Model

    async def steps(app, pilot):
        for key in [name for name, action in PRESSES if action not in ("quit", "command_palette")]:
            await pilot.press(key)
            while isinstance(app.screen, Lines | Choice):
                await pilot.press("escape")
                await pilot.pause()
            if app.query_one("#prompt").has_class("open"):
                await pilot.press("escape")
        assert app.is_running

    drive(steps, feed=RecordingFeed(Model(), "nothing"), view=View(at=-1))


def test_painting_a_frame_is_quick():
    async def steps(app, pilot):
        costs = []
        for _ in range(40):
            app.action_step(-1)
            costs.append(app.painting_ns)
        assert sorted(costs)[len(costs) // 2] < 50_000_000

    drive(steps, size=(200, 60))
