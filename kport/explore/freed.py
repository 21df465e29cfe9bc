# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""A second look at an oops on something freed, or at a leak: who allocated it, and who freed it.

Without the memory check the use of a freed object ends in an oops on a member that is not there,
and a leak in a cache that is not empty. The same schedule under that check gives the report with
the stacks: hooks are no steps, so the execution is the same.
"""

from __future__ import annotations

import re
from dataclasses import replace

from kport.explore.replay import Replay
from kport.explore.runner import Runner, Trouble
from kport.explore.token import Token

_FREED_OR_LEFT = re.compile(
    r"Oops: .*'(?!NoneType')\w+' object has no attribute|cache still has objects"
)
_USED = re.compile(
    r"BUG: KASAN: \S+ in (?P<function>\S+?)\+(?P<place>\S+)(?: \((?P<c>\S+?)\))?\n"
    r".* by task (?P<task>\S+)\n"
)
_FREED = re.compile(r"^Freed by task (?P<task>\d+):\n(?P<stack>(?: \S.*\n)+)", re.MULTILINE)
_FRAME = re.compile(r"^ (?P<function>\S+?)\+(?P<place>\S+)(?: \((?P<c>\S+?)\))?$", re.MULTILINE)
_MEMBER = re.compile(r"^The member is struct (\S+)$", re.MULTILINE)


def second_look(token: Token, runner: Runner, trouble: Trouble) -> list[str]:
    """The report of the memory check, if it is about what is freed or left; else nothing."""
    if not (runner.kernel and _FREED_OR_LEFT.search(trouble.headline)):
        return []
    check = runner.setup.check
    names = check.split(",") if isinstance(check, str) else list(check)
    if token.drawn is not None or "memory" in token.check:
        return []
    watched = replace(runner.setup, check=[*(name for name in names if name), "memory"])
    with Runner(runner.scenario, watched) as second:
        seen = second.run(Replay(token.schedule, token.step_ns))
    if seen is None or not seen.headline.startswith(("BUG: KASAN", "kmemleak")):
        return []
    return ["The same with --check memory:", "", *seen.report.split("\n\nOops:")[0].splitlines()]


def sentence(report: str) -> str:
    """Who freed what somebody used, in one sentence; "" for another report."""
    used, freed, member = _USED.search(report), _FREED.search(report), _MEMBER.search(report)
    if used is None or freed is None:
        return ""
    frames = [f for f in _FRAME.finditer(freed["stack"]) if "/linux/slab.py" not in f["place"]]
    where = f"{frames[0]['function']}, {frames[0]['c'] or frames[0]['place']}" if frames else "free"
    what = f"{member[1]}: " if member else ""
    return (
        f"{what}task {freed['task']} freed it ({where}), then {used['task']} used it "
        f"({used['function']}, {used['c'] or used['place']})."
    )
