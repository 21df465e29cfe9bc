# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Buffers, as far as a scheduler sees them, and the messages of DRM."""

from __future__ import annotations

from kport.dma_buf.dma_resv import dma_resv, dma_resv_fini, dma_resv_init, dma_resv_is_locked
from kport.drm.drm_gem import (
    drm_gem_object,
    drm_gem_object_get,
    drm_gem_object_put,
    drm_gem_private_object_init,
)
from kport.drm.drm_print import DRM_DEBUG, DRM_DEV_ERROR, DRM_ERROR, DRM_WARN
from kport.linux.device import device
from kport.linux.kref import kref_read
from kport.linux.slab import kzalloc_obj
from tests.support import messages


def test_a_buffer_has_a_reservation_of_its_own(kernel):
    obj = kzalloc_obj(drm_gem_object)
    drm_gem_private_object_init(obj, 4096)
    assert obj.size == 4096
    assert obj.resv is obj._resv
    assert not dma_resv_is_locked(obj.resv)
    drm_gem_object_get(obj)
    assert kref_read(obj.refcount) == 2
    drm_gem_object_put(obj)
    drm_gem_object_put(obj)
    drm_gem_object_put(None)


def test_a_buffer_may_share_a_reservation(kernel):
    shared = dma_resv()
    dma_resv_init(shared)
    obj = kzalloc_obj(drm_gem_object)
    obj.resv = shared
    drm_gem_private_object_init(obj, 1)
    assert obj.resv is shared
    drm_gem_object_put(obj)
    assert not dma_resv_is_locked(shared)
    dma_resv_fini(shared)


def test_messages_name_the_function(kernel):
    dev = device()
    dev.driver, dev.name = "amdgpu", "card0"
    DRM_ERROR("broken %d\n", 1)
    DRM_WARN("odd\n")
    DRM_DEBUG("look\n")
    DRM_DEV_ERROR(dev, "bad\n")
    DRM_DEV_ERROR(None, "bad\n")
    here = "test_messages_name_the_function"
    assert messages(kernel) == [
        f"[drm:{here}] *ERROR* broken 1",
        "[drm] odd",
        f"[drm:{here}] look",
        f"amdgpu card0: [drm:{here}] *ERROR* bad",
        f"[drm:{here}] *ERROR* bad",
    ]
