# SPDX-FileCopyrightText: 2022 Advanced Micro Devices, Inc.
# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
#
# Translated to Python from drivers/gpu/drm/tests/drm_exec_test.c, Linux 7.2.13, on 2026-11-20.
"""KUnit's tests of drm_exec: the suite `drm_exec` with its 7 cases."""

from __future__ import annotations

from kport.drm.drm_device import DRIVER_MODESET, drm_device
from kport.drm.drm_exec import (
    DRM_EXEC_IGNORE_DUPLICATES,
    DRM_EXEC_INTERRUPTIBLE_WAIT,
    drm_exec,
    drm_exec_fini,
    drm_exec_init,
    drm_exec_lock_obj,
    drm_exec_prepare_array,
    drm_exec_prepare_obj,
    drm_exec_retry_on_contention,
    drm_exec_unlock_obj,
    drm_exec_until_all_locked,
)
from kport.drm.drm_gem import (
    drm_gem_object,
    drm_gem_private_object_fini,
    drm_gem_private_object_init,
)
from kport.kunit.drm.drm_kunit_helpers import (
    __drm_kunit_helper_alloc_drm_device,
    drm_kunit_helper_alloc_device,
)
from kport.kunit.test import KUNIT_CASE, kunit_suite, kunit_test_suite
from kport.linux.device import device
from kport.linux.kunit import (
    KUNIT_ASSERT_NOT_ERR_OR_NULL,
    KUNIT_EXPECT_EQ,
    KUNIT_FAIL,
    KUNIT_SUCCEED,
    kunit,
    kunit_kzalloc,
)
from kport.linux.page import PAGE_SIZE
from kport.linux.struct import struct
from kport.linux.types import ARRAY_SIZE


class drm_exec_priv(struct):
    """What each test has."""

    dev: device | None
    drm: drm_device | None


def drm_exec_test_init(test: kunit) -> int:
    """A device for each test.

    drivers/gpu/drm/tests/drm_exec_test.c:24-41, Linux 7.2.13
    """
    priv = kunit_kzalloc(test, drm_exec_priv)
    KUNIT_ASSERT_NOT_ERR_OR_NULL(test, priv)

    test.priv = priv

    priv.dev = drm_kunit_helper_alloc_device(test)
    KUNIT_ASSERT_NOT_ERR_OR_NULL(test, priv.dev)

    priv.drm = __drm_kunit_helper_alloc_drm_device(test, priv.dev, DRIVER_MODESET)  # kport: model
    KUNIT_ASSERT_NOT_ERR_OR_NULL(test, priv.drm)

    return 0


def sanitycheck(test: kunit) -> None:
    """Begin and end with nothing locked.

    drivers/gpu/drm/tests/drm_exec_test.c:43-50, Linux 7.2.13
    """
    exec = drm_exec()

    drm_exec_init(exec, DRM_EXEC_INTERRUPTIBLE_WAIT, 0)
    drm_exec_fini(exec)
    KUNIT_SUCCEED(test)


def test_lock(test: kunit) -> None:
    """Lock one buffer.

    drivers/gpu/drm/tests/drm_exec_test.c:52-70, Linux 7.2.13
    """
    priv = test.priv
    gobj = drm_gem_object()
    exec = drm_exec()

    drm_gem_private_object_init(gobj, PAGE_SIZE)

    drm_exec_init(exec, DRM_EXEC_INTERRUPTIBLE_WAIT, 0)
    for _ in drm_exec_until_all_locked(exec):
        ret = drm_exec_lock_obj(exec, gobj)
        if drm_exec_retry_on_contention(exec):
            continue
        KUNIT_EXPECT_EQ(test, ret, 0)
        if ret:
            break
    drm_exec_fini(exec)


def test_lock_unlock(test: kunit) -> None:
    """Lock, unlock and lock one buffer in one round.

    drivers/gpu/drm/tests/drm_exec_test.c:72-97, Linux 7.2.13
    """
    priv = test.priv
    gobj = drm_gem_object()
    exec = drm_exec()

    drm_gem_private_object_init(gobj, PAGE_SIZE)

    drm_exec_init(exec, DRM_EXEC_INTERRUPTIBLE_WAIT, 0)
    for _ in drm_exec_until_all_locked(exec):
        ret = drm_exec_lock_obj(exec, gobj)
        if drm_exec_retry_on_contention(exec):
            continue
        KUNIT_EXPECT_EQ(test, ret, 0)
        if ret:
            break

        drm_exec_unlock_obj(exec, gobj)
        ret = drm_exec_lock_obj(exec, gobj)
        if drm_exec_retry_on_contention(exec):
            continue
        KUNIT_EXPECT_EQ(test, ret, 0)
        if ret:
            break
    drm_exec_fini(exec)


def test_duplicates(test: kunit) -> None:
    """A buffer that is locked twice counts once, if the flag says so.

    drivers/gpu/drm/tests/drm_exec_test.c:99-124, Linux 7.2.13
    """
    priv = test.priv
    gobj = drm_gem_object()
    exec = drm_exec()

    drm_gem_private_object_init(gobj, PAGE_SIZE)

    drm_exec_init(exec, DRM_EXEC_IGNORE_DUPLICATES, 0)
    for _ in drm_exec_until_all_locked(exec):
        ret = drm_exec_lock_obj(exec, gobj)
        if drm_exec_retry_on_contention(exec):
            continue
        KUNIT_EXPECT_EQ(test, ret, 0)
        if ret:
            break

        ret = drm_exec_lock_obj(exec, gobj)
        if drm_exec_retry_on_contention(exec):
            continue
        KUNIT_EXPECT_EQ(test, ret, 0)
        if ret:
            break
    drm_exec_unlock_obj(exec, gobj)
    drm_exec_fini(exec)


def test_prepare(test: kunit) -> None:
    """Lock one buffer and reserve a slot.

    drivers/gpu/drm/tests/drm_exec_test.c:126-146, Linux 7.2.13
    """
    priv = test.priv
    gobj = drm_gem_object()
    exec = drm_exec()

    drm_gem_private_object_init(gobj, PAGE_SIZE)

    drm_exec_init(exec, DRM_EXEC_INTERRUPTIBLE_WAIT, 0)
    for _ in drm_exec_until_all_locked(exec):
        ret = drm_exec_prepare_obj(exec, gobj, 1)
        if drm_exec_retry_on_contention(exec):
            continue
        KUNIT_EXPECT_EQ(test, ret, 0)
        if ret:
            break
    drm_exec_fini(exec)

    drm_gem_private_object_fini(gobj)


def test_prepare_array(test: kunit) -> None:
    """Lock two buffers and reserve a slot in each.

    drivers/gpu/drm/tests/drm_exec_test.c:148-177, Linux 7.2.13
    """
    priv = test.priv
    array = (
        (gobj1 := kunit_kzalloc(test, drm_gem_object)),
        (gobj2 := kunit_kzalloc(test, drm_gem_object)),
    )
    exec = drm_exec()

    if not gobj1 or not gobj2:
        KUNIT_FAIL(test, "Failed to allocate GEM objects.\n")
        return

    drm_gem_private_object_init(gobj1, PAGE_SIZE)
    drm_gem_private_object_init(gobj2, PAGE_SIZE)

    drm_exec_init(exec, DRM_EXEC_INTERRUPTIBLE_WAIT, 0)
    for _ in drm_exec_until_all_locked(exec):
        ret = drm_exec_prepare_array(exec, array, ARRAY_SIZE(array), 1)
    KUNIT_EXPECT_EQ(test, ret, 0)
    drm_exec_fini(exec)

    drm_gem_private_object_fini(gobj1)
    drm_gem_private_object_fini(gobj2)


def test_multiple_loops(test: kunit) -> None:
    """Two loops in one function.

    drivers/gpu/drm/tests/drm_exec_test.c:179-205, Linux 7.2.13
    """
    exec = drm_exec()

    drm_exec_init(exec, DRM_EXEC_INTERRUPTIBLE_WAIT, 0)
    for _ in drm_exec_until_all_locked(exec):
        break
    drm_exec_fini(exec)

    drm_exec_init(exec, DRM_EXEC_INTERRUPTIBLE_WAIT, 0)
    for _ in drm_exec_until_all_locked(exec):
        break
    drm_exec_fini(exec)
    KUNIT_SUCCEED(test)


drm_exec_tests = [
    KUNIT_CASE(sanitycheck),
    KUNIT_CASE(test_lock),
    KUNIT_CASE(test_lock_unlock),
    KUNIT_CASE(test_duplicates),
    KUNIT_CASE(test_prepare),
    KUNIT_CASE(test_prepare_array),
    KUNIT_CASE(test_multiple_loops),
]

drm_exec_test_suite = kunit_suite(
    name="drm_exec",
    init=drm_exec_test_init,
    test_cases=drm_exec_tests,
)

kunit_test_suite(drm_exec_test_suite)
