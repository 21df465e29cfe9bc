# SPDX-FileCopyrightText: 2019 Google LLC
# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: GPL-2.0-only
#
# After include/linux/kcsan-checks.h, include/linux/compiler.h, kernel/kcsan/permissive.h and
# lib/Kconfig.kcsan, Linux 7.2.13, on 2026-11-20.
"""What kernel code says to the Kernel Concurrency Sanitizer, and how it is configured; modelled.

A member is passed as `(object, "member")`, as to READ_ONCE(). Without the check `races` all of this
does nothing: `data_race()` is a load, an assertion is a call of an empty function.

A member whose every access is a `data_race()` is declared `__data_racy[int]`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from kport.linux.field import raw_get, raw_set

T = TypeVar("T")

__data_racy = Annotated[T, "races are expected"]


@dataclass(frozen=True)
class Config:
    """CONFIG_KCSAN_*, with the kernel's defaults.

    `strict` is the rules of the memory model and nothing else: every marked or plain pair counts.
    `skip_watch` (accesses) and `udelay_task` (microseconds) are for sampling on `threads`, where
    one access in about `skip_watch` is watched; the kernel watches one in 4000 of its own.
    """

    report_value_change_only: bool = True
    assume_plain_writes_atomic: bool = True
    permissive: bool = False
    report_race_unknown_origin: bool = True
    skip_watch: int = 400
    udelay_task: int = 80

    @classmethod
    def strict(cls) -> Config:
        """CONFIG_KCSAN_STRICT: no assumptions."""
        return cls(report_value_change_only=False, assume_plain_writes_atomic=False)


def data_race(o: Any, f: str) -> Any:
    """Load a member; races with it are known and do no harm.

    include/linux/compiler.h:188-194, Linux 7.2.13
    """
    return raw_get(o, f)


def data_race_store(o: Any, f: str, v: Any) -> None:
    """Store to a member inside data_race(); C writes `data_race(o->f = v)`."""
    raw_set(o, f, v)


def ASSERT_EXCLUSIVE_WRITER(o: Any, f: str) -> None:
    """Nobody else stores to the member while this is passed; loads are welcome.

    include/linux/kcsan-checks.h:370-371, Linux 7.2.13
    """


def ASSERT_EXCLUSIVE_ACCESS(o: Any, f: str) -> None:
    """Nobody else accesses the member while this is passed.

    include/linux/kcsan-checks.h:451-452, Linux 7.2.13
    """


def ASSERT_EXCLUSIVE_BITS(o: Any, f: str, mask: int) -> None:
    """Nobody changes these bits of the member while this is passed.

    include/linux/kcsan-checks.h:525-531, Linux 7.2.13
    """


def kcsan_begin_scoped_access(o: Any, f: str, access: bool) -> Any:
    """An ASSERT_EXCLUSIVE_*_SCOPED() begins; returns what the end needs."""


def kcsan_end_scoped_access(scope: Any, o: Any, f: str, access: bool) -> None:
    """The scope is left."""


@contextmanager
def ASSERT_EXCLUSIVE_WRITER_SCOPED(o: Any, f: str) -> Iterator[None]:
    """ASSERT_EXCLUSIVE_WRITER() for the whole block.

    include/linux/kcsan-checks.h:419-420, Linux 7.2.13
    """
    scope = kcsan_begin_scoped_access(o, f, False)
    yield
    kcsan_end_scoped_access(scope, o, f, False)


@contextmanager
def ASSERT_EXCLUSIVE_ACCESS_SCOPED(o: Any, f: str) -> Iterator[None]:
    """ASSERT_EXCLUSIVE_ACCESS() for the whole block.

    include/linux/kcsan-checks.h:467-468, Linux 7.2.13
    """
    scope = kcsan_begin_scoped_access(o, f, True)
    yield
    kcsan_end_scoped_access(scope, o, f, True)


def kcsan_ignore_data_race(config: Config, kind: str, old: Any, new: Any) -> bool:
    """True for a race that PERMISSIVE forgives: a plain load, and one bit that changed.

    Not if it looks like a boolean. kernel/kcsan/permissive.h:39-92, Linux 7.2.13
    """
    if not config.permissive or kind != "read":
        return False
    if not isinstance(old, int) or not isinstance(new, int):
        return False
    diff = old ^ new
    if diff.bit_count() != 1:
        return False
    return not ((not old or not new) and diff == 1)
