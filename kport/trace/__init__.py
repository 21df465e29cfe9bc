# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Observation: what the tracepoints record, written and read as the kernel's own trace text, and
what a monitor shows of it.

    events      the events by name, and their text
    ftrace      one event as a line, and whole files: the writer
    recorder    a running kernel's tracepoints into such a file
    source      a file, compressed or not, as lines
    reader      lines as events: ftrace, trace-cmd report, perf script
    numbering   scheduler events before 6.17 as those since
    bulk        the same for a million lines

    history     what the events say: lives of jobs, fences, entities and rings, at any moment
    log         the events by number
    lanes       a ring's jobs as cells, at any zoom
    why         the chain from a job to what it waits for
    stats       stages of jobs' lives, percentiles
    expr        assertions about these
    views       the history at a moment, as the values of
    snapshot    frozen dataclasses, which survive JSON
    model       all of that behind one class

    registry    what drivers show, and what an observer of a port answers
    wire        what a port and its viewers say to each other
    server      the port's end of the socket
    client      the viewer's end

Nothing here knows a scheduler or a driver. What the events mean for playing them is the business of
`kport.workload.recording`; what a port says of itself beyond them, of `kport.drivers.observe`.
"""
