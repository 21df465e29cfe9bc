# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The selftest of sync files and sw_sync (tools/testing/selftests/sync of Linux 7.2.13)."""
