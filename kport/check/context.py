# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The checks of context: what a kernel is built with to see code run where it must not, or stop.

- atomic_sleep (CONFIG_DEBUG_ATOMIC_SLEEP, CONFIG_DEBUG_PREEMPT)
- debug_locks (CONFIG_DEBUG_SPINLOCK, CONFIG_DEBUG_MUTEXES)
- hung_task (CONFIG_DETECT_HUNG_TASK)
- wq_watchdog (CONFIG_WQ_WATCHDOG)

Each is a file of kport.linux beside what it watches.
"""

from __future__ import annotations

from collections.abc import Sequence

from kport.linux.atomic_sleep import atomic_sleep
from kport.linux.debug_locks import debug_locks
from kport.linux.facility import Facility
from kport.linux.hung_task import hung_task
from kport.linux.wq_watchdog import wq_watchdog


def facilities() -> Sequence[Facility]:
    """The four facilities."""
    return [atomic_sleep(), debug_locks(), hung_task(), wq_watchdog()]
