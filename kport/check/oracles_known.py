# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Violations that are faults of the kernel itself, where the port equals the C.

An oracle reports them like any other: the report only says that the fault is known, and what the
argument from the C source is. Whoever looks for new ones (`kport stress`) counts these apart.
"""

from __future__ import annotations

from typing import NamedTuple


class Known(NamedTuple):
    """A fault of these schedulers, and the argument."""

    schedulers: tuple[str, ...]
    argument: str


KNOWN = {
    "work-behind-stop": Known(
        ("v7_2", "v3_2023"),
        "sched_main.c:140-144 (7.2.13) looks at pause_submit and then queues the item; if "
        "drm_sched_wqueue_stop() (1309-1314) sets it and cancels in between, it cancels nothing, "
        "and the item does not look again; drm_sched_stop() (421 ff.) and drm_sched_fini() (1191-"
        "1201) walk the pending list without its lock meanwhile",
    ),
    "work-behind-fini": Known(
        ("v7_2",),
        "sched_main.c:1016 (7.2.13): drm_sched_free_job_work() queues work_run_job when it ends; "
        "drm_sched_wqueue_stop() (1309-1314) has cancelled that by then and waits only for the "
        "former, so work_run_job runs on run queues that drm_sched_fini() frees",
    ),
    "tree-after-kill": Known(
        ("v7_2",),
        "sched_rq.c:341-378 (7.2.13): drm_sched_rq_pop_entity() puts an entity with more jobs into "
        "the tree without a look at entity->stopped; drm_sched_entity_kill() has taken it out just "
        "before, and waits for the scheduler only afterwards",
    ),
    "wakeup-against-fini": Known(
        ("v7_2", "v6_1", "v3_2023"),
        "sched_entity.c:443-452 (7.2.13), 335-344 (6.1.192): drm_sched_entity_wakeup() clears "
        "entity->dependency and then reads entity->rq; drm_sched_entity_fini() takes NULL there "
        "for \"no callback\" (413-417, 302), and the entity is freed",
    ),
    "kill-drops-dependency": Known(
        ("v6_1", "v3_2023"),
        "sched_entity.c:218-229 (6.1.192): drm_sched_job_dependency() erases what it returns, so "
        "drm_sched_entity_kill_jobs() (231-268) waits only for what nobody had asked for before: "
        "not for entity->dependency, which drm_sched_entity_fini() (281-314) drops, nor for a job "
        "of the same scheduler that only had to be scheduled (384-395)",
    ),
    "false-timeout": Known(
        ("v6_1", "v3_2023"),
        "sched_main.c:315-356 (6.1.192): drm_sched_job_timedout() takes the job off the list, and "
        "only a driver that calls drm_sched_stop() with it puts it back; 7.2 does it for NO_HANG",
    ),
    "blocked-job-ends-the-item": Known(
        ("v3_2023",),
        "the item ends when the job it has chosen must wait, and nobody queues it for the jobs of "
        "other entities; 7.2 does (sched_main.c:1044-1049)",
    ),
}


def known(slug: str, scheduler: str) -> str:
    """The slug and the argument, if that is a known fault of the scheduler; else ""."""
    entry = KNOWN[slug]
    return f"{slug}: {entry.argument}" if scheduler in entry.schedulers else ""
