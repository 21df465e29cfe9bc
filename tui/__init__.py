# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The monitor: what `kport.trace` shows of a running scheduler, drawn in a terminal."""
