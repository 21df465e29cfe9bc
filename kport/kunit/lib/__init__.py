# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The kernel's tests of its primitives: lists, trees, arrays of pointers, reference counters."""
