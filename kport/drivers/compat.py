# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""One driver, several schedulers: the interface of Linux 7.2 on whichever scheduler was booted.

A driver that is kept outside of the kernel is written to the newest interface and carries a thin
layer that makes it of what older kernels have. This is that layer. Drivers and what plays workloads
on them import the scheduler from here; which one it is, is the module parameter `scheduler`:

    with kport.boot(params={"scheduler": "v6_1"}):
        ...

What an older scheduler cannot do stays undone: 6.1 counts jobs and not credits, takes the error of
a hardware fence no further, and has no way to stop an entity but the death of its user. What the
layer must add, so that a driver need not know, is in `compat_6_1`.

A struct that drivers embed is made by the scheduler that was booted: the classes here make objects
of its class. Numbers (priorities, answers to a timeout) are those of 7.2.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

from kport.dma_buf.dma_fence import dma_fence
from kport.drivers import compat_6_1
from kport.drm.drm_gem import drm_gem_object
from kport.drm.scheduler.v7_2.gpu_scheduler import (
    DRM_GPU_SCHED_STAT_ENODEV,
    DRM_GPU_SCHED_STAT_NO_HANG,
    DRM_GPU_SCHED_STAT_NONE,
    DRM_GPU_SCHED_STAT_RESET,
    DRM_SCHED_FENCE_DONT_PIPELINE,
    DRM_SCHED_PRIORITY_COUNT,
    DRM_SCHED_PRIORITY_HIGH,
    DRM_SCHED_PRIORITY_KERNEL,
    DRM_SCHED_PRIORITY_LOW,
    DRM_SCHED_PRIORITY_NORMAL,
    drm_gpu_sched_stat,
    drm_sched_backend_ops,
    drm_sched_init_args,
    drm_sched_priority,
)
from kport.linux.atomic import atomic_t
from kport.linux.module import boot_data, module_param_named

__all__ = [
    "DRM_GPU_SCHED_STAT_ENODEV",
    "DRM_GPU_SCHED_STAT_NONE",
    "DRM_GPU_SCHED_STAT_NO_HANG",
    "DRM_GPU_SCHED_STAT_RESET",
    "DRM_SCHED_FENCE_DONT_PIPELINE",
    "DRM_SCHED_PRIORITY_COUNT",
    "DRM_SCHED_PRIORITY_HIGH",
    "DRM_SCHED_PRIORITY_KERNEL",
    "DRM_SCHED_PRIORITY_LOW",
    "DRM_SCHED_PRIORITY_NORMAL",
    "SCHEDULERS",
    "drm_gpu_sched_stat",
    "drm_gpu_scheduler",
    "drm_sched_backend_ops",
    "drm_sched_entity",
    "drm_sched_fence",
    "drm_sched_init_args",
    "drm_sched_job",
    "drm_sched_priority",
]

SCHEDULERS = ("v7_2", "v6_1", "v3_2023")

scheduler = "v7_2"
_now = SimpleNamespace()


def package(name: str) -> ModuleType:
    """The package of a scheduler. ValueError if there is none of that name."""
    if name not in SCHEDULERS:
        raise ValueError(f"unknown scheduler {name!r}; there is: {', '.join(SCHEDULERS)}")
    return importlib.import_module(f"kport.drm.scheduler.{name}")


def _name(name: str) -> str:
    """The type of the parameter: a name whose scheduler is loaded before the kernel boots."""
    package(name)
    return name


module_param_named("scheduler", "scheduler", _name, 0o444)


@boot_data
def _select() -> None:
    global _now
    chosen = package(scheduler)
    _now = SimpleNamespace()
    for part in ("sched_fence", "sched_entity", "sched_main", "gpu_scheduler"):
        module = getattr(chosen, part)
        vars(_now).update(
            (name, value) for name, value in vars(module).items() if "drm_" in name
        )
    if scheduler != "v7_2":
        vars(_now).update(compat_6_1.interface(chosen))


def _embedded(name: str) -> type:
    """A class whose objects are of the class of that name in the scheduler that was booted."""

    def make(cls: type, container: Any = None, member: str | None = None) -> Any:
        return getattr(_now, name)(container, member)

    def actual() -> type:
        found: type = getattr(_now, name)
        return found

    body = {
        "__module__": __name__,
        "__new__": make,
        "__slots__": (),
        "_actual": staticmethod(actual),
        "_container": None,
        "_knots": ("knots",),
    }
    return type(name, (), body)


def struct_of(name: str) -> type[Any]:
    """The class of a struct in the scheduler that was booted, for walks through its lists."""
    struct: type[Any] = getattr(_now, name)
    return struct


if TYPE_CHECKING:
    from kport.drm.scheduler.v7_2.gpu_scheduler import (
        drm_gpu_scheduler,
        drm_sched_entity,
        drm_sched_fence,
        drm_sched_job,
    )
else:
    drm_gpu_scheduler = _embedded("drm_gpu_scheduler")
    drm_sched_entity = _embedded("drm_sched_entity")
    drm_sched_fence = _embedded("drm_sched_fence")
    drm_sched_job = _embedded("drm_sched_job")


# -- schedulers ----------------------------------------------------------------------------------


def drm_sched_init(sched: drm_gpu_scheduler, args: drm_sched_init_args) -> int:
    """Initialise a scheduler: 0 or a negative error. Credits are jobs before 7.2."""
    return _now.drm_sched_init(sched, args)


def drm_sched_fini(sched: drm_gpu_scheduler) -> None:
    """Take a scheduler down; jobs on the hardware are cancelled if the driver can."""
    _now.drm_sched_fini(sched)


def drm_sched_stop(sched: drm_gpu_scheduler, bad: drm_sched_job | None) -> None:
    """Stop for a reset."""
    _now.drm_sched_stop(sched, bad)


def drm_sched_start(sched: drm_gpu_scheduler, errno: int) -> None:
    """Go on after a reset; jobs without a hardware fence end with `errno`."""
    _now.drm_sched_start(sched, errno)


def drm_sched_wqueue_ready(sched: drm_gpu_scheduler) -> bool:
    """True between init and fini."""
    return bool(_now.drm_sched_wqueue_ready(sched))


def drm_sched_wqueue_stop(sched: drm_gpu_scheduler) -> None:
    """Neither run_job() nor free_job() runs after this returns, until wqueue_start().

    It may be stopped already.
    """
    _now.drm_sched_wqueue_stop(sched)


def drm_sched_wqueue_start(sched: drm_gpu_scheduler) -> None:
    """Go on after drm_sched_wqueue_stop()."""
    _now.drm_sched_wqueue_start(sched)


def drm_sched_fault(sched: drm_gpu_scheduler) -> None:
    """The driver has seen a fault: run the timeout handler now."""
    _now.drm_sched_fault(sched)


def drm_sched_suspend_timeout(sched: drm_gpu_scheduler) -> int:
    """Put the timeout off for ever; returns the ticks that were left of it."""
    return int(_now.drm_sched_suspend_timeout(sched))


def drm_sched_resume_timeout(sched: drm_gpu_scheduler, remaining: int) -> None:
    """Time out in `remaining` ticks if a job is pending."""
    _now.drm_sched_resume_timeout(sched, remaining)


def drm_sched_increase_karma(bad: drm_sched_job) -> None:
    """Count a hang against the job."""
    _now.drm_sched_increase_karma(bad)


def drm_sched_resubmit_jobs(sched: drm_gpu_scheduler) -> None:
    """Run every pending job once more."""
    _now.drm_sched_resubmit_jobs(sched)


# -- entities --------------------------------------------------------------------------------------


def drm_sched_entity_init(
    entity: drm_sched_entity,
    priority: drm_sched_priority,
    sched_list: Sequence[drm_gpu_scheduler],
    num_sched_list: int,
    guilty: atomic_t | None,
) -> int:
    """Initialise an entity: 0, -EINVAL or -ENOMEM."""
    return _now.drm_sched_entity_init(entity, priority, sched_list, num_sched_list, guilty)


def drm_sched_entity_modify_sched(
    entity: drm_sched_entity,
    sched_list: Sequence[drm_gpu_scheduler],
    num_sched_list: int,
) -> None:
    """Replace the list of schedulers; not while jobs can be pushed to the entity."""
    _now.drm_sched_entity_modify_sched(entity, sched_list, num_sched_list)


def drm_sched_entity_set_priority(
    entity: drm_sched_entity, priority: drm_sched_priority
) -> None:
    """Set the priority."""
    _now.drm_sched_entity_set_priority(entity, priority)


def drm_sched_entity_error(entity: drm_sched_entity) -> int:
    """The error of the job scheduled last; before 7.2 only from a callback of the scheduler."""
    return _now.drm_sched_entity_error(entity)


def drm_sched_entity_kill(entity: drm_sched_entity) -> None:
    """Refuse new jobs; those that are queued end with -ESRCH, before 7.2 when the entity goes."""
    _now.drm_sched_entity_kill(entity)


def drm_sched_entity_flush(entity: drm_sched_entity, timeout: int) -> int:
    """Wait until the queue is empty, an exiting task `timeout` ticks; returns the ticks left."""
    return _now.drm_sched_entity_flush(entity, timeout)


def drm_sched_entity_fini(entity: drm_sched_entity) -> None:
    """End the entity; what is still queued is killed."""
    _now.drm_sched_entity_fini(entity)


def drm_sched_entity_destroy(entity: drm_sched_entity) -> None:
    """Flush and end the entity."""
    _now.drm_sched_entity_destroy(entity)


# -- jobs ------------------------------------------------------------------------------------------


def drm_sched_job_init(
    job: drm_sched_job,
    entity: drm_sched_entity,
    credits: int,
    owner: Any,
    drm_client_id: int,
) -> int:
    """Initialise a job of an entity: 0, -ENOENT, -EINVAL or -ENOMEM."""
    return _now.drm_sched_job_init(job, entity, credits, owner, drm_client_id)


def drm_sched_job_add_dependency(job: drm_sched_job, fence: dma_fence | None) -> int:
    """Wait for a fence, whose reference is taken over: 0 or -ENOMEM."""
    return _now.drm_sched_job_add_dependency(job, fence)


def drm_sched_job_add_implicit_dependencies(
    job: drm_sched_job, obj: drm_gem_object, write: bool
) -> int:
    """Wait for what a read or a write of a buffer must wait for: 0 or -ENOMEM. Locked."""
    return _now.drm_sched_job_add_implicit_dependencies(job, obj, write)


def drm_sched_job_arm(job: drm_sched_job) -> None:
    """Choose the scheduler and make the fences; the job must be pushed after this."""
    _now.drm_sched_job_arm(job)


def drm_sched_entity_push_job(sched_job: drm_sched_job) -> None:
    """Submit an armed job."""
    _now.drm_sched_entity_push_job(sched_job)


def drm_sched_job_cleanup(job: drm_sched_job) -> None:
    """Drop what drm_sched_job_init() and _arm() made."""
    _now.drm_sched_job_cleanup(job)


def to_drm_sched_fence(f: dma_fence) -> drm_sched_fence | None:
    """The scheduler fence that `f` is half of, or NULL."""
    return _now.to_drm_sched_fence(f)
