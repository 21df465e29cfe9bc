# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""What the check `races` looks at: the structs of translated code, and whose accesses count."""

from __future__ import annotations

from functools import cache

from kport.linux import bug
from kport.linux.kcsan_report import c_function
from kport.linux.stackdepot import Stack

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
        "xarray",
    )
)
_INLINE = frozenset(
    ("list_head", "llist_head", "llist_node", "rb_node", "rb_root", "spsc_node", "spsc_queue")
)

# Built without KCSAN: kernel/sched/Makefile ("KCSAN_SANITIZE := n"), mm/Makefile for slab; and
# programs of user space.
_UNSANITIZED = (
    "kernel/sched/",
    "kernel/locking/lockdep.c",
    "mm/slab_common.c",
    "mm/slub.c",
    "tools/",
)

# Kernel code, beside the translated files of kport.linux.
_KERNEL = ("kport/dma_buf/", "kport/drm/", "kport/drivers/", "kport/kunit/")
_OBSERVERS = "kport/drivers/observe"  # looks on from outside


@cache
def watched(cls: type) -> bool:
    """True for a class whose members are watched."""
    module = cls.__module__
    if module.startswith("kport.linux."):
        return module in _TRANSLATED
    return not module.startswith(("kport.trace", "kport.workload", "kport.check", "kport.hw"))


def inline(cls: type) -> bool:
    """True for a class that is worked on in functions that C compiles into their callers."""
    return cls.__name__ in _INLINE


def silent(stack: Stack, cls: type) -> bool:
    """True if the access that this is the stack of is not one of sanitized kernel code.

    Who defines a struct of his own is checked like the kernel; who looks into one of the kernel's
    from outside of it (a test, the monitor) is not.
    """
    _, file, code = c_function(stack)
    if file:
        return file.startswith(_UNSANITIZED)
    if code is None or not cls.__module__.startswith("kport."):
        return False
    path = bug.place_of(code.co_filename, code.co_firstlineno).partition(":")[0]
    if path.startswith("kport/linux/"):
        return path.removesuffix(".py").replace("/", ".") not in _TRANSLATED
    return not path.startswith(_KERNEL) or path.startswith(_OBSERVERS)
