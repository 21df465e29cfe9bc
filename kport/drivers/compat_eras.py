# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The names and the constructors of older kernels, for what was written in their time.

    drm_sched_init(sched, ops, hw_submission, hang_limit, timeout, name)                   to 5.12
    ... timeout, score, name)                                                              5.13
    ... timeout, timeout_wq, score, name)                                                  5.15
    ... timeout, timeout_wq, score, name, dev)                                             5.18
    drm_sched_init(sched, ops, num_rqs, hw_submission, ... as 5.18)                        6.7
    drm_sched_init(sched, ops, submit_wq, hw_submission, ... as 5.18)                      of 2023
    drm_sched_init(sched, ops, submit_wq, num_rqs, credit_limit, ... as 5.18)              6.8
    drm_sched_init(sched, args)                                                            6.15

One function takes them all: C told them apart when it compiled, here it is the number of arguments,
and between the two with ten whether the third is a number. It makes a scheduler of whichever kernel
was booted. Callbacks may have the name `dependency` (to 6.2) or `prepare_job`.

What a field was called comes second: the fields of the ported structs have one name each, and the
old ones are other names of the same.
"""

from __future__ import annotations

from typing import Any

from kport.dma_buf.dma_fence import dma_fence, dma_fence_cb
from kport.drivers import compat
from kport.drivers.compat import (
    DRM_GPU_SCHED_STAT_RESET,
    DRM_SCHED_PRIORITY_COUNT,
    drm_sched_backend_ops,
    drm_sched_init_args,
)

# What follows (sched, ops), by the number of all arguments.
_PARAMETERS = {
    6: ("credit_limit", "hang_limit", "timeout", "name"),
    7: ("credit_limit", "hang_limit", "timeout", "score", "name"),
    8: ("credit_limit", "hang_limit", "timeout", "timeout_wq", "score", "name"),
    9: ("credit_limit", "hang_limit", "timeout", "timeout_wq", "score", "name", "dev"),
}

_MORE = {10: 1, 11: 2}  # how many parameters of then stand before those of 5.18

# Other names of the members of a struct: old to new.
_RENAMED = {
    "drm_gpu_scheduler": {
        "ring_mirror_list": "pending_list",  # to 5.10
        "num_jobs": "score",  # to 5.9
        "hw_submission_limit": "credit_limit",  # to 6.7
        "hw_rq_count": "credit_count",  # to 6.7
    },
    "drm_sched_job": {"node": "list"},  # to 5.10
}


def new_ops(ops: Any) -> drm_sched_backend_ops:
    """Callbacks of any time under their names of 7.2; a timeout that says nothing was a reset."""
    timedout_job = getattr(ops, "timedout_job", None)

    def timedout(job: Any) -> int:
        status = timedout_job(job)
        return DRM_GPU_SCHED_STAT_RESET if status is None else int(status)

    return drm_sched_backend_ops(
        prepare_job=getattr(ops, "prepare_job", None) or getattr(ops, "dependency", None),
        run_job=ops.run_job,
        timedout_job=timedout if timedout_job else None,
        free_job=ops.free_job,
        cancel_job=getattr(ops, "cancel_job", None),
    )


def drm_sched_init(sched: Any, *given: Any) -> int:
    """Initialise a scheduler as it was done at some time: 0 or a negative error.

    Raises TypeError for a number of arguments that it never had.
    """
    count = 1 + len(given)
    if count == 2:
        return compat.drm_sched_init(sched, given[0])
    more = _MORE.get(count, 0)
    if count - more not in _PARAMETERS:
        raise TypeError(f"drm_sched_init() never had {count} arguments, but 2 or 6 to 11")
    ops, *rest = given
    made: dict[str, Any] = {"num_rqs": DRM_SCHED_PRIORITY_COUNT}
    for value in rest[:more]:
        made["num_rqs" if isinstance(value, int) else "submit_wq"] = value
    made |= dict(zip(_PARAMETERS[count - more], rest[more:], strict=True))
    return compat.drm_sched_init(sched, drm_sched_init_args(ops=new_ops(ops), **made))


def drm_sched_process_job(f: dma_fence, cb: dma_fence_cb) -> None:
    """The hardware fence of a job has signalled: drm_sched_job_done_cb() to 5.10."""
    compat.struct_of("drm_sched_job_done_cb")(f, cb)


# Of the first versions of the conversion to a workqueue.
drm_sched_submit_ready = compat.drm_sched_wqueue_ready
drm_sched_submit_stop = compat.drm_sched_wqueue_stop
drm_sched_submit_start = compat.drm_sched_wqueue_start


def _alias(new: str) -> property:
    """Another name of a member."""

    def get(obj: Any) -> Any:
        return getattr(obj, new)

    def put(obj: Any, value: Any) -> None:
        setattr(obj, new, value)

    return property(get, put)


def name_fields(package: Any) -> None:
    """Let the fields of a scheduler's structs be called by their old names, too."""
    for struct, renamed in _RENAMED.items():
        cls = getattr(package.gpu_scheduler, struct)
        for old, new in renamed.items():
            if not hasattr(cls, old) and hasattr(cls, new):
                setattr(cls, old, _alias(new))


for _name in compat.SCHEDULERS:
    name_fields(compat.package(_name))
