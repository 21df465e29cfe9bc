# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The workloads that `kport run` plays when it is given none: a desktop on a busy GPU.

A compositor that must show a frame every 16.7 ms, a game, a video player, and a program that
computes on the render engine without a pause. Play them under each policy and look at the periods
that the compositor drops.
"""

from __future__ import annotations

from pathlib import Path

NAMES = ("compositor", "game", "video", "hog")


def builtin_workloads() -> list[str]:
    """The paths of the workload files."""
    return [str(Path(__file__).with_name(f"{name}.wsim")) for name in NAMES]
