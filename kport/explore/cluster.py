# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""One exploration on a Dask cluster.

The shares are those of `kport.explore.jobs` and are added up in the same way, so what is found is
what one process would have found. A share whose worker is lost is run again by another: that is
Dask's own doing. The workers must have the same kport, and the scenario's file if it is in one.

Needs the package `distributed` (the extra `cluster`).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from kport.explore.jobs import (
    SHARES,
    TRIES,
    Found,
    LostWorker,
    Progress,
    explore_share,
    merged,
    numbered,
    shares,
)
from kport.explore.result import Result

CONNECT_S = 5


def explore_cluster(
    find: Callable[[str], Found],
    name: str,
    address: str,
    *,
    schedules: int | None,
    seconds: float | None,
    progress: Progress | None = None,
    **options: Any,
) -> Result:
    """`explore()` of the scenario of a name on the cluster whose scheduler is at `address`.

    Raises ValueError for a strategy whose executions depend on one another and for a cluster that
    cannot be used, LostWorker when workers are lost again and again.
    """
    try:
        from distributed import Client, KilledWorker, as_completed
    except ImportError:
        raise ValueError("--dask needs the package distributed (the extra cluster)") from None
    search = numbered(options)
    start = time.perf_counter()
    total = Result(name, search.spec, options.get("seed", 0), options.get("sched", "v7_2"))
    try:
        client = Client(address, timeout=CONNECT_S, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise ValueError(f"no Dask scheduler at {address} ({type(error).__name__})") from None
    with client:
        workers = len(client.scheduler_info(n_workers=-1)["workers"])
        if not workers:
            raise ValueError(f"the Dask scheduler at {address} has no workers")
        plan = shares(schedules, seconds, workers * (SHARES if schedules else 1))
        futures = {
            client.submit(
                explore_share, find, name, share | options, pure=False, retries=TRIES, priority=-n
            ): n
            for n, share in enumerate(plan)
        }
        results: dict[int, Result] = {}
        stop = len(plan)
        try:
            for future in as_completed(list(futures), loop=client.loop):
                n = futures[future]
                if n > stop or future.cancelled():
                    continue
                results[n] = result = future.result()
                if progress is not None:
                    total.schedules = sum(r.schedules for r in results.values())
                    total.seconds = time.perf_counter() - start
                    progress(total)
                if result.failures and not options.get("keep_going"):
                    stop = min(stop, n)
                    client.cancel([f for f, m in futures.items() if m > stop])
        except KilledWorker as error:
            raise LostWorker(f"workers were lost again and again: {error}") from None
    total = merged(results, total, bool(options.get("keep_going")))
    total.seconds = time.perf_counter() - start
    return total
