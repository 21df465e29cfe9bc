# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The KUnit suites of dma-buf (drivers/dma-buf/st-*.c of Linux 7.2.13)."""
