# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Showing a running port to viewers in other processes.

The port must not notice. A probe appends a tuple to a deque and that is all the port's threads do;
one thread of ours collects these into chunks, makes JSON of a chunk when the first viewer needs it,
a few events at a stretch so that it never holds the interpreter for long, and writes to sockets
that never block. There is one store of chunks for all viewers, of bounded length, and each
viewer has a place in it: whoever falls behind its beginning has lost events, which are counted, and
who attaches late gets the last minutes as a beginning. Without a viewer nothing is encoded and the
port is not looked at.

Commands may sleep in the kernel, so another thread carries them out, one after the other.
"""

from __future__ import annotations

import errno
import os
import queue
import selectors
import socket
import stat
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import fields, replace
from itertools import count
from time import monotonic, sleep, thread_time
from typing import Any, Self

from kport.linux.tracepoint import tracepoint, tracepoint_probe_unregister
from kport.trace.events import EVENTS
from kport.trace.history import CODES, NAMES
from kport.trace.recorder import Raw, note_into, probes_into
from kport.trace.registry import Observer, Pace
from kport.trace.snapshot import Counters, Port, plain
from kport.trace.wire import (
    HELLO,
    PERIOD,
    VERSION,
    Decoder,
    WireError,
    check_hello,
    compact,
    encode,
    framed,
)

STORE = 1 << 16  # events that are kept for viewers
CHUNK = 16  # events that are encoded at a stretch, some 20 us
CHUNKS = 64  # more chunks than that are not made at once: they are larger then
OUTBOX = 1 << 20  # bytes that wait for a viewer at most, plus one frame
VIEWERS = 4
PATH_MAX = 107  # bytes, of struct sockaddr_un
_TICK, _IDLE = 0.03, 0.2  # s between two looks, with viewers and without
_LINGER = 1.0  # s that viewers get at the end to read the rest
_numbers = count()


class ServeError(Exception):
    """The socket cannot be served; `what` and `remedy` as in an InputError."""

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(f"{what}; {remedy}")
        self.what = what
        self.remedy = remedy


class _Chunk:
    """Some events; `first` is the number of the first one."""

    __slots__ = ("first", "frame", "raw")

    def __init__(self, first: int, raw: list[Raw]) -> None:
        self.first = first
        self.raw = raw
        self.frame = ""

    def encoded(self) -> str:
        """The list of the events as JSON, made once for all viewers."""
        if not self.frame:
            events = [
                [ts, CODES[name], comm, pid, cpu, irqs, count, values]
                for ts, name, comm, pid, cpu, irqs, count, values in self.raw
            ]
            self.frame = compact(events)
        return self.frame


def _port_frame(port: Port, pace: Pace) -> bytes:
    """The frame of a Port, made in small steps."""
    parts = []
    for field in fields(port):
        value = getattr(port, field.name)
        if isinstance(value, tuple):
            items = []
            for item in value:
                items.append(compact(plain(item)))
                pace.step()
            text = f"[{','.join(items)}]"
        else:
            text = compact(plain(value))
        parts.append(f'"{field.name}":{text}')
    return framed(f'{{"t":"port","port":{{{",".join(parts)}}}}}')


class _Viewer:
    """One connection."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.decoder = Decoder()
        self.outbox = bytearray()
        self.until = monotonic() + HELLO
        self.greeted = False
        self.period = PERIOD
        self.chunk = 0  # number of the next chunk, and of the next event
        self.event = 0
        self.dropped = 0
        self.log = 0  # number of the next line of the log
        self.next_port = 0.0

    @property
    def full(self) -> bool:
        return len(self.outbox) >= OUTBOX


def listen(path: str) -> socket.socket:
    """A listening socket at `path`, for this user only. Raises ServeError.

    A socket that nobody serves any more is replaced; anything else that is there stays. The name
    appears when the socket listens, so that one that refuses is stale and not just being made.
    """
    remedy = "give --serve another path"
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    made = ""
    try:
        if not path:
            raise ServeError("the socket cannot be made (it has no name)", remedy)
        if len(os.fsencode(path)) > PATH_MAX:
            raise ServeError(f"a socket's path has at most {PATH_MAX} bytes", remedy)
        made = os.path.join(os.path.dirname(path), f".k{os.getpid()}-{next(_numbers)}")
        sock.bind(made)
        os.chmod(made, 0o600)  # before anybody can connect
        sock.listen(VIEWERS)
        sock.setblocking(False)
        _put(made, path, remedy)
    except (OSError, ValueError) as error:
        sock.close()
        reason = error.strerror or str(error) if isinstance(error, OSError) else str(error)
        raise ServeError(f"the socket cannot be made ({reason})", remedy) from None
    except ServeError:
        sock.close()
        raise
    finally:
        with suppress(OSError, ValueError):
            os.unlink(made)
    return sock


def _put(made: str, path: str, remedy: str) -> None:
    """Give the socket its name, unless somebody else has it."""
    try:
        os.link(made, path)
        return
    except FileExistsError:
        pass
    if not stat.S_ISSOCK(os.lstat(path).st_mode):
        raise ServeError("there is something else of that name", remedy)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        try:
            probe.connect(path)
        except OSError as error:
            if error.errno != errno.ECONNREFUSED:
                raise ServeError(f"is in use ({error.strerror or error})", remedy) from None
            os.rename(made, path)
            return
    raise ServeError("another port is served there", remedy)


class Server:
    """Serves one port at `path`, while the block runs.

    `open()` makes the socket and raises ServeError; entering does it if that was not done.
    """

    def __init__(self, path: str, observer: Observer, program: str = "kport") -> None:
        self.path = path
        self.counters = Counters()
        self._observer = observer
        self._program = program
        self._raw: deque[Raw] = deque()
        self._chunks: deque[_Chunk] = deque()
        self._first_chunk = 0  # number of the first chunk that is kept
        self._stored = 0
        self._events = 0
        self._viewers: list[_Viewer] = []
        self._stop = threading.Event()
        self._greeted = threading.Event()
        self._done: queue.SimpleQueue[tuple[_Viewer, bytes]] = queue.SimpleQueue()
        self._orders: queue.SimpleQueue[tuple[_Viewer, dict[str, Any]] | None] = queue.SimpleQueue()
        self._probes: list[tuple[tracepoint, Callable[..., None]]] = []
        self._snapshots = self._snapshot_ns = 0
        self._began = self._cpu = 0.0
        self._why = "the port has ended"
        self._pace = Pace()
        self._opened = False

    def open(self) -> None:
        """Make the socket. Raises ServeError."""
        self._sock = listen(self.path)
        self._inode = os.stat(self.path).st_ino
        self._opened = True

    def __enter__(self) -> Self:
        if not self._opened:
            self.open()
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._sock, selectors.EVENT_READ)
        self._observer.start(note_into(self._raw))
        self._probes = probes_into(self._raw, EVENTS)
        self._threads = [
            threading.Thread(target=self._serve, name="monitor", daemon=True),
            threading.Thread(target=self._obey, name="monitor-commands", daemon=True),
        ]
        for thread in self._threads:
            thread.start()
        return self

    def await_viewer(self, seconds: float) -> bool:
        """Wait until a viewer has come, so that he sees everything; False if none came."""
        return self._greeted.wait(seconds)

    def __exit__(self, *_: object) -> None:
        for tp, probe in self._probes:
            tracepoint_probe_unregister(tp, probe)
        self._observer.stop()
        self._stop.set()
        self._orders.put(None)
        self._threads[0].join()
        self._threads[1].join(_LINGER)

    # -- the thread ------------------------------------------------------------------------------

    def _serve(self) -> None:
        self._began = monotonic()
        while not self._stop.is_set():
            # Events come at any time: a look now and then is cheaper than being woken.
            self._stop.wait(_TICK if self._viewers else _IDLE)
            self._round(self._selector.select(0))
            self._cpu = thread_time()
        self._end()

    def _round(self, ready: list[tuple[selectors.SelectorKey, int]]) -> None:
        for key, _ in ready:
            if key.data is None:
                self._accept()
            else:
                self._receive(key.data)
        self._collect()
        while not self._done.empty():
            viewer, frame = self._done.get()
            viewer.outbox += frame
        now = monotonic()
        due = [v for v in self._viewers if v.greeted and v.period and v.next_port <= now]
        if due:
            self._look(due, now)
        for viewer in list(self._viewers):
            if not viewer.greeted and now > viewer.until:
                self._drop(viewer, "no hello came")
                continue
            self._fill(viewer)
            self._send(viewer)

    def _collect(self) -> None:
        """Put what the probes noted into chunks, and forget the oldest."""
        raw = self._raw
        size = max(CHUNK, len(raw) // CHUNKS)
        while raw:
            some = [raw.popleft() for _ in range(min(size, len(raw)))]
            self._chunks.append(_Chunk(self._events, some))
            self._events += len(some)
            self._stored += len(some)
            self._pace.step()
        while self._stored > STORE:
            self._stored -= len(self._chunks.popleft().raw)
            self._first_chunk += 1

    def _look(self, due: list[_Viewer], now: float) -> None:
        began = monotonic()
        for viewer in due:
            viewer.next_port = now + viewer.period
            if viewer.full:
                continue
            port, viewer.log = self._observer.observe(viewer.log, self._pace)
            if port is None:
                viewer.next_port = now  # none is booted yet
                continue
            self._snapshots += 1
            self._snapshot_ns = int((monotonic() - began) * 1e9)
            self.counters = Counters(
                events=self._events,
                dropped=viewer.dropped,
                snapshots=self._snapshots,
                snapshot_ns=self._snapshot_ns,
                period_ns=int(viewer.period * 1e9),
                observer_pct=round(100 * self._cpu / max(0.001, now - self._began), 2),
                viewers=len(self._viewers),
            )
            viewer.outbox += _port_frame(replace(port, counters=self.counters), self._pace)

    def _fill(self, viewer: _Viewer) -> None:
        """Put the events that the viewer has not got into its outbox, as long as there is room."""
        if not viewer.greeted:
            return
        if viewer.chunk < self._first_chunk:
            first = self._chunks[0].first if self._chunks else self._events
            viewer.dropped += first - viewer.event
            viewer.event = first
            viewer.chunk = self._first_chunk
        clock = self._observer.clock()
        end = self._first_chunk + len(self._chunks)
        while viewer.chunk < end and not viewer.full:
            chunk = self._chunks[viewer.chunk - self._first_chunk]
            head = f'"t":"events","first":{chunk.first},"clock":{clock},"dropped":{viewer.dropped}'
            viewer.outbox += framed(f'{{{head},"events":{chunk.encoded()}}}')
            viewer.chunk += 1
            viewer.event = chunk.first + len(chunk.raw)
            self._pace.step()

    # -- connections -----------------------------------------------------------------------------

    def _accept(self) -> None:
        try:
            sock, _ = self._sock.accept()
        except OSError:
            return  # gone already, or no more files
        sock.setblocking(False)
        viewer = _Viewer(sock)
        viewer.chunk = self._first_chunk
        viewer.event = self._chunks[0].first if self._chunks else self._events
        hello = {
            "t": "hello", "kport": VERSION, "program": self._program, "pid": os.getpid(),
            "names": NAMES,
        }  # fmt: skip
        viewer.outbox += encode(hello)
        self._viewers.append(viewer)
        self._selector.register(sock, selectors.EVENT_READ, viewer)
        if len(self._viewers) > VIEWERS:
            self._drop(viewer, f"there are {VIEWERS} viewers already")

    def _receive(self, viewer: _Viewer) -> None:
        try:
            data = viewer.sock.recv(1 << 16)
            if not data:
                self._drop(viewer)
                return
            viewer.decoder.add(data)
            while (message := viewer.decoder.next()) is not None:
                self._message(viewer, message)
        except BlockingIOError:
            return
        except WireError as error:
            self._drop(viewer, str(error))
        except OSError:
            self._drop(viewer)

    def _message(self, viewer: _Viewer, message: dict[str, Any]) -> None:
        if not viewer.greeted:
            check_hello(message, "the viewer")
            period = message.get("period", PERIOD)
            if isinstance(period, int | float) and 0 <= period < 1e6:
                viewer.period = max(0.02, float(period)) if period else 0.0
            viewer.greeted = True
            self._greeted.set()
        elif message["t"] == "command":
            self._orders.put((viewer, message))

    def _send(self, viewer: _Viewer) -> None:
        while viewer.outbox:
            try:
                sent = viewer.sock.send(memoryview(viewer.outbox)[: 1 << 16])
            except BlockingIOError:
                return
            except OSError:
                self._drop(viewer)
                return
            del viewer.outbox[:sent]

    def _drop(self, viewer: _Viewer, why: str = "") -> None:
        if viewer not in self._viewers:
            return
        self._viewers.remove(viewer)
        self._selector.unregister(viewer.sock)
        if why:
            viewer.outbox += encode({"t": "bye", "why": why})
            self._send(viewer)
        viewer.sock.close()
        if not self._viewers:
            self._orders.put((viewer, {"t": "release"}))

    # -- commands --------------------------------------------------------------------------------

    def _obey(self) -> None:
        while (order := self._orders.get()) is not None:
            viewer, message = order
            name, args = message.get("name"), message.get("args", {})
            ok = False
            if message["t"] == "release":
                self._observer.release()
                continue
            if not isinstance(name, str) or not isinstance(args, dict):
                text = "a command has a name and an object of arguments"
            else:
                try:
                    text, ok = self._observer.command(name, args), True
                except ValueError as error:
                    text = str(error)
            reply = {"t": "reply", "id": message.get("id"), "ok": ok, "text": text}
            self._done.put((viewer, encode(reply)))

    # -- the end ---------------------------------------------------------------------------------

    def _end(self) -> None:
        """Give the viewers what is left, as long as they take it, and go."""
        bye = encode({"t": "bye", "why": self._why})
        limit = monotonic() + _LINGER
        while True:
            self._round(self._selector.select(0))  # somebody may be about to come
            behind = self._first_chunk + len(self._chunks)
            if all(v.greeted and not v.outbox and v.chunk == behind for v in self._viewers):
                break
            if monotonic() > limit:
                break
            sleep(0.005)
        for viewer in list(self._viewers):
            viewer.outbox += bye
            self._send(viewer)
            self._drop(viewer)
        self._selector.close()
        self._sock.close()
        self._unlink()

    def _unlink(self) -> None:
        """Remove the socket, if it is still ours."""
        try:
            if os.stat(self.path).st_ino == self._inode:
                os.unlink(self.path)
        except OSError:
            return
