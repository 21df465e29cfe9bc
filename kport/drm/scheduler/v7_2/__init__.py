# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The GPU scheduler of Linux 7.2.13: sched_main, sched_fence, sched_entity, sched_rq."""

from __future__ import annotations

from kport.drm.scheduler.v7_2 import gpu_scheduler, sched_entity, sched_fence, sched_main, sched_rq

__all__ = ["gpu_scheduler", "sched_entity", "sched_fence", "sched_main", "sched_rq"]
