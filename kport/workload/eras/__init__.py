# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Schedulers of several kernels side by side: what they do otherwise, and why.

Each difference is shown, not told: a probe plays a few jobs on both schedulers and returns what it
met (`probe`), and a workload is played on both and measured (`meter`).
"""
