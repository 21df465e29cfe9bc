# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The kernel configuration the port is translated for.

`#ifdef CONFIG_X` in C chooses text; the port has the text of this configuration only.
`IS_ENABLED(CONFIG_X)` in an expression is the constant below.
"""

from __future__ import annotations

HZ = 250

CONFIG_SMP = True
CONFIG_PREEMPT_RT = False
CONFIG_PREEMPT_COUNT = True
CONFIG_LOCKDEP = True
CONFIG_LIST_HARDENED = False
CONFIG_DEBUG_MUTEXES = True
CONFIG_DEBUG_WW_MUTEXES = True
CONFIG_MMU_NOTIFIER = False
CONFIG_NUMA = False
CONFIG_BLK_CGROUP = False
CONFIG_FREEZER = False
