# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Data races on `threads`: sampled watchpoints, after kernel/kcsan/core.c of Linux 7.2.13.

One plain load in about `skip_watch` is watched: its thread says which member it looks at, stands
still for some microseconds, and looks again. A store that comes meanwhile, marked or plain, finds
the watchpoint and takes it; then both know that nothing ordered them. If nobody took it and the
value is another, the race is of unknown origin.

Plain stores do not watch, unless they are not assumed to be whole (`Config`): as in the kernel.
The counter of accesses is shared and its decrements may be lost: it only says when to look next.
Watchpoints are entries of a dict; whoever gets one out of it with pop() has it.
"""

from __future__ import annotations

import contextlib
import sys
from _thread import get_ident
from collections.abc import Callable
from time import monotonic, sleep
from types import FrameType
from typing import Any

from kport.arch.api import HARDIRQ_MASK, SOFTIRQ_MASK, Halted
from kport.arch.asm import current_thread_info
from kport.arch.hook import Hook
from kport.linux import kcsan
from kport.linux.field import Watcher, covers, raw_get
from kport.linux.kcsan import Config
from kport.linux.kcsan_report import access_info
from kport.linux.stackdepot import stack_depot_save

NUM_WATCHPOINTS = 64
UDELAY_INTERRUPT = 20
CONSUMER_WAIT = 0.05  # s that a watcher waits for whoever has taken its watchpoint

Report = Callable[..., None]


class Point:
    """A watchpoint: who watches what, and who came into the way."""

    __slots__ = ("kind", "obj", "other", "owner", "value")

    def __init__(self, obj: Any, kind: str) -> None:
        self.obj = obj
        self.kind = kind
        self.owner = get_ident()
        self.other: access_info | None = None
        self.value: Any = None


class Sampler:
    """`points` by (number of the object, member); `left` accesses until the next is watched."""

    def __init__(self) -> None:
        self.points: dict[tuple[int, str], Point] = {}
        self.left = 1 << 62
        self.config = Config()
        self.report: Report = lambda *args: None
        self.random = 0
        self.busy: dict[int, bool] = {}

    def reset(self) -> None:
        """How many accesses to skip: half of `skip_watch` or more."""
        self.random = (1664525 * self.random + 1013904223) & 0xFFFFFFFF
        skip = self.config.skip_watch
        self.left = skip - self.random % max(1, skip // 2)


STATE = Sampler()

_FOUND = "if _kc.points:\n    _kc_found(self, FIELD, KIND, _kc_frame(1), VALUE)\n"
_WATCH = "_kc.left -= 1\nif _kc.left < 0:\n    _kc_watch(self, FIELD, KIND, _kc_frame(1))\n"


def watchers(only: Callable[[type], bool]) -> list[Watcher]:
    """Who sees the plain accesses to the classes of `only`."""
    names = {
        "_kc": STATE,
        "_kc_found": found,
        "_kc_watch": watch,
        "_kc_frame": sys._getframe,
    }
    read = (_FOUND + _WATCH).replace("KIND", "'read'").replace("VALUE", "None")
    write = _FOUND.replace("KIND", "'write'").replace("VALUE", "value")
    if not STATE.config.assume_plain_writes_atomic:
        write += _WATCH.replace("KIND", "'write'")
    return [Watcher(read, write, names, only=only)]


def start(config: Config, report: Report) -> None:
    """A kernel begins."""
    STATE.config = config
    STATE.report = report
    STATE.points.clear()
    STATE.busy.clear()
    STATE.reset()


def stop() -> None:
    """It has ended: nothing is watched any more."""
    STATE.left = 1 << 62


def _access(kind: str, frame: FrameType | None) -> access_info:
    ti = current_thread_info()
    task = -1 if ti.preempt_count & (HARDIRQ_MASK | SOFTIRQ_MASK) else ti.task.pid
    return access_info(kind, task, ti.cpu, stack_depot_save(frame))


def found(obj: Any, name: str, kind: str, frame: FrameType | None, value: Any) -> None:
    """Somebody accesses a member while there are watchpoints."""
    key = (id(obj), name)
    point = STATE.points.get(key)
    if point is None or point.obj is not obj or point.owner == get_ident():
        return
    if "write" not in kind and "write" not in point.kind and "no accesses" not in point.kind:
        return
    if STATE.busy.get(get_ident()):
        return
    if STATE.points.pop(key, None) is point:
        point.value = value
        point.other = _access(kind, frame)


def watch(
    obj: Any, name: str, kind: str, frame: FrameType | None, mask: int = 0, count: bool = True
) -> None:
    """Watch this access for a moment."""
    if count:
        STATE.reset()
    me = get_ident()
    if STATE.busy.get(me) or len(STATE.points) >= NUM_WATCHPOINTS:
        return
    key = (id(obj), name)
    point = Point(obj, kind)
    if STATE.points.setdefault(key, point) is not point:
        return
    STATE.busy[me] = True
    try:
        old = _value(obj, name)
        ti = current_thread_info()
        atomic = ti.preempt_count & (HARDIRQ_MASK | SOFTIRQ_MASK)
        sleep((UDELAY_INTERRUPT if atomic else STATE.config.udelay_task) * 1e-6)
        new = _value(obj, name)
        taken = STATE.points.pop(key, None) is not point
        _judge(obj, name, kind, frame, mask, point, old, new, taken)
    finally:
        STATE.busy.pop(me, None)


def _judge(
    obj: Any,
    name: str,
    kind: str,
    frame: FrameType | None,
    mask: int,
    point: Point,
    old: Any,
    new: Any,
    taken: bool,
) -> None:
    """What has come of a watchpoint: a race with somebody, with nobody known, or nothing."""
    config, is_assert = STATE.config, kind.startswith("assert")
    if taken:
        end = monotonic() + CONSUMER_WAIT
        while point.other is None and monotonic() < end:
            sleep(1e-6)
        if new is old and point.other is not None and "write" in point.other.access_type:
            new = point.value  # the store that took the watchpoint is still to come
    changed = _changed(old, new)
    if mask:
        changed = changed and bool((int(old) ^ int(new)) & mask)
    if taken and point.other is not None:
        if changed or (is_assert and not mask) or not config.report_value_change_only:
            STATE.report(obj, name, _access(kind, frame), point.other, old, new, mask)
    elif changed and not taken and _alive(obj, name):
        if config.report_race_unknown_origin or is_assert:
            STATE.report(obj, name, _access(kind, frame), None, old, new, mask)


def _changed(old: Any, new: Any) -> bool:
    if old is new:
        return False
    return not (isinstance(old, int) and isinstance(new, int) and old == new)


_FREED = object()


def _value(obj: Any, name: str) -> Any:
    try:
        return raw_get(obj, name)
    except (AttributeError, Halted):
        return _FREED


def _alive(obj: Any, name: str) -> bool:
    return _value(obj, name) is not _FREED


# -- marked accesses and assertions --------------------------------------------------------------


def _marked(o: Any, f: str, kind: str, value: Any) -> None:
    if STATE.points and covers(type(o)):
        found(o, f, kind, sys._getframe(3), value)


def _load(o: Any, f: str) -> None:
    _marked(o, f, "read (marked)", None)


def _store(o: Any, f: str, v: Any) -> None:
    _marked(o, f, "write (marked)", v)


def _exchange(o: Any, f: str, v: Any) -> None:
    _marked(o, f, "read-write (marked)", v)


def _compare(o: Any, f: str, old: Any, new: Any) -> None:
    if STATE.points and covers(type(o)) and _value(o, f) is old:
        found(o, f, "read-write (marked)", sys._getframe(2), new)


def _writer(o: Any, f: str) -> None:
    watch(o, f, "assert no writes", sys._getframe(2), 0, False)


def _all(o: Any, f: str) -> None:
    watch(o, f, "assert no accesses", sys._getframe(2), 0, False)


def _bits(o: Any, f: str, mask: int) -> None:
    watch(o, f, "assert no writes", sys._getframe(2), mask, False)


_BETWEEN = (contextlib.__file__, kcsan.__file__)


def _scope(result: Any, o: Any, f: str, access: bool) -> None:
    kind = "assert no accesses (reordered)" if access else "assert no writes (reordered)"
    frame: FrameType | None = sys._getframe(2)
    while frame is not None and frame.f_code.co_filename in _BETWEEN:
        frame = frame.f_back
    watch(o, f, kind, frame, 0, False)


HOOKS: dict[str | Callable[..., Any], Hook] = {
    "READ_ONCE": Hook(_load),
    "smp_load_acquire": Hook(_load),
    "WRITE_ONCE": Hook(_store),
    "smp_store_release": Hook(_store),
    "xchg": Hook(_exchange),
    "cmpxchg": Hook(_compare),
    kcsan.ASSERT_EXCLUSIVE_WRITER: Hook(_writer),
    kcsan.ASSERT_EXCLUSIVE_ACCESS: Hook(_all),
    kcsan.ASSERT_EXCLUSIVE_BITS: Hook(_bits),
    kcsan.kcsan_begin_scoped_access: Hook(None, _scope),
}
