# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Observation: what the tracepoints record, written and read as the kernel's own trace text.

    events      the events by name, and their text
    ftrace      one event as a line, and whole files: the writer
    recorder    a running kernel's tracepoints into such a file
    source      a file, compressed or not, as lines
    reader      lines as events: ftrace, trace-cmd report, perf script

Nothing here knows a scheduler or a driver. What the events mean is the business of
`kport.workload.recording`.
"""
