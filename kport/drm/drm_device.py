# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""A DRM device, reduced to what a test of it sees (include/drm/drm_device.h of Linux 7.2.13)."""

from __future__ import annotations

from kport.linux.device import device
from kport.linux.struct import struct
from kport.linux.types import BIT, u32

DRIVER_GEM = BIT(0)
DRIVER_MODESET = BIT(1)


class drm_device(struct):
    """A device and the features (DRIVER_*) of its driver."""

    dev: device | None
    driver_features: u32
