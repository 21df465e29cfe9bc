# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""drivers/dma-buf of Linux 7.2.13: fences and the objects that hold them, for both schedulers."""
