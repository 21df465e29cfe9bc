# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Counting the calls that leave a module, by replacing its names for a while.

For the machine virt only: its kernels run in one thread of the system, so plain counters do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def counted(module: Any, *names: str) -> Iterator[Counter[str]]:
    """Count the calls of functions that the code of a module makes, by name; those it has.

    What returned True is counted once more, as `name/true`.
    """
    calls: Counter[str] = Counter()
    before = {name: getattr(module, name) for name in names if hasattr(module, name)}

    def counting(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any) -> Any:
            result = function(*args)
            calls[name] += 1
            if result is True:
                calls[f"{name}/true"] += 1
            return result

        return call

    for name, function in before.items():
        setattr(module, name, counting(name, function))
    try:
        yield calls
    finally:
        for name, function in before.items():
            setattr(module, name, function)
