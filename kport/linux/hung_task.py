# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""What a sleeping task waits for, read from its stack (compare kernel/hung_task.c, Linux 7.2.13).

The kernel notes the lock a task blocks on for its hung-task report; here the frame of the function
that waits still has it as a local, so nothing is noted while all is well.
"""

from __future__ import annotations

from types import FrameType
from typing import Any

from kport.linux.struct import struct

# Functions that wait, and the local that says for what; the outermost on the stack is the cause.
_WAITS = {
    "__mutex_lock_common": "lock",
    "_down": "sem",
    "wait_for_common": "x",
    "__wait_for_common": "x",
    "___wait_event": "wq_head",
    "wait_event": "wq_head",
    "dma_fence_default_wait": "fence",
    "dma_fence_wait_timeout": "fence",
    "__flush_work": "work",
    "flush_workqueue": "wq",
    "kthread_stop": "k",
    "kthread_park": "k",
    "kthread_flush_work": "work",
    "kthread_flush_worker": "worker",
    "synchronize_rcu": "",
    "rcu_barrier": "",
}
_DEPTH = 40


def waits_for(frame: FrameType | None) -> str:
    """What the task whose innermost frame this is waits for, and who holds it; "" if unknown."""
    found = ""
    for _ in range(_DEPTH):
        if frame is None:
            break
        name = frame.f_code.co_name
        if name in _WAITS and frame.f_globals.get("__name__", "").startswith("kport."):
            local = _WAITS[name]
            found = f"{name}({describe(frame.f_locals.get(local)) if local else ''})"
            found += _holder(frame.f_locals.get(local))
        frame = frame.f_back
    return found


def describe(obj: Any) -> str:
    """An object as C would name it: where it is embedded, or its type and name."""
    parts: list[str] = []
    at = obj
    while isinstance(at, struct) and at._container is not None and at._member is not None:
        parts.append(at._member)
        at = at._container
    kind = type(at).__name__
    name = getattr(at, "name", "") or getattr(at, "comm", "")
    head = f"{kind} {name}" if isinstance(name, str) and name else kind
    return ".".join([f"({head})", *reversed(parts)]) if parts else head


def _holder(obj: Any) -> str:
    owner = getattr(obj, "owner", None)
    comm = getattr(owner, "comm", None)
    return f", held by {comm}/{owner.pid}" if owner is not None and comm is not None else ""
