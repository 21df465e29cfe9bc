# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Kernel primitives: one module per kernel header, its .h and .c together.

`from kport.linux.wait import wake_up` reads as `#include <linux/wait.h>`. What is small in C is
translated line by line; what is not (workqueue, timers, RCU, xarray, slab) is modelled with the
rules a caller can observe, and its header says so.
"""
