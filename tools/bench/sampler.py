# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""A sampling profiler over all threads: which functions of the port are on the stack.

Every millisecond it looks at the stack of each thread that is not blocked. A share is the part of
those samples that have the function anywhere on the stack (`total`) or on top (`self`), so nested
functions each have their share. One sample in a few hundred is one part in a few hundred: take
shares as +- 3 %.
"""

from __future__ import annotations

import sys
import threading
from collections import Counter
from types import FrameType

_PERIOD_S = 0.001
_BLOCKED = {"block", "wait", "acquire"}


class Sampler:
    """start(), run something, stop(), then `total` and `self_` count samples per function."""

    def __init__(self) -> None:
        self.samples = 0
        self.total: Counter[str] = Counter()
        self.self_: Counter[str] = Counter()
        self._halt = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to sample."""
        self._halt.clear()
        self._thread = threading.Thread(target=self._run, name="sampler", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End; what was counted stays."""
        self._halt.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        own = threading.get_ident()
        while not self._halt.wait(_PERIOD_S):
            for ident, frame in sys._current_frames().items():
                if ident != own:
                    self._count(frame)

    def _count(self, frame: FrameType | None) -> None:
        names: list[str] = []
        while frame is not None:
            code = frame.f_code
            if not names and (code.co_name in _BLOCKED or "kport" not in code.co_filename):
                return
            if "kport" in code.co_filename:
                names.append(code.co_name)
            frame = frame.f_back
        self.samples += 1
        self.self_[names[0]] += 1
        self.total.update(set(names))

    def shares(self, least: float = 0.04) -> list[tuple[str, float, float]]:
        """(function, total share, self share), largest first, down to a total of `least`."""
        n = max(1, self.samples)
        rows = [(name, count / n, self.self_[name] / n) for name, count in self.total.items()]
        return sorted((row for row in rows if row[1] >= least), key=lambda r: (-r[1], r[0]))
