# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""What must hold between steps: offsets that reach the right kind of step, batches that end, ...

Every check raises InputError at the place of the step, or of the offset, that is wrong.
"""

from __future__ import annotations

from kport.workload.errors import InputError
from kport.workload.wsim.contexts import contexts_of, slot_of
from kport.workload.wsim.holds import check_waits
from kport.workload.wsim.steps import (
    Batch,
    DataDep,
    FenceDep,
    NewFence,
    Offset,
    SetDep,
    SignalFence,
    Step,
    SubmitDep,
    Sync,
    Terminate,
    WorkingSet,
)


def check_steps(steps: list[Step]) -> list[str]:
    """Check the steps of one workload; returns notes about what will be done otherwise."""
    check_targets(steps)
    check_endless(steps)
    check_sets(steps)
    contexts = contexts_of(steps)
    elsewhere = [step for step in steps if isinstance(step, Batch) and slot_of(step, contexts)[1]]
    check_waits(steps, contexts)
    if not elsewhere:
        return []
    first = elsewhere[0]
    note = (
        f"{first.place}: {first.engine} is not in the map of the balanced context "
        f"{first.context}, so it is balanced over the map (batches like this: {len(elsewhere)})"
    )
    return [note]


def check_targets(steps: list[Step]) -> None:
    """Every offset points to an earlier step, of the kind it needs."""
    for index, step in enumerate(steps):
        if isinstance(step, Batch):
            for dep in step.deps:
                if isinstance(dep, FenceDep):
                    _target(steps, index, dep.offset, (Batch, NewFence), "a batch or an f step")
                elif isinstance(dep, DataDep | SubmitDep):
                    _target(steps, index, dep.offset, (Batch,), "a batch")
        elif isinstance(step, Sync):
            _target(steps, index, step.offset, (Batch,), "a batch")
        elif isinstance(step, SignalFence):
            _target(steps, index, step.offset, (NewFence,), "an f step")
        elif isinstance(step, Terminate):
            batch = _target(steps, index, step.offset, (Batch,), "an endless batch")
            if isinstance(batch, Batch) and batch.duration is not None:
                raise InputError(
                    str(step.offset.place),
                    f"the batch of {batch.place.brief()} ends by itself",
                    "T ends a batch whose duration is *",
                )


def _target(
    steps: list[Step], index: int, offset: Offset, kinds: tuple[type[Step], ...], wanted: str
) -> Step:
    """The step an offset points to."""
    at = index + offset.steps
    remedy = f"it must point to {wanted} before it, counted in steps"
    if at < 0:
        raise InputError(
            str(offset.place), f"offset {offset.steps} points before the first step", remedy
        )
    step = steps[at]
    if not isinstance(step, kinds):
        raise InputError(
            str(offset.place),
            f"offset {offset.steps} points to {step.place.brief()}, which is {_kind(step)}",
            remedy,
        )
    return step


def _kind(step: Step) -> str:
    if isinstance(step, Batch):
        return "a batch"
    if isinstance(step, NewFence):
        return "an f step"
    return "neither a batch nor a fence"


def check_endless(steps: list[Step]) -> None:
    """Every endless batch is ended by some T step."""
    ended = {
        index + step.offset.steps for index, step in enumerate(steps) if isinstance(step, Terminate)
    }
    for index, step in enumerate(steps):
        if isinstance(step, Batch) and step.duration is None and index not in ended:
            raise InputError(
                str(step.place),
                "nothing ends this endless batch",
                "add a T step behind it, or give it a duration",
            )


def check_sets(steps: list[Step]) -> None:
    """Working sets have different numbers; batches use sets and objects that exist."""
    sets: dict[int, WorkingSet] = {}
    for step in steps:
        if isinstance(step, WorkingSet):
            other = sets.setdefault(step.set_id, step)
            if other is not step:
                raise InputError(
                    str(step.place),
                    f"working set {step.set_id} is in {other.place.brief()} already",
                    "give it another number",
                )
    for step in steps:
        for dep in step.deps if isinstance(step, Batch) else ():
            if isinstance(dep, SetDep):
                _check_set_dep(sets, dep)


def _check_set_dep(sets: dict[int, WorkingSet], dep: SetDep) -> None:
    found = sets.get(dep.set_id)
    if found is None:
        raise InputError(
            str(dep.place), f"there is no working set {dep.set_id}", "declare it with w or W"
        )
    if dep.last >= len(found.sizes):
        raise InputError(
            str(dep.place),
            f"working set {dep.set_id} has no object {dep.last}",
            f"its objects are 0 to {len(found.sizes) - 1}",
        )
