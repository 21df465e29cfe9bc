# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The museum: races of drm_sched and dma-fence that shipped, each brought back and found again.

- `exhibits`: the bugs, as edits of ported functions (`kport.arch.patch`) with a scenario each;
- `kit`: what scenarios are written with;
- `exhibit`: what an exhibit is.
"""
