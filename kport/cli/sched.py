# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Which scheduler, and with which policy: the options --sched and --policy of several commands."""

from __future__ import annotations

import argparse

from kport.cli.options import UsageError

# By the names of kport.drivers.compat, which would load a kernel to be asked.
SCHEDULERS = {
    "v7_2": "drm_sched of Linux 7.2.13",
    "v6_1": "drm_sched of Linux 6.1.192",
    "v3_2023": "drm_sched as proposed in 2023",
}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add --sched and --policy."""
    add = parser.add_argument
    add("--sched", choices=SCHEDULERS, default="v7_2", help="of which kernel, default: v7_2")
    add("--policy", choices=("rr", "fifo", "fair"), help="of v7_2, default: fifo")


def policy_of(options: argparse.Namespace) -> str:
    """The policy of the run; older schedulers only take turns. Raises UsageError."""
    if options.sched == "v7_2":
        return str(options.policy or "fifo")
    if options.policy not in (None, "rr"):
        raise UsageError(
            f"--policy {options.policy} is for --sched v7_2, and {options.sched} only takes "
            "turns; leave one of them out"
        )
    return "rr"
