# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Static data, initcalls, exits, parameters, exports; and modules loaded into a running kernel."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

import pytest

import kport.linux.completion
from kport.linux import module
from kport.linux.bug import BUG
from kport.linux.module import (
    InitcallError,
    boot_data,
    core_initcall,
    early_initcall,
    late_initcall,
    module_exit,
    module_init,
    module_param_named,
    subsys_initcall,
)


@pytest.fixture
def registry(monkeypatch):
    """Whatever the test registers is forgotten after it."""
    for name in ("_resets", "_inits", "_exits"):
        monkeypatch.setattr(module, name, list(getattr(module, name)))
    monkeypatch.setattr(module, "parameters", dict(module.parameters))
    monkeypatch.setattr(module, "exported", {k: list(v) for k, v in module.exported.items()})


def test_resets_come_first_then_initcalls_by_level_then_exits_backwards(boot, registry):
    order = []

    def call(name: str):
        def initcall() -> int:
            order.append(name)
            return 0

        return initcall

    late_initcall(call("late"))
    module_init(call("device"))
    subsys_initcall(call("subsys"))
    module_init(call("device 2"))
    core_initcall(call("core"))
    early_initcall(call("early"))
    boot_data(lambda: order.append("reset"))
    module_exit(lambda: order.append("exit 1"))
    module_exit(lambda: order.append("exit 2"))
    expected = ["reset", "early", "core", "subsys", "device", "device 2", "late"]
    with boot():
        assert order == expected
    assert order == [*expected, "exit 2", "exit 1"]
    order.clear()
    with boot():
        assert order == expected, "at every boot"


def test_an_initcall_that_fails_ends_the_boot(boot, registry):
    def failing() -> int:
        return -12

    late_initcall(failing)
    with pytest.raises(InitcallError, match="initcall failing returned -12"), boot():
        raise AssertionError("the block must not run")
    module._inits.pop()
    with boot() as kernel:
        pass
    assert not kernel.leaks


def test_no_exit_runs_after_an_oops(boot, registry):
    order = []
    module_exit(lambda: order.append("exit"))
    with pytest.raises(kport.KernelOops), boot():
        BUG()
    assert order == []


# -- parameters ------------------------------------------------------------------------------------

limit = 7


def test_parameters_have_type_default_and_namespace(boot, registry):
    module_param_named("test_limit", "limit", int, 0o444)
    assert module.parameters["test_limit"].perm == 0o444
    with boot(params={"test_limit": "12"}):
        assert limit == 12
    with boot():
        assert limit == 7
    with pytest.raises(ValueError, match="invalid literal"), boot(params={"test_limit": "many"}):
        pass
    with boot():
        assert limit == 7


def test_an_unknown_parameter_is_refused_with_the_known_ones(boot, registry):
    module_param_named("test_limit", "limit", int, 0o444)
    known = r"no module has the parameter tset; there is: .*test_limit"
    with pytest.raises(ValueError, match=known), boot(params={"tset": 1}):
        pass


# -- modules loaded late ---------------------------------------------------------------------------

SOURCE = """
from kport.linux.module import boot_data, module_exit, module_init, subsys_initcall
from kport.linux.slab import kfree, kzalloc_obj

log = []

@boot_data
def reset():
    log.append("reset")

def subsys():
    log.append(f"subsys {defined_below()}")
    return 0

subsys_initcall(subsys)

def init():
    global obj
    obj = kzalloc_obj(extern_type)
    log.append("init")
    return 0

def fini():
    log.append("exit")
    kfree(obj)

module_init(init)
module_exit(fini)

def defined_below():
    return 5

# extern
from kport.linux.kref import kref as extern_type
"""


def test_a_module_imported_while_a_kernel_runs_is_initialised_when_it_is_complete(
    boot, registry, tmp_path, monkeypatch
):
    (tmp_path / "kport_late_test.py").write_text(SOURCE)
    monkeypatch.setattr(kport.linux, "__path__", [*kport.linux.__path__, str(tmp_path)])
    name = "kport.linux.kport_late_test"
    try:
        with boot() as kernel:
            late: ModuleType = importlib.import_module(name)
            assert late.log == ["reset", "subsys 5", "init"]
        assert late.log == ["reset", "subsys 5", "init", "exit"]
        assert not kernel.leaks
        late.log.clear()
        with boot():
            assert late.log == ["reset", "subsys 5", "init"]
    finally:
        sys.modules.pop(name, None)


def test_the_import_hook_goes_with_the_kernel(boot):
    before = list(sys.meta_path)
    with boot():
        assert len(sys.meta_path) == len(before) + 1
    assert sys.meta_path == before


def test_exports_are_recorded_by_file():
    names = module.exported["kport.linux.completion"]
    assert "complete" in names
    assert "wait_for_completion" in names
    assert all(callable(getattr(kport.linux.completion, name)) for name in names)
