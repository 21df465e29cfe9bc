# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The one exception of cdiff that reaches a user: a line that says what, where and what to do."""

from __future__ import annotations


class CdiffError(Exception):
    """Bad input; the text is the one line that the user sees, and the exit code is 2."""
