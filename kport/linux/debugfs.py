# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The files below /sys/kernel/debug (include/linux/debugfs.h of Linux 7.2.13), modelled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kport.linux.fs import file, file_operations, inode, special_files
from kport.linux.seq_file import seq_file
from kport.linux.struct import struct

DEBUGFS = "/sys/kernel/debug"


class dentry(struct):
    """A name in a directory, by its whole path."""

    path: str


def _below(name: str, parent: dentry | None) -> dentry:
    entry = dentry()
    entry.path = f"{DEBUGFS if parent is None else parent.path}/{name}"
    return entry


def debugfs_create_dir(name: str, parent: dentry | None) -> dentry:
    """A directory; without `parent` at the top."""
    return _below(name, parent)


def debugfs_create_file_unsafe(
    name: str, mode: int, parent: dentry | None, data: Any, fops: file_operations
) -> dentry:
    """A file that is never removed while somebody uses it; its private data is `data`."""
    entry = _below(name, parent)
    node = special_files[entry.path] = inode()
    node.i_mode = mode
    node.i_fop = fops
    node.i_private = data
    return entry


def DEFINE_SHOW_ATTRIBUTE(show: Callable[[seq_file, Any], int]) -> file_operations:
    """The operations of a file whose content `show` writes (include/linux/seq_file.h)."""

    def read(filp: file) -> str | int:
        m = seq_file()
        error = show(m, filp.f_inode.i_private)
        return error or m.text

    return file_operations(read=read)
