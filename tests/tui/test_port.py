# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The monitor on real ports: one that runs, that ends, that is killed, that talks nonsense."""

from __future__ import annotations

import os
import pty
import signal
import socket
import subprocess
import sys
import threading
from contextlib import closing
from time import monotonic, sleep

import pytest

from kport.trace.client import attach, spawn
from kport.trace.wire import VERSION, encode
from tests.tui.app import drive, shown
from tui.port import PortFeed
from tui.view import View


async def until(pilot, holds, seconds=20.0):
    """Wait for something to be so."""
    end = monotonic() + seconds
    while not holds():
        assert monotonic() < end, "it did not come"
        await pilot.pause(0.05)


def test_a_port_is_followed_told_and_lost():
    with spawn(["--seconds", "60"]) as port:
        feed = PortFeed(port, "built-in")

        async def steps(app, pilot):
            await until(pilot, lambda: len(feed.model.log) > 500 and feed.commands())
            assert "LIVE" in shown(app, "title")
            assert "rcs" in shown(app, "lanes")
            await pilot.press("8")
            await until(pilot, lambda: "kworker/" in shown(app, "body"))
            await pilot.press("x")
            await pilot.pause(0.1)
            await pilot.press("enter")  # hang the first ring for ever
            await until(pilot, lambda: "strike next" in shown(app, "status"))
            os.kill(port.process.pid, signal.SIGKILL)
            await until(pilot, lambda: "LOST" in shown(app, "title"))
            at = feed.model.log.end - 1
            await pilot.press("6", "comma", "comma")  # what came is still there
            assert app.view.at == at - 2
            await pilot.press("x")
            assert "takes no commands" in shown(app, "status")

        drive(steps, feed=feed, view=View(span=500_000_000), size=(160, 40))


def test_a_port_that_ends_leaves_its_trace():
    with spawn(["-w", "1.RCS.500-1000.0.0,1.RCS.2000.-1.1", "-r", "300"]) as port:
        feed = PortFeed(port, "a workload")

        async def steps(app, pilot):
            await until(pilot, lambda: feed.ended)
            await pilot.pause(0.2)
            assert "ENDED" in shown(app, "title")
            await pilot.press("z")
            assert "600 done" in shown(app, "title")

        drive(steps, feed=feed, size=(160, 40))


def serving(path, answer):
    """A socket that greets like a port and then says `answer`."""
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    server.bind(path)
    server.listen(1)

    def talk():
        peer, _ = server.accept()
        with closing(server), closing(peer):
            peer.sendall(encode({"t": "hello", "kport": VERSION, "program": "x", "pid": 1}))
            peer.recv(4096)
            peer.sendall(answer)
            sleep(0.3)

    threading.Thread(target=talk, daemon=True, name="garbage").start()


@pytest.mark.parametrize(
    "answer",
    [
        b"\xff" * 64, b"\0\0\0\x02{}", encode({"t": "port", "port": {"ts": "now"}}),
        encode({"t": "events", "first": 0, "clock": 1, "dropped": 0, "events": [[1, 99]]}), b"",
    ],
)  # fmt: skip
def test_a_port_that_talks_nonsense(tmp_path, answer):
    path = str(tmp_path / "socket")
    serving(path, answer)
    with attach(path) as port:
        feed = PortFeed(port, path)

        async def steps(app, pilot):
            await until(pilot, lambda: "LOST" in shown(app, "title"))
            await pilot.press("N")
            await pilot.pause(0.1)
            assert "the port" in "\n".join(app.screen._lines)

        drive(steps, feed=feed)


def run_on_a_terminal(arguments, keys, environment=None):
    """Run kport on a pseudo terminal; `keys` are (seconds, key). Returns code and output."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "kport", *arguments],
        stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
        env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "100", "LINES": "30",
             **(environment or {})},
    )  # fmt: skip
    os.close(slave)
    out = bytearray()
    os.set_blocking(master, False)
    start, keys = monotonic(), list(keys)
    while True:
        try:
            data = os.read(master, 65536)
            if not data:
                break
            out += data
        except BlockingIOError:
            sleep(0.02)
        except OSError:
            break
        if keys and monotonic() > start + keys[0][0]:
            os.write(master, keys.pop(0)[1].encode())
        if monotonic() > start + 40:
            process.kill()
            pytest.fail(f"it did not end: {bytes(out[-2000:])!r}")
    os.close(master)
    return process.wait(10), out.decode("utf-8", "replace")


@pytest.fixture
def config(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    return tmp_path


def test_on_a_terminal_the_tables_are_printed_when_it_is_left(config):
    code, out = run_on_a_terminal(["monitor"], [(3.0, "2"), (3.5, "q")])
    assert code == 0
    assert "Run queues" in out
    tables = out[out.rindex("\x1b[?1049l") :]
    assert "ENTITIES" in tables
    assert "0 leaks" in tables
    assert (config / "kport" / "monitor.json").exists()


@pytest.mark.long
def test_on_a_terminal_without_utf8(config):
    code, out = run_on_a_terminal(
        ["monitor", "tests/data/linux-7.2-kunit-basic-fifo.trace.xz"],
        [(2.0, "5"), (2.5, "g"), (3.0, "\x1b"), (3.5, "q")],
        {"PYTHONIOENCODING": "ascii", "LC_ALL": "C", "PYTHONUTF8": "0"},
    )
    assert code == 0, out
    assert "Traceback" not in out
    assert "REPLAY" in out
