# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Open files (include/linux/fs.h, fs/file_table.c, fs/anon_inodes.c of Linux 7.2.13), modelled.

There is no file system, only files that a driver makes: anonymous ones, and special files that
somebody gave a path (see debugfs). The last fput() releases the file at once; the kernel does it on
the way back to user space, which is the end of the same system call.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from kport.linux.atomic import atomic_dec_and_test, atomic_inc, atomic_set, atomic_t
from kport.linux.err import ENOENT, ENOMEM, ERR_PTR
from kport.linux.module import boot_data
from kport.linux.slab import kfree, kzalloc_obj
from kport.linux.struct import struct

if TYPE_CHECKING:
    from kport.linux.poll import poll_table

O_RDONLY = 0o0
O_WRONLY = 0o1
O_RDWR = 0o2
O_CLOEXEC = 0o2000000


class inode(struct):
    """What is behind a path: its permission bits, its operations, and what its driver keeps."""

    i_mode: int
    i_fop: file_operations | None
    i_private: Any


class file(struct):
    """An open file, by one or more descriptors or by the kernel itself."""

    f_op: file_operations | None
    f_inode: inode | None
    f_flags: int
    f_count: atomic_t
    private_data: Any
    name: str


class file_operations(struct, table=True):
    """What can be done with a file. `read` gives the whole content as text, or an error."""

    open: Callable[[inode, file], int] | None
    release: Callable[[inode | None, file], int] | None
    read: Callable[[file], str | int] | None
    poll: Callable[[file, poll_table], int] | None
    unlocked_ioctl: Callable[[file, int, Any], int] | None
    compat_ioctl: Callable[[file, int, Any], int] | None


special_files: dict[str, inode] = {}


@boot_data
def _reset_files() -> None:
    special_files.clear()


def compat_ptr_ioctl(file: file, cmd: int, arg: Any) -> int:
    """The ioctl of a 32-bit program, where pointers need no conversion (fs/ioctl.c)."""
    ioctl = file.f_op.unlocked_ioctl
    assert ioctl is not None
    return ioctl(file, cmd, arg)


def alloc_file(name: str, fop: file_operations, flags: int) -> file | None:
    """A file with one reference, or NULL."""
    filp = kzalloc_obj(file)
    if filp is None:
        return None
    atomic_set(filp.f_count, 1)
    filp.name = name
    filp.f_op = fop
    filp.f_flags = flags
    return filp


def anon_inode_getfile(name: str, fops: file_operations, priv: Any, flags: int) -> Any:
    """A new file that has no path; its private data is `priv`. ERR_PTR(-ENOMEM) without memory."""
    filp = alloc_file(name, fops, flags)
    if filp is None:
        return ERR_PTR(-ENOMEM)
    filp.private_data = priv
    return filp


def filp_open(filename: str, flags: int) -> Any:
    """Open a special file by its path: the file, or ERR_PTR of -ENOENT, -ENOMEM or open's error."""
    node = special_files.get(filename)
    if node is None:
        return ERR_PTR(-ENOENT)
    filp = alloc_file(filename, node.i_fop, flags)
    if filp is None:
        return ERR_PTR(-ENOMEM)
    filp.f_inode = node
    if node.i_fop.open is not None:
        error = node.i_fop.open(node, filp)
        if error:
            kfree(filp)
            return ERR_PTR(error)
    return filp


def get_file(f: file) -> file:
    """Take a reference and return the file."""
    atomic_inc(f.f_count)
    return f


def fput(filp: file) -> None:
    """Drop a reference; the last one releases the file."""
    if not atomic_dec_and_test(filp.f_count):
        return
    if filp.f_op.release is not None:
        filp.f_op.release(filp.f_inode, filp)
    kfree(filp)
