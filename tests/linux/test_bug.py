# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The log and the warnings: levels, time stamps, the layout of a report, once per kernel."""

from __future__ import annotations

import re

import pytest

from kport.linux import bug, printk
from kport.linux.bug import (
    BUG,
    BUG_ON,
    BUILD_BUG_ON,
    CHECK_DATA_CORRUPTION,
    WARN,
    WARN_ON,
    WARN_ON_ONCE,
    WARN_ONCE,
    KernelBug,
)
from kport.linux.device import dev_err, dev_info, dev_name, dev_WARN, dev_warn, device
from kport.linux.printk import (
    DEBUG,
    ERR,
    WARNING,
    dmesg,
    emit,
    first_time,
    listeners,
    log_buf,
    pr_err,
    pr_info,
    pr_warn,
    pr_warn_once,
)
from tests.support import messages, sleep_ms, take_warnings, together

pytestmark = pytest.mark.usefixtures("kernel")


def test_a_line_has_a_time_stamp_of_seconds_and_microseconds(kernel):
    pr_err("first %s %d\n", "message", 1)
    sleep_ms(1)
    pr_info("second\n")
    first, second = kernel.dmesg()
    assert re.fullmatch(r"\[ {4}\d\.\d{6}\] first message 1", first)
    assert re.fullmatch(r"\[ {4}\d\.\d{6}\] second", second)
    assert first[:14] < second[:14]
    assert printk.record(3, 12_345_678_901_234, "x").line() == "[12345.678901] x"


def test_levels(kernel):
    pr_info("info\n")
    pr_warn("warning\n")
    pr_err("error\n")
    printk.printk("default\n")
    emit(DEBUG, "debug")
    assert [line.split("] ")[1] for line in dmesg(ERR)] == ["error"]
    assert [line.split("] ")[1] for line in dmesg(WARNING)] == ["warning", "error", "default"]
    assert messages(kernel) == ["info", "warning", "error", "default", "debug"]


def test_the_log_keeps_the_last_4096_messages():
    for n in range(5000):
        pr_info("%d\n", n)
    assert len(log_buf) == 4096
    assert log_buf[0].text == "904"


def test_listeners_hear_each_message_as_it_is_made():
    heard = []
    listeners.append(heard.append)
    pr_err("now\n")
    listeners.remove(heard.append)
    pr_err("later\n")
    assert [entry.text for entry in heard] == ["now"]


def test_a_once_message_is_said_once_for_each_place(kernel):
    for n in range(3):
        pr_warn_once("one %d\n", n)
        pr_warn_once("two %d\n", n)
    assert messages(kernel) == ["one 0", "two 0"]


def test_once_is_once_under_contention():
    wins = together(*[lambda: [first_time(("file", n)) for n in range(50)]] * 6)
    assert [sum(column) for column in zip(*wins, strict=True)] == [1] * 50


def test_warn_on_returns_its_condition_and_reports_if_it_holds(kernel):
    assert WARN_ON(0) is False
    assert WARN_ON("") is False
    assert kernel.warnings() == []
    assert WARN_ON([1]) is True
    (text,) = take_warnings(kernel)
    assert re.fullmatch(r"WARNING: tests/linux/test_bug.py:\d+ at test_warn_on_returns_.*", text)


def test_the_report_has_the_kernels_layout(kernel):
    WARN(True, "broken: %d\n", 5)
    lines = messages(kernel)
    assert lines[0] == "------------[ cut here ]------------"
    assert lines[1] == "broken: 5"
    assert re.fullmatch(
        r"WARNING: tests/linux/test_bug.py:\d+ at test_the_report_\w+, CPU#\d: MainThread/1",
        lines[2],
    )
    assert lines[3] == "Call Trace:"
    assert re.match(r" test_the_report_has_\w+\+tests/linux/test_bug.py:\d+", lines[4])
    assert lines[-1] == "---[ end trace 0000000000000000 ]---"
    assert take_warnings(kernel)[0].endswith(": broken: 5")


def test_the_c_position_stands_beside_the_python_one_where_it_is_known(kernel, monkeypatch):
    monkeypatch.setattr(bug, "positions", lambda file, line: "test.c:12")
    WARN_ON(True)
    (text,) = take_warnings(kernel)
    assert re.search(r"test_bug.py:\d+ \(test.c:12\) at", text)
    with pytest.raises(KernelBug, match=r"kernel BUG at .*test_bug.py:\d+ \(test.c:12\)!"):
        BUG_ON(True)


def test_once_variants_report_once_for_each_place(kernel):
    for _ in range(3):
        assert WARN_ON_ONCE(True) is True
        assert WARN_ONCE(True, "once\n") is True
        assert WARN_ON_ONCE(False) is False
        assert WARN_ONCE(False, "never\n") is False
    assert len(take_warnings(kernel)) == 2


def test_bugs():
    BUG_ON(False)
    with pytest.raises(KernelBug, match=r"kernel BUG at tests/linux/test_bug.py:\d+!"):
        BUG_ON(1)
    with pytest.raises(KernelBug, match=r"kernel BUG at tests/linux/test_bug.py:\d+!"):
        BUG()
    BUILD_BUG_ON(False)
    with pytest.raises(KernelBug, match="BUILD_BUG_ON"):
        BUILD_BUG_ON(True)


def test_data_corruption_is_reported_against_the_caller(kernel):
    def check(bad: bool) -> bool:
        return CHECK_DATA_CORRUPTION(bad, None, "bad %s\n", "data")

    assert check(False) is False
    assert check(True) is True
    (text,) = take_warnings(kernel)
    assert text.endswith("at test_data_corruption_is_reported_against_the_caller: bad data")


# -- devices ---------------------------------------------------------------------------------------


def test_messages_of_devices_begin_with_driver_and_name(kernel):
    dev = device()
    dev.driver, dev.name = "amdgpu", "0000:03:00.0"
    dev_err(dev, "a %d\n", 1)
    dev_warn(dev, "b\n")
    dev_info(dev, "c\n")
    assert messages(kernel) == [f"amdgpu 0000:03:00.0: {c}" for c in ("a 1", "b", "c")]
    assert dev_name(dev) == "0000:03:00.0"
    assert dev_name(None) == "(null)"
    assert dev_WARN(dev, "oh\n") is True
    (text,) = take_warnings(kernel)
    assert text.endswith("amdgpu 0000:03:00.0: oh")


def test_messages_of_no_device(kernel):
    dev_err(None, "x\n")
    bare = device()
    bare.name = "drm"
    dev_err(bare, "y\n")
    assert messages(kernel) == ["(NULL device *): x", "drm: y"]
