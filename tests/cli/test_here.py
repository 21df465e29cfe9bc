# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""A port in the monitor's own process, beside the screen and event by event in virtual time."""

from __future__ import annotations

import pytest

from kport.arch.virt import Virt
from kport.cli.here import hosted
from kport.cli.options import UsageError
from kport.workload.errors import InputError
from tests.tui.app import drive, shown
from tests.tui.test_port import run_on_a_terminal, until
from tui.gate import Gate
from tui.here import HereFeed
from tui.screens.rings import label_width
from tui.view import View


def test_a_port_beside_the_screen(capsys):
    with hosted(["--seconds", "1"]) as host:
        with host.attach() as port:
            feed = HereFeed(port, "here")

            async def steps(app, pilot):
                await until(pilot, lambda: "HERE screen" in shown(app, "title"))
                await until(pilot, lambda: feed.ended)
                assert len(feed.model.log) > 500

            drive(steps, feed=feed, size=(160, 40))
        host.end()
        assert host.show() == 0
    assert "0 leaks" in capsys.readouterr().out


def bars(app):
    """The lanes without what the port last said of their rings."""
    return [line[label_width(120) :] for line in shown(app, "lanes").splitlines()]


def stepped(seed, presses):
    """What the screen says after each step of a machine with this seed."""
    gate, pictures = Gate(), []
    with hosted(["--seconds", "0.05"], Virt(seed=seed), gate) as host, host.attach() as port:
        feed = HereFeed(port, "virt", gate)

        async def steps(app, pilot):
            await until(pilot, lambda: len(feed.model.log) == 1)
            for count in presses:
                there = len(feed.model.log) + count
                app.action_step(count)
                await until(pilot, lambda there=there: len(feed.model.log) == there)
                app.paint()
                pictures.append(feed.model.log.line(feed.model.log.end - 1))
                assert "HELD" in shown(app, "title")
            assert feed.commands() == ()
            newest = bars(app)
            await pilot.press("comma", "comma", "full_stop", "full_stop")  # in what was
            assert len(feed.model.log) == 1 + sum(presses)
            app.view.follow()
            app.paint()
            assert bars(app) == newest
            await pilot.press("space")  # let it run to its end
            await until(pilot, lambda: feed.ended)

        drive(steps, feed=feed, view=View(span=50_000_000), size=(120, 40))
        host.end()
        assert host.show() == 0
    return pictures


def test_a_machine_goes_on_event_by_event_and_the_same_way_again(capsys):
    presses = [1, 1, 1, 20, 1, 100, 1]
    first = stepped(3, presses)
    assert len(set(first)) == len(presses)
    assert stepped(3, presses) == first


def test_on_a_terminal(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    code, out = run_on_a_terminal(
        ["monitor", "--virt", "5", "--", "--seconds", "0.2"], [(3.0, "."), (3.5, ">"), (4.5, "q")]
    )
    assert code == 0, out
    assert "HELD" in out
    assert "0 leaks" in out[out.rindex("\x1b[?1049l") :]


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        (["--here", "--json"], UsageError, "--here is for the screen"),
        (["--virt", "1", "--attach", "x"], UsageError, "--virt plays something itself"),
        (["--virt", "soon"], UsageError, "'soon' is not a whole number"),
    ],
)
def test_what_cannot_be_meant(arguments, error, says):
    from kport.cli.monitor import main

    with pytest.raises(error, match=says):
        main(arguments)


def test_a_workload_that_is_not_there():
    with pytest.raises(InputError, match="nowhere"), hosted(["-w", "nowhere.wsim"]):
        pytest.fail("there is no such workload")
