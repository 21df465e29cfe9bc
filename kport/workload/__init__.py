# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Workloads: files and recordings, turned into submissions; and what came of them."""
