# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""What a program in user space calls, modelled: files, memory, processes and threads.

A process is a kernel thread with a table of descriptors of its own, and its threads are kernel
threads that share it. A call that fails returns -1 and sets errno(). When the main function of a
process returns or calls exit(), its other threads are killed, as by exit_group(): they leave at
the end of the system call they are in.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from kport.arch.asm import current
from kport.linux.completion import (
    DECLARE_COMPLETION_ONSTACK,
    complete_all,
    wait_for_completion,
)
from kport.linux.file import exit_files, files_of, share_files, unshare_files
from kport.linux.fs import O_RDWR, special_files
from kport.linux.err import ENOENT, IS_ERR, PTR_ERR
from kport.linux.kthread import kthread_run
from kport.linux.ktime import NSEC_PER_SEC, ktime_get
from kport.linux.module import boot_data
from kport.linux.mutex import mutex, mutex_init, mutex_lock, mutex_unlock
from kport.linux.poll import POLLERR, POLLIN, pollfd
from kport.linux.sched import (
    SIGKILL,
    fatal_signal_pending,
    get_task_struct,
    put_task_struct,
    send_sig,
)
from kport.linux.slab import release
from kport.linux.syscalls import F_GETFD, sys_close, sys_fcntl, sys_ioctl, sys_open, sys_poll

__all__ = ["F_GETFD", "O_RDWR", "POLLERR", "POLLIN", "pollfd"]

RAND_MAX = 0x7FFFFFFF

pthread_mutex_t = mutex
pthread_mutex_lock = mutex_lock
pthread_mutex_unlock = mutex_unlock

_errno: dict[int, int] = {}
_random = random.Random(0)


@boot_data
def _reset_libc() -> None:
    _errno.clear()
    srand(0)


class ProcessExit(BaseException):
    """Unwinds the thread of a process that exits or is killed."""

    def __init__(self, code: int) -> None:
        self.code = code


class Thread:
    """A thread of a process, or with `files` None a process of its own."""

    def __init__(self, function: Callable[[], int], files: Any, name: str) -> None:
        self.result = 0
        self.killed = False
        self.threads: list[Thread] = []
        self._done = DECLARE_COMPLETION_ONSTACK()
        self._function = function
        self._files = files
        self._parent = files_of(current())
        task = kthread_run(self._run, None, name)
        self.error = PTR_ERR(task) if IS_ERR(task) else 0
        self.task = None if self.error else get_task_struct(task)

    def _run(self, data: Any) -> int:
        if self._files is None:
            unshare_files(self._parent)
        else:
            share_files(self._files)
        _threads[current().pid] = self
        try:
            self.result = self._function()
        except ProcessExit as leave:
            self.result = leave.code
            self.killed = fatal_signal_pending(current()) != 0
        for thread in self.threads:
            thread.kill()
        _threads.pop(current().pid)
        _errno.pop(current().pid, None)
        exit_files(current())
        complete_all(self._done)
        return 0

    def wait(self) -> int:
        """Wait for the end; returns the result."""
        wait_for_completion(self._done)
        if self.task is not None:
            put_task_struct(self.task)
            self.task = None
        return self.result

    def kill(self) -> None:
        """End the thread, if it has not been waited for, and wait for it."""
        if self.task is not None:
            send_sig(SIGKILL, self.task)
            self.wait()


_threads: dict[int, Thread] = {}


def _returned(result: int) -> int:
    """The way back from a system call: a killed thread ends here, an error becomes errno."""
    if fatal_signal_pending(current()):
        raise ProcessExit(128 + SIGKILL)
    if result < 0:
        _errno[current().pid] = -result
        return -1
    return result


def errno() -> int:
    """The error number of the last call of this thread that failed."""
    return _errno.get(current().pid, 0)


def open(pathname: str, flags: int) -> int:
    """open(2)."""
    return _returned(sys_open(pathname, flags))


def close(fd: int) -> int:
    """close(2)."""
    return _returned(sys_close(fd))


def ioctl(fd: int, request: int, arg: Any) -> int:
    """ioctl(2)."""
    return _returned(sys_ioctl(fd, request, arg))


def fcntl(fd: int, cmd: int, arg: int) -> int:
    """fcntl(2) for F_GETFD."""
    return _returned(sys_fcntl(fd, cmd))


def poll(fds: list[pollfd], timeout: int) -> int:
    """poll(2); `timeout` in ms, negative for none."""
    return _returned(sys_poll(fds, timeout))


def stat(pathname: str) -> int:
    """stat(2), as far as whether there is such a file: 0, or -1 with ENOENT."""
    return _returned(0 if pathname in special_files else -ENOENT)


def calloc(nmemb: int, type_: type[Any]) -> Any:
    """Zeroed memory: a struct for one, a list for more."""
    return type_() if nmemb == 1 else [type_() for _ in range(nmemb)]


def free(ptr: Any) -> None:
    """Free it; a later use is a fault. NULL is fine."""
    if ptr:
        release(ptr)


def time() -> int:
    """Seconds; here since boot."""
    return ktime_get() // NSEC_PER_SEC


def srand(seed: int) -> None:
    """Begin a sequence of random numbers."""
    _random.seed(seed)


def rand() -> int:
    """A number from 0 to RAND_MAX."""
    return _random.getrandbits(31)


def exit(status: int) -> None:
    """End the process."""
    raise ProcessExit(status)


def fork(child: Callable[[], int], name: str) -> Any:
    """A new process, which runs `child` and exits with what it returns; None if there is none."""
    process = Thread(child, None, name)
    return None if process.error else process


def waitpid(process: Thread) -> tuple[bool, int]:
    """Wait for a process: whether it exited by itself, and its status."""
    status = process.wait()
    return not process.killed, status


def pthread_create(start_routine: Callable[[Any], int], arg: Any) -> Thread:
    """A new thread of the calling process. Raises MemoryError if there is none."""
    me = _threads[current().pid]
    thread = Thread(lambda: start_routine(arg), files_of(current()), current().comm)
    if thread.error:
        raise MemoryError(f"pthread_create: {thread.error}")
    me.threads.append(thread)
    return thread


def pthread_join(thread: Thread) -> int:
    """Wait for a thread; returns its result."""
    return thread.wait()


def pthread_mutex_init(lock: mutex) -> None:
    """Prepare a mutex."""
    mutex_init(lock)
