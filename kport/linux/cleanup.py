# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Scope guards and forward gotos.

`with guard("mutex", m):` is `guard(mutex)(&m);` up to the end of its block
(include/linux/cleanup.h, Linux 7.2.13).

A C function whose errors jump forward to a chain of labels becomes

    with labels("out_unlock", "out_free") as label:
        ...
        raise goto("out_unlock")
        ...
        return 0
    if label("out_unlock"):
        ...
    if label("out_free"):
        ...

with the labels in C order. `label(x)` is true from the label that was jumped to on, and everywhere
if the body ran to its end, exactly as control falls through labels in C.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

from kport.arch.asm import rcu_read_lock, rcu_read_unlock
from kport.linux.spinlock import (
    spin_lock,
    spin_lock_irqsave,
    spin_unlock,
    spin_unlock_irqrestore,
)


@contextmanager
def guard(kind: str, lock: Any = None) -> Iterator[None]:
    """Hold `lock` for the block; `kind` is the guard's name in C.

    Raises KeyError for a kind the port does not know.
    """
    if kind == "rcu":
        rcu_read_lock()
        try:
            yield
        finally:
            rcu_read_unlock()
    elif kind == "spinlock_irqsave":
        flags = spin_lock_irqsave(lock)
        try:
            yield
        finally:
            spin_unlock_irqrestore(lock, flags)
    elif kind == "spinlock":
        spin_lock(lock)
        try:
            yield
        finally:
            spin_unlock(lock)
    elif kind == "mutex":
        mutex_lock(lock)
        try:
            yield
        finally:
            mutex_unlock(lock)
    else:
        raise KeyError(kind)


class goto(Exception):
    """A jump to a label further down in the same function."""

    def __init__(self, label: str) -> None:
        self.label = label


class labels:
    """The labels of one function, in order; see the module's text."""

    __slots__ = ("_at", "_names")

    def __init__(self, *names: str) -> None:
        self._names = names
        self._at = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        if kind is goto and isinstance(value, goto) and value.label in self._names:
            self._at = self._names.index(value.label)
            return True
        return False

    def __call__(self, name: str) -> bool:
        return self._names.index(name) >= self._at


# extern
from kport.linux.mutex import mutex_lock, mutex_unlock
