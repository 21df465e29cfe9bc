# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Which rings the batches of a context may use.

Maps, balancing and bonds are settings of a context, wherever their steps stand; of two maps the
later counts. A batch goes to a *slot*, a tuple of rings, and each slot of a context is one entity:

- without a map the rings of the engine named; both for a class of two, RCS for DEFAULT;
- with a map those of its rings that the engine covers, the first of the map for DEFAULT;
- of a balanced context all rings of the map, unless the engine covers only some of them. An
  engine outside the map is balanced over the map as well, as gem_wsim does it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from kport.workload.errors import InputError
from kport.workload.wsim.engines import DEFAULT, engine_rings, rings_text
from kport.workload.wsim.steps import Balance, Batch, Bond, EngineMap, Step

Slot = tuple[str, ...]


@dataclass(slots=True)
class Context:
    """The settings of one context."""

    map: Slot = ()
    balanced: bool = False
    bonds: list[Bond] = field(default_factory=list)


def contexts_of(steps: list[Step]) -> dict[int, Context]:
    """The settings of every context that has some. Raises InputError for a balance without map."""
    contexts: dict[int, Context] = {}
    for step in steps:
        if isinstance(step, EngineMap):
            contexts.setdefault(step.context, Context()).map = step.rings
    for step in steps:
        if isinstance(step, Balance):
            context = contexts.get(step.context)
            if context is None:
                raise InputError(
                    str(step.place),
                    f"context {step.context} has no engine map to balance over",
                    f"add M.{step.context}.engines",
                )
            context.balanced = True
    for step in steps:
        if isinstance(step, Bond):
            _add_bond(contexts, step)
    return contexts


def _add_bond(contexts: dict[int, Context], bond: Bond) -> None:
    context = contexts.get(bond.context)
    if context is None or not context.balanced:
        raise InputError(
            str(bond.place),
            f"context {bond.context} is not balanced, a bond needs that",
            f"add M.{bond.context}.engines and B.{bond.context}",
        )
    for ring in bond.rings:
        if ring not in context.map:
            raise InputError(
                str(bond.place),
                f"engine {ring} is not in the map of context {bond.context}",
                f"the map is {rings_text(context.map)}",
            )
    context.bonds.append(bond)


def slot_of(batch: Batch, contexts: dict[int, Context]) -> tuple[Slot, bool]:
    """The slot of a batch, and whether it leaves out the engine that the batch names.

    Raises InputError for an engine that a map without balancing does not have.
    """
    rings = engine_rings(batch.engine) or ()
    context = contexts.get(batch.context)
    if context is None:
        return rings or ("rcs",), False
    if batch.engine == DEFAULT:
        return (context.map if context.balanced else context.map[:1]), False
    covered = tuple(ring for ring in context.map if ring in rings)
    if covered:
        return covered, False
    if not context.balanced:
        raise InputError(
            str(batch.engine_place),
            f"engine {batch.engine} is not in the map of context {batch.context}",
            f"the map is {rings_text(context.map)}",
        )
    return context.map, True


def bonded(slot: Slot, context: Context | None, masters: list[str]) -> Slot:
    """What is left of a slot when the masters' batches went to the rings `masters`."""
    for bond in context.bonds if context is not None else ():
        if bond.master in masters:
            left = tuple(ring for ring in slot if ring in bond.rings)
            slot = left or slot
    return slot
