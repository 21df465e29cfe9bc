# SPDX-FileCopyrightText: 2019 Google LLC
# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: GPL-2.0-only
#
# After kernel/kcsan/report.c, Linux 7.2.13, on 2026-11-20.
"""The text of a KCSAN report: print_report(), with the stacks of the port.

One line is added that the kernel cannot print: which member of which struct it is about.
"""

from __future__ import annotations

from types import CodeType
from typing import Any, NamedTuple

from kport.linux import bug
from kport.linux.stackdepot import Stack, kernel_frames, line_of, stack_depot_lines
from kport.linux.struct import struct
from kport.linux.vsprintf import pointer

BANNER = "=" * 66


class access_info(NamedTuple):
    """One of the two accesses. `task` is -1 in an interrupt, `stack` innermost first."""

    access_type: str
    task: int
    cpu: int
    stack: Stack


def get_bug_type(*types: str) -> str:
    """What is wrong, for the headline."""
    return "assert: race" if any(t.startswith("assert") for t in types) else "data-race"


def get_thread_desc(task_id: int) -> str:
    """Who it was."""
    return f"task {task_id}" if task_id != -1 else "interrupt"


def c_function(stack: Stack) -> tuple[str, str, CodeType | None]:
    """The function a stack is in, its C file ("" for what is not ported), and its code.

    Functions of headers are compiled into their callers: the first that is not one counts.
    """
    frames = kernel_frames(stack)
    for code, lasti in frames:
        file = bug.positions(code.co_filename, line_of(code, lasti)).rpartition(":")[0]
        if not file.endswith(".h"):
            return code.co_name, file, code
    return (frames[0][0].co_name, "", frames[0][0]) if frames else ("(unknown)", "", None)


def address(obj: Any, at: int) -> str:
    """Where the member is: the object's number in this kernel, and 8 bytes for each member."""
    return f"0xffff{int(pointer(obj), 16) + 8 * at:012x}"


def number(value: Any) -> int | None:
    """A value as the 8 bytes in memory; None for what is no number and no pointer."""
    if value is None:
        return 0
    if isinstance(value, int):
        return int(value) & 0xFFFFFFFFFFFFFFFF
    if isinstance(value, struct):
        return int(address(value, 0), 16)
    return None


def print_report(
    obj: Any,
    member: str,
    ai: access_info,
    other: access_info | None,
    old: Any,
    new: Any,
    mask: int,
    comm: str,
) -> tuple[str, list[str]]:
    """(headline, lines) of a race. `other` is the access that came into the way of `ai`.

    kernel/kcsan/report.c:366-470, Linux 7.2.13
    """
    this = c_function(ai.stack)[0]
    where = address(obj, type(obj)._plain.index(member))
    if other is not None:
        names = sorted((c_function(other.stack)[0], this))
        bug_type = get_bug_type(ai.access_type, other.access_type)
        headline = f"BUG: KCSAN: {bug_type} in {names[0]} / {names[1]}"
    else:
        headline = f"BUG: KCSAN: {get_bug_type(ai.access_type)} in {this}"
    lines = [BANNER, headline, ""]
    if other is not None:
        lines += [_access(other, where), *stack_depot_lines(other.stack), ""]
        lines.append(_access(ai, where))
    else:
        lines.append(f"race at unknown origin, with {_access(ai, where)}")
    lines += stack_depot_lines(ai.stack)
    first, second = number(old), number(new)
    if first is not None and second is not None:
        diff = first ^ second
        if mask:
            diff &= mask
        if diff:
            lines += ["", f"value changed: 0x{first:016x} -> 0x{second:016x}"]
            if mask:
                lines.append(f" bits changed: 0x{diff:016x} with mask 0x{mask:016x}")
    lines += [
        "",
        f"member {member} of struct {type(obj).__name__}",
        "",
        "Reported by Kernel Concurrency Sanitizer on:",
        f"CPU: {ai.cpu} UID: 0 PID: {max(ai.task, 0)} Comm: {comm} Not tainted",
        BANNER,
    ]
    return headline, lines


def _access(ai: access_info, where: str) -> str:
    return (
        f"{ai.access_type} to {where} of 8 bytes by {get_thread_desc(ai.task)} on cpu {ai.cpu}:"
    )
