# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The machine the port runs on, and the place to begin reading.

kport is Linux kernel code that runs as a Python program. Four ideas hold the house up.

1. **The port does not know what it runs on.** Everything the kernel takes from its processor is in
   this package: `asm` is the instruction set (locks, atomics, bits, barriers, current) and
   `api.Machine` the rest (start, block, wake, clock, timer event, interrupt line). Two machines
   stand behind them. `threads` gives every task an OS thread and runs in real time; a second one,
   deterministic, takes its place where interleavings are to be chosen.

2. **Lower case is the kernel's, CapWords are ours.** In `kport.linux`, `kport.dma_buf`, `kport.drm`
   and `kport.drivers` files, functions, fields and locals have the names and the order of the C
   file that the header of each module gives, one statement for one statement. There are functions
   and structs and no methods. What is written as modern Python in modern style (here, in `hw`,
   `trace`, `workload`, `cli`) is not a translation of anything.

3. **A kernel is booted.** `with kport.boot():` makes one kernel: a machine, a clock that starts at
   zero, workqueues, fence contexts, a log. Static data of the ported files is reset, their
   initcalls run. Leaving the block takes it down and reports what it leaked. One at a time: C
   files have one set of statics, and so do ours.

4. **Nothing hangs.** A thread of a stopped kernel gets `Halted` from the next operation that could
   wait. Kernel code that raises is an oops: the kernel is stopped and the error, with both stacks,
   comes out of the `with kport.boot()` that owned it.

Layers, lowest first: arch, linux, dma_buf, drm, hw, drivers, trace, workload, cli. A module imports
only from layers below its own; tests/test_layers.py holds the table.
"""
