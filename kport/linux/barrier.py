# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Barriers (include/asm-generic/barrier.h). No weak memory is modelled; see kport.arch.asm."""

from __future__ import annotations

from kport.arch.asm import smp_mb, smp_rmb, smp_wmb

__all__ = ["mb", "rmb", "smp_mb", "smp_rmb", "smp_wmb", "wmb"]

mb = smp_mb
rmb = smp_rmb
wmb = smp_wmb
