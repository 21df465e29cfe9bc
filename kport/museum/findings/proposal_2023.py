# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The proposal of 2023: its one work item."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kport.arch.patch import Edit
from kport.museum.exhibit import Exhibit, port
from kport.museum.kit import Rig, null

# -- the item of 2023 ------------------------------------------------------------------------------


def a_job_behind_another_entity(kernel: Any) -> None:
    """The job that a ring chooses first waits for one of another entity of the same ring."""
    rig = Rig(run=null)
    ring = rig.ring()
    one, other = rig.entity(ring), rig.entity(ring)
    first = rig.job(other)
    rig.push(rig.job(one, after=[first.finished]), first)
    rig.close()


def _queue_it_again() -> Sequence[Edit]:
    return (
        Edit(
            port("sched_main", "v3_2023").drm_sched_main,
            """
            if not cleanup_job:
                return
            raise goto("again")
            """,
            'raise goto("again")',
        ),
    )


FOUND = (
    Exhibit(
        id="F10",
        slug="blocked-job-ends-the-item",
        title="a job that has to wait keeps all others from the ring",
        fix="",
        subject="",
        affected="the conversion to a work item, as proposed in 2023",
        sched="v3_2023",
        scenario=a_job_behind_another_entity,
        finds=r"^BUG: deadlock",
        mend=_queue_it_again,
        note="When the job that was chosen has to wait, drm_sched_main() returns unless it has "
        "freed one, and leaves the jobs of other entities where they are: a push queues the "
        "item only with the first job of an entity, and that is lost in an item that is queued "
        "already. If what the chosen job waits for is among them, the ring stands still for "
        "ever. The thread of 6.1 goes on to the next entity (sched_main.c:952-957), 7.2 queues "
        "the item again (1044-1049); so does the mend.",
    ),
)
