# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The shape of the object that `kport run --json` prints, for tests: keys in order, and types.

A type is a class, a tuple of classes, a list of one shape (any number of such), or a dict.
"""

from __future__ import annotations

from typing import Any

NUMBER = (int, float)
WAITS = {"p50": NUMBER, "p99": NUMBER, "max": NUMBER}
FIGURES = {
    "jobs": {"submitted": int, "finished": int, "failed": int, "cancelled": int},
    "rings": [
        {
            "dev": str,
            "ring": str,
            "jobs": int,
            "busy_pct": NUMBER,
            "wait_us": WAITS,
            "inversions": (int, type(None)),
        }
    ],
    "entities": [
        {
            "context": int,
            "name": str,
            "client": str,
            "ring": str,
            "jobs": int,
            "gpu_ms": NUMBER,
            "share_pct": NUMBER,
            "wait_us": WAITS,
        }
    ],
    "makespan_s": NUMBER,
}
RUN = {
    **FIGURES,
    "sched": str,
    "policy": str,
    "clients": [
        {
            "name": str,
            "elapsed_s": NUMBER,
            "cycles": int,
            "per_s": NUMBER,
            "periods": int,
            "dropped": int,
            "latency_ms": WAITS,
        }
    ],
    "recovery": type(None),
    "leaks": int,
    "warnings": [str],
    "reports": [str],
    "recorded": type(None),
    "interrupted": bool,
}
FAULTY = {
    **RUN,
    "recovery": {
        **dict.fromkeys(("faults", "timeouts", "soft", "ring", "full", "failed"), int),
        "guilty": [str],
        "lost": int,
        "resubmitted": int,
        "device_lost": bool,
    },
}
RECORDED = {**RUN, "recorded": FIGURES}


def assert_shape(value: Any, shape: Any, where: str = "") -> None:
    """Fail where a value has not the shape, or not exactly its keys in their order."""
    if isinstance(shape, dict):
        assert isinstance(value, dict), where
        assert list(value) == list(shape), where
        for key, inner in shape.items():
            assert_shape(value[key], inner, f"{where}.{key}")
    elif isinstance(shape, list):
        assert isinstance(value, list), where
        for number, item in enumerate(value):
            assert_shape(item, shape[0], f"{where}[{number}]")
    else:
        assert isinstance(value, shape), where
        assert shape is bool or not isinstance(value, bool), where
