# SPDX-FileCopyrightText: 2008 Advanced Micro Devices, Inc.
# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
#
# After drivers/gpu/drm/amd/amdgpu/amdgpu_ring.c, Linux 7.2.13, on 2026-11-20.
"""Writing to a ring: allocate, emit words, commit with the doorbell or undo."""

from __future__ import annotations

from kport.drivers.amdgpu.amdgpu import amdgpu_ib, amdgpu_ring
from kport.hw import packets
from kport.linux.barrier import mb
from kport.linux.bug import WARN_ON_ONCE
from kport.linux.err import ENOMEM
from kport.linux.printk import pr_err

EMIT_FRAME_SIZE = 4  # words of a submission without its batches
EMIT_IB_SIZE = 3  # words for one batch


def amdgpu_ring_alloc(ring: amdgpu_ring, ndw: int) -> int:
    """Begin a submission of at most `ndw` words: 0 or -ENOMEM."""
    if WARN_ON_ONCE(ndw > ring.max_dw):
        return -ENOMEM

    ring.count_dw = ndw
    ring.wptr_old = ring.wptr
    return 0


def amdgpu_ring_write(ring: amdgpu_ring, v: int) -> None:
    """Write one word."""
    if ring.count_dw <= 0:
        pr_err("amdgpu: writing more dwords to the ring than expected!\n")
    ring.hw.write(ring.wptr, v)
    ring.wptr += 1
    ring.count_dw -= 1


def amdgpu_ring_emit_ib(ring: amdgpu_ring, vmid: int, ib: amdgpu_ib) -> None:
    """Emit the packet that runs a batch in an address space."""
    amdgpu_ring_write(ring, packets.header(packets.EXECUTE, 2))
    amdgpu_ring_write(ring, ib.gpu_addr)
    amdgpu_ring_write(ring, vmid)


def amdgpu_ring_emit_fence(ring: amdgpu_ring, addr: int, seq: int, flags: int) -> None:
    """Emit the packet that writes a number and raises the interrupt."""
    amdgpu_ring_write(ring, packets.header(packets.FENCE, 3))
    amdgpu_ring_write(ring, addr)
    amdgpu_ring_write(ring, seq)
    amdgpu_ring_write(ring, flags)


def amdgpu_ring_commit(ring: amdgpu_ring) -> None:
    """End a submission: the engine may fetch it."""
    if ring.count_dw < 0:
        pr_err("amdgpu: writing more dwords to the ring than expected!\n")

    mb()
    ring.hw.doorbell(ring.wptr)


def amdgpu_ring_undo(ring: amdgpu_ring) -> None:
    """Give a submission up."""
    ring.wptr = ring.wptr_old
