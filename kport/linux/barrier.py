# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Barriers (include/asm-generic/barrier.h). They order on `virt` with a weak memory only."""

from __future__ import annotations

from typing import Any

from kport.arch.asm import WRITE_ONCE, smp_mb, smp_rmb, smp_wmb

__all__ = ["mb", "rmb", "smp_mb", "smp_rmb", "smp_store_mb", "smp_wmb", "wmb"]

mb = smp_mb
rmb = smp_rmb
wmb = smp_wmb


def smp_store_mb(o: Any, f: str, value: Any) -> None:
    """Store to a member, then order the store before everything that follows."""
    WRITE_ONCE(o, f, value)
    smp_mb()
