# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""WARN_ON() and BUG_ON(), modelled on include/asm-generic/bug.h and kernel/panic.c of Linux 7.2.13.

A warning goes to the log in the kernel's layout (`__warn()`): cut-here line, message, place, stack,
end marker. The place is the Python line, and for a ported function the C line (see linemap).
A BUG raises KernelBug, which is an oops by the time it leaves the thread.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from types import FrameType, ModuleType
from typing import Any

from kport.arch.api import Halted, KernelBug
from kport.arch.asm import current_thread_info
from kport.arch.hook import HOOK
from kport.linux import printk
from kport.linux.module import boot_data
from kport.linux.vsprintf import sprintf

__all__ = ["BUG", "BUG_ON", "WARN", "WARN_ON", "WARN_ONCE", "WARN_ON_ONCE", "Halted", "KernelBug"]

_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))) + os.sep



def _position(file: str, line: int) -> str:
    from kport.linux import linemap  # the first report reads the map

    return linemap.position(file, line)


# Answers (Python file, line) with "file.c:123" or "".
positions: Callable[[str, int], str] = _position

warnings: list[str] = []


@boot_data
def _reset_warnings() -> None:
    warnings.clear()


def place(frame: FrameType) -> str:
    """`file.py:line` of a frame, with the C position behind it where it is known."""
    return place_of(frame.f_code.co_filename, frame.f_lineno)


def place_of(file: str, line: int) -> str:
    """The same of a line of a file."""
    c = positions(file, line)
    return f"{file.removeprefix(_ROOT)}:{line}" + (f" ({c})" if c else "")


def said(error: BaseException) -> str:
    """What an error says, the same on each Python: later ones word a missing member differently."""
    if isinstance(error, AttributeError) and error.name is not None:
        kind = type(error.obj)
        if not issubclass(kind, type | ModuleType):
            return f"{kind.__name__!r} object has no attribute {error.name!r}"
    return str(error)


def stack(frame: FrameType | None, limit: int = 32) -> list[str]:
    """The call trace of a frame, innermost first, one line each."""
    lines: list[str] = []
    while frame is not None and len(lines) < limit:
        if frame.f_code.co_filename != HOOK:
            lines.append(f" {frame.f_code.co_name}+{place(frame)}")
        frame = frame.f_back
    return lines


def block(message: str, frame: FrameType) -> list[str]:
    """The lines of a warning that arose in `frame`, from the cut to the end marker."""
    while frame.f_code.co_filename == HOOK and frame.f_back is not None:
        frame = frame.f_back
    ti = current_thread_info()
    pid = ti.task.pid if ti.task is not None else 0
    where = f"WARNING: {place(frame)} at {frame.f_code.co_name}"
    lines = ["------------[ cut here ]------------"]
    if message:
        lines.append(message)
    lines += [f"{where}, CPU#{ti.cpu}: {ti.name}/{pid}", "Call Trace:", *stack(frame)]
    lines.append("---[ end trace 0000000000000000 ]---")
    return lines


def report(message: str, frame: FrameType) -> None:
    """Log a warning that arose in `frame` and count it among the kernel's warnings."""
    lines = block(message, frame)
    for line in lines:
        printk.emit(printk.WARNING, line)
    where = lines[2 if message else 1].rpartition(", CPU#")[0]
    warnings.append(f"{where}: {message.rstrip()}" if message else where)


def _site(frame: FrameType) -> tuple[str, int]:
    return frame.f_code.co_filename, frame.f_lineno


def WARN_ON(condition: Any) -> bool:
    """Report if the condition holds; returns it as a bool."""
    if not condition:
        return False
    report("", sys._getframe(1))
    return True


def WARN_ON_ONCE(condition: Any) -> bool:
    """Like WARN_ON(), but each place reports once per kernel."""
    if not condition:
        return False
    frame = sys._getframe(1)
    if printk.first_time(_site(frame)):
        report("", frame)
    return True


def WARN(condition: Any, fmt: str, *args: Any) -> bool:
    """Report with a message if the condition holds; returns it as a bool."""
    if not condition:
        return False
    report(sprintf(fmt, *args), sys._getframe(1))
    return True


def WARN_ONCE(condition: Any, fmt: str, *args: Any) -> bool:
    """Like WARN(), but each place reports once per kernel."""
    if not condition:
        return False
    frame = sys._getframe(1)
    if printk.first_time(_site(frame)):
        report(sprintf(fmt, *args), frame)
    return True


def BUG_ON(condition: Any) -> None:
    """Stop the kernel if the condition holds."""
    if condition:
        frame = sys._getframe(1)
        raise KernelBug(f"kernel BUG at {place(frame)}!")


def BUG() -> None:
    """Stop the kernel."""
    raise KernelBug(f"kernel BUG at {place(sys._getframe(1))}!")


def BUILD_BUG_ON(condition: bool) -> None:
    """Refuse a condition that the C compiler would refuse."""
    if condition:
        raise KernelBug("BUILD_BUG_ON failed")


def CHECK_DATA_CORRUPTION(condition: Any, addr: Any, fmt: str, *args: Any) -> bool:
    """Report damaged data (include/linux/bug.h); returns the condition."""
    if not condition:
        return False
    report(sprintf(fmt, *args), sys._getframe(2))
    return True
