# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""kport: the Linux DRM GPU scheduler, line by line, in Python, alive.

    import kport

    with kport.boot() as kernel:
        ...                 # kernel code runs here, on real threads
    assert not kernel.leaks

`kport.arch` explains the house.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kport.linux.init import Kernel, KernelOops, Leaks, boot, current_kernel

__version__ = "0.1.0"
__all__ = ["Kernel", "KernelOops", "Leaks", "boot", "current_kernel"]


def __getattr__(name: str) -> Any:
    # Loaded on first use, so that `import kport.arch` does not pull in the layers above it.
    if name not in __all__:
        raise AttributeError(f"module kport has no attribute {name}")
    from kport import check  # boot() knows its names by that
    from kport.linux import init

    assert check.NAMES

    return getattr(init, name)
