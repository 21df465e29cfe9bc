# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The fake GPU: rings, engines, memory cells, interrupts. It knows no fence and no scheduler.

What it looks like to a driver: a GPU has named rings. A ring is a buffer of words with a write
pointer that the driver moves by ringing the doorbell and a read pointer that the engine moves.
Packets run batches (which take GPU time) and write sequence numbers to memory, optionally with an
interrupt. Each ring's engine is a thread of its own; so is each interrupt line.
"""
