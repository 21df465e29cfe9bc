# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Devices, as far as names and messages need them (include/linux/device.h of Linux 7.2.13)."""

from __future__ import annotations

import sys
from typing import Any

from kport.linux import bug, printk
from kport.linux.struct import struct
from kport.linux.vsprintf import sprintf


class device(struct):
    """A device: its name, its driver's name, and what the driver keeps with it."""

    name: str
    driver: str
    driver_data: Any


def dev_name(dev: device | None) -> str:
    """The device's name; a NULL device prints as in the kernel."""
    return dev.name if dev is not None else "(null)"


def _emit(level: int, dev: device | None, fmt: str, args: tuple[Any, ...]) -> None:
    head = f"{dev.driver} {dev.name}: " if dev is not None else "(NULL device *): "
    printk.emit(level, head.lstrip() + sprintf(fmt, *args))


def dev_err(dev: device | None, fmt: str, *args: Any) -> None:
    """Log an error of a device."""
    _emit(printk.ERR, dev, fmt, args)


def dev_warn(dev: device | None, fmt: str, *args: Any) -> None:
    """Log a warning of a device."""
    _emit(printk.WARNING, dev, fmt, args)


def dev_info(dev: device | None, fmt: str, *args: Any) -> None:
    """Log a fact of a device."""
    _emit(printk.INFO, dev, fmt, args)


def dev_WARN(dev: device | None, fmt: str, *args: Any) -> bool:
    """WARN() with the device's name in front."""
    head = f"{dev.driver} {dev.name}: " if dev is not None else "(NULL device *): "
    bug.report(head.lstrip() + sprintf(fmt, *args), sys._getframe(1))
    return True
