# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The GPU scheduler as it was proposed in 2023: that of 6.1 with a work item for the thread.

Between 6.1 and what was merged stood a version of the conversion in which the driver could pass a
workqueue, and without one the scheduler used system_wq. The reviewers objected: many items of that
queue run at once, and in no order, where the thread had done one thing after the other. So NULL
became an ordered workqueue of the scheduler's own. The fences and the trace events are 6.1's.

It has a bug that nobody saw then: when the job that was chosen has to wait, the item ends, and the
jobs of other entities stay where they are until something else queues it.
"""

from __future__ import annotations

from kport.drm.scheduler.v3_2023 import gpu_scheduler, sched_entity, sched_main
from kport.drm.scheduler.v6_1 import sched_fence

__all__ = ["gpu_scheduler", "sched_entity", "sched_fence", "sched_main"]
