# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The GPU scheduler of Linux 7.2.13: gpu-sched-y := sched_main.o sched_fence.o sched_entity.o sched_rq.o"""

from __future__ import annotations

from kport.drm.scheduler.v7_2 import gpu_scheduler, sched_entity, sched_fence, sched_main, sched_rq

__all__ = ["gpu_scheduler", "sched_entity", "sched_fence", "sched_main", "sched_rq"]
