# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The KUnit suites of the GPU scheduler (drivers/gpu/drm/scheduler/tests of Linux 7.2.13)."""
