# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The kinds of traps; see traps.py, which finds them in the C."""

from __future__ import annotations

KINDS = {
    "cursor": "a list cursor is read behind its loop, and is the list head then",
    "index": "an index is read behind its loop, and is one more than in a range",
    "address": "the address of a number is taken",
    "continue": "continue in a loop with a step of its own, which must come first",
}
