# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: GPL-2.0-only
#
# After drivers/gpu/drm/tests/drm_kunit_helpers.c and include/drm/drm_kunit_helpers.h,
# Linux 7.2.13, on 2026-11-20.
"""Devices for the tests of DRM; they live as long as the test."""

from __future__ import annotations

from typing import Any

from kport.drm.drm_device import drm_device
from kport.linux.device import device
from kport.linux.err import ENOMEM, ERR_PTR
from kport.linux.kunit import kunit, kunit_device_register, kunit_kzalloc

KUNIT_DEVICE_NAME = "drm-kunit-mock-device"


def drm_kunit_helper_alloc_device(test: kunit) -> Any:
    """A device, or ERR_PTR."""
    return kunit_device_register(test, KUNIT_DEVICE_NAME)


def __drm_kunit_helper_alloc_drm_device(test: kunit, dev: device, features: int) -> Any:
    """A DRM device whose driver has `features`, or ERR_PTR."""
    drm = kunit_kzalloc(test, drm_device)
    if not drm:
        return ERR_PTR(-ENOMEM)
    drm.dev = dev
    drm.driver_features = features
    return drm
