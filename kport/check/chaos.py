# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Random delays, so that real threads meet where they seldom do (as rr's chaos mode does).

Threads that run in real time fall into step: the same one is always first. rr breaks that with two
means, and so does this. Each thread gets a *priority* by chance, and is held up before instructions
that synchronise, the low ones often; and now and then there is a *window* in which some of the
threads do not run at all, so that what they hold, or were about to do, stays half done for long.
After a while the dice are thrown anew.

It is a facility for `boot(check=[Chaos(seed)])` and reports nothing. On `virt` the strategy is the
chaos, so it does nothing there. Delays are wall time: a timeout may strike because of them, as on a
machine that is busy.
"""

from __future__ import annotations

import random
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

from kport.arch.asm import current_thread_info
from kport.arch.hook import Hook
from kport.linux.facility import Facility, Hooks

if TYPE_CHECKING:
    from kport.arch.api import Machine

POINTS = (
    "spin_lock",
    "spin_lock_irqsave",
    "spin_unlock",
    "spin_unlock_irqrestore",
    "atomic_xchg",
    "atomic_cmpxchg",
    "atomic_inc_return",
    "atomic_dec_and_test",
    "atomic_fetch_add",
    "atomic_fetch_sub",
    "cmpxchg",
    "test_and_set_bit",
    "clear_bit",
    "WRITE_ONCE",
    "smp_store_release",
)
EPOCH = 0.2  # s until the dice are thrown anew
WINDOW = 0.004  # s for which some threads stand still
LEAST, MOST = 2000, 40  # one in so many points is a delay: of a high priority, of a low one
LONGEST = 300e-6  # s of a delay


class _Dice:
    """The dice of this epoch; a thread reads them without a lock."""

    def __init__(self, seed: int, number: int) -> None:
        self.number = number
        self.until = monotonic() + EPOCH
        own = random.Random(f"{seed}/{number}")
        self.salt = own.random()
        begin = self.until - EPOCH + own.random() * EPOCH
        self.window = (begin, begin + own.random() * WINDOW)
        self.starved = own.random() * 0.5


class _State:
    """The chaos of the kernel that runs."""

    seed = 0
    dice: _Dice | None = None


def _before(*_: Any) -> None:
    dice = _State.dice
    if dice is None:
        return
    ti = current_thread_info()
    if ti.debug is None:
        ti.debug = {}
    epoch, share = ti.debug.get("chaos", (-1, 0.0))
    if epoch != dice.number:
        share = random.Random(f"{ti.name}/{dice.salt}").random()
        ti.debug["chaos"] = dice.number, share
    now = monotonic()
    if now > dice.until:
        _State.dice = _Dice(_State.seed, dice.number + 1)
    begin, end = dice.window
    if share < dice.starved and begin <= now < end:
        sleep(end - now)
    elif random.random() * (MOST + share * (LEAST - MOST)) < 1.0:
        sleep(random.random() * LONGEST)


class Chaos(Facility):
    """Delays from a seed, on the machine `threads`."""

    name = "chaos"

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def hooks(self, machine: Machine) -> Hooks:
        if machine.name != "threads":
            return {}
        return {point: Hook(_before) for point in POINTS}

    def start(self, machine: Machine) -> None:
        _State.seed = self.seed
        _State.dice = _Dice(self.seed, 0)

    def stop(self) -> None:
        _State.dice = None
