# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The viewer's end: following a port that is served on a socket, or starting one.

    with attach("/tmp/port") as port:                or: spawn(["-w", "game.wsim"])
        model = Model(keep=KEEP)
        while port.poll(model):                      never blocks; call it at each tick
            show(model.snapshot())
        print(port.why)                              why it is over

`poll()` takes in what has come, for `budget` seconds at most, and says False when nothing more will
come; `fileno()` is for who would rather be told. The model holds what was seen, and stays of use
when the port has gone. A port that is not there, or something else at the socket, is an AttachError
of one line; what goes wrong later ends the polling and is in `why`.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import socket
import stat
import struct
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from time import monotonic, sleep
from types import TracebackType
from typing import Any, NamedTuple, Self

from kport.trace.events import WRITTEN, Event
from kport.trace.history import NAMES
from kport.trace.model import Model
from kport.trace.recorder import event_of
from kport.trace.snapshot import Counters, port_from
from kport.trace.wire import PERIOD, VERSION, Decoder, WireError, check_hello, encode

KEEP = 600_000  # events a viewer keeps, some 300 MB
BUDGET = 0.004  # s
_READ = 1 << 18
_RUN = (sys.executable, "-m", "kport", "run")
_ENOUGH = 8 << 20  # bytes that wait to be decoded before more is read
_NICE = 10
_SLICE = 6_000_000  # ns; those of others are 3 ms at most unless they ask for more
_SCHED_SETATTR = {"x86_64": 314, "aarch64": 274, "riscv64": 274}  # number of the system call
_TYPES = {name: kind.spelling.types for name, kind in WRITTEN.items()}


class AttachError(Exception):
    """There is no port to be seen; `what` and `remedy`, and `str()` is one line of both."""

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(f"{what}; {remedy}")
        self.what = what
        self.remedy = remedy


class Reply(NamedTuple):
    """The answer to a command: one line."""

    id: int
    ok: bool
    text: str


class Attachment:
    """A connection to a port.

    `events` counts those received, `dropped` those that the port could not get rid of in time,
    `counters` are from its last Port. `replies` are answers to commands, in order. `why` says why
    the connection is over, "" while it is not. `program` and `pid` are the port's.
    """

    def __init__(
        self, sock: socket.socket, *, period: float = PERIOD, timeout: float = 5.0
    ) -> None:
        self.events = 0
        self.dropped = 0
        self.counters = Counters()
        self.replies: deque[Reply] = deque(maxlen=1000)
        self.why = ""
        self.program = ""
        self.pid = 0
        self._sock = sock
        self._decoder = Decoder()
        self._ids = 0
        self._outbox = bytearray()
        self._names: Sequence[str] = NAMES
        self._closed = self._ended = False
        try:
            self._greet(period, timeout)
        except (OSError, WireError) as error:
            sock.close()
            what = str(error) if isinstance(error, WireError) else _reason(error)
            raise AttachError(what, "name the socket of a running `kport run --serve`") from None

    def _greet(self, period: float, timeout: float) -> None:
        sock, end = self._sock, monotonic() + timeout
        while (hello := self._decoder.next()) is None:
            sock.settimeout(max(0.001, end - monotonic()))
            data = sock.recv(_READ)
            if not data:
                raise WireError("it hangs up without a word")
            self._decoder.add(data)
        check_hello(hello, "the port")
        names = hello.get("names")
        if isinstance(names, list) and all(isinstance(name, str) for name in names):
            self._names = names
        self.program = str(hello.get("program", ""))[:80]
        self.pid = hello["pid"] if type(hello.get("pid")) is int else 0
        sock.settimeout(max(0.001, end - monotonic()))
        sock.sendall(encode({"t": "hello", "kport": VERSION, "period": period}))
        sock.setblocking(False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def fileno(self) -> int:
        """The socket, for select()."""
        return self._sock.fileno()

    @property
    def lag(self) -> int:
        """Bytes that have come and are not taken in yet."""
        return len(self._decoder)

    def poll(self, model: Model, budget: float = BUDGET) -> bool:
        """Take in what has come, for about `budget` s; False when nothing more will come."""
        end = monotonic() + budget
        self._flush()
        while True:
            if not (self.why or self._ended) and len(self._decoder) < _ENOUGH:
                self._read()
            try:
                message = self._decoder.next()
                if message is not None:
                    self._take(message, model)
            except (WireError, ValueError, TypeError, LookupError, OverflowError) as error:
                self._over(f"the port talks nonsense: {error}"[:200])
                message = None
            if message is None:
                break
            if monotonic() > end:
                return True
        if self._ended:
            self._over("the port has gone")
        if self.why:
            model.settle()
            return False
        return True

    def command(self, name: str, **args: Any) -> int:
        """Ask the port to do something; returns the id of the reply that will come."""
        self._ids += 1
        self._outbox += encode({"t": "command", "id": self._ids, "name": name, "args": args})
        self._flush()
        return self._ids

    def close(self) -> None:
        """Hang up. What has come can still be polled."""
        self._over("hung up")
        if not self._closed:
            self._closed = True
            self._sock.close()

    # -- inside ----------------------------------------------------------------------------------

    def _over(self, why: str) -> None:
        if not self.why:
            self.why = why

    def _read(self) -> None:
        try:
            data = self._sock.recv(_READ)
        except BlockingIOError:
            return
        except OSError:
            data = b""  # what came before may still be to be taken in
        self._ended = not data
        self._decoder.add(data)

    def _flush(self) -> None:
        while self._outbox and not self.why:
            try:
                sent = self._sock.send(self._outbox)
            except BlockingIOError:
                return
            except OSError:
                self._outbox.clear()  # reading will tell
                return
            del self._outbox[:sent]

    def _take(self, message: dict[str, Any], model: Model) -> None:
        kind = message["t"]
        if kind == "events":
            events = [self._event(row) for row in message["events"]]
            self.events += len(events)
            self.dropped = int(message["dropped"])
            model.feed(events, int(message["clock"]))
        elif kind == "port":
            port = port_from(message["port"])
            self.counters = port.counters
            model.add_port(port)
        elif kind == "reply":
            text = str(message["text"])
            self.replies.append(Reply(int(message["id"]), bool(message["ok"]), text[:1000]))
        elif kind == "bye":
            self._over(str(message["why"])[:200] or "the port has ended")

    def _event(self, row: Any) -> Event:
        ts, code, comm, pid, cpu, irqs_off, count, values = row
        name = self._names[code]
        if name not in _TYPES:
            raise ValueError(f"event {name!r}")
        if not type(ts) is type(pid) is type(cpu) is type(irqs_off) is type(count) is int:
            raise ValueError(f"event {name} with state {row[:7]!r}")
        values = tuple(values)
        if tuple(map(type, values)) != _TYPES[name]:
            raise ValueError(f"event {name} with values {values!r}")
        return event_of((ts, name, str(comm), pid, cpu, irqs_off, count, values))


def _is_socket(path: str) -> bool:
    try:
        return stat.S_ISSOCK(os.stat(path).st_mode)
    except OSError:
        return False


def _reason(error: OSError) -> str:
    return error.strerror or str(error) or type(error).__name__


def step_back() -> None:
    """Let this process, a viewer, run after others: a port that waits for its CPU is not itself.

    It gets a tenth of a CPU that others want, and gives way at once to whoever wakes up there.
    The latter takes a slice longer than theirs since Linux 6.12 (before 6.6 the former is enough):
    otherwise a running viewer is left alone until its slice of some 3 ms is over. Threads started
    later inherit it. Where a system does not allow it, nothing changes.
    """
    with suppress(AttributeError, OSError):
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    with suppress(AttributeError, OSError):
        os.setpriority(os.PRIO_PROCESS, 0, max(_NICE, os.getpriority(os.PRIO_PROCESS, 0)))
    call = _SCHED_SETATTR.get(os.uname().machine)
    if sys.platform == "linux" and call is not None and sys.maxsize > 1 << 32:
        nice = os.getpriority(os.PRIO_PROCESS, 0)
        attr = struct.pack("=IIQiIQQQ", 48, os.SCHED_BATCH, 0, nice, 0, _SLICE, 0, 0)
        with suppress(AttributeError, OSError):
            ctypes.CDLL(None).syscall(call, 0, attr, 0)  # what it returns does not matter


def attach(path: str, *, period: float = PERIOD, timeout: float = 5.0) -> Attachment:
    """Connect to the port that is served at `path`. Raises AttachError."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.settimeout(timeout)
    try:
        sock.connect(path)
    except FileNotFoundError:
        sock.close()
        raise AttachError("no such socket", "start `kport run --serve` with this path") from None
    except ConnectionRefusedError:
        sock.close()
        what = "nobody serves this socket any more" if _is_socket(path) else "is no socket"
        raise AttachError(what, "start `kport run --serve` with this path") from None
    except (OSError, ValueError) as error:
        sock.close()
        reason = _reason(error) if isinstance(error, OSError) else str(error)
        raise AttachError(
            f"cannot be attached to ({reason})", "name the socket of a running `kport run --serve`"
        ) from None
    return Attachment(sock, period=period, timeout=timeout)


class Spawned(Attachment):
    """A port in a process of its own. `output()` is what it printed, once it has ended."""

    def __init__(
        self, process: subprocess.Popen[bytes], folder: str, sock: socket.socket, period: float
    ) -> None:
        self.process = process
        self._folder = folder
        super().__init__(sock, period=period)

    def close(self) -> None:
        """Hang up and end the process."""
        super().close()
        _end(self.process)
        shutil.rmtree(self._folder, ignore_errors=True)

    def output(self) -> str:
        """What the process printed so far: its tables at the end, and complaints."""
        try:
            with open(os.path.join(self._folder, "out"), encoding="utf-8", errors="replace") as f:
                return f.read()
        except OSError:
            return ""


def spawn(arguments: Sequence[str], *, period: float = PERIOD, timeout: float = 30.0) -> Spawned:
    """Start `kport run` with these arguments in a process of its own, and attach to it.

    Raises AttachError with what the process complained of.
    """
    folder = tempfile.mkdtemp(prefix="kport-")
    path = os.path.join(folder, "port")
    with open(os.path.join(folder, "out"), "wb") as out:
        process = subprocess.Popen(
            [*_RUN, "--serve", path, "--serve-wait", str(timeout), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        return Spawned(process, folder, _connect(process, folder, path, timeout), period)
    except BaseException:
        _end(process)
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _connect(
    process: subprocess.Popen[bytes], folder: str, path: str, timeout: float
) -> socket.socket:
    end = monotonic() + timeout
    while True:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            sock.connect(path)
            return sock
        except OSError:
            sock.close()
        if process.poll() is not None:
            with open(os.path.join(folder, "out"), encoding="utf-8", errors="replace") as file:
                said = file.read().strip().splitlines()
            text = said[-1].removeprefix("kport: ") if said else "the port ended at once"
            raise AttachError(text, f"it ended with code {process.returncode}")
        if monotonic() > end:
            raise AttachError("the port did not start", f"it had {timeout:g} s")
        sleep(0.02)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask the process to end, then make it."""
    for ask, seconds in ((process.terminate, 2.0), (process.kill, 10.0)):
        if process.poll() is None:
            ask()
            try:
                process.wait(seconds)
            except subprocess.TimeoutExpired:
                continue
