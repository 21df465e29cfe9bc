# SPDX-FileCopyrightText: 2004 Greg Kroah-Hartman <greg@kroah.com>
# SPDX-FileCopyrightText: 2004 IBM Corp.
# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: GPL-2.0-only
#
# Translated to Python from include/linux/kref.h, Linux 7.2.13, on 2026-11-20.
"""Reference counts of objects with a release function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kport.arch.types import atomic_t
from kport.linux.refcount import (
    refcount_dec_and_lock,
    refcount_dec_and_mutex_lock,
    refcount_dec_and_test,
    refcount_inc,
    refcount_inc_not_zero,
    refcount_read,
    refcount_set,
    refcount_t,
)
from kport.linux.spinlock import spinlock_t


class kref(refcount_t):
    """The reference count an object embeds.

    `refcount` is its only member and so has its address: kref, refcount and atomic are one object.
    """

    __slots__ = ("_container", "_member", "refcount")
    _knots = ("refcount", "refs")

    def __init__(self, _container: Any = None, _member: str | None = None) -> None:
        self.counter = 0
        self.lock: list[None] = [None]
        self.refs: atomic_t = self
        self.refcount: refcount_t = self
        self._container = _container
        self._member = _member

    def _free(self) -> None:
        del self.refcount, self.refs, self.counter


def kref_init(kref: kref) -> None:
    """Begin with one reference.

    include/linux/kref.h:29-32, Linux 7.2.13
    """
    refcount_set(kref.refcount, 1)


def kref_read(kref: kref) -> int:
    """The number of references now.

    include/linux/kref.h:34-37, Linux 7.2.13
    """
    return refcount_read(kref.refcount)


def kref_get(kref: kref) -> None:
    """Take a reference; the caller must hold one.

    include/linux/kref.h:43-46, Linux 7.2.13
    """
    refcount_inc(kref.refcount)


def kref_put(kref: kref, release: Callable[[Any], None]) -> int:
    """Drop a reference; 1 if it was the last one and `release` has run.

    include/linux/kref.h:62-69, Linux 7.2.13
    """
    if refcount_dec_and_test(kref.refcount):
        release(kref)
        return 1
    return 0


def kref_put_mutex(kref: kref, release: Callable[[Any], None], mutex: Any) -> int:
    """Drop a reference; the last one runs `release` with the mutex held.

    include/linux/kref.h:81-91, Linux 7.2.13
    """
    if refcount_dec_and_mutex_lock(kref.refcount, mutex):
        release(kref)
        return 1
    return 0


def kref_put_lock(kref: kref, release: Callable[[Any], None], lock: spinlock_t) -> int:
    """Drop a reference; the last one runs `release` with the spin lock held.

    include/linux/kref.h:103-113, Linux 7.2.13
    """
    if refcount_dec_and_lock(kref.refcount, lock):
        release(kref)
        return 1
    return 0


def kref_get_unless_zero(kref: kref) -> bool:
    """Take a reference unless the object is on its way out; False if it is.

    include/linux/kref.h:131-134, Linux 7.2.13
    """
    return refcount_inc_not_zero(kref.refcount)
