# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The GPU scheduler of Linux 6.1.192: one kernel thread per ring, round robin, kthread park."""

from __future__ import annotations

from kport.drm.scheduler.v6_1 import gpu_scheduler, sched_entity, sched_fence, sched_main

__all__ = ["gpu_scheduler", "sched_entity", "sched_fence", "sched_main"]
