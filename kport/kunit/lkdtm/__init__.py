# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The kernel dump test module: mistakes made on purpose, and what the kernel must say of each."""
