# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""A driver for the fake GPU, shaped like drivers/gpu/drm/amd/amdgpu of Linux 7.2.13.

The path of a job is amdgpu's, function for function: job alloc, submit, run, ib_schedule, emit the
fence, interrupt, fence_process. So is the way back from a hang: soft recovery, reset of the ring
with what is saved and emitted again, reset of the device; and mid-command-buffer preemption. Left
out is what the fake GPU has no use for: virtual memory, gangs, shadowing, secure submission.
"""
