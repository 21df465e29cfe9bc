# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""What exploring the unmodified baselines has found: races that the kernels have as they stand.

A finding is an exhibit without edits: its scenario breaks on the port as it is, which equals the C
statement by statement. `mend` are edits after which it does not, as a proposal and as a proof that
the cause is understood; `note` is the argument from the C source. A search for more goes on with
the mends of what is known (`mends()`), or it would find these again and again.
"""

from __future__ import annotations

from dataclasses import replace

from kport.arch.patch import Edit
from kport.museum.exhibit import Exhibit, port
from kport.museum.findings import entities, fences, late_6_1, proposal_2023, rings

SCHEDULERS = "kport.drm.scheduler."
_ALL = (*rings.FOUND, *entities.FOUND, *fences.FOUND, *late_6_1.FOUND, *proposal_2023.FOUND)
FINDINGS: dict[str, Exhibit] = {finding.id: finding for finding in sorted(_ALL, key=lambda f: f.id)}
BUILT_ON = {"v3_2023": "v6_1"}  # the proposal has copies of the functions of 6.1


def mends(sched: str) -> list[list[Edit]]:
    """What mends all that is known of a scheduler, edits for each, to search for what is not."""
    found = []
    for finding in FINDINGS.values():
        if finding.sched in (sched, BUILT_ON.get(sched)):
            edits = [_on(sched, edit) for edit in finding.mend()]
            found.append([e for e in edits if e.function.__module__.startswith(SCHEDULERS)])
    return found


def _on(sched: str, edit: Edit) -> Edit:
    """The edit, on the copy of its function that a scheduler has."""
    package, _, module = edit.function.__module__.rpartition(".")
    if package != SCHEDULERS + BUILT_ON.get(sched, sched):
        return edit
    return replace(edit, function=getattr(port(module, sched), edit.name, edit.function))
