# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The mock GPU of the scheduler's own tests, under the kernel's names."""
