# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""drivers/gpu/drm, as far as the scheduler needs it."""
