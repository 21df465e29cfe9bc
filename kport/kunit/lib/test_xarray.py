# SPDX-FileCopyrightText: 2017-2018 Microsoft Corporation
# SPDX-FileCopyrightText: 2019-2020 Oracle
# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Translated to Python from lib/test_xarray.c, Linux 7.2.13, on 2026-11-20.
"""The test module of the xarray: each check counts, and says where it failed.

What needs multi-index entries or the advanced API is left out; xarray_suite lists it, and runs the
rest. A `char *` that is stored is a text here.
"""

from __future__ import annotations

import sys
from typing import Any

from kport.linux.bug import BUG_ON, stack
from kport.linux.err import EBUSY
from kport.linux.module import boot_data
from kport.linux.printk import printk
from kport.linux.slab import GFP_KERNEL, GFP_NOWAIT
from kport.linux.types import BITS_PER_LONG, LONG_MAX, UINT_MAX, ULONG_MAX, unsigned_long
from kport.linux.xarray import (
    XA_CHUNK_SIZE,
    XA_FLAGS_ALLOC,
    XA_FLAGS_ALLOC1,
    XA_LIMIT,
    XA_MARK_0,
    XA_MARK_1,
    XA_PRESENT,
    XA_ZERO_ENTRY,
    __xa_alloc_cyclic,
    xa_alloc,
    xa_alloc_cyclic,
    xa_cmpxchg,
    xa_destroy,
    xa_empty,
    xa_erase,
    xa_err,
    xa_find,
    xa_find_after,
    xa_for_each,
    xa_get_mark,
    xa_init,
    xa_init_flags,
    xa_insert,
    xa_is_err,
    xa_limit_32b,
    xa_load,
    xa_lock,
    xa_mk_value,
    xa_release,
    xa_reserve,
    xa_set_mark,
    xa_store,
    xa_to_value,
    xa_unlock,
    xarray,
)

tests_run = 0
tests_passed = 0

array = xarray()
xa0 = xarray()
xa1 = xarray()


@boot_data
def _reset_test_xarray() -> None:
    global tests_run, tests_passed
    tests_run = tests_passed = 0
    xa_init(array)
    xa_init_flags(xa0, XA_FLAGS_ALLOC)
    xa_init_flags(xa1, XA_FLAGS_ALLOC1)


def XA_BUG_ON(xa: xarray, x: Any) -> None:
    """Count a test, and say where it stands if `x` holds.

    lib/test_xarray.c:23-32, Linux 7.2.13
    """
    global tests_run, tests_passed
    tests_run += 1
    if x:
        frame = sys._getframe(1)  # kport: inlined
        printk("BUG at %s:%d\n", frame.f_code.co_name, frame.f_lineno)  # kport: inlined
        for line in stack(frame):  # kport: inlined
            printk("%s\n", line)  # kport: inlined
    else:
        tests_passed += 1


def xa_mk_index(index: int) -> Any:
    """The entry that the tests store at an index.

    lib/test_xarray.c:35-38, Linux 7.2.13
    """
    return xa_mk_value(index & LONG_MAX)


def xa_store_index(xa: xarray, index: int, gfp: int) -> Any:
    """Store it.

    lib/test_xarray.c:40-43, Linux 7.2.13
    """
    return xa_store(xa, index, xa_mk_index(index), gfp)


def xa_insert_index(xa: xarray, index: int) -> None:
    """Store it where nothing is.

    lib/test_xarray.c:45-49, Linux 7.2.13
    """
    XA_BUG_ON(xa, xa_insert(xa, index, xa_mk_index(index), GFP_KERNEL) != 0)


def xa_alloc_index(xa: xarray, index: int, gfp: int) -> None:
    """Allocate, which must give this index.

    lib/test_xarray.c:51-58, Linux 7.2.13
    """
    ret, id = xa_alloc(xa, xa_mk_index(index), xa_limit_32b, gfp)  # kport: out-param
    XA_BUG_ON(xa, ret != 0)
    XA_BUG_ON(xa, id != index)


def xa_erase_index(xa: xarray, index: int) -> None:
    """Take it out.

    lib/test_xarray.c:60-64, Linux 7.2.13
    """
    XA_BUG_ON(xa, xa_erase(xa, index) is not xa_mk_index(index))
    XA_BUG_ON(xa, xa_load(xa, index) is not None)


def check_xa_err(xa: xarray) -> None:
    """No error where there is none.

    lib/test_xarray.c:86-100, Linux 7.2.13
    """
    XA_BUG_ON(xa, xa_err(xa_store_index(xa, 0, GFP_NOWAIT)) != 0)
    XA_BUG_ON(xa, xa_err(xa_erase(xa, 0)) != 0)
    XA_BUG_ON(xa, xa_err(xa_store_index(xa, 1, GFP_KERNEL)) != 0)
    XA_BUG_ON(xa, xa_err(xa_store(xa, 1, xa_mk_value(0), GFP_KERNEL)) != 0)
    XA_BUG_ON(xa, xa_err(xa_erase(xa, 1)) != 0)


def check_xa_load(xa: xarray) -> None:
    """What is stored is loaded, and nothing else.

    lib/test_xarray.c:147-173, Linux 7.2.13
    """
    for i in range(0, 1024):
        for j in range(0, 1024):
            entry = xa_load(xa, j)
            if j < i:
                XA_BUG_ON(xa, xa_to_value(entry) != j)
            else:
                XA_BUG_ON(xa, entry)
        XA_BUG_ON(xa, xa_store_index(xa, i, GFP_KERNEL) is not None)

    for i in range(0, 1024):
        for j in range(0, 1024):
            entry = xa_load(xa, j)
            if j >= i:
                XA_BUG_ON(xa, xa_to_value(entry) != j)
            else:
                XA_BUG_ON(xa, entry)
        xa_erase_index(xa, i)
    XA_BUG_ON(xa, not xa_empty(xa))


def check_xa_mark_1(xa: xarray, index: int) -> None:
    """Marks are set, asked for and cleared one by one.

    lib/test_xarray.c:175-252, Linux 7.2.13
    """
    # kport: left-out
    XA_BUG_ON(xa, xa_get_mark(xa, index, XA_MARK_0))
    xa_set_mark(xa, index, XA_MARK_0)
    XA_BUG_ON(xa, xa_get_mark(xa, index, XA_MARK_0))

    XA_BUG_ON(xa, xa_store_index(xa, index, GFP_KERNEL) is not None)
    XA_BUG_ON(xa, xa_get_mark(xa, index, XA_MARK_0))
    xa_set_mark(xa, index, XA_MARK_0)
    XA_BUG_ON(xa, not xa_get_mark(xa, index, XA_MARK_0))

    XA_BUG_ON(xa, xa_get_mark(xa, index + 1, XA_MARK_0))
    XA_BUG_ON(xa, xa_get_mark(xa, index, XA_MARK_1))

    xa_erase_index(xa, index)
    XA_BUG_ON(xa, not xa_empty(xa))
    XA_BUG_ON(xa, xa_get_mark(xa, index, XA_MARK_0))
    xa_set_mark(xa, index, XA_MARK_0)
    XA_BUG_ON(xa, xa_get_mark(xa, index, XA_MARK_0))

    BUG_ON(index % 4 != 0)
    # kport: left-out
    XA_BUG_ON(xa, not xa_empty(xa))


def check_xa_mark(xa: xarray) -> None:
    """Marks at many indices.

    lib/test_xarray.c:313-322, Linux 7.2.13
    """
    index = 0
    while index < 16384:
        check_xa_mark_1(xa, index)
        index += 4
    # kport: left-out


def check_insert(xa: xarray) -> None:
    """Insert next to nothing, at each power of two and at the greatest index.

    lib/test_xarray.c:373-402, Linux 7.2.13
    """
    for i in range(0, 1024):
        xa_insert_index(xa, i)
        XA_BUG_ON(xa, xa_load(xa, i - 1) is not None)
        XA_BUG_ON(xa, xa_load(xa, i + 1) is not None)
        xa_erase_index(xa, i)

    for i in range(10, BITS_PER_LONG):
        xa_insert_index(xa, 1 << i)
        XA_BUG_ON(xa, xa_load(xa, (1 << i) - 1) is not None)
        XA_BUG_ON(xa, xa_load(xa, (1 << i) + 1) is not None)
        xa_erase_index(xa, 1 << i)

        xa_insert_index(xa, (1 << i) - 1)
        XA_BUG_ON(xa, xa_load(xa, (1 << i) - 2) is not None)
        XA_BUG_ON(xa, xa_load(xa, 1 << i) is not None)
        xa_erase_index(xa, (1 << i) - 1)

    xa_insert_index(xa, unsigned_long(~0))  # kport: wrap
    XA_BUG_ON(xa, xa_load(xa, 0) is not None)
    XA_BUG_ON(xa, xa_load(xa, unsigned_long(~1)) is not None)  # kport: wrap
    xa_erase_index(xa, unsigned_long(~0))  # kport: wrap

    XA_BUG_ON(xa, not xa_empty(xa))


def check_cmpxchg(xa: xarray) -> None:
    """Exchange if the old entry is the expected one.

    lib/test_xarray.c:404-424, Linux 7.2.13
    """
    FIVE = xa_mk_value(5)
    SIX = xa_mk_value(6)
    LOTS = xa_mk_value(12345678)

    XA_BUG_ON(xa, not xa_empty(xa))
    XA_BUG_ON(xa, xa_store_index(xa, 12345678, GFP_KERNEL) is not None)
    XA_BUG_ON(xa, xa_insert(xa, 12345678, xa, GFP_KERNEL) != -EBUSY)
    XA_BUG_ON(xa, xa_cmpxchg(xa, 12345678, SIX, FIVE, GFP_KERNEL) is not LOTS)
    XA_BUG_ON(xa, xa_cmpxchg(xa, 12345678, LOTS, FIVE, GFP_KERNEL) is not LOTS)
    XA_BUG_ON(xa, xa_cmpxchg(xa, 12345678, FIVE, LOTS, GFP_KERNEL) is not FIVE)
    XA_BUG_ON(xa, xa_cmpxchg(xa, 5, FIVE, None, GFP_KERNEL) is not None)
    XA_BUG_ON(xa, xa_cmpxchg(xa, 5, None, FIVE, GFP_KERNEL) is not None)
    XA_BUG_ON(xa, xa_insert(xa, 5, FIVE, GFP_KERNEL) != -EBUSY)
    XA_BUG_ON(xa, xa_cmpxchg(xa, 5, FIVE, None, GFP_KERNEL) is not FIVE)
    XA_BUG_ON(xa, xa_insert(xa, 5, FIVE, GFP_KERNEL) == -EBUSY)
    xa_erase_index(xa, 12345678)
    xa_erase_index(xa, 5)
    XA_BUG_ON(xa, not xa_empty(xa))


def check_reserve(xa: xarray) -> None:
    """A reserved index is neither empty nor an entry.

    lib/test_xarray.c:479-543, Linux 7.2.13
    """
    XA_BUG_ON(xa, not xa_empty(xa))
    XA_BUG_ON(xa, xa_reserve(xa, 12345678, GFP_KERNEL) != 0)
    XA_BUG_ON(xa, xa_empty(xa))
    XA_BUG_ON(xa, xa_load(xa, 12345678))
    xa_release(xa, 12345678)
    XA_BUG_ON(xa, not xa_empty(xa))

    XA_BUG_ON(xa, xa_reserve(xa, 12345678, GFP_KERNEL) != 0)
    XA_BUG_ON(xa, xa_store_index(xa, 12345678, GFP_NOWAIT) is not None)
    xa_release(xa, 12345678)
    xa_erase_index(xa, 12345678)
    XA_BUG_ON(xa, not xa_empty(xa))

    XA_BUG_ON(xa, xa_reserve(xa, 12345678, GFP_KERNEL) != 0)
    XA_BUG_ON(
        xa, xa_cmpxchg(xa, 12345678, XA_ZERO_ENTRY, xa_mk_value(12345678), GFP_NOWAIT) is not None
    )
    xa_release(xa, 12345678)
    xa_erase_index(xa, 12345678)
    XA_BUG_ON(xa, not xa_empty(xa))

    XA_BUG_ON(xa, xa_reserve(xa, 12345678, GFP_KERNEL) != 0)
    XA_BUG_ON(xa, xa_insert(xa, 12345678, xa_mk_value(12345678), 0) != -EBUSY)
    XA_BUG_ON(xa, xa_empty(xa))
    XA_BUG_ON(xa, xa_erase(xa, 12345678) is not None)
    XA_BUG_ON(xa, not xa_empty(xa))

    xa_store_index(xa, 5, GFP_KERNEL)
    XA_BUG_ON(xa, xa_reserve(xa, 6, GFP_KERNEL) != 0)
    xa_store_index(xa, 7, GFP_KERNEL)

    count = 0
    for index, entry in xa_for_each(xa):
        XA_BUG_ON(xa, index != 5 and index != 7)
        count += 1
    XA_BUG_ON(xa, count != 2)

    if xa.xa_flags & XA_FLAGS_ALLOC:
        ret, id = xa_alloc(xa, xa_mk_value(8), XA_LIMIT(5, 10), GFP_KERNEL)  # kport: out-param
        XA_BUG_ON(xa, ret != 0)
        XA_BUG_ON(xa, id != 8)

        xa_release(xa, 6)
        ret, id = xa_alloc(xa, xa_mk_value(6), XA_LIMIT(5, 10), GFP_KERNEL)  # kport: out-param
        XA_BUG_ON(xa, ret != 0)
        XA_BUG_ON(xa, id != 6)

    xa_destroy(xa)


def check_xa_alloc_1(xa: xarray, base: int) -> None:
    """The lowest free index, also after erasing and destroying; limits.

    lib/test_xarray.c:910-983, Linux 7.2.13
    """
    XA_BUG_ON(xa, not xa_empty(xa))
    xa_alloc_index(xa, base, GFP_KERNEL)

    xa_erase_index(xa, base)
    XA_BUG_ON(xa, not xa_empty(xa))

    xa_alloc_index(xa, base, GFP_KERNEL)

    for i in range(base + 1, 2 * XA_CHUNK_SIZE):
        xa_alloc_index(xa, i, GFP_KERNEL)
    for i in range(base, 2 * XA_CHUNK_SIZE):
        xa_erase_index(xa, i)
    xa_alloc_index(xa, base, GFP_KERNEL)

    xa_destroy(xa)

    xa_alloc_index(xa, base, GFP_KERNEL)

    xa_alloc_index(xa, base + 1, GFP_KERNEL)
    xa_erase_index(xa, base + 1)

    xa_store_index(xa, base + 1, GFP_KERNEL)
    xa_alloc_index(xa, base + 2, GFP_KERNEL)

    xa_erase_index(xa, base)
    xa_alloc_index(xa, base, GFP_KERNEL)

    xa_erase_index(xa, base + 1)
    xa_erase_index(xa, base + 2)

    for i in range(1, 5000):
        xa_alloc_index(xa, base + i, GFP_KERNEL)

    xa_destroy(xa)

    ret, id = xa_alloc(
        xa, xa_mk_index(UINT_MAX - 1), XA_LIMIT(UINT_MAX - 1, UINT_MAX), GFP_KERNEL
    )  # kport: out-param
    XA_BUG_ON(xa, ret != 0)
    XA_BUG_ON(xa, id != 4294967294)
    ret, id = xa_alloc(
        xa, xa_mk_index(UINT_MAX), XA_LIMIT(UINT_MAX - 1, UINT_MAX), GFP_KERNEL
    )  # kport: out-param
    XA_BUG_ON(xa, ret != 0)
    XA_BUG_ON(xa, id != 4294967295)
    id = 3
    ret, _ = xa_alloc(
        xa, xa_mk_index(0), XA_LIMIT(UINT_MAX - 1, UINT_MAX), GFP_KERNEL
    )  # kport: out-param
    XA_BUG_ON(xa, ret != -EBUSY)
    XA_BUG_ON(xa, id != 3)
    xa_destroy(xa)

    ret, id = xa_alloc(xa, xa_mk_index(10), XA_LIMIT(10, 5), GFP_KERNEL)  # kport: out-param
    XA_BUG_ON(xa, ret != -EBUSY)
    XA_BUG_ON(xa, xa_store_index(xa, 3, GFP_KERNEL) is not None)
    ret, id = xa_alloc(xa, xa_mk_index(10), XA_LIMIT(10, 5), GFP_KERNEL)  # kport: out-param
    XA_BUG_ON(xa, ret != -EBUSY)
    xa_erase_index(xa, 3)
    XA_BUG_ON(xa, not xa_empty(xa))


def check_xa_alloc_2(xa: xarray, base: int) -> None:
    """Allocating NULL.

    lib/test_xarray.c:985-1034, Linux 7.2.13
    """
    XA_BUG_ON(xa, not xa_empty(xa))
    ret, id = xa_alloc(xa, None, xa_limit_32b, GFP_KERNEL)  # kport: out-param
    XA_BUG_ON(xa, ret != 0)
    XA_BUG_ON(xa, id != base)
    XA_BUG_ON(xa, xa_empty(xa))
    XA_BUG_ON(xa, xa_erase(xa, id) is not None)
    XA_BUG_ON(xa, not xa_empty(xa))

    XA_BUG_ON(xa, not xa_empty(xa))
    ret, id = xa_alloc(xa, None, xa_limit_32b, GFP_KERNEL)  # kport: out-param
    XA_BUG_ON(xa, ret != 0)
    XA_BUG_ON(xa, id != base)
    XA_BUG_ON(xa, xa_empty(xa))
    xa_destroy(xa)
    XA_BUG_ON(xa, not xa_empty(xa))

    for i in range(base, base + 10):
        ret, id = xa_alloc(xa, None, xa_limit_32b, GFP_KERNEL)  # kport: out-param
        XA_BUG_ON(xa, ret != 0)
        XA_BUG_ON(xa, id != i)

    XA_BUG_ON(xa, xa_store(xa, 3, xa_mk_index(3), GFP_KERNEL) is not None)
    XA_BUG_ON(xa, xa_store(xa, 4, xa_mk_index(4), GFP_KERNEL) is not None)
    XA_BUG_ON(xa, xa_store(xa, 4, None, GFP_KERNEL) is not xa_mk_index(4))
    XA_BUG_ON(xa, xa_erase(xa, 5) is not None)
    ret, id = xa_alloc(xa, None, xa_limit_32b, GFP_KERNEL)  # kport: out-param
    XA_BUG_ON(xa, ret != 0)
    XA_BUG_ON(xa, id != 5)

    for index, entry in xa_for_each(xa):
        xa_erase_index(xa, index)

    for i in range(base, base + 9):
        XA_BUG_ON(xa, xa_erase(xa, i) is not None)
        XA_BUG_ON(xa, xa_empty(xa))
    XA_BUG_ON(xa, xa_erase(xa, 8) is not None)
    XA_BUG_ON(xa, xa_empty(xa))
    XA_BUG_ON(xa, xa_erase(xa, base + 9) is not None)
    XA_BUG_ON(xa, not xa_empty(xa))

    xa_destroy(xa)


def check_xa_alloc_3(xa: xarray, base: int) -> None:
    """Allocating in circles.

    lib/test_xarray.c:1036-1098, Linux 7.2.13
    """
    limit = XA_LIMIT(1, 16383)
    next = 0
    id = 0  # kport: out-param

    ret, id, next = xa_alloc_cyclic(
        xa, id, xa_mk_index(1), limit, next, GFP_KERNEL
    )  # kport: out-param
    XA_BUG_ON(xa, ret != 0)
    XA_BUG_ON(xa, id != 1)

    next = 16381
    ret, id, next = xa_alloc_cyclic(
        xa, id, xa_mk_index(16381), limit, next, GFP_KERNEL
    )  # kport: out-param
    XA_BUG_ON(xa, ret != 0)
    XA_BUG_ON(xa, id != 16381)
    xa_erase_index(xa, 16381)
    xa_erase_index(xa, 1)
    XA_BUG_ON(xa, not xa_empty(xa))

    for i in range(16382, 16387):
        if i < 16384:
            entry = xa_mk_index(i)
        else:
            entry = xa_mk_index(i - 16383)
        ret, id, next = xa_alloc_cyclic(xa, id, entry, limit, next, GFP_KERNEL)  # kport: out-param
        XA_BUG_ON(xa, ret != 0)
        XA_BUG_ON(xa, xa_mk_index(id) is not entry)

    if base != 0:
        xa_erase_index(xa, base)
    xa_erase_index(xa, base + 1)
    next = UINT_MAX
    ret, id, next = xa_alloc_cyclic(
        xa, id, xa_mk_index(UINT_MAX), xa_limit_32b, next, GFP_KERNEL
    )  # kport: out-param
    XA_BUG_ON(xa, ret != 0)
    XA_BUG_ON(xa, id != UINT_MAX)
    ret, id, next = xa_alloc_cyclic(
        xa, id, xa_mk_index(base), xa_limit_32b, next, GFP_KERNEL
    )  # kport: out-param
    XA_BUG_ON(xa, ret != 0)
    XA_BUG_ON(xa, id != base)
    ret, id, next = xa_alloc_cyclic(
        xa, id, xa_mk_index(base + 1), xa_limit_32b, next, GFP_KERNEL
    )  # kport: out-param
    XA_BUG_ON(xa, ret != 0)
    XA_BUG_ON(xa, id != base + 1)

    for index, entry in xa_for_each(xa):
        xa_erase_index(xa, index)
    XA_BUG_ON(xa, not xa_empty(xa))

    next = UINT_MAX
    ret, id, next = xa_alloc_cyclic(
        xa, id, xa_mk_index(UINT_MAX), xa_limit_32b, next, GFP_KERNEL
    )  # kport: out-param
    XA_BUG_ON(xa, ret != 0)
    xa_lock(xa)
    ret, id, next = __xa_alloc_cyclic(
        xa, id, xa_mk_index(base), xa_limit_32b, next, GFP_KERNEL
    )  # kport: out-param
    xa_unlock(xa)
    XA_BUG_ON(xa, ret != 1)
    for index, entry in xa_for_each(xa):
        xa_erase_index(xa, index)
    XA_BUG_ON(xa, not xa_empty(xa))


def check_xa_alloc() -> None:
    """Arrays that begin at 0 and at 1.

    lib/test_xarray.c:1103-1111, Linux 7.2.13
    """
    check_xa_alloc_1(xa0, 0)
    check_xa_alloc_1(xa1, 1)
    check_xa_alloc_2(xa0, 0)
    check_xa_alloc_2(xa1, 1)
    check_xa_alloc_3(xa0, 0)
    check_xa_alloc_3(xa1, 1)


def check_find_1(xa: xarray) -> None:
    """Find the next of two entries, from each index.

    lib/test_xarray.c:1250-1296, Linux 7.2.13
    """
    XA_BUG_ON(xa, not xa_empty(xa))

    for i in range(0, 100):
        XA_BUG_ON(xa, xa_store_index(xa, i, GFP_KERNEL) is not None)
        xa_set_mark(xa, i, XA_MARK_0)
        for j in range(0, i):
            XA_BUG_ON(xa, xa_store_index(xa, j, GFP_KERNEL) is not None)
            xa_set_mark(xa, j, XA_MARK_0)
            for k in range(0, 100):
                index = k
                entry, index = xa_find(xa, index, ULONG_MAX, XA_PRESENT)  # kport: out-param
                if k <= j:
                    XA_BUG_ON(xa, index != j)
                elif k <= i:
                    XA_BUG_ON(xa, index != i)
                else:
                    XA_BUG_ON(xa, entry is not None)

                index = k
                entry, index = xa_find(xa, index, ULONG_MAX, XA_MARK_0)  # kport: out-param
                if k <= j:
                    XA_BUG_ON(xa, index != j)
                elif k <= i:
                    XA_BUG_ON(xa, index != i)
                else:
                    XA_BUG_ON(xa, entry is not None)
            xa_erase_index(xa, j)
            XA_BUG_ON(xa, xa_get_mark(xa, j, XA_MARK_0))
            XA_BUG_ON(xa, not xa_get_mark(xa, i, XA_MARK_0))
        xa_erase_index(xa, i)
        XA_BUG_ON(xa, xa_get_mark(xa, i, XA_MARK_0))
    XA_BUG_ON(xa, not xa_empty(xa))


def check_find_2(xa: xarray) -> None:
    """The loop finds what is there.

    lib/test_xarray.c:1298-1317, Linux 7.2.13
    """
    for index, entry in xa_for_each(xa):
        XA_BUG_ON(xa, True)
    index = 0  # kport: cursor

    for i in range(0, 1024):
        xa_store_index(xa, index, GFP_KERNEL)
        j = 0
        for index, entry in xa_for_each(xa):
            XA_BUG_ON(xa, xa_mk_index(index) is not entry)
            XA_BUG_ON(xa, index != j)
            j += 1  # kport: side-effect

    xa_destroy(xa)


def check_find_4(xa: xarray) -> None:
    """Find at the greatest index, and nothing behind it.

    lib/test_xarray.c:1344-1358, Linux 7.2.13
    """
    index = 0

    xa_store_index(xa, ULONG_MAX, GFP_KERNEL)

    entry, index = xa_find_after(xa, index, ULONG_MAX, XA_PRESENT)  # kport: out-param
    XA_BUG_ON(xa, entry is not xa_mk_index(ULONG_MAX))

    entry, index = xa_find_after(xa, index, ULONG_MAX, XA_PRESENT)  # kport: out-param
    XA_BUG_ON(xa, entry)

    xa_erase_index(xa, ULONG_MAX)


def check_find(xa: xarray) -> None:
    """All ways to find.

    lib/test_xarray.c:1360-1373, Linux 7.2.13
    """
    check_find_1(xa)
    check_find_2(xa)
    # kport: left-out
    check_find_4(xa)
    # kport: left-out


def check_align_1(xa: xarray, name: str) -> None:
    """Pointers of any alignment can be stored.

    lib/test_xarray.c:1944-1959, Linux 7.2.13
    """
    for i in range(0, 8):
        ret, id = xa_alloc(xa, name[i:], xa_limit_32b, GFP_KERNEL)  # kport: out-param
        XA_BUG_ON(xa, ret != 0)
        XA_BUG_ON(xa, id != i)
    for index, entry in xa_for_each(xa):
        XA_BUG_ON(xa, xa_is_err(entry))
    xa_destroy(xa)


def check_align_2(xa: xarray, name: str) -> None:
    """A reserved index takes a pointer of any alignment.

    lib/test_xarray.c:1965-1983, Linux 7.2.13
    """
    XA_BUG_ON(xa, not xa_empty(xa))

    for i in range(0, 8):
        XA_BUG_ON(xa, xa_store(xa, 0, name[i:], GFP_KERNEL) is not None)
        xa_erase(xa, 0)

    for i in range(0, 8):
        XA_BUG_ON(xa, xa_reserve(xa, 0, GFP_KERNEL) != 0)
        XA_BUG_ON(xa, xa_store(xa, 0, name[i:], 0) is not None)
        xa_erase(xa, 0)

    XA_BUG_ON(xa, not xa_empty(xa))


def check_align(xa: xarray) -> None:
    """Pointers of any alignment.

    lib/test_xarray.c:1985-1994, Linux 7.2.13
    """
    name = "Motorola 68000"

    check_align_1(xa, name)
    check_align_1(xa, name[1:])
    check_align_1(xa, name[2:])
    check_align_1(xa, name[3:])
    check_align_2(xa, name)


def check_destroy(xa: xarray) -> None:
    """A destroyed array is empty.

    lib/test_xarray.c:2196-2227, Linux 7.2.13
    """
    XA_BUG_ON(xa, not xa_empty(xa))

    xa_destroy(xa)
    XA_BUG_ON(xa, not xa_empty(xa))

    for index in range(0, 1000):
        xa_store_index(xa, index, GFP_KERNEL)
        XA_BUG_ON(xa, xa_empty(xa))
        xa_destroy(xa)
        XA_BUG_ON(xa, not xa_empty(xa))

    xa_store(xa, ULONG_MAX, xa, GFP_KERNEL)
    XA_BUG_ON(xa, xa_empty(xa))
    xa_destroy(xa)
    XA_BUG_ON(xa, not xa_empty(xa))
