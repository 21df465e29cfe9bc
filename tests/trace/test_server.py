# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""A port and its viewers over a socket: every way in which one of them is not as it should be."""

from __future__ import annotations

import importlib
import json
import os
import random
import socket
import stat
import threading
import time
from contextlib import suppress

import pytest

from kport.linux.tracepoint import tracepoints
from kport.trace import client as client_module
from kport.trace import server as server_module
from kport.trace.client import AttachError, attach
from kport.trace.history import NAMES
from kport.trace.model import Model
from kport.trace.server import ServeError, Server
from kport.trace.snapshot import Port
from kport.trace.wire import VERSION, Decoder, encode


class FakePort:
    """An Observer without a kernel."""

    def __init__(self):
        self.now = 1_000_000_000
        self.started = self.stopped = self.released = 0
        self.orders = []
        self.lines = ["[    0.0] one"]

    def start(self, note):
        self.started += 1

    def stop(self):
        self.stopped += 1

    def release(self):
        self.released += 1

    def clock(self):
        return self.now

    def observe(self, since, pace):
        return Port(ts=self.now, dmesg=tuple(self.lines[since:])), len(self.lines)

    def command(self, name, args):
        self.orders.append((name, args))
        if name == "bad":
            raise ValueError("no such thing")
        return f"done {name}"


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(server_module, "_IDLE", 0.01)
    monkeypatch.setattr(server_module, "_TICK", 0.005)


@pytest.fixture
def port():
    return FakePort()


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "port")


@pytest.fixture
def server(port, path):
    with Server(path, port, "kport 1") as running:
        yield running
    assert port.stopped == 1
    assert not os.path.exists(path)


def put(server, first, count):
    """Let the probes have seen so many events."""
    for i in range(first, first + count):
        server._raw.append((i * 1000, "drm_sched_job_done", "a", 1, 0, 0, 0, (3, i)))


def until(condition, seconds=10.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.002)


def follow(viewer, model, condition, seconds=10.0):
    """Poll until the condition holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert viewer.poll(model), viewer.why
        assert time.monotonic() < end
        time.sleep(0.002)


def raw_viewer(path, greet=True):
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.settimeout(10)
    sock.connect(path)
    if greet:
        sock.sendall(encode({"t": "hello", "kport": VERSION, "period": 0}))
    return sock


def read_to_the_end(sock):
    decoder = Decoder()
    with suppress(ConnectionResetError):  # what we said was not read
        while data := sock.recv(1 << 16):
            decoder.add(data)
    out = []
    while (message := decoder.next()) is not None:
        out.append(message)
    return out


def test_only_its_user_may_attach(server, path):
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert stat.S_ISSOCK(os.stat(path).st_mode)


def test_events_and_ports_arrive(server, path):
    put(server, 0, 500)
    with attach(path, period=0.02) as viewer:
        assert (viewer.program, viewer.pid) == ("kport 1", os.getpid())
        model = Model()
        follow(viewer, model, lambda: viewer.events == 500 and model.port() is not None)
        put(server, 500, 500)
        follow(viewer, model, lambda: viewer.events == 1000)
        follow(viewer, model, lambda: viewer.counters.events == 1000)
        assert viewer.counters.viewers == 1
        assert viewer.counters.snapshot_ns > 0
        model.settle()
        assert [model.log[n].values[1] for n in range(1000)] == list(range(1000))
        assert viewer.dropped == 0


def test_the_log_is_sent_once(server, path, port):
    lines = []

    class Listening(Model):
        def add_port(self, told):
            lines.extend(told.dmesg)
            super().add_port(told)

    model = Listening()
    with attach(path, period=0.02) as viewer:
        for count in range(1, 6):
            port.lines.append(f"line {count}")
            port.now += 1
            follow(viewer, model, lambda: model.clock == port.now)
        follow(viewer, model, lambda: len(lines) >= 6)
    assert lines == ["[    0.0] one", *(f"line {count}" for count in range(1, 6))]


def test_a_viewer_may_do_without_ports(server, path):
    with attach(path, period=0) as viewer:
        model = Model()
        put(server, 0, 10)
        follow(viewer, model, lambda: viewer.events == 10)
        assert model.port() is None


def test_commands_and_their_answers(server, path, port):
    with attach(path) as viewer:
        model = Model()
        first = viewer.command("hang", ring="gfx", us=5)
        second = viewer.command("bad")
        follow(viewer, model, lambda: len(viewer.replies) == 2)
        answers = [(first, True, "done hang"), (second, False, "no such thing")]
        assert list(viewer.replies) == answers
    assert port.orders == [("hang", {"ring": "gfx", "us": 5}), ("bad", {})]
    until(lambda: port.released)


def test_two_viewers_see_the_same(server, path, port):
    with attach(path) as one, attach(path) as two:
        models = Model(), Model()
        put(server, 0, 200)
        follow(one, models[0], lambda: one.events == 200)
        follow(two, models[1], lambda: two.events == 200)
        one.close()
        put(server, 200, 10)
        follow(two, models[1], lambda: two.events == 210)
        assert not port.released
    until(lambda: port.released == 1)


def test_one_viewer_too_many_is_told(server, path):
    viewers = [attach(path) for _ in range(server_module.VIEWERS)]
    until(lambda: len(server._viewers) == server_module.VIEWERS)
    refused = raw_viewer(path)
    assert read_to_the_end(refused)[-1] == {"t": "bye", "why": "there are 4 viewers already"}
    refused.close()
    for viewer in viewers:
        viewer.close()


def test_who_attaches_late_gets_the_latest_and_has_lost_nothing(server, path, monkeypatch):
    monkeypatch.setattr(server_module, "STORE", 256)
    put(server, 0, 1000)
    until(lambda: server._events == 1000)
    with attach(path) as viewer:
        model = Model()
        follow(viewer, model, lambda: viewer.events == server._stored)
        model.settle()
        assert 192 <= viewer.events <= 256
        assert model.log[model.log.end - 1].values == (3, 999)
        assert viewer.dropped == 0


def test_a_slow_viewer_loses_events_and_they_are_counted(server, path, monkeypatch):
    monkeypatch.setattr(server_module, "STORE", 1024)
    monkeypatch.setattr(server_module, "OUTBOX", 4096)
    with attach(path, period=0) as viewer:
        model = Model()
        put(server, 0, 1)
        follow(viewer, model, lambda: viewer.events == 1)
        for i in range(60):  # far more than the socket takes; nobody reads
            put(server, 1 + 1000 * i, 1000)
            until(lambda i=i: server._events == 1001 + 1000 * i)
        follow(viewer, model, lambda: viewer.events + viewer.dropped == 60_001)
        assert viewer.dropped > 10_000
        model.settle()
        assert model.log[model.log.end - 1].values == (3, 60_000)


def test_a_viewer_that_vanishes_is_forgotten(server, path, port):
    sock = raw_viewer(path)
    until(lambda: server._viewers)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    sock.close()
    until(lambda: not server._viewers)
    put(server, 0, 10)
    with attach(path) as viewer:
        follow(viewer, Model(), lambda: viewer.events == 10)


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n\r\n", b"\0\0\0\2[]", b"\0\0\0\2{}", encode({"t": "command"}),
        encode({"t": "hello", "kport": 99}), random.Random(1).randbytes(3000),
    ],
)  # fmt: skip
def test_garbage_from_a_viewer_ends_that_viewer(server, path, data):
    sock = raw_viewer(path, greet=False)
    sock.sendall(data)
    messages = read_to_the_end(sock)
    sock.close()
    assert [message["t"] for message in messages] == ["hello", "bye"]
    with attach(path) as viewer:
        put(server, 0, 3)
        follow(viewer, Model(), lambda: viewer.events == 3)


def test_odd_commands_are_answered(server, path, port):
    sock = raw_viewer(path)
    for name, args in ((5, {}), ("x", []), (None, None)):
        sock.sendall(encode({"t": "command", "id": "q", "name": name, "args": args}))
    decoder, replies = Decoder(), []
    while len(replies) < 3:
        decoder.add(sock.recv(4096))
        while (message := decoder.next()) is not None:
            replies += [message] if message["t"] == "reply" else []
    sock.close()
    assert {(reply["ok"], reply["id"]) for reply in replies} == {(False, "q")}
    assert port.orders == []


def test_who_says_nothing_is_dropped(server, path, monkeypatch):
    monkeypatch.setattr(server_module, "HELLO", 0.1)
    sock = raw_viewer(path, greet=False)
    assert read_to_the_end(sock)[-1] == {"t": "bye", "why": "no hello came"}
    sock.close()


def test_the_last_events_and_a_word_at_the_end(port, path):
    with Server(path, port) as server:
        viewer = attach(path)
        model = Model()
        put(server, 0, 5)
        follow(viewer, model, lambda: viewer.events == 5)
        put(server, 5, 3000)
    while viewer.poll(model):
        pass
    assert (viewer.events, viewer.why) == (3005, "the port has ended")
    assert len(model.log) == 3005
    viewer.close()


def test_an_end_does_not_wait_for_who_does_not_read(port, path, monkeypatch):
    monkeypatch.setattr(server_module, "_LINGER", 0.3)
    with Server(path, port) as server:
        sock = raw_viewer(path)
        until(lambda: server._viewers and server._viewers[0].greeted)
        put(server, 0, 60_000)
        began = time.monotonic()
    assert time.monotonic() - began < 8
    sock.close()


def test_nothing_is_encoded_without_a_viewer(server):
    put(server, 0, 300)
    until(lambda: server._events == 300)
    assert not any(chunk.frame for chunk in server._chunks)
    assert server.counters.snapshots == 0


def test_the_probes_are_gone_afterwards(port, path):
    importlib.import_module("kport.drm.scheduler.v7_2.sched_main")
    before = {name: list(tp.funcs) for name, tp in tracepoints.items()}
    with Server(path, port):
        assert any(tp.funcs != before[name] for name, tp in tracepoints.items())
    assert {name: list(tp.funcs) for name, tp in tracepoints.items()} == before


# -- the socket ------------------------------------------------------------------------------------


def test_a_socket_that_nobody_serves_is_replaced(port, path):
    stale = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    stale.bind(path)
    stale.close()
    with pytest.raises(AttachError, match="nobody serves this socket any more"):
        attach(path)
    with Server(path, port), attach(path) as viewer:
        assert viewer.poll(Model())


def test_a_socket_that_is_served_is_left_alone(server, path, port):
    with pytest.raises(ServeError, match="another port is served there; give --serve another path"):
        Server(path, FakePort()).open()
    with attach(path) as viewer:
        assert viewer.poll(Model())


def test_something_else_of_that_name_is_left_alone(port, path):
    with open(path, "w") as file:
        file.write("precious")
    with pytest.raises(ServeError, match="something else of that name"):
        Server(path, port).open()
    with open(path) as file:
        assert file.read() == "precious"
    with pytest.raises(AttachError):
        attach(path)


@pytest.mark.parametrize("name", ["no/such/folder", "x" * 300, "", "a\0b"])
def test_a_name_that_cannot_be_is_one_line(port, tmp_path, name):
    path = str(tmp_path / name) if name else ""
    with pytest.raises(ServeError) as served:
        Server(path, port).open()
    assert "\n" not in str(served.value)
    with pytest.raises(AttachError) as attached:
        attach(path)
    assert "\n" not in str(attached.value)


def test_of_many_that_want_a_name_one_gets_it(path):
    got = []

    def serve():
        with suppress(ServeError):
            got.append(server_module.listen(path))

    threads = [threading.Thread(target=serve) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(got) == 1
    assert os.listdir(os.path.dirname(path)) == ["port"]
    got[0].close()


def test_a_socket_that_was_replaced_is_not_removed(port, path, tmp_path):
    with Server(path, port):
        os.rename(path, tmp_path / "away")
        with open(path, "w"):
            pass
    assert os.path.exists(path)


# -- what a viewer gets from elsewhere -------------------------------------------------------------


@pytest.fixture
def peer(path):
    """A listening socket that is no port; gives (say, path): what it says to who connects."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(path)
    listener.listen(1)
    listener.settimeout(10)
    yield listener
    listener.close()


HELLO = encode({"t": "hello", "kport": VERSION, "names": NAMES})


def attached_to(peer, path, data):
    """A viewer whose port says `data` behind its hello, and hangs up."""
    other = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    other.connect(path)
    served, _ = peer.accept()
    served.sendall(HELLO + data)
    viewer = client_module.Attachment(other)
    served.close()
    return viewer


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"SSH-2.0-x\r\n", "this is no kport socket"),
        (b"\0\0\0\2[]", "this is no kport socket"),
        (encode({"t": "hello", "kport": 7}), "the port speaks version 7"),
        (encode({"t": "events"}), "the port does not say hello"),
        (encode({"t": "bye", "why": "full"}), "the port says: full"),
        (b"\0\0", "it hangs up without a word"),
    ],
)
def test_a_socket_of_something_else_is_one_line(peer, path, data, what):
    other = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    other.connect(path)
    served, _ = peer.accept()
    served.sendall(data)
    served.shutdown(socket.SHUT_WR)
    with pytest.raises(AttachError, match=what):
        client_module.Attachment(other)
    served.close()


def test_a_port_that_says_nothing_is_given_up(peer, path):
    other = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    other.connect(path)
    with pytest.raises(AttachError, match="timed out"):
        client_module.Attachment(other, timeout=0.1)


ROW = [5, 2, "a", 1, 0, 0, 0, [3, 1]]


@pytest.mark.parametrize(
    "message",
    [
        {"t": "events"},
        {"t": "events", "events": 5, "dropped": 0, "clock": 0},
        *(
            {"t": "events", "events": [row], "dropped": 0, "clock": 0}
            for row in (
                [], 5, None, [*ROW[:7], [3]], [*ROW[:7], ["3", 1]], [*ROW[:7], None],
                ["5", *ROW[1:]], [5, 99, *ROW[2:]], [5, -99, *ROW[2:]], [5, "x", *ROW[2:]],
                [*ROW[:3], None, *ROW[4:]], [5.5, *ROW[1:]],
            )
        ),
        {"t": "events", "events": [ROW], "dropped": "x", "clock": 0},
        {"t": "events", "events": [ROW], "dropped": 0, "clock": None},
        {"t": "port", "port": {"ts": "x"}},
        {"t": "port"},
        {"t": "reply", "id": None, "ok": 1, "text": ""},
        {"t": "bye"},
    ],
)  # fmt: skip
def test_nonsense_from_a_port_ends_the_viewing(peer, path, message):
    with attached_to(peer, path, encode(message)) as viewer:
        assert not viewer.poll(Model())
        assert viewer.why.startswith("the port talks nonsense")


def test_random_bytes_from_a_port_end_the_viewing(peer, path):
    with attached_to(peer, path, random.Random(2).randbytes(100_000)) as viewer:
        while viewer.poll(Model()):
            pass
        assert viewer.why.startswith("the port talks nonsense")


def test_unknown_messages_and_keys_are_passed_over(peer, path):
    later = encode({"t": "later", "x": 1})
    event = encode({"t": "events", "events": [ROW], "dropped": 0, "clock": 5, "new": 1})
    model = Model()
    with attached_to(peer, path, later + event) as viewer:
        while viewer.poll(model):
            pass
        assert (viewer.events, viewer.why) == (1, "the port has gone")
    assert model.log[0].values == (3, 1)


def test_a_port_that_dies_in_the_middle_of_a_frame(peer, path):
    with attached_to(peer, path, b"\0\0\1\0" + json.dumps({"t": "x"}).encode()) as viewer:
        assert not viewer.poll(Model())
        assert viewer.why == "the port has gone"


def test_taking_in_much_is_spread_over_calls(server, path):
    put(server, 0, 30_000)
    with attach(path, period=0) as viewer:
        model = Model()
        longest = 0.0
        end = time.monotonic() + 20
        while viewer.events < 30_000:
            began = time.monotonic()
            assert viewer.poll(model, 0.004)
            longest = max(longest, time.monotonic() - began)
            assert time.monotonic() < end
        assert longest < 0.5
        assert viewer.lag >= 0
