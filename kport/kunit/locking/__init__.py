# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The self-test of the lock validator (lib/locking-selftest.c)."""
