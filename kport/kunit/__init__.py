# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The kernel's own tests, under their kernel names, and KUnit's program that runs them."""
