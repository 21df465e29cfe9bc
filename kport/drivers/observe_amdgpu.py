# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""What the driver of the fake GPU shows to observers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kport.drivers.amdgpu.amdgpu import amdgpu_ring
from kport.hw.faults import Fault, Kind
from kport.trace.registry import Hardware, show


class Amdgpu:
    """Answers for rings of this driver."""

    def schedulers(self, ring: amdgpu_ring) -> Iterable[Any]:
        """The schedulers of all rings of the device."""
        return [other.sched for other in list(ring.adev.rings or ())]

    def hardware(self, ring: amdgpu_ring) -> Hardware:
        """Words read and written, and what the engine does."""
        hw = ring.hw
        resetting = bool(ring.adev.reset_domain.in_gpu_reset.counter)
        if ring.adev.gpu.dead:
            text = "gone"
        elif hw.hung is not None:
            text = f"hangs ({hw.hung.kind.value})"
        else:
            text = "idle" if hw.running is None else "runs a batch"
        return Hardware(hw.rptr, hw.wptr, text, resetting)

    def strike(self, ring: amdgpu_ring, kind: str, duration: int | None) -> None:
        """Let a fault strike the ring's next packet."""
        try:
            fault = Fault(Kind(kind), ring.name, at=1, duration=duration)
        except ValueError:
            kinds = ", ".join(kind.value for kind in Kind)
            raise ValueError(f"there is no fault {kind!r}; faults: {kinds}") from None
        ring.hw.strike(fault)


show(amdgpu_ring, Amdgpu())
