# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""drivers/gpu/drm/scheduler, one package per kernel version; they never import each other."""
