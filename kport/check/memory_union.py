# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The union in struct dma_fence: cb_list, timestamp and rcu share their memory.

The list of callbacks is what the memory is until the fence signals, the timestamp from then on,
and the callback of RCU when the fence is on its way out. They are three members here, so a reader
that comes too early finds a zero where C finds half of a list: nothing goes wrong by itself. While
this facility is on, `cb_list` and `timestamp` are properties that know which arm holds, and report
an access to another one. No kernel has such a check; the code goes on as it would in C, with the
bits that are there.

The arm is kept in the slot of the timestamp: a marker until there is one.

One reader of the wrong arm is known and harmless, so it is not reported: dma_fence_release() asks
list_empty(&fence->cb_list) before it asks whether the fence has signalled, and if it has, drops the
answer (drivers/dma-buf/dma-fence.c:581-582, Linux 7.2.13).
"""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any

from kport.arch.api import Machine
from kport.arch.asm import current_thread_info
from kport.arch.hook import Hook
from kport.dma_buf import dma_fence as fences
from kport.dma_buf.dma_fence import DMA_FENCE_FLAG_INITIALIZED_BIT, dma_fence
from kport.linux import kasan, rcupdate
from kport.linux.facility import Facility, Hooks, splat
from kport.linux.kasan_poison import container_of_any, slot_of
from kport.linux.kasan_report import address_of, headline_of
from kport.linux.stackdepot import stack_depot_lines, stack_depot_save, watcher

NAME = "dma_fence_union"


class Arm:
    """A marker in the slot of the timestamp: the memory is something else now."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name


CB_LIST = Arm("cb_list")
RCU = Arm("rcu")

_slot = slot_of(dma_fence, "timestamp")
_load = _slot.__get__
_store = _slot.__set__
_list = slot_of(dma_fence, "cb_list")

_GENERATED = ("__init__", "_zero", "_free")
_reported: dict[tuple[str, str], object] = {}


def _wrong(fence: dma_fence, arm: str, write: bool, frame: FrameType) -> bool:
    """Report an access to an arm that does not hold; False if it is none of the kernel's."""
    if frame.f_code is fences.dma_fence_release.__code__ or frame.f_code.co_name in _GENERATED:
        return False
    if watcher(frame.f_code):
        return False
    if not fence.flags.cells[DMA_FENCE_FLAG_INITIALIZED_BIT] or kasan.observed(frame):
        return False
    holds = _load(fence)
    name = holds.name if isinstance(holds, Arm) else "timestamp"
    kind = "write" if write else "read"
    stack = stack_depot_save(frame, 64)
    head = headline_of(f"BUG: dma_fence: {kind} of {arm} while the union holds {name}", stack)
    mine = object()
    if _reported.setdefault((arm, head), mine) is not mine:
        return True
    ti = current_thread_info()
    pid = ti.task.pid if ti.task is not None else 0
    splat(
        NAME,
        head,
        [
            head,
            f"fence {fence.context}:{fence.seqno} by task {ti.name}/{pid}",
            "Call Trace:",
            *stack_depot_lines(stack),
        ],
    )
    return True


class _Timestamp:
    """The member `timestamp`; `_slot` is what is beneath."""

    def __init__(self, beneath: Any) -> None:
        self._beneath = beneath
        self._slot = _slot

    def __get__(self, fence: Any, owner: Any = None) -> Any:
        if fence is None:
            return self
        if isinstance(_load(fence), Arm):
            wrong = _wrong(fence, "timestamp", False, sys._getframe(1))
            return address_of(fence) if wrong else 0
        return self._beneath.__get__(fence)

    def __set__(self, fence: Any, value: Any) -> None:
        try:
            if _load(fence) is RCU:
                _wrong(fence, "timestamp", True, sys._getframe(1))
        except AttributeError:  # it is being made
            pass
        self._beneath.__set__(fence, value)

    def __delete__(self, fence: Any) -> None:
        self._slot.__delete__(fence)


class _List:
    """The member `cb_list`."""

    def __init__(self) -> None:
        self._slot = _list

    def __get__(self, fence: Any, owner: Any = None) -> Any:
        if fence is None:
            return self
        if _load(fence) is not CB_LIST:
            _wrong(fence, "cb_list", False, sys._getframe(1))
        return _list.__get__(fence)

    def __set__(self, fence: Any, value: Any) -> None:
        _list.__set__(fence, value)

    def __delete__(self, fence: Any) -> None:
        _list.__delete__(fence)


def _init(fence: Any, *args: Any) -> None:
    _store(fence, CB_LIST)


def _called(head: Any, func: Any) -> None:
    fence = container_of_any(head)
    if type(fence) is dma_fence and head is fence.rcu:
        _store(fence, RCU)


def _freed_later(ptr: Any, rhf: str) -> None:
    if type(ptr) is dma_fence and rhf == "rcu":
        _store(ptr, RCU)


HOOKS: Hooks = {
    fences.__dict__["__dma_fence_init"]: Hook(_init, None),
    rcupdate.call_rcu: Hook(_called, None),
    rcupdate.kfree_rcu: Hook(_freed_later, None),
}


class FenceUnion(Facility):
    """Reports accesses to the arm of a fence's union that does not hold."""

    name = NAME

    def __init__(self) -> None:
        self._mine: list[tuple[str, Any, Any]] = []

    def hooks(self, machine: Machine) -> Hooks:
        return HOOKS

    def start(self, machine: Machine) -> None:
        _reported.clear()
        members = {"timestamp": _Timestamp(dma_fence.__dict__["timestamp"]), "cb_list": _List()}
        for name, member in members.items():
            self._mine.append((name, dma_fence.__dict__[name], member))
            setattr(dma_fence, name, member)

    def begin(self) -> None:
        _reported.clear()

    def stop(self) -> None:
        for name, before, member in self._mine:
            if dma_fence.__dict__[name] is member:
                setattr(dma_fence, name, before)
        self._mine.clear()
