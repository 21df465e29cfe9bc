# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Ctrl-C: the first one ends a run in good order, the second one ends the process.

A Python signal handler runs in the main thread, between any two of its instructions; it must not
take a lock that the main thread may hold, and setting an Event takes one. So the handler does
nothing. The interpreter writes the signal's number into a pipe, even while the main thread waits,
and a thread that reads the pipe does the rest.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from types import FrameType, TracebackType
from typing import Self


def _ignore(number: int, frame: FrameType | None) -> None:
    """The handler in place of the one that raises KeyboardInterrupt."""


class StopOnInterrupt:
    """While the block runs, Ctrl-C sets `stop`, an Event; a second one exits with 130.

    With `leaving` set a Ctrl-C after the block is ignored: the process is about to end. Only the
    main thread gets signals; in any other this does nothing.
    """

    def __init__(self) -> None:
        self.stop = threading.Event()
        self.leaving = False
        self._active = threading.current_thread() is threading.main_thread()

    def __enter__(self) -> Self:
        if self._active:
            self._read, self._write = os.pipe()
            os.set_blocking(self._write, False)
            self._thread = threading.Thread(target=self._watch, name="interrupts", daemon=True)
            self._thread.start()
            self._old_handler = signal.signal(signal.SIGINT, _ignore)
            self._old_fd = signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._active:
            signal.set_wakeup_fd(self._old_fd)
            signal.signal(signal.SIGINT, signal.SIG_IGN if self.leaving else self._old_handler)
            os.close(self._write)
            self._thread.join()
            os.close(self._read)

    def _watch(self) -> None:
        while number := os.read(self._read, 1):
            if number[0] != signal.SIGINT:
                continue
            if self.stop.is_set():
                os.write(sys.stderr.fileno(), b"\nkport: gave up\n")
                os._exit(130)
            self.stop.set()
