# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Measurements, each beside an anchor taken in the same run.

    python -m tools.bench null-jobs     what a job costs that does nothing
    python -m tools.bench overhead      what the scheduler adds to 1,000 jobs of 1 ms
    python -m tools.bench points        executions per second on the machine virt, and a null job
    python -m tools.bench explore       schedules per second, proofs, and Python peers

The anchor is a bare ThreadPoolExecutor with one thread running as many functions that do nothing:
the least that handing work to another thread costs in this interpreter on this machine. Rounds of
the port and of the anchor alternate, and medians are printed, so a machine that is slow for a while
slows both. Figures in microseconds of wall time unless a name says otherwise.
"""
