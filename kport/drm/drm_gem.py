# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Buffer objects, reduced to what a scheduler sees of them (include/drm/drm_gem.h of Linux 7.2.13).

A buffer is its reservation object. Its memory, handles and mappings are not here.
"""

from __future__ import annotations

from kport.dma_buf.dma_resv import dma_resv, dma_resv_fini, dma_resv_init
from kport.linux.kref import kref, kref_get, kref_init, kref_put
from kport.linux.slab import kfree
from kport.linux.struct import container_of, struct


class drm_gem_object(struct):
    """A buffer. `resv` is its reservation object, by default its own; `size` in bytes."""

    refcount: kref
    size: int
    resv: dma_resv | None
    _resv: dma_resv


def drm_gem_private_object_init(obj: drm_gem_object, size: int) -> None:
    """Initialise a buffer with one reference."""
    kref_init(obj.refcount)
    obj.size = size
    dma_resv_init(obj._resv)
    if not obj.resv:
        obj.resv = obj._resv


def drm_gem_private_object_fini(obj: drm_gem_object) -> None:
    """Take a buffer down; its own reservation object goes."""
    dma_resv_fini(obj._resv)


def drm_gem_object_get(obj: drm_gem_object) -> None:
    """Take a reference."""
    kref_get(obj.refcount)


def drm_gem_object_free(kref: kref) -> None:
    """The last reference is gone."""
    obj = container_of(kref, drm_gem_object, "refcount")
    drm_gem_private_object_fini(obj)
    kfree(obj)


def drm_gem_object_put(obj: drm_gem_object | None) -> None:
    """Drop a reference; NULL is fine."""
    if obj:
        kref_put(obj.refcount, drm_gem_object_free)
