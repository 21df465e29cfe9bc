# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""DRM's messages (include/drm/drm_print.h of Linux 7.2.13): the calling function is in the text."""

from __future__ import annotations

import sys
from typing import Any

from kport.linux import printk
from kport.linux.device import device
from kport.linux.vsprintf import sprintf


def DRM_ERROR(fmt: str, *args: Any) -> None:
    """Log an error."""
    caller = sys._getframe(1).f_code.co_name
    printk.emit(printk.ERR, f"[drm:{caller}] *ERROR* {sprintf(fmt, *args)}")


def DRM_WARN(fmt: str, *args: Any) -> None:
    """Log a warning."""
    printk.emit(printk.WARNING, f"[drm] {sprintf(fmt, *args)}")


def DRM_DEBUG(fmt: str, *args: Any) -> None:
    """Log for somebody who looks for a fault."""
    caller = sys._getframe(1).f_code.co_name
    printk.emit(printk.DEBUG, f"[drm:{caller}] {sprintf(fmt, *args)}")


def DRM_DEV_ERROR(dev: device | None, fmt: str, *args: Any) -> None:
    """Log an error of a device."""
    caller = sys._getframe(1).f_code.co_name
    name = f"{dev.driver} {dev.name}: ".lstrip() if dev is not None else ""
    printk.emit(printk.ERR, f"{name}[drm:{caller}] *ERROR* {sprintf(fmt, *args)}")
