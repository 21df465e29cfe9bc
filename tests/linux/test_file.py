# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Open files, descriptors, system calls and debugfs: who holds a file, and every error."""

from __future__ import annotations

import pytest

from kport.linux.debugfs import (
    DEFINE_SHOW_ATTRIBUTE,
    debugfs_create_dir,
    debugfs_create_file_unsafe,
)
from kport.linux.err import EBADF, EINVAL, EIO, EMFILE, ENOENT, ENOMEM, ENOTTY, ERR_PTR, PTR_ERR
from kport.linux.file import (
    RLIMIT_NOFILE,
    close_fd,
    exit_files,
    fd_install,
    fget,
    files_of,
    get_unused_fd_flags,
    init_files,
    put_unused_fd,
    share_files,
    unshare_files,
)
from kport.linux.fs import (
    O_RDWR,
    anon_inode_getfile,
    compat_ptr_ioctl,
    file_operations,
    filp_open,
    fput,
    get_file,
)
from kport.linux.sched import current
from kport.linux.seq_file import seq_putc, seq_puts
from kport.linux.slab import fail_nth
from kport.linux.syscalls import (
    F_GETFD,
    sys_close,
    sys_fcntl,
    sys_ioctl,
    sys_open,
    sys_poll,
    sys_read,
)
from tests.support import Thread, together

pytestmark = pytest.mark.usefixtures("kernel")


class Files:
    """Operations that note what was called."""

    def __init__(self, **more: object) -> None:
        self.released: list[object] = []
        self.fops = file_operations(release=self._release, **more)

    def _release(self, inode: object, file: object) -> int:
        self.released.append(file.private_data)
        return 0

    def new(self, priv: object) -> object:
        """A file with this private data."""
        return anon_inode_getfile("test", self.fops, priv, O_RDWR)

    def descriptor(self, priv: object) -> int:
        """A descriptor of such a file."""
        fd = get_unused_fd_flags(0)
        fd_install(fd, self.new(priv))
        return fd


def test_the_last_reference_releases_a_file():
    files = Files()
    filp = files.new("a")
    assert get_file(filp) is filp
    fput(filp)
    assert files.released == []
    fput(filp)
    assert files.released == ["a"]


def test_no_file_without_memory():
    fail_nth(1)
    assert anon_inode_getfile("test", Files().fops, None, 0) is ERR_PTR(-ENOMEM)


def test_descriptors_are_the_lowest_free_ones_from_three_on():
    files = Files()
    assert [files.descriptor(n) for n in range(4)] == [3, 4, 5, 6]
    assert close_fd(4) == 0
    assert close_fd(5) == 0
    assert [files.descriptor(n) for n in range(3)] == [4, 5, 7]
    for fd in range(3, 8):
        assert close_fd(fd) == 0


def test_a_reserved_descriptor_is_not_open():
    fd = get_unused_fd_flags(0)
    assert fget(fd) is None
    assert close_fd(fd) == -EBADF
    assert get_unused_fd_flags(0) == fd + 1
    put_unused_fd(fd)
    assert get_unused_fd_flags(0) == fd


def test_there_is_an_end_of_descriptors():
    taken = [get_unused_fd_flags(0) for _ in range(RLIMIT_NOFILE - 3)]
    assert taken[-1] == RLIMIT_NOFILE - 1
    assert get_unused_fd_flags(0) == -EMFILE
    put_unused_fd(500)
    assert get_unused_fd_flags(0) == 500


def test_who_uses_a_file_keeps_it_open():
    files = Files()
    fd = files.descriptor("a")
    filp = fget(fd)
    assert close_fd(fd) == 0
    assert files.released == []
    fput(filp)
    assert files.released == ["a"]


def test_a_table_of_ones_own_is_closed_with_its_last_user():
    files = Files()
    fd = files.descriptor("shared")

    def process() -> None:
        unshare_files(init_files)
        mine = files_of(current())
        assert mine is not init_files
        own = files.descriptor("own")
        assert own == fd + 1

        def thread() -> None:
            share_files(mine)
            assert fget(own) is not None
            fput(mine.open_fds[own])
            exit_files(current())

        Thread(thread).join()
        assert files.released == []
        exit_files(current())
        assert files.released == ["own"]

    Thread(process).join()
    assert fget(fd + 1) is None
    assert close_fd(fd) == 0
    assert files.released == ["own", "shared"]


def test_kernel_threads_share_their_descriptors():
    files = Files()
    fd = files.descriptor("a")
    assert Thread(close_fd, fd).join() == 0
    assert close_fd(fd) == -EBADF


def test_threads_that_open_at_once_get_different_descriptors():
    files = Files()
    made = together(*(lambda: [files.descriptor(0) for _ in range(50)] for _ in range(4)))
    fds = sorted(fd for some in made for fd in some)
    assert fds == list(range(3, 203))
    closed = together(*(lambda some=some: [close_fd(fd) for fd in some] for some in made))
    assert closed == [[0] * 50] * 4
    assert len(files.released) == 200


def test_a_file_in_debugfs_shows_what_its_function_writes():
    def show(m, unused) -> int:
        seq_puts(m, "two words")
        seq_putc(m, "\n")
        return 0

    entry = debugfs_create_file_unsafe(
        "info", 0o444, debugfs_create_dir("dir", None), None, DEFINE_SHOW_ATTRIBUTE(show)
    )
    assert entry.path == "/sys/kernel/debug/dir/info"
    fd = sys_open(entry.path, 0)
    assert sys_read(fd) == "two words\n"
    assert sys_close(fd) == 0


def test_an_error_of_the_function_is_the_error_of_the_read():
    debugfs_create_file_unsafe(
        "bad", 0o444, None, None, DEFINE_SHOW_ATTRIBUTE(lambda m, unused: -EIO)
    )
    fd = sys_open("/sys/kernel/debug/bad", 0)
    assert sys_read(fd) == -EIO
    assert sys_close(fd) == 0


def test_open_fails_without_a_name_or_memory_or_by_its_driver():
    assert sys_open("/nowhere", 0) == -ENOENT
    assert PTR_ERR(filp_open("/nowhere", 0)) == -ENOENT
    fops = file_operations(open=lambda inode, filp: -EIO)
    debugfs_create_file_unsafe("bad", 0o644, None, None, fops)
    assert sys_open("/sys/kernel/debug/bad", 0) == -EIO
    fail_nth(1)
    assert sys_open("/sys/kernel/debug/bad", 0) == -ENOMEM
    assert get_unused_fd_flags(0) == 3


def test_system_calls_on_what_is_not_open_or_not_able():
    for call in (
        lambda fd: sys_close(fd),
        lambda fd: sys_ioctl(fd, 1, None),
        lambda fd: sys_read(fd),
        lambda fd: sys_fcntl(fd, F_GETFD),
    ):
        assert call(99) == -EBADF
        assert call(-1) == -EBADF
    fd = Files().descriptor("a")
    assert sys_ioctl(fd, 1, None) == -ENOTTY
    assert sys_read(fd) == -EINVAL
    assert (sys_fcntl(fd, F_GETFD), sys_fcntl(fd, 77)) == (0, -EINVAL)
    assert sys_close(fd) == 0


def test_a_32_bit_program_uses_the_same_ioctl():
    files = Files(unlocked_ioctl=lambda filp, cmd, arg: cmd + arg)
    filp = files.new("a")
    assert compat_ptr_ioctl(filp, 40, 2) == 42
    fput(filp)


def test_polling_more_than_a_process_can_have():
    assert sys_poll([None] * (RLIMIT_NOFILE + 1), 0) == -EINVAL
