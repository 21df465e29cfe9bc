# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Playing workloads on the port: clients as processes, contexts as entities, batches as jobs.

`plan` says what is to be played, `play` boots a kernel and a device for it and watches over the
run. Each `client` is a process of its own, with one thread that goes through the steps; `process`
starts it, `buffers` and `fence` are what it owns besides its entities. `tally` gathers the figures
from the scheduler's trace events while everything runs.
"""
