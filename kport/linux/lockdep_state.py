# SPDX-FileCopyrightText: 2006 Red Hat, Inc., Ingo Molnar <mingo@redhat.com>
# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: GPL-2.0-only
#
# After include/linux/debug_locks.h and lib/debug_locks.c, Linux 7.2.13, on 2026-11-20.
"""Whether locks are validated: from the boot until the first report.

After a report the state of the validator means nothing any more, so it is silent from then on.
Without the validator `debug_locks` is 0, and DEBUG_LOCKS_WARN_ON() is a plain warning.
"""

from __future__ import annotations

import linecache
import re
import sys
from collections.abc import Callable
from types import CodeType
from typing import Any

from kport.linux import bug
from kport.linux.facility import splat

debug_locks = 0
debug_locks_silent = 0
validating = False  # a kernel with the validator is booted
booting = False  # the self-test, which in the kernel runs at SYSTEM_BOOTING: sleeping is no fault

# Set by kport.linux.lockdep_hooks, which is loaded only when the validator is asked for.
is_held: Callable[[Any, Any, int], int] = lambda curr, lock, read: -1
pin: Callable[[Any], Any] = lambda lock: None
unpin: Callable[[Any, Any], None] = lambda lock, cookie: None

_token: list[None] = []
_found: list[str] = []


def debug_locks_on(silent: int = 0) -> None:
    """The validator begins; if it is silent it notes what it finds and writes nothing."""
    global debug_locks, debug_locks_silent, validating
    _token[:] = [None]
    _found.clear()
    debug_locks, debug_locks_silent, validating = 1, silent, True


def debug_locks_stop() -> None:
    """The kernel with the validator is gone."""
    global debug_locks, debug_locks_silent, validating
    _token.clear()
    debug_locks, debug_locks_silent, validating = 0, 0, False


def debug_locks_off() -> int:
    """Stop validating; 1 if it was on, and the caller is the one who reports."""
    global debug_locks
    try:
        _token.pop()
    except IndexError:
        return 0
    debug_locks = 0
    return 1


def report(headline: str, lines: list[str]) -> None:
    """What the validator found."""
    _found.append(headline)
    if not debug_locks_silent:
        splat("lockdep", headline, lines)


def found() -> list[str]:
    """The headlines since debug_locks_on()."""
    return list(_found)


_C = (
    (r"\bis not None\b", "!= NULL"),
    (r"\bis None\b", "== NULL"),
    (r"\bis not\b", "!="),
    (r"\bis\b", "=="),
    (r"\bnot (?=[\w(])", "!"),
    (r"\band\b", "&&"),
    (r"\bor\b", "||"),
    (r"(?<=\w)\.(?=[a-z_])", "->"),
)


def c_text(text: str) -> str:
    """An expression as C writes it: `not ctx.acquired` is `!ctx->acquired`."""
    for pattern, replacement in _C:
        text = re.sub(pattern, replacement, text)
    return text


def call_text(code: CodeType, lasti: int) -> str:
    """The source text of the call at an offset; "" if Python does not know."""
    positions = list(code.co_positions())
    line, end, column, last = positions[lasti // 2]
    if line is None or end is None or column is None or last is None:
        return ""
    lines = [linecache.getline(code.co_filename, n).encode() for n in range(line, end + 1)]
    lines[-1] = lines[-1][:last]
    lines[0] = lines[0][column:]
    return " ".join(part.decode().strip() for part in lines)


def DEBUG_LOCKS_WARN_ON(c: Any) -> int:
    """Warn of a condition that must not be, and stop validating; 1 if it is."""
    if not c:
        return 0
    frame = sys._getframe(1)
    if not validating:
        bug.report("", frame)
    elif debug_locks_off():
        text = call_text(frame.f_code, frame.f_lasti)
        message = f"DEBUG_LOCKS_WARN_ON({c_text(text.partition('(')[2].removesuffix(')'))})"
        _found.append(message)
        if not debug_locks_silent:
            bug.report(message, frame)
    return 1
