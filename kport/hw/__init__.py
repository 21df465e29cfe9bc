# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The fake GPU: rings, engines, memory cells, interrupts. It knows no fence and no scheduler.

What it looks like to a driver: a GPU has named rings. A ring is a buffer of words with a write
pointer that the driver moves by ringing the doorbell and a read pointer that the engine moves.
Packets run batches (which take GPU time) and write sequence numbers to memory, optionally with an
interrupt. Each ring's engine is a thread of its own; so is each interrupt line.

Things go wrong as `faults` says: engines hang, interrupts are lost, addresses are not mapped, the
GPU dies. What a driver can do about it are `orders` to an engine (kill what runs, reset the ring,
preempt) and resets of the GPU, or by its host of a virtual function.
"""
