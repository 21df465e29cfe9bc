# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Stress: random operations of many threads on a random machine, one kernel after the other.

A *round* is one kernel: `topology` throws the dice for its rings, entities, jobs and policy,
`device` is the driver, `client` what each thread does, and `rounds` plays them until time is up or
something breaks. All of it comes from one seed; on `virt` the same seed is the same run.

What the scheduler's contract forbids is not done: an entity is pushed to by one thread, never after
its end, its schedulers are not changed meanwhile, entities go before schedulers, and a reset runs
on the queue of the timeout handlers. What is known to break in the kernel itself although it is
allowed is done only with `known`: else every round would end there.

| known to break | done instead |
|---|---|
| 7.2: killing an entity whose job is being popped | schedulers stand still while it is killed |
| 7.2, 2023: a work item that is queued behind a stop | the items are disabled besides |
| 6.1, 2023: killing queued jobs | the jobs are waited for |
| 2023: a job that waits hides those of other entities | no job depends on another |
"""
