# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Fault files: what shall go wrong in the fake GPU while a workload plays.

One fault on each line (in a text on the command line commas stand for newlines), `#` starts a
comment. A fault is

    ring.at.kind[.duration][.cure]

| part | values | meaning |
|---|---|---|
| ring | RCS BCS VCS VCS1 VCS2 VECS CCS | that ring; of VCS without a number, each of the two |
|      | `*` | each ring |
| at   | `n` | the nth packet of the ring, from 1 |
|      | `n/k` | that one, and every kth behind it |
|      | `@us` | the first packet that comes us after the device came up, or later |
|      | `@us/us` | that one, and the first of every further us |

| kind, duration, cure | meaning |
|---|---|
| `hang.us`, `hang.*` | the engine stands still before the batch: so long, or until recovered |
| `hang.*.cure`, `hang.us.cure` | and no milder recovery helps: soft (default), ring, full, never |
| `fault`, `fault.cure` | the batch reads an address that is not mapped, and hangs |
| `swap` | the batch and its fence come behind those of the next job in the ring |
| `lost` | the interrupt of a fence does not arrive |
| `late.us` | it arrives so much later |
| `silent.us`, `silent.*` | from this fence on numbers are written without any interrupt |
| `dead`, `dead.us`, `dead.*` | the device is gone; the bus notices now, later, or never |

Packets are batches, and for lost, late and silent fences. Each counts for itself.
"""

from kport.workload.faults.load import DISASTERS, load_faults

__all__ = ["DISASTERS", "load_faults"]
