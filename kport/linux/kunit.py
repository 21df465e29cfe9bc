# SPDX-FileCopyrightText: 2019, 2023 Google LLC
# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: GPL-2.0-only
#
# Translated to Python from include/kunit/test.h, include/kunit/resource.h, lib/kunit/test.c,
# lib/kunit/resource.c, lib/kunit/try-catch.c, lib/kunit/device.c and lib/kunit/assert.c,
# Linux 7.2.13, on 2026-11-20.
"""KUnit as a test case sees it: its resources, its devices, its assertions, and how it is aborted.

The program around it (suites, parameters, KTAP) is kport.kunit. A log is a list of text instead of
a string stream. An assertion prints the expressions it was given, as the macro does: they are read
from the source of the line that failed. A fault in a test case is a fault of this kernel, so it
stops the kernel and does not merely fail the case.
"""

from __future__ import annotations

import ast
import linecache
import operator
import sys
import textwrap
from collections.abc import Callable
from types import FrameType
from typing import Any, NoReturn, TypeVar

from kport.arch.asm import WRITE_ONCE, current, spin_lock_irqsave, spin_unlock_irqrestore
from kport.linux import printk
from kport.linux.bug import place, place_of
from kport.linux.completion import wait_for_completion_timeout
from kport.linux.device import device
from kport.linux.err import EFAULT, EINTR, ENOENT, ENOMEM, ERR_PTR, ETIMEDOUT, IS_ERR, PTR_ERR
from kport.linux.kref import kref, kref_get, kref_init, kref_put
from kport.linux.kthread import kthread_create, kthread_exit, kthread_stop
from kport.linux.list import (
    INIT_LIST_HEAD,
    list_add_tail,
    list_del_init,
    list_empty,
    list_for_each_entry_reverse,
    list_head,
    list_last_entry,
)
from kport.linux.module import EXPORT_SYMBOL_GPL
from kport.linux.sched import get_task_struct, put_task_struct, wake_up_process
from kport.linux.slab import kfree, kmalloc_obj, kmalloc_objs, kzalloc_obj
from kport.linux.spinlock import spin_lock_init, spinlock_t
from kport.linux.struct import container_of, struct
from kport.linux.vsprintf import sprintf

T = TypeVar("T")

KUNIT_PARAM_DESC_SIZE = 128
KUNIT_STATUS_COMMENT_SIZE = 256
KUNIT_INDENT_LEN = 4
KUNIT_SUBTEST_INDENT = "    "
KUNIT_SUBSUBTEST_INDENT = "        "

kunit_status = int
KUNIT_SUCCESS = 0
KUNIT_FAILURE = 1
KUNIT_SKIPPED = 2

kunit_assert_type = str
KUNIT_ASSERTION = "ASSERTION"
KUNIT_EXPECTATION = "EXPECTATION"


class kunit_try_catch(struct):
    """A function that runs in a thread of its own, and what is called if it did not end well."""

    test: kunit | None
    try_result: int
    try_: Callable[[Any], None] | None
    catch: Callable[[Any], None] | None
    timeout: int
    context: Any


class kunit_params(struct):
    """The parameters of a test case, and the function that describes one."""

    params: Any
    get_description: Callable[[kunit, Any], str] | None
    num_params: int


class kunit(struct):
    """One run of a test case. `priv` is the test's; `last_seen` the place of its last assertion."""

    priv: Any
    parent: kunit | None
    params_array: kunit_params
    name: str
    log: list[str] | None
    try_catch: kunit_try_catch
    param_value: Any
    param_index: int
    lock: spinlock_t
    status: kunit_status
    resources: list_head
    status_comment: str
    last_seen: tuple[str, int] | None


class kunit_resource(struct):
    """Something that lives as long as the test; `free` is called when its last reference goes."""

    data: Any
    name: str
    free: Callable[[kunit_resource], None] | None
    refcount: kref
    node: list_head
    should_kfree: bool


class kunit_action_ctx(struct):
    """A resource that is a function to call."""

    res: kunit_resource
    func: Callable[[Any], None] | None
    ctx: Any


def kunit_set_failure(test: kunit) -> None:
    """The test has failed."""
    WRITE_ONCE(test, "status", KUNIT_FAILURE)


def kunit_init_test(test: kunit, name: str, log: list[str] | None) -> None:
    """Prepare a test; its log is emptied."""
    spin_lock_init(test.lock)
    INIT_LIST_HEAD(test.resources)
    test.name = name
    test.log = log
    if test.log is not None:
        test.log.clear()
    test.status = KUNIT_SUCCESS
    test.status_comment = ""
    kunit_init_params(test)


EXPORT_SYMBOL_GPL(kunit_init_test)


def kunit_init_params(test: kunit) -> None:
    """No parameters."""
    test.params_array.params = None
    test.params_array.get_description = None
    test.params_array.num_params = 0


# Messages


def kunit_log(lvl: int, test_or_suite: Any, fmt: str, *args: Any) -> None:
    """To the kernel's log and to the log of the test or suite."""
    text = sprintf(fmt, *args)
    printk.emit(lvl, text)
    if test_or_suite.log is not None:
        test_or_suite.log.append(text.removesuffix("\n"))


def kunit_printk(lvl: int, test: Any, fmt: str, *args: Any) -> None:
    """As kunit_log(), with the name of the test in front."""
    kunit_log(lvl, test, KUNIT_SUBTEST_INDENT + "# %s: " + fmt, test.name, *args)


def kunit_info(test: Any, fmt: str, *args: Any) -> None:
    """Note a fact."""
    kunit_printk(printk.INFO, test, fmt, *args)


def kunit_warn(test: Any, fmt: str, *args: Any) -> None:
    """Note a warning."""
    kunit_printk(printk.WARNING, test, fmt, *args)


def kunit_err(test: Any, fmt: str, *args: Any) -> None:
    """Note an error."""
    kunit_printk(printk.ERR, test, fmt, *args)


def kunit_mark_skipped(test: kunit, fmt: str, *args: Any) -> None:
    """The test counts as skipped; it goes on."""
    WRITE_ONCE(test, "status", KUNIT_SKIPPED)
    test.status_comment = sprintf(fmt, *args)[: KUNIT_STATUS_COMMENT_SIZE - 1]


def kunit_skip(test: kunit, fmt: str, *args: Any) -> NoReturn:
    """The test counts as skipped and ends here."""
    kunit_mark_skipped(test, fmt, *args)
    kunit_try_catch_throw(test.try_catch)


# Resources


def kunit_get_resource(res: kunit_resource) -> None:
    """One reference more."""
    kref_get(res.refcount)


def kunit_release_resource(kref: kref) -> None:
    """The last reference has gone: call `free`."""
    res = container_of(kref, kunit_resource, "refcount")

    if res.free:
        res.free(res)

    if res.should_kfree:
        kfree(res)


def kunit_put_resource(res: kunit_resource) -> None:
    """One reference less."""
    kref_put(res.refcount, kunit_release_resource)


def __kunit_add_resource(
    test: kunit,
    init: Callable[[kunit_resource, Any], int] | None,
    free: Callable[[kunit_resource], None] | None,
    res: kunit_resource,
    data: Any,
) -> int:
    """Tie a resource to the test: 0, or the error of `init`."""
    ret = 0

    res.free = free
    kref_init(res.refcount)

    if init:
        ret = init(res, data)
        if ret:
            return ret
    else:
        res.data = data

    flags = spin_lock_irqsave(test.lock)
    list_add_tail(res.node, test.resources)
    spin_unlock_irqrestore(test.lock, flags)

    return ret


EXPORT_SYMBOL_GPL(__kunit_add_resource)


def kunit_find_resource(
    test: kunit, match: Callable[[kunit, kunit_resource, Any], bool], match_data: Any
) -> kunit_resource | None:
    """The youngest resource that matches, with a reference, or NULL."""
    found = None

    flags = spin_lock_irqsave(test.lock)

    for res in list_for_each_entry_reverse(test.resources, kunit_resource, "node"):
        if match(test, res, match_data):
            found = res
            kunit_get_resource(found)
            break

    spin_unlock_irqrestore(test.lock, flags)

    return found


def kunit_remove_resource(test: kunit, res: kunit_resource) -> None:
    """Untie a resource from the test and drop the test's reference."""
    flags = spin_lock_irqsave(test.lock)
    was_linked = not list_empty(res.node)
    list_del_init(res.node)
    spin_unlock_irqrestore(test.lock, flags)

    if was_linked:
        kunit_put_resource(res)


EXPORT_SYMBOL_GPL(kunit_remove_resource)


def kunit_destroy_resource(
    test: kunit, match: Callable[[kunit, kunit_resource, Any], bool], match_data: Any
) -> int:
    """Remove the youngest resource that matches: 0 or -ENOENT."""
    res = kunit_find_resource(test, match, match_data)

    if not res:
        return -ENOENT

    kunit_remove_resource(test, res)

    kunit_put_resource(res)

    return 0


EXPORT_SYMBOL_GPL(kunit_destroy_resource)


def __kunit_action_free(res: kunit_resource) -> None:
    """Call the deferred function."""
    action_ctx = container_of(res, kunit_action_ctx, "res")

    action_ctx.func(action_ctx.ctx)


def kunit_add_action(test: kunit, action: Callable[[Any], None], ctx: Any) -> int:
    """Call `action(ctx)` when the test ends, last added first: 0 or -ENOMEM."""
    KUNIT_ASSERT_NOT_NULL_MSG(test, action, "Tried to action a NULL function!")

    action_ctx = kzalloc_obj(kunit_action_ctx)
    if not action_ctx:
        return -ENOMEM

    action_ctx.func = action
    action_ctx.ctx = ctx

    action_ctx.res.should_kfree = True
    __kunit_add_resource(test, None, __kunit_action_free, action_ctx.res, action_ctx)

    return 0


EXPORT_SYMBOL_GPL(kunit_add_action)


def kunit_add_action_or_reset(test: kunit, action: Callable[[Any], None], ctx: Any) -> int:
    """As kunit_add_action(); if that fails the action is called at once."""
    res = kunit_add_action(test, action, ctx)

    if res:
        action(ctx)
    return res


EXPORT_SYMBOL_GPL(kunit_add_action_or_reset)


def __kunit_action_match(test: kunit, res: kunit_resource, match_data: Any) -> bool:
    """True for the action with this function and argument."""
    match_ctx = match_data
    res_ctx = container_of(res, kunit_action_ctx, "res")

    if res.free is not __kunit_action_free:
        return False

    return match_ctx.func is res_ctx.func and match_ctx.ctx is res_ctx.ctx


def kunit_remove_action(test: kunit, action: Callable[[Any], None], ctx: Any) -> None:
    """Forget an action."""
    match_ctx = kunit_action_ctx()

    match_ctx.func = action
    match_ctx.ctx = ctx

    res = kunit_find_resource(test, __kunit_action_match, match_ctx)
    if res:
        res.free = None
        kunit_remove_resource(test, res)
        kunit_put_resource(res)


EXPORT_SYMBOL_GPL(kunit_remove_action)


def kunit_release_action(test: kunit, action: Callable[[Any], None], ctx: Any) -> None:
    """Call an action now instead of at the end."""
    match_ctx = kunit_action_ctx()

    match_ctx.func = action
    match_ctx.ctx = ctx

    res = kunit_find_resource(test, __kunit_action_match, match_ctx)
    if res:
        kunit_remove_resource(test, res)
        kunit_put_resource(res)


EXPORT_SYMBOL_GPL(kunit_release_action)


def kunit_cleanup(test: kunit) -> None:
    """Free what the test has, last first; any of it may take others along."""
    while True:
        flags = spin_lock_irqsave(test.lock)
        if list_empty(test.resources):
            spin_unlock_irqrestore(test.lock, flags)
            break
        res = list_last_entry(test.resources, kunit_resource, "node")
        spin_unlock_irqrestore(test.lock, flags)
        kunit_remove_resource(test, res)
    current().kunit_test = None


EXPORT_SYMBOL_GPL(kunit_cleanup)


# Memory and devices


def _managed(test: kunit, data: Any) -> Any:
    if data is None:
        return None
    if kunit_add_action_or_reset(test, kfree, data) != 0:
        return None
    return data


def kunit_kmalloc_array(test: kunit, n: int, type_: Any) -> list[Any] | None:
    """An array that lives as long as the test, or NULL."""
    array: list[Any] | None = _managed(test, kmalloc_objs(type_, n))
    return array


EXPORT_SYMBOL_GPL(kunit_kmalloc_array)

kunit_kcalloc = kunit_kmalloc_array


def kunit_kmalloc(test: kunit, type_: type[T]) -> T | None:
    """A struct that lives as long as the test, or NULL."""
    data: T | None = _managed(test, kmalloc_obj(type_))
    return data


kunit_kzalloc = kunit_kmalloc


def kunit_kfree(test: kunit, ptr: Any) -> None:
    """Free what kunit_kmalloc() gave before the test ends; NULL is fine."""
    if not ptr:
        return

    kunit_release_action(test, kfree, ptr)


EXPORT_SYMBOL_GPL(kunit_kfree)


def kunit_device_register(test: kunit, name: str) -> Any:
    """A device `<test>.<name>` on the bus `kunit` that lives as long as the test, or ERR_PTR."""
    dev = kunit_kzalloc(test, device)
    if not dev:
        return ERR_PTR(-ENOMEM)
    dev.name = sprintf("%s.%s", test.name, name)
    dev.driver = name
    return dev


EXPORT_SYMBOL_GPL(kunit_device_register)


def kunit_device_unregister(test: kunit, dev: device) -> None:
    """Take the device away before the test ends."""
    kunit_kfree(test, dev)


EXPORT_SYMBOL_GPL(kunit_device_unregister)


# Running


def kunit_try_catch_init(
    try_catch: kunit_try_catch,
    test: kunit,
    try_: Callable[[Any], None],
    catch: Callable[[Any], None],
    timeout: int,
) -> None:
    """Fill in; `timeout` in ticks."""
    try_catch.test = test
    try_catch.try_ = try_
    try_catch.catch = catch
    try_catch.timeout = timeout


def kunit_try_catch_throw(try_catch: kunit_try_catch) -> NoReturn:
    """Leave the function that kunit_try_catch_run() runs."""
    try_catch.try_result = -EFAULT
    kthread_exit(0)


EXPORT_SYMBOL_GPL(kunit_try_catch_throw)


def kunit_generic_run_threadfn_adapter(data: Any) -> int:
    """The thread."""
    try_catch = data

    try_catch.try_result = -EINTR
    try_catch.try_(try_catch.context)
    if try_catch.try_result == -EINTR:
        try_catch.try_result = 0

    return 0


def kunit_try_catch_run(try_catch: kunit_try_catch, context: Any) -> None:
    """Run `try_` in a thread and wait for it; `catch` is called if it was left or took too long."""
    test = try_catch.test

    try_catch.context = context
    try_catch.try_result = 0
    task_struct = kthread_create(
        kunit_generic_run_threadfn_adapter, try_catch, "kunit_try_catch_thread"
    )
    if IS_ERR(task_struct):
        try_catch.try_result = PTR_ERR(task_struct)
        try_catch.catch(try_catch.context)
        return
    get_task_struct(task_struct)
    task_done = task_struct.vfork_done
    wake_up_process(task_struct)

    time_remaining = wait_for_completion_timeout(task_done, try_catch.timeout)
    if time_remaining == 0:
        try_catch.try_result = -ETIMEDOUT
        kthread_stop(task_struct)

    put_task_struct(task_struct)
    exit_code = try_catch.try_result

    if not exit_code:
        return

    if exit_code == -EFAULT:
        try_catch.try_result = 0
    elif exit_code == -EINTR:
        if test.last_seen:
            kunit_err(test, "try faulted: last line seen %s\n", place_of(*test.last_seen))
        else:
            kunit_err(test, "try faulted\n")
    elif exit_code == -ETIMEDOUT:
        kunit_err(test, "try timed out\n")
    elif exit_code:
        kunit_err(test, "Unknown error: %d\n", exit_code)

    try_catch.catch(try_catch.context)


EXPORT_SYMBOL_GPL(kunit_try_catch_run)


# Assertions


def _expressions(frame: FrameType) -> list[str]:
    """The source of the arguments of the call that `frame` is at, without the test itself."""
    file, first = frame.f_code.co_filename, frame.f_lineno
    lines: list[str] = []
    for number in range(first, first + 20):
        lines.append(linecache.getline(file, number))
        try:
            node: Any = ast.parse(textwrap.dedent("".join(lines)).strip()).body[0]
        except SyntaxError:
            continue
        call = node.value if isinstance(node, ast.Expr | ast.Assign | ast.Return) else None
        if isinstance(call, ast.Call):
            return [ast.unparse(argument) for argument in call.args[1:]]
        break
    return []


def __kunit_abort(test: kunit) -> NoReturn:
    """End the test case here."""
    kunit_try_catch_throw(test.try_catch)


EXPORT_SYMBOL_GPL(__kunit_abort)


def _failed(
    test: kunit,
    type_: kunit_assert_type,
    frame: FrameType,
    body: str,
    message: tuple[Any, ...],
) -> None:
    kunit_set_failure(test)
    text = f"{type_} FAILED at {place(frame)}\n{body}"
    if message:
        text += ("\n" if body else "") + sprintf(*message)
    kunit_err(test, "%s", text)
    if type_ == KUNIT_ASSERTION:
        __kunit_abort(test)


def _text(texts: list[str], at: int, value: Any) -> str:
    return texts[at] if at < len(texts) else str(value)


def _value(text: str, value: Any) -> str:
    """`text == value` on a line of its own, unless the text is the value."""
    if isinstance(value, bool):
        value = int(value)
    if not isinstance(value, int):
        return f"{KUNIT_SUBSUBTEST_INDENT}{text} == {value!r}\n"
    if text == str(value):
        return ""
    return f"{KUNIT_SUBSUBTEST_INDENT}{text} == {value} ({value & (1 << 64) - 1:#x})\n"


def _unary(type_: kunit_assert_type, expected: bool) -> Callable[..., None]:
    def check(test: kunit, condition: Any, *message: Any) -> None:
        frame = sys._getframe(1)
        test.last_seen = frame.f_code.co_filename, frame.f_lineno
        if bool(condition) is expected:
            return
        text = _text(_expressions(frame), 0, condition)
        want, got = ("true", "false") if expected else ("false", "true")
        body = f"{KUNIT_SUBTEST_INDENT}Expected {text} to be {want}, but is {got}\n"
        _failed(test, type_, frame, body, message)

    return check


def _binary(
    type_: kunit_assert_type, op: str, holds: Callable[[Any, Any], Any]
) -> Callable[..., None]:
    def check(test: kunit, left: Any, right: Any, *message: Any) -> None:
        frame = sys._getframe(1)
        test.last_seen = frame.f_code.co_filename, frame.f_lineno
        if holds(left, right):
            return
        texts = _expressions(frame)
        a, b = _text(texts, 0, left), _text(texts, 1, right)
        body = f"{KUNIT_SUBTEST_INDENT}Expected {a} {op} {b}, but\n"
        body += _value(a, left) + _value(b, right)
        _failed(test, type_, frame, body.removesuffix("\n"), message)

    return check


def _pointer(type_: kunit_assert_type, op: str, null: bool) -> Callable[..., None]:
    def check(test: kunit, ptr: Any, *message: Any) -> None:
        frame = sys._getframe(1)
        test.last_seen = frame.f_code.co_filename, frame.f_lineno
        if (ptr is None) is null:
            return
        text = _text(_expressions(frame), 0, ptr)
        body = f"{KUNIT_SUBTEST_INDENT}Expected {text} {op} ((void *)0), but\n"
        body += _value(text, ptr if ptr is not None else 0)
        _failed(test, type_, frame, body.removesuffix("\n"), message)

    return check


def _not_err(type_: kunit_assert_type) -> Callable[..., None]:
    def check(test: kunit, ptr: Any, *message: Any) -> None:
        frame = sys._getframe(1)
        test.last_seen = frame.f_code.co_filename, frame.f_lineno
        if ptr is not None and not IS_ERR(ptr):
            return
        text = _text(_expressions(frame), 0, ptr)
        if ptr is None:
            body = f"{KUNIT_SUBTEST_INDENT}Expected {text} is not null, but is\n"
        else:
            body = f"{KUNIT_SUBTEST_INDENT}Expected {text} is not error, but is: {PTR_ERR(ptr)}\n"
        _failed(test, type_, frame, body, message)

    return check


def KUNIT_SUCCEED(test: kunit) -> None:
    """The test has come to this place."""
    frame = sys._getframe(1)
    test.last_seen = frame.f_code.co_filename, frame.f_lineno


def KUNIT_FAIL(test: kunit, fmt: str, *args: Any) -> None:
    """The test has failed; it goes on."""
    frame = sys._getframe(1)
    test.last_seen = frame.f_code.co_filename, frame.f_lineno
    _failed(test, KUNIT_EXPECTATION, frame, "", (fmt, *args))


def KUNIT_FAIL_AND_ABORT(test: kunit, fmt: str, *args: Any) -> None:
    """The test has failed and ends here."""
    frame = sys._getframe(1)
    test.last_seen = frame.f_code.co_filename, frame.f_lineno
    _failed(test, KUNIT_ASSERTION, frame, "", (fmt, *args))


KUNIT_EXPECT_TRUE = KUNIT_EXPECT_TRUE_MSG = _unary(KUNIT_EXPECTATION, True)
KUNIT_EXPECT_FALSE = KUNIT_EXPECT_FALSE_MSG = _unary(KUNIT_EXPECTATION, False)
KUNIT_EXPECT_EQ = KUNIT_EXPECT_EQ_MSG = _binary(KUNIT_EXPECTATION, "==", operator.eq)
KUNIT_EXPECT_NE = KUNIT_EXPECT_NE_MSG = _binary(KUNIT_EXPECTATION, "!=", operator.ne)
KUNIT_EXPECT_LT = _binary(KUNIT_EXPECTATION, "<", operator.lt)
KUNIT_EXPECT_LE = _binary(KUNIT_EXPECTATION, "<=", operator.le)
KUNIT_EXPECT_GT = _binary(KUNIT_EXPECTATION, ">", operator.gt)
KUNIT_EXPECT_GE = _binary(KUNIT_EXPECTATION, ">=", operator.ge)
KUNIT_EXPECT_PTR_EQ = _binary(KUNIT_EXPECTATION, "==", operator.is_)
KUNIT_EXPECT_NULL = _pointer(KUNIT_EXPECTATION, "==", True)
KUNIT_EXPECT_NOT_NULL = _pointer(KUNIT_EXPECTATION, "!=", False)
KUNIT_EXPECT_NOT_ERR_OR_NULL = _not_err(KUNIT_EXPECTATION)

KUNIT_ASSERT_TRUE = _unary(KUNIT_ASSERTION, True)
KUNIT_ASSERT_FALSE = _unary(KUNIT_ASSERTION, False)
KUNIT_ASSERT_EQ = KUNIT_ASSERT_EQ_MSG = _binary(KUNIT_ASSERTION, "==", operator.eq)
KUNIT_ASSERT_NE = KUNIT_ASSERT_NE_MSG = _binary(KUNIT_ASSERTION, "!=", operator.ne)
KUNIT_ASSERT_LT = _binary(KUNIT_ASSERTION, "<", operator.lt)
KUNIT_ASSERT_LE = _binary(KUNIT_ASSERTION, "<=", operator.le)
KUNIT_ASSERT_GT = _binary(KUNIT_ASSERTION, ">", operator.gt)
KUNIT_ASSERT_GE = _binary(KUNIT_ASSERTION, ">=", operator.ge)
KUNIT_ASSERT_PTR_EQ = _binary(KUNIT_ASSERTION, "==", operator.is_)
KUNIT_ASSERT_NULL = _pointer(KUNIT_ASSERTION, "==", True)
KUNIT_ASSERT_NOT_NULL = KUNIT_ASSERT_NOT_NULL_MSG = _pointer(KUNIT_ASSERTION, "!=", False)
KUNIT_ASSERT_NOT_ERR_OR_NULL = _not_err(KUNIT_ASSERTION)
