# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The single-producer, single-consumer queue: order, first push, count, and both ends at once."""

from __future__ import annotations

import pytest

from kport.arch.asm import cpu_relax, preempt_count
from kport.drm.spsc_queue import (
    spsc_node,
    spsc_queue,
    spsc_queue_count,
    spsc_queue_init,
    spsc_queue_peek,
    spsc_queue_pop,
    spsc_queue_push,
)
from tests.support import together

pytestmark = pytest.mark.usefixtures("kernel")


@pytest.fixture
def queue():
    made = spsc_queue()
    spsc_queue_init(made)
    return made


def test_an_empty_queue(queue):
    assert spsc_queue_count(queue) == 0
    assert spsc_queue_peek(queue) is None
    assert spsc_queue_pop(queue) is None


def test_first_in_first_out_and_only_the_first_push_says_so(queue):
    nodes = [spsc_node() for _ in range(4)]
    assert [spsc_queue_push(queue, node) for node in nodes] == [True, False, False, False]
    assert spsc_queue_count(queue) == 4
    assert spsc_queue_peek(queue) is nodes[0]
    assert spsc_queue_count(queue) == 4, "peek takes nothing"
    assert [spsc_queue_pop(queue) for _ in range(5)] == [*nodes, None]
    assert spsc_queue_count(queue) == 0


def test_after_it_was_empty_the_next_push_is_the_first_again(queue):
    a, b = spsc_node(), spsc_node()
    for _ in range(3):
        assert spsc_queue_push(queue, a) is True
        assert spsc_queue_push(queue, b) is False
        assert spsc_queue_pop(queue) is a
        assert spsc_queue_pop(queue) is b


def test_pushing_leaves_preemption_as_it_was(queue):
    spsc_queue_push(queue, spsc_node())
    assert preempt_count() == 0


def test_a_producer_and_a_consumer_at_once():
    for _ in range(5):
        queue = spsc_queue()
        spsc_queue_init(queue)
        nodes = [spsc_node() for _ in range(400)]

        def produce(queue=queue, nodes=nodes) -> int:
            return sum(spsc_queue_push(queue, node) for node in nodes)

        def consume(queue=queue, nodes=nodes) -> tuple[list[spsc_node], int]:
            got, empties = [], 0
            while len(got) < len(nodes):
                assert spsc_queue_count(queue) >= 0
                node = spsc_queue_pop(queue)
                if node is None:
                    empties += 1
                    cpu_relax()
                else:
                    got.append(node)
            return got, empties

        firsts, (got, empties) = together(produce, consume)
        assert got == nodes
        # Each push onto an empty queue says so, and the consumer saw it empty at least as often,
        # less the very first time.
        assert 1 <= firsts <= 400
        assert empties >= 0
        assert spsc_queue_count(queue) == 0
