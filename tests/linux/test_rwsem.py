# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Reader-writer semaphores: many readers or one writer, first come first served."""

from __future__ import annotations

import pytest

from kport.arch.asm import current
from kport.linux.err import EINTR
from kport.linux.list import list_count_nodes
from kport.linux.rwsem import (
    down_read,
    down_read_killable,
    down_write,
    down_write_killable,
    init_rwsem,
    rw_semaphore,
    up_read,
    up_write,
)
from kport.linux.sched import SIGKILL, send_sig
from tests.support import Thread, eventually, never, take_warnings, together


@pytest.fixture
def sem(kernel):
    made = rw_semaphore()
    init_rwsem(made)
    return made


def waiters(sem: rw_semaphore) -> int:
    return list_count_nodes(sem.wait_list)


def test_readers_share(sem):
    for n in range(3):
        down_read(sem)
        assert sem.count == n + 1
    Thread(down_read, sem).join()
    assert sem.count == 4
    for _ in range(4):
        up_read(sem)
    assert sem.count == 0


def test_a_writer_is_alone(sem):
    down_write(sem)
    assert sem.count == -1
    reader, writer = Thread(down_read, sem), Thread(down_write, sem)
    never(lambda: reader.done or writer.done)
    up_write(sem)
    eventually(lambda: reader.done or writer.done)
    never(lambda: reader.done and writer.done)
    (up_read if reader.done else up_write)(sem)
    reader.join()
    writer.join()
    assert sem.count in (1, -1)


def test_a_writer_waits_for_all_readers(sem):
    down_read(sem)
    down_read(sem)
    writer = Thread(down_write, sem)
    eventually(lambda: waiters(sem) == 1)
    up_read(sem)
    never(lambda: writer.done)
    up_read(sem)
    writer.join()
    assert sem.count == -1


def test_a_reader_behind_a_waiting_writer_waits(sem):
    down_read(sem)
    writer = Thread(down_write, sem)
    eventually(lambda: waiters(sem) == 1)
    reader = Thread(down_read, sem)
    eventually(lambda: waiters(sem) == 2)
    never(lambda: reader.done)
    up_read(sem)
    writer.join()
    never(lambda: reader.done)
    up_write(sem)
    reader.join()


def test_readers_behind_a_writer_come_in_together(sem):
    down_write(sem)
    readers = [Thread(down_read, sem) for _ in range(3)]
    eventually(lambda: waiters(sem) == 3)
    up_write(sem)
    for reader in readers:
        reader.join()
    assert sem.count == 3


@pytest.mark.parametrize("take", [down_read_killable, down_write_killable])
def test_a_killed_waiter_gives_up(sem, take):
    down_write(sem)
    waiter = Thread(take, sem)
    eventually(lambda: waiters(sem) == 1)
    send_sig(15, waiter.task)
    never(lambda: waiter.done)
    send_sig(SIGKILL, waiter.task)
    assert waiter.join() == -EINTR
    assert waiters(sem) == 0
    assert sem.count == -1
    up_write(sem)
    assert take(sem) == 0


def test_readers_held_up_by_a_writer_that_was_killed_come_in(sem):
    down_read(sem)
    writer = Thread(down_write_killable, sem)
    eventually(lambda: waiters(sem) == 1)
    reader = Thread(down_read, sem)
    eventually(lambda: waiters(sem) == 2)
    send_sig(SIGKILL, writer.task)
    assert writer.join() == -EINTR
    reader.join()
    assert sem.count == 2


def test_a_free_semaphore_is_taken_even_by_a_dying_task(sem):
    def run() -> int:
        send_sig(SIGKILL, current())
        ret = down_read_killable(sem)
        up_read(sem)
        return ret

    assert Thread(run).join() == 0


def test_releasing_what_is_not_held_is_a_warning(kernel, sem):
    up_read(sem)
    assert len(take_warnings(kernel)) == 1
    init_rwsem(sem)
    up_write(sem)
    assert len(take_warnings(kernel)) == 1
    init_rwsem(sem)


def test_readers_and_writers_never_mix(sem):
    readers, writers, wrong = [], [], []

    def read() -> None:
        for _ in range(60):
            down_read(sem)
            readers.append(1)
            wrong.extend(writers)
            readers.pop()
            up_read(sem)

    def write() -> None:
        for _ in range(60):
            down_write(sem)
            writers.append(1)
            wrong.extend(readers)
            wrong.extend(writers[1:])
            writers.pop()
            up_write(sem)

    together(read, write, read, write, read)
    assert wrong == []
    assert sem.count == 0
