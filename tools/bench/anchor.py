# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The anchor: a thread pool that does nothing, many times; and what all rounds share."""

from __future__ import annotations

import gc
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any


def nothing() -> None:
    """The function whose running costs nothing."""


@contextmanager
def quiet_gc() -> Iterator[None]:
    """Keep what lives out of the garbage collector's sight while the clock runs.

    A full collection over 20,000 live jobs costs as much as 7 us per job, and whether one falls
    into the measurement is luck.
    """
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def pool_us(n: int) -> float:
    """Microseconds per future of a ThreadPoolExecutor with one thread, for `n` futures."""
    with ThreadPoolExecutor(1) as pool, quiet_gc():
        start = time.perf_counter()
        futures = [pool.submit(nothing) for _ in range(n)]
        for future in futures:
            future.result()
        return (time.perf_counter() - start) / n * 1e6


def tell(text: str) -> None:
    """Progress, on a terminal only."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def rounds(count: int, n: int, measure: Callable[[], float], name: str) -> dict[str, Any]:
    """Alternate `count` rounds of the port and of the anchor with `n` futures.

    Returns medians and all values: port_us, pool_us, rate (of the port, in pool rates).
    """
    port: list[float] = []
    pool: list[float] = []
    for i in range(count):
        tell(f"{name}: round {i + 1} of {count}")
        port.append(measure())
        pool.append(pool_us(n))
    a, b = statistics.median(port), statistics.median(pool)
    return {
        "port_us": round(a, 2),
        "pool_us": round(b, 2),
        "rate": round(b / a, 3),
        "port_all_us": [round(x, 2) for x in port],
        "pool_all_us": [round(x, 2) for x in pool],
    }


def machine() -> str:
    """The interpreter and the machine, in a line."""
    free_threaded = not getattr(sys, "_is_gil_enabled", lambda: True)()
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{python}{' free-threaded' if free_threaded else ''}, {platform.machine()}"
