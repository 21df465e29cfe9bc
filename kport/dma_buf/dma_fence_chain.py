# SPDX-FileCopyrightText: 2018 Advanced Micro Devices, Inc.
# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: GPL-2.0-only
#
# Translated to Python from drivers/dma-buf/dma-fence-chain.c and include/linux/dma-fence-chain.h,
# Linux 7.2.13, on 2026-11-20.
"""A fence in a chain: it signals when its own fence and all before it in the chain have."""

from __future__ import annotations

from collections.abc import Iterator

from kport.arch.asm import cmpxchg, rcu_read_lock, rcu_read_unlock
from kport.dma_buf.dma_fence import (
    __dma_fence_is_later,
    dma_fence,
    dma_fence_add_callback,
    dma_fence_cb,
    dma_fence_context_alloc,
    dma_fence_free,
    dma_fence_get,
    dma_fence_get_rcu_safe,
    dma_fence_init64,
    dma_fence_is_chain,
    dma_fence_is_signaled,
    dma_fence_ops,
    dma_fence_put,
    dma_fence_set_deadline,
    dma_fence_signal,
)
from kport.linux.bug import WARN_ON
from kport.linux.err import EINVAL
from kport.linux.irq_work import init_irq_work, irq_work, irq_work_queue
from kport.linux.kref import kref_read
from kport.linux.ktime import ktime_t
from kport.linux.lockdep import lock_class_key, lockdep_set_class
from kport.linux.module import EXPORT_SYMBOL
from kport.linux.rcupdate import RCU_INIT_POINTER, rcu_assign_pointer, rcu_dereference_protected
from kport.linux.slab import kfree, kmalloc_obj
from kport.linux.struct import container_of, struct
from kport.linux.types import u64


class dma_fence_chain(struct):
    """A link: the fence it contains, and the link (or fence) before it."""

    base: dma_fence
    prev: dma_fence | None
    prev_seqno: u64
    fence: dma_fence | None
    cb: dma_fence_cb
    work: irq_work


def to_dma_fence_chain(fence: dma_fence) -> dma_fence_chain | None:
    """The link a fence is, or NULL.

    include/linux/dma-fence-chain.h:58-65, Linux 7.2.13
    """
    if not fence or not dma_fence_is_chain(fence):
        return None

    return container_of(fence, dma_fence_chain, "base")


def dma_fence_chain_contained(fence: dma_fence) -> dma_fence:
    """The fence in a link, or the fence itself if it is none.

    include/linux/dma-fence-chain.h:74-80, Linux 7.2.13
    """
    chain = to_dma_fence_chain(fence)

    return chain.fence if chain else fence


def dma_fence_chain_alloc() -> dma_fence_chain | None:
    """Memory for a link, or NULL.

    include/linux/dma-fence-chain.h:90-91, Linux 7.2.13
    """
    return kmalloc_obj(dma_fence_chain)


def dma_fence_chain_free(chain: dma_fence_chain) -> None:
    """Free a link that was never initialised.

    include/linux/dma-fence-chain.h:103-106, Linux 7.2.13
    """
    kfree(chain)


def dma_fence_chain_for_each(head: dma_fence) -> Iterator[dma_fence]:
    """Each unsignalled link from `head` back; leaving the loop early keeps a reference.

    include/linux/dma-fence-chain.h:118-120, Linux 7.2.13
    """
    iter = dma_fence_get(head)
    while iter:
        yield iter
        iter = dma_fence_chain_walk(iter)


def dma_fence_chain_get_prev(chain: dma_fence_chain) -> dma_fence | None:
    """A reference to what is before the link, or NULL.

    drivers/dma-buf/dma-fence-chain.c:21-29, Linux 7.2.13
    """
    rcu_read_lock()
    prev = dma_fence_get_rcu_safe((chain, "prev"))  # kport: pointer-to-pointer
    rcu_read_unlock()
    return prev


def dma_fence_chain_walk(fence: dma_fence) -> dma_fence | None:
    """The next unsignalled fence before `fence`, dropping its reference and signalled links.

    drivers/dma-buf/dma-fence-chain.c:39-76, Linux 7.2.13
    """
    chain = to_dma_fence_chain(fence)
    if not chain:
        dma_fence_put(fence)
        return None

    while prev := dma_fence_chain_get_prev(chain):
        prev_chain = to_dma_fence_chain(prev)
        if prev_chain:
            if not dma_fence_is_signaled(prev_chain.fence):
                break

            replacement = dma_fence_chain_get_prev(prev_chain)
        else:
            if not dma_fence_is_signaled(prev):
                break

            replacement = None

        tmp = cmpxchg(chain, "prev", prev, replacement)
        if tmp is prev:
            dma_fence_put(tmp)
        else:
            dma_fence_put(replacement)
        dma_fence_put(prev)

    dma_fence_put(fence)
    return prev


EXPORT_SYMBOL(dma_fence_chain_walk)


def dma_fence_chain_find_seqno(
    pfence: dma_fence | None, seqno: int
) -> tuple[int, dma_fence | None]:
    """The link that signals at `seqno`: (0, it or NULL if that is past), or (-EINVAL, pfence).

    drivers/dma-buf/dma-fence-chain.c:90-109, Linux 7.2.13
    """
    if not seqno:
        return 0, pfence  # kport: out-param

    chain = to_dma_fence_chain(pfence)
    if not chain or chain.base.seqno < seqno:
        return -EINVAL, pfence  # kport: out-param

    pfence = dma_fence_get(chain.base)  # kport: cursor
    while pfence:  # kport: cursor
        if (
            pfence.context != chain.base.context
            or to_dma_fence_chain(pfence).prev_seqno < seqno
        ):
            break
        pfence = dma_fence_chain_walk(pfence)  # kport: cursor
    dma_fence_put(chain.base)

    return 0, pfence  # kport: out-param


EXPORT_SYMBOL(dma_fence_chain_find_seqno)


def dma_fence_chain_get_driver_name(fence: dma_fence) -> str:
    """The driver name of chains.

    drivers/dma-buf/dma-fence-chain.c:112-115, Linux 7.2.13
    """
    return "dma_fence_chain"


def dma_fence_chain_get_timeline_name(fence: dma_fence) -> str:
    """The timeline name of chains.

    drivers/dma-buf/dma-fence-chain.c:117-120, Linux 7.2.13
    """
    return "unbound"


def dma_fence_chain_irq_work(work: irq_work) -> None:
    """The fence waited for has signalled: wait for the next, or signal the link.

    drivers/dma-buf/dma-fence-chain.c:122-133, Linux 7.2.13
    """
    chain = container_of(work, dma_fence_chain, "work")

    if not dma_fence_chain_enable_signaling(chain.base):
        dma_fence_signal(chain.base)
    dma_fence_put(chain.base)


def dma_fence_chain_cb(f: dma_fence, cb: dma_fence_cb) -> None:
    """A fence of the chain has signalled: go on away from its lock.

    drivers/dma-buf/dma-fence-chain.c:135-143, Linux 7.2.13
    """
    chain = container_of(cb, dma_fence_chain, "cb")
    init_irq_work(chain.work, dma_fence_chain_irq_work)
    irq_work_queue(chain.work)
    dma_fence_put(f)


def dma_fence_chain_enable_signaling(fence: dma_fence) -> bool:
    """Wait for one unsignalled fence of the chain; False if there is none.

    drivers/dma-buf/dma-fence-chain.c:145-162, Linux 7.2.13
    """
    head = to_dma_fence_chain(fence)

    dma_fence_get(head.base)
    for fence in dma_fence_chain_for_each(head.base):
        f = dma_fence_chain_contained(fence)

        dma_fence_get(f)
        if not dma_fence_add_callback(f, head.cb, dma_fence_chain_cb):
            dma_fence_put(fence)
            return True
        dma_fence_put(f)
    dma_fence_put(head.base)
    return False


def dma_fence_chain_signaled(fence: dma_fence) -> bool:
    """True if every fence of the chain has signalled.

    drivers/dma-buf/dma-fence-chain.c:164-176, Linux 7.2.13
    """
    for fence in dma_fence_chain_for_each(fence):
        f = dma_fence_chain_contained(fence)

        if not dma_fence_is_signaled(f):
            dma_fence_put(fence)
            return False

    return True


def dma_fence_chain_release(fence: dma_fence) -> None:
    """The last reference is gone: take the chain apart without recursion.

    drivers/dma-buf/dma-fence-chain.c:178-207, Linux 7.2.13
    """
    chain = to_dma_fence_chain(fence)

    while prev := rcu_dereference_protected(chain, "prev", True):
        if kref_read(prev.refcount) > 1:
            break

        prev_chain = to_dma_fence_chain(prev)
        if not prev_chain:
            break

        chain.prev = prev_chain.prev
        RCU_INIT_POINTER(prev_chain, "prev", None)
        dma_fence_put(prev)
    dma_fence_put(prev)

    dma_fence_put(chain.fence)
    dma_fence_free(fence)


def dma_fence_chain_set_deadline(fence: dma_fence, deadline: ktime_t) -> None:
    """Pass a deadline on to every fence of the chain.

    drivers/dma-buf/dma-fence-chain.c:210-218, Linux 7.2.13
    """
    for fence in dma_fence_chain_for_each(fence):
        f = dma_fence_chain_contained(fence)

        dma_fence_set_deadline(f, deadline)


dma_fence_chain_ops = dma_fence_ops(
    get_driver_name=dma_fence_chain_get_driver_name,
    get_timeline_name=dma_fence_chain_get_timeline_name,
    enable_signaling=dma_fence_chain_enable_signaling,
    signaled=dma_fence_chain_signaled,
    release=dma_fence_chain_release,
    set_deadline=dma_fence_chain_set_deadline,
)

dma_fence_chain_lock_key = lock_class_key()


def dma_fence_chain_init(
    chain: dma_fence_chain, prev: dma_fence | None, fence: dma_fence, seqno: int
) -> None:
    """Initialise a link behind `prev` that contains `fence`; takes over both references.

    drivers/dma-buf/dma-fence-chain.c:240-287, Linux 7.2.13
    """
    prev_chain = to_dma_fence_chain(prev)

    rcu_assign_pointer(chain, "prev", prev)
    chain.fence = fence
    chain.prev_seqno = 0

    if prev_chain and __dma_fence_is_later(prev, seqno, prev.seqno):
        context = prev.context
        chain.prev_seqno = prev.seqno
    else:
        context = dma_fence_context_alloc(1)
        if prev_chain:
            seqno = max(prev.seqno, seqno)

    dma_fence_init64(chain.base, dma_fence_chain_ops, None, context, seqno)

    lockdep_set_class(chain.base.inline_lock, dma_fence_chain_lock_key)

    WARN_ON(dma_fence_is_chain(fence))


EXPORT_SYMBOL(dma_fence_chain_init)
