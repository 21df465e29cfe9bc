# SPDX-FileCopyrightText: 2025 Valve Corporation
# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: GPL-2.0-only
#
# Translated to Python from drivers/gpu/drm/scheduler/tests/tests_basic.c,
# Linux 7.2.13, on 2026-11-20.
"""Does the scheduler work at all: submission, chains, priorities, timeouts, credits, teardown."""

from __future__ import annotations

from kport.dma_buf.dma_fence import dma_fence_get
from kport.drivers.mock.mock_scheduler import (
    drm_mock_sched_advance,
    drm_mock_sched_entity_free,
    drm_mock_sched_entity_new,
    drm_mock_sched_fini,
    drm_mock_sched_job_new,
    drm_mock_sched_new,
)
from kport.drivers.mock.sched_tests import (
    DRM_MOCK_SCHED_JOB_DONT_RESET,
    DRM_MOCK_SCHED_JOB_RESET_SKIPPED,
    DRM_MOCK_SCHED_JOB_TIMEDOUT,
    drm_mock_sched_job_is_finished,
    drm_mock_sched_job_set_duration_us,
    drm_mock_sched_job_submit,
    drm_mock_sched_job_wait_finished,
    drm_mock_sched_job_wait_scheduled,
)
from kport.drivers.compat import (
    DRM_SCHED_PRIORITY_COUNT,
    DRM_SCHED_PRIORITY_KERNEL,
    DRM_SCHED_PRIORITY_LOW,
    DRM_SCHED_PRIORITY_NORMAL,
    drm_sched_entity_modify_sched,
    drm_sched_entity_set_priority,
    drm_sched_job_add_dependency,
)
from kport.kunit.test import (
    KUNIT_ARRAY_PARAM,
    KUNIT_CASE,
    KUNIT_CASE_PARAM,
    KUNIT_CASE_SLOW,
    kunit_suite,
    kunit_test_suites,
)
from kport.linux.bug import BUILD_BUG_ON
from kport.linux.delay import usleep_range
from kport.linux.err import ECANCELED
from kport.linux.kconfig import HZ
from kport.linux.kunit import (
    KUNIT_ASSERT_EQ,
    KUNIT_ASSERT_FALSE,
    KUNIT_ASSERT_NOT_NULL,
    KUNIT_ASSERT_TRUE,
    kunit,
    kunit_kcalloc,
)
from kport.linux.sched import MAX_SCHEDULE_TIMEOUT
from kport.linux.slab import pointer
from kport.linux.struct import struct
from kport.linux.types import ARRAY_SIZE

MOCK_TIMEOUT = HZ // 5


def drm_sched_basic_init(test: kunit) -> int:
    """A scheduler on which jobs never time out.

    drivers/gpu/drm/scheduler/tests/tests_basic.c:17-22, Linux 7.2.13
    """
    test.priv = drm_mock_sched_new(test, MAX_SCHEDULE_TIMEOUT)

    return 0


def drm_sched_basic_exit(test: kunit) -> None:
    """Take the scheduler down.

    drivers/gpu/drm/scheduler/tests/tests_basic.c:24-29, Linux 7.2.13
    """
    sched = test.priv

    drm_mock_sched_fini(sched)


def drm_sched_timeout_init(test: kunit) -> int:
    """A scheduler on which jobs time out after a fifth of a second.

    drivers/gpu/drm/scheduler/tests/tests_basic.c:31-36, Linux 7.2.13
    """
    test.priv = drm_mock_sched_new(test, MOCK_TIMEOUT)

    return 0


def drm_sched_basic_submit(test: kunit) -> None:
    """A job is scheduled at once, and done when the hardware says so.

    drivers/gpu/drm/scheduler/tests/tests_basic.c:38-71, Linux 7.2.13
    """
    sched = test.priv

    entity = drm_mock_sched_entity_new(test, DRM_SCHED_PRIORITY_NORMAL, sched)
    job = drm_mock_sched_job_new(test, entity)

    drm_mock_sched_job_submit(job)

    done = drm_mock_sched_job_wait_scheduled(job, HZ)
    KUNIT_ASSERT_TRUE(test, done)

    done = drm_mock_sched_job_wait_finished(job, HZ // 2)
    KUNIT_ASSERT_FALSE(test, done)

    i = drm_mock_sched_advance(sched, 1)
    KUNIT_ASSERT_EQ(test, i, 1)

    done = drm_mock_sched_job_wait_finished(job, HZ)
    KUNIT_ASSERT_TRUE(test, done)

    drm_mock_sched_entity_free(entity)


class drm_sched_basic_params(struct, table=True):
    """How many jobs of how many us on how many entities, each after the one before or not."""

    description: str
    queue_depth: int
    num_entities: int
    job_us: int
    dep_chain: bool


drm_sched_basic_cases = (
    drm_sched_basic_params(
        description="A queue of jobs in a single entity",
        queue_depth=100,
        job_us=1000,
        num_entities=1,
    ),
    drm_sched_basic_params(
        description="A chain of dependent jobs across multiple entities",
        queue_depth=100,
        job_us=1000,
        num_entities=1,
        dep_chain=True,
    ),
    drm_sched_basic_params(
        description="Multiple independent job queues",
        queue_depth=100,
        job_us=1000,
        num_entities=4,
    ),
    drm_sched_basic_params(
        description="Multiple inter-dependent job queues",
        queue_depth=100,
        job_us=1000,
        num_entities=4,
        dep_chain=True,
    ),
)


def drm_sched_basic_desc(params: drm_sched_basic_params) -> str:  # kport: string
    """The text of a parameter.

    drivers/gpu/drm/scheduler/tests/tests_basic.c:110-114, Linux 7.2.13
    """
    return params.description  # kport: string


drm_sched_basic_gen_params = KUNIT_ARRAY_PARAM(drm_sched_basic_cases, drm_sched_basic_desc)


def drm_sched_basic_test(test: kunit) -> None:
    """Queues of jobs with a duration finish by themselves.

    drivers/gpu/drm/scheduler/tests/tests_basic.c:118-152, Linux 7.2.13
    """
    params = test.param_value
    sched = test.priv
    prev = None
    cur_ent = 0

    entity = kunit_kcalloc(test, params.num_entities, pointer)
    KUNIT_ASSERT_NOT_NULL(test, entity)

    for i in range(0, params.num_entities):
        entity[i] = drm_mock_sched_entity_new(test, DRM_SCHED_PRIORITY_NORMAL, sched)

    for i in range(0, params.queue_depth):
        job = drm_mock_sched_job_new(test, entity[cur_ent])
        cur_ent += 1  # kport: side-effect
        cur_ent %= params.num_entities
        drm_mock_sched_job_set_duration_us(job, params.job_us)
        if params.dep_chain and prev:
            drm_sched_job_add_dependency(job.base, dma_fence_get(prev.base.s_fence.finished))
        drm_mock_sched_job_submit(job)
        prev = job

    done = drm_mock_sched_job_wait_finished(job, HZ)
    KUNIT_ASSERT_TRUE(test, done)

    for i in range(0, params.num_entities):
        drm_mock_sched_entity_free(entity[i])


def drm_sched_basic_entity_cleanup(test: kunit) -> None:
    """Entities go while half of their chained jobs are still to be run.

    drivers/gpu/drm/scheduler/tests/tests_basic.c:154-193, Linux 7.2.13
    """
    prev = None
    sched = test.priv
    entity = [pointer] * 4
    qd = 100
    cur_ent = 0

    for i in range(0, ARRAY_SIZE(entity)):
        entity[i] = drm_mock_sched_entity_new(test, DRM_SCHED_PRIORITY_NORMAL, sched)

    for i in range(0, qd):
        job = drm_mock_sched_job_new(test, entity[cur_ent])
        cur_ent += 1  # kport: side-effect
        cur_ent %= ARRAY_SIZE(entity)
        drm_mock_sched_job_set_duration_us(job, 1000)
        if prev:
            drm_sched_job_add_dependency(job.base, dma_fence_get(prev.base.s_fence.finished))
        drm_mock_sched_job_submit(job)
        if i == qd // 2:
            mid = job
        prev = job

    done = drm_mock_sched_job_wait_finished(mid, HZ)
    KUNIT_ASSERT_TRUE(test, done)

    for i in range(0, ARRAY_SIZE(entity)):
        drm_mock_sched_entity_free(entity[i])


drm_sched_basic_tests = [
    KUNIT_CASE(drm_sched_basic_submit),
    KUNIT_CASE_PARAM(drm_sched_basic_test, drm_sched_basic_gen_params),
    KUNIT_CASE(drm_sched_basic_entity_cleanup),
]

drm_sched_basic = kunit_suite(
    name="drm_sched_basic_tests",
    init=drm_sched_basic_init,
    exit=drm_sched_basic_exit,
    test_cases=drm_sched_basic_tests,
)


def drm_sched_basic_cancel(test: kunit) -> None:
    """drm_sched_fini() cancels the jobs that are still pending.

    drivers/gpu/drm/scheduler/tests/tests_basic.c:209-236, Linux 7.2.13
    """
    sched = drm_mock_sched_new(test, MAX_SCHEDULE_TIMEOUT)
    entity = drm_mock_sched_entity_new(test, DRM_SCHED_PRIORITY_NORMAL, sched)

    job = drm_mock_sched_job_new(test, entity)

    drm_mock_sched_job_submit(job)

    done = drm_mock_sched_job_wait_scheduled(job, HZ)
    KUNIT_ASSERT_TRUE(test, done)

    drm_mock_sched_entity_free(entity)
    drm_mock_sched_fini(sched)

    KUNIT_ASSERT_EQ(test, job.hw_fence.error, -ECANCELED)


drm_sched_cancel_tests = [
    KUNIT_CASE(drm_sched_basic_cancel),
]

drm_sched_cancel = kunit_suite(
    name="drm_sched_basic_cancel_tests",
    init=drm_sched_basic_init,
    exit=drm_sched_basic_exit,
    test_cases=drm_sched_cancel_tests,
)


def drm_sched_basic_timeout(test: kunit) -> None:
    """A job that the hardware does not complete times out.

    drivers/gpu/drm/scheduler/tests/tests_basic.c:250-288, Linux 7.2.13
    """
    sched = test.priv

    entity = drm_mock_sched_entity_new(test, DRM_SCHED_PRIORITY_NORMAL, sched)
    job = drm_mock_sched_job_new(test, entity)

    drm_mock_sched_job_submit(job)

    done = drm_mock_sched_job_wait_scheduled(job, HZ)
    KUNIT_ASSERT_TRUE(test, done)

    done = drm_mock_sched_job_wait_finished(job, MOCK_TIMEOUT // 2)
    KUNIT_ASSERT_FALSE(test, done)

    KUNIT_ASSERT_EQ(test, job.flags & DRM_MOCK_SCHED_JOB_TIMEDOUT, 0)

    done = drm_mock_sched_job_wait_finished(job, MOCK_TIMEOUT)
    KUNIT_ASSERT_FALSE(test, done)

    KUNIT_ASSERT_EQ(
        test, job.flags & DRM_MOCK_SCHED_JOB_TIMEDOUT, DRM_MOCK_SCHED_JOB_TIMEDOUT
    )

    drm_mock_sched_entity_free(entity)


def drm_sched_skip_reset(test: kunit) -> None:
    """A job that the driver says is still running is left alone and completes.

    drivers/gpu/drm/scheduler/tests/tests_basic.c:290-330, Linux 7.2.13
    """
    sched = test.priv

    entity = drm_mock_sched_entity_new(test, DRM_SCHED_PRIORITY_NORMAL, sched)
    job = drm_mock_sched_job_new(test, entity)

    job.flags = DRM_MOCK_SCHED_JOB_DONT_RESET

    drm_mock_sched_job_submit(job)

    done = drm_mock_sched_job_wait_scheduled(job, HZ)
    KUNIT_ASSERT_TRUE(test, done)

    done = drm_mock_sched_job_wait_finished(job, 2 * MOCK_TIMEOUT)
    KUNIT_ASSERT_FALSE(test, done)

    KUNIT_ASSERT_EQ(
        test, job.flags & DRM_MOCK_SCHED_JOB_RESET_SKIPPED, DRM_MOCK_SCHED_JOB_RESET_SKIPPED
    )

    i = drm_mock_sched_advance(sched, 1)
    KUNIT_ASSERT_EQ(test, i, 1)

    done = drm_mock_sched_job_wait_finished(job, HZ)
    KUNIT_ASSERT_TRUE(test, done)

    drm_mock_sched_entity_free(entity)


drm_sched_timeout_tests = [
    KUNIT_CASE(drm_sched_basic_timeout),
    KUNIT_CASE(drm_sched_skip_reset),
]

drm_sched_timeout = kunit_suite(
    name="drm_sched_basic_timeout_tests",
    init=drm_sched_timeout_init,
    exit=drm_sched_basic_exit,
    test_cases=drm_sched_timeout_tests,
)


def drm_sched_priorities(test: kunit) -> None:
    """Jobs of all priorities finish.

    drivers/gpu/drm/scheduler/tests/tests_basic.c:345-378, Linux 7.2.13
    """
    entity = [pointer] * DRM_SCHED_PRIORITY_COUNT
    sched = test.priv
    qd = 100
    cur_ent = 0

    BUILD_BUG_ON(DRM_SCHED_PRIORITY_KERNEL > DRM_SCHED_PRIORITY_LOW)
    BUILD_BUG_ON(ARRAY_SIZE(entity) != DRM_SCHED_PRIORITY_COUNT)

    for p in range(DRM_SCHED_PRIORITY_KERNEL, DRM_SCHED_PRIORITY_LOW + 1):
        entity[p] = drm_mock_sched_entity_new(test, p, sched)

    for i in range(0, qd):
        job = drm_mock_sched_job_new(test, entity[cur_ent])
        cur_ent += 1  # kport: side-effect
        cur_ent %= ARRAY_SIZE(entity)
        drm_mock_sched_job_set_duration_us(job, 1000)
        drm_mock_sched_job_submit(job)

    done = drm_mock_sched_job_wait_finished(job, HZ)
    KUNIT_ASSERT_TRUE(test, done)

    for i in range(0, ARRAY_SIZE(entity)):
        drm_mock_sched_entity_free(entity[i])


def drm_sched_change_priority(test: kunit) -> None:
    """The priorities of entities change while their jobs run.

    drivers/gpu/drm/scheduler/tests/tests_basic.c:380-420, Linux 7.2.13
    """
    entity = [pointer] * DRM_SCHED_PRIORITY_COUNT
    sched = test.priv
    qd = 1000
    cur_ent = 0

    for p in range(DRM_SCHED_PRIORITY_KERNEL, DRM_SCHED_PRIORITY_LOW + 1):
        entity[p] = drm_mock_sched_entity_new(test, p, sched)

    for i in range(0, qd):
        job = drm_mock_sched_job_new(test, entity[cur_ent])
        cur_ent += 1  # kport: side-effect
        cur_ent %= ARRAY_SIZE(entity)
        drm_mock_sched_job_set_duration_us(job, 1000)
        drm_mock_sched_job_submit(job)

    while True:
        drm_sched_entity_set_priority(
            entity[cur_ent].base,
            (entity[cur_ent].base.priority + 1) % DRM_SCHED_PRIORITY_COUNT,
        )
        cur_ent += 1
        cur_ent %= ARRAY_SIZE(entity)
        usleep_range(200, 500)
        if drm_mock_sched_job_is_finished(job):
            break

    for i in range(0, ARRAY_SIZE(entity)):
        drm_mock_sched_entity_free(entity[i])


drm_sched_priority_tests = [
    KUNIT_CASE(drm_sched_priorities),
    KUNIT_CASE_SLOW(drm_sched_change_priority),
]

drm_sched_priority = kunit_suite(
    name="drm_sched_basic_priority_tests",
    init=drm_sched_basic_init,
    exit=drm_sched_basic_exit,
    test_cases=drm_sched_priority_tests,
)


def drm_sched_test_modify_sched(test: kunit) -> None:
    """Entities move between schedulers while their jobs run.

    drivers/gpu/drm/scheduler/tests/tests_basic.c:435-489, Linux 7.2.13
    """
    cur_ent = 0
    cur_sched = 0
    entity = [pointer] * 13
    sched = [pointer] * 3
    qd = 1000

    for i in range(0, ARRAY_SIZE(sched)):
        sched[i] = drm_mock_sched_new(test, MAX_SCHEDULE_TIMEOUT)

    for i in range(0, ARRAY_SIZE(entity)):
        entity[i] = drm_mock_sched_entity_new(
            test, DRM_SCHED_PRIORITY_NORMAL, sched[i % ARRAY_SIZE(sched)]
        )

    for i in range(0, qd):
        job = drm_mock_sched_job_new(test, entity[cur_ent])
        cur_ent += 1  # kport: side-effect
        cur_ent %= ARRAY_SIZE(entity)
        drm_mock_sched_job_set_duration_us(job, 1000)
        drm_mock_sched_job_submit(job)

    while True:
        usleep_range(200, 500)
        cur_ent += 1
        cur_ent %= ARRAY_SIZE(entity)
        cur_sched += 1
        cur_sched %= ARRAY_SIZE(sched)
        modify = sched[cur_sched].base
        drm_sched_entity_modify_sched(entity[cur_ent].base, [modify], 1)  # kport: addressed
        if drm_mock_sched_job_is_finished(job):
            break

    for i in range(0, ARRAY_SIZE(entity)):
        drm_mock_sched_entity_free(entity[i])

    for i in range(0, ARRAY_SIZE(sched)):
        drm_mock_sched_fini(sched[i])


drm_sched_modify_sched_tests = [
    KUNIT_CASE(drm_sched_test_modify_sched),
]

drm_sched_modify_sched = kunit_suite(
    name="drm_sched_basic_modify_sched_tests",
    test_cases=drm_sched_modify_sched_tests,
)


def drm_sched_test_credits(test: kunit) -> None:
    """No more jobs reach the hardware than there are credits.

    drivers/gpu/drm/scheduler/tests/tests_basic.c:501-546, Linux 7.2.13
    """
    job = [pointer] * 2

    sched = drm_mock_sched_new(test, MAX_SCHEDULE_TIMEOUT)
    sched.base.credit_limit = 1

    entity = drm_mock_sched_entity_new(test, DRM_SCHED_PRIORITY_NORMAL, sched)

    job[0] = drm_mock_sched_job_new(test, entity)
    job[1] = drm_mock_sched_job_new(test, entity)

    drm_mock_sched_job_submit(job[0])
    drm_mock_sched_job_submit(job[1])

    done = drm_mock_sched_job_wait_scheduled(job[0], HZ)
    KUNIT_ASSERT_TRUE(test, done)

    done = drm_mock_sched_job_wait_scheduled(job[1], HZ)
    KUNIT_ASSERT_FALSE(test, done)

    i = drm_mock_sched_advance(sched, 1)
    KUNIT_ASSERT_EQ(test, i, 1)

    done = drm_mock_sched_job_wait_scheduled(job[1], HZ)
    KUNIT_ASSERT_TRUE(test, done)

    i = drm_mock_sched_advance(sched, 1)
    KUNIT_ASSERT_EQ(test, i, 1)

    done = drm_mock_sched_job_wait_finished(job[1], HZ)
    KUNIT_ASSERT_TRUE(test, done)

    drm_mock_sched_entity_free(entity)
    drm_mock_sched_fini(sched)


drm_sched_credits_tests = [
    KUNIT_CASE_SLOW(drm_sched_test_credits),
]

drm_sched_credits = kunit_suite(
    name="drm_sched_basic_credits_tests",
    test_cases=drm_sched_credits_tests,
)

kunit_test_suites(
    drm_sched_basic,
    drm_sched_timeout,
    drm_sched_cancel,
    drm_sched_priority,
    drm_sched_modify_sched,
    drm_sched_credits,
)
