# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""A port in the monitor's own process: `kport monitor --here` and `--virt`.

What `kport run` would do is done by a thread, served on a socket of its own and attached to like
any other port, so the monitor sees what it always sees. Both share an interpreter: the one disturbs
the other, and the monitor says by how much. A deterministic machine has no time to be disturbed; it
stops at each event until its gate lets it go on.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

import kport
from kport.arch.api import Machine
from kport.cli import run
from kport.cli.serve import served
from kport.linux.tracepoint import (
    tracepoint_probe_register,
    tracepoint_probe_unregister,
    tracepoints,
)
from kport.trace.events import WRITTEN
from kport.workload.errors import InputError

if TYPE_CHECKING:
    from kport.trace.client import Attachment
    from kport.workload.result import Result
    from tui.gate import Gate

LEAVE = 20.0  # s that a run has to end when it is told to


class Host:
    """A run in a thread. `port` is attached to it; `show()` prints its tables when it is over."""

    def __init__(
        self, arguments: Sequence[str], machine: Machine | None, gate: Gate | None
    ) -> None:
        options = run.parser().parse_intermixed_args(arguments)
        options.given = options.given or []
        run._sort_files(options)
        self._options = options
        self._run: Callable[..., Result] = (
            run._recording(options) if options.recording else run._workloads(options)
        )
        self._machine: dict[str, Any] = {} if machine is None else {"machine": machine}
        self._gate = gate
        self._stop = threading.Event()
        self._result: Result | None = None
        self._error: Exception | None = None
        self._folder = tempfile.mkdtemp(prefix="kport-")
        self._path = os.path.join(self._folder, "port")
        self._thread = threading.Thread(target=self._work, name="port", daemon=True)
        self._thread.start()

    def _work(self) -> None:
        try:
            with served(self._path), _gated(self._gate):
                self._result = self._run(stop=self._stop, **self._machine)
        except Exception as error:
            self._error = error

    def attach(self) -> Attachment:
        """A connection to the port. Raises what the run ended with, if it has."""
        from kport.trace.client import AttachError, attach

        end = monotonic() + LEAVE
        while True:
            try:
                return attach(self._path)
            except AttachError as error:
                if self._error is not None:
                    raise self._error from None
                if monotonic() > end or not self._thread.is_alive():
                    raise InputError("the port", error.what, error.remedy) from None
            sleep(0.01)

    def end(self) -> None:
        """Stop the run and wait for its end."""
        self._stop.set()
        if self._gate is not None:
            self._gate.close()
        self._thread.join(LEAVE)
        shutil.rmtree(self._folder, ignore_errors=True)

    def show(self) -> int:
        """Print what the run came to; returns its exit code."""
        if isinstance(self._error, kport.KernelOops):
            raise InputError("the port", str(self._error).splitlines()[0], "see its log")
        if self._error is not None:
            raise self._error
        if self._result is None:
            raise InputError("the port", f"it did not end within {LEAVE:g} s", "try a shorter run")
        return run._show(self._options, self._result)


@contextmanager
def _gated(gate: Gate | None) -> Iterator[None]:
    """While the block runs each trace event waits at the gate, when all others have seen it."""
    if gate is None:
        yield
        return

    def probe(tp: Any, ti: Any, ts: int, values: tuple[Any, ...]) -> None:
        gate.event(ts)

    probed = [tp for name, tp in list(tracepoints.items()) if name in WRITTEN]
    for tp in probed:
        tracepoint_probe_register(tp, probe)
    try:
        yield
    finally:
        for tp in probed:
            tracepoint_probe_unregister(tp, probe)


@contextmanager
def hosted(
    arguments: Sequence[str], machine: Machine | None = None, gate: Gate | None = None
) -> Iterator[Host]:
    """A Host for the block. Raises InputError and UsageError."""
    host = Host(arguments, machine, gate)
    try:
        yield host
    finally:
        host.end()
