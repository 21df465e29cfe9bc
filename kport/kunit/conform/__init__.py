# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Conformance with the kernel itself: scenarios that ran on the real scheduler, run on the port.

A scenario is a list of operations (make a scheduler, push a job, let the hardware advance, stop,
time out, kill an entity, ...) with everything the kernel did in each: events in their order, the
state at snapshots and at the end. `interpreter` does the operations on the port, `compare` holds
what happened against the record, `report` shows the first difference.

    operations   what operations there are, and what their arguments must be
    record       the files: JSON lines, plain, gzip or xz
    clock        the scenario's clock, instead of ktime_get() where the record's kernel had it
    discipline   what runs when: the order of the two queues of work items
    backend      the mock GPU of the kernel's tests, with modes of its jobs and of its timeouts
    observer     trace events of the port under the names of the record
    state        snapshots
"""
