# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""What the check `races` looks at: the structs of translated code, and whose accesses count."""

from __future__ import annotations

from functools import cache

from kport.linux import bug
from kport.linux.kcsan_report import c_function
from kport.linux.stackdepot import Stack, kernel_frames, line_of

# The files of kport.linux whose structs and statements are the kernel's own. The others are models.
_TRANSLATED = frozenset(
    f"kport.linux.{name}"
    for name in (
        "average",
        "completion",
        "irq_work",
        "kthread",
        "list",
        "llist",
        "rbtree",
        "swait",
        "wait",
        "ww_mutex",
        "xarray",
    )
)
# Built without KCSAN: kernel/sched/Makefile ("KCSAN_SANITIZE := n"), mm/Makefile for slab.
_UNSANITIZED = ("kernel/sched/", "mm/slub.c", "mm/slab_common.c", "kernel/locking/lockdep.c")

# What looks on from outside of the kernel, and is none of its code.
_OUTSIDE = ("kport/trace/", "kport/workload/", "kport/check/", "kport/cli/", "kport/hw/", "tui/")
_OBSERVERS = "kport/drivers/observe"


@cache
def watched(cls: type) -> bool:
    """True for a class whose members are watched."""
    module = cls.__module__
    if module.startswith("kport.linux."):
        return module in _TRANSLATED
    return not module.startswith(("kport.trace", "kport.workload", "kport.check", "kport.hw"))


def silent(stack: Stack) -> bool:
    """True if the access that this is the stack of is not one of sanitized kernel code."""
    _, file = c_function(stack)
    if file:
        return file.startswith(_UNSANITIZED)
    frames = kernel_frames(stack)
    if not frames:
        return False
    path = bug.place_of(frames[0][0].co_filename, line_of(*frames[0])).partition(":")[0]
    if path.startswith(("kport/linux/",)):
        module = path.removesuffix(".py").replace("/", ".")
        return module not in _TRANSLATED
    return path.startswith(_OUTSIDE) or path.startswith(_OBSERVERS)
