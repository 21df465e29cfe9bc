# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The level in front of a format, and messages that come only once."""

from __future__ import annotations

from kport.linux.bug import WARN_ONCE
from kport.linux.printk import ALERT, ERR, KERN_ALERT, clear_warn_once, dmesg, pr_warn_once, printk
from tests.support import messages, take_warnings


def test_a_level_in_front_of_the_format(kernel):
    printk(KERN_ALERT + "%d alarms\n", 2)
    printk("no level\n")
    assert messages(kernel) == ["2 alarms", "no level"]
    assert [line.split("] ")[1] for line in dmesg(ALERT)] == ["2 alarms"]
    assert [line.split("] ")[1] for line in dmesg(ERR)] == ["2 alarms"]


def test_what_comes_once_comes_again_after_clearing(kernel):
    for turn in range(4):
        if turn == 2:
            clear_warn_once()
        pr_warn_once("turn %d\n", turn)
        WARN_ONCE(True, "warning %d\n", turn)
    turns = [line for line in messages(kernel) if line.startswith(("turn", "warning"))]
    assert turns == ["turn 0", "warning 0", "turn 2", "warning 2"]
    assert len(take_warnings(kernel)) == 2
