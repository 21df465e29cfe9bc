# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Call stacks that are kept for a report (include/linux/stackdepot.h), modelled.

Most stacks that a debug option keeps are never looked at, so keeping one must be cheap: a stack is
a tuple of (code, instruction) pairs, innermost first, and becomes text when somebody prints it. No
frame is kept, and so nothing that a frame holds.

Not shown are the frames that C does not have: generated functions, the machine below the kernel,
the struct module, Python's library, and the debug options' own code.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from types import CodeType, FrameType
from typing import TypeAlias

from kport.linux import bug

Stack: TypeAlias = tuple[tuple[CodeType, int], ...]

DEPTH = 16

_HERE = os.path.dirname(os.path.abspath(__file__)) + os.sep
_ARCH = os.path.join(os.path.dirname(os.path.dirname(_HERE)), "arch") + os.sep
_LIBRARY = os.path.dirname(os.__file__) + os.sep
_SLAB = _HERE + "slab.py"
_OWN = tuple(
    _HERE + name
    for name in (
        "cleanup.py",
        "debugobjects.py",
        "field.py",
        "kasan.py",
        "kasan_bury.py",
        "kasan_layout.py",
        "kasan_poison.py",
        "kasan_report.py",
        "kmemleak.py",
        "stackdepot.py",
        "struct.py",
    )
)


def stack_depot_save(frame: FrameType | None, depth: int = DEPTH) -> Stack:
    """The stack that `frame` is the innermost of, at most `depth` frames of it."""
    kept: list[tuple[CodeType, int]] = []
    while frame is not None and depth:
        kept.append((frame.f_code, frame.f_lasti))
        frame = frame.f_back
        depth -= 1
    return tuple(kept)


def stack_here(skip: int = 0, depth: int = DEPTH) -> Stack:
    """The caller's stack without its `skip` innermost frames."""
    return stack_depot_save(sys._getframe(skip + 1), depth)


def foreign(code: CodeType) -> bool:
    """True for code that has no counterpart in the kernel's call stack."""
    file = code.co_filename
    if file.startswith(_LIBRARY) or "site-packages" in file:
        return True
    if file == _SLAB:
        return code.co_name in ("_around", "_flexible", "invalid_free", "release")
    return file.startswith(("<", _ARCH)) or file in _OWN


def line_of(code: CodeType, lasti: int) -> int:
    """The source line of an instruction."""
    for start, end, line in code.co_lines():
        if start <= lasti < end and line is not None:
            return line
    return code.co_firstlineno


def entry(code: CodeType, lasti: int) -> str:
    """One line of a stack: function+place."""
    return f"{code.co_name}+{bug.place_of(code.co_filename, line_of(code, lasti))}"


def kernel_frames(stack: Iterable[tuple[CodeType, int]]) -> Stack:
    """The part of a stack that a kernel would show.

    A hook of another debug option may be what ran into something: what is inside of the function
    that it is around is that option's, and left out.
    """
    kept: list[tuple[CodeType, int]] = []
    for code, lasti in stack:
        hooked = code.co_filename.startswith("<") and kept and kept[-1][0].co_name != code.co_name
        if hooked and all(watcher(inner) for inner, _ in kept):
            kept.clear()
        elif not foreign(code):
            kept.append((code, lasti))
    return tuple(kept)


_CHECK = os.path.join(os.path.dirname(os.path.dirname(_HERE)), "check") + os.sep
_OPTIONS = ("lockdep", "debugobjects", "kasan", "kcsan", "kmemleak")
_WATCHERS = (_CHECK, *(_HERE + name for name in _OPTIONS))


def watcher(code: CodeType) -> bool:
    """True for code of a debug option."""
    return code.co_filename.startswith(_WATCHERS)


def stack_depot_lines(stack: Stack, indent: str = " ") -> list[str]:
    """The stack as text, innermost first; a line for each frame that C would have."""
    lines = [indent + entry(code, lasti) for code, lasti in kernel_frames(stack)]
    return lines or [f"{indent}(stack is not available)"]
