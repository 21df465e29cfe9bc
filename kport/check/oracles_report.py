# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The report of an oracle: what is broken, of which object, what it should be, and where."""

from __future__ import annotations

import sys
from types import FrameType

from kport.arch.asm import current_thread_info
from kport.arch.hook import HOOK
from kport.linux import bug
from kport.linux.facility import reports, splat

FRAMES = 12  # of the stack
MOST = 20  # reports of one oracle in one kernel

EXPLAINED = {
    "once": "a job was run, ended or freed twice, or too early",
    "order": "steps of a job or of an entity came in the wrong order",
    "dependencies": "a job did not wait for what it depends on",
    "stopped": "a stopped scheduler works",
    "ended": "something was used after its end",
    "tree": "the tree of a run queue is wrong",
    "credits": "the count of what is on the hardware is wrong",
    "score": "the load of a scheduler is wrong",
    "quiescence": "a wake-up was lost",
    "leftover": "a job was forgotten",
    "containers": "a container of fences signalled too early",
    "locks": "a job was freed where nobody may sleep",
}


def _is_ours(frame: FrameType) -> bool:
    name = frame.f_globals.get("__name__", "")
    return frame.f_code.co_filename == HOOK or str(name).startswith("kport.check.")


def report(oracle: str, thing: str, expected: str, was: str, known: str = "") -> None:
    """Log and keep a report of an oracle, with the place of the call that broke the rule."""
    headline = f"BUG: oracle {oracle}: {EXPLAINED[oracle]}"
    if sum(r.headline == headline for r in list(reports)) >= MOST:
        return
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and _is_ours(frame):
        frame = frame.f_back
    ti = current_thread_info()
    lines = [headline, f" object:   {thing}", f" expected: {expected}", f" was:      {was}"]
    if known:
        lines.append(f" known:    {known}")
    if frame is not None:
        lines.append(f" at:       {bug.place(frame)} in {frame.f_code.co_name}, task {ti.name}")
        lines.append("Call Trace:")
        lines += bug.stack(frame, FRAMES)
    splat("oracles", headline, lines)
