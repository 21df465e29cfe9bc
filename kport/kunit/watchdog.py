# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Something that ends a test which even its timeout does not end.

KUnit stops a case that takes too long by kthread_stop(), which waits for the thread. A thread that
never asks, as one in a real deadlock, keeps everybody waiting; the kernel would go on saying so
every two minutes. Here it is a fault: the kernel is stopped with a report of what each of its
threads waits for, and the run goes on without it. The machine virt needs none of this: it sees a
deadlock when it happens.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from kport.linux import bug
from kport.linux.hung_task import waits_for
from kport.linux.init import Kernel

_DEPTH = 12  # frames of a thread in the report


@contextmanager
def watched(kernel: Kernel, seconds: float) -> Iterator[None]:
    """Stop the kernel if the block takes more than so many wall seconds."""
    before = set(threading.enumerate())

    def hung() -> None:
        mine = [t for t in threading.enumerate() if t not in before or t is main]
        kernel.oopses.append(_report(seconds, [t for t in mine if t is not timer]))
        kernel.machine.halt()

    main = threading.current_thread()
    timer = threading.Timer(seconds, hung)
    timer.daemon = True
    timer.name = "khungtaskd"
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()


def _report(seconds: float, threads: list[threading.Thread]) -> str:
    """What each thread waits for, and where it is."""
    lines = [f"INFO: the test blocked for more than {seconds:.0f} seconds."]
    frames = sys._current_frames()
    for thread in threads:
        frame = frames.get(thread.ident or 0)
        if frame is None:
            continue
        cause = waits_for(frame)
        lines.append(f"task:{thread.name}" + (f" waits in {cause}" if cause else ""))
        lines += bug.stack(frame, _DEPTH)
    return "\n".join(lines)
