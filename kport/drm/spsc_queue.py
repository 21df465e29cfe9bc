# SPDX-FileCopyrightText: 2017 Advanced Micro Devices, Inc.
# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
#
# Translated to Python from include/drm/spsc_queue.h, Linux 7.2.13, on 2026-11-20.
"""A lock-free queue for one producer and one consumer.

`tail` holds the address of the pointer that the next push must set: `&queue->head` of an empty
queue, else `&node->next` of the last node. Here a pointer to such a pointer is the node that has it
as `next`; so that this also fits the head, `queue.head` is a node of its own and the C pointer
`queue->head` is `queue.head.next`. Between the exchange of the tail and the store through it the
queue is in two pieces, as in C.
"""

from __future__ import annotations

from kport.arch.asm import (
    READ_ONCE,
    WRITE_ONCE,
    preempt_disable,
    preempt_enable,
    smp_rmb,
    smp_wmb,
)
from kport.linux.atomic import (
    atomic_dec,
    atomic_inc,
    atomic_long_cmpxchg,
    atomic_long_set,
    atomic_long_t,
    atomic_long_xchg,
    atomic_read,
    atomic_set,
    atomic_t,
    smp_mb__after_atomic,
)
from kport.linux.struct import struct


class spsc_node(struct):
    """A member's place in the queue."""

    next: spsc_node | None


class spsc_queue(struct):
    """The queue. `head.next` is the first node."""

    head: spsc_node
    tail: atomic_long_t
    job_count: atomic_t


def spsc_queue_init(queue: spsc_queue) -> None:
    """Make the queue empty.

    include/drm/spsc_queue.h:48-53, Linux 7.2.13
    """
    queue.head.next = None  # kport: pointer-to-pointer
    atomic_long_set(queue.tail, queue.head)  # kport: pointer-to-pointer
    atomic_set(queue.job_count, 0)


def spsc_queue_peek(queue: spsc_queue) -> spsc_node | None:
    """The first node, or NULL; consumer only.

    include/drm/spsc_queue.h:55-58, Linux 7.2.13
    """
    return queue.head.next  # kport: pointer-to-pointer


def spsc_queue_count(queue: spsc_queue) -> int:
    """How many nodes are queued, one that is half way in or out included.

    include/drm/spsc_queue.h:60-63, Linux 7.2.13
    """
    return atomic_read(queue.job_count)


def spsc_queue_push(queue: spsc_queue, node: spsc_node) -> bool:
    """Append a node; True if it is the first. Producer only.

    include/drm/spsc_queue.h:65-88, Linux 7.2.13
    """
    node.next = None

    preempt_disable()

    atomic_inc(queue.job_count)
    smp_mb__after_atomic()

    tail = atomic_long_xchg(queue.tail, node)  # kport: pointer-to-pointer
    WRITE_ONCE(tail, "next", node)  # kport: pointer-to-pointer

    smp_wmb()

    preempt_enable()

    return tail is queue.head  # kport: pointer-to-pointer


def spsc_queue_pop(queue: spsc_queue) -> spsc_node | None:
    """Take the first node, or NULL. Consumer only.

    include/drm/spsc_queue.h:91-120, Linux 7.2.13
    """
    smp_rmb()

    node = READ_ONCE(queue.head, "next")  # kport: pointer-to-pointer

    if not node:
        return None

    next = READ_ONCE(node, "next")
    WRITE_ONCE(queue.head, "next", next)  # kport: pointer-to-pointer

    if not next:
        if (
            atomic_long_cmpxchg(queue.tail, node, queue.head) is not node
        ):  # kport: pointer-to-pointer
            while True:
                smp_rmb()
                queue.head.next = READ_ONCE(node, "next")  # kport: walrus, pointer-to-pointer
                if queue.head.next:  # kport: pointer-to-pointer
                    break

    atomic_dec(queue.job_count)
    return node
