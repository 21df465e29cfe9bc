# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The linker: every instruction is bound, in every module, to the machine that boots."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from types import ModuleType

import pytest

import kport
from kport.arch import asm, link, threads_asm
from kport.arch.api import ALIASES, INSTRUCTIONS


def kport_modules() -> list[ModuleType]:
    """Every module of kport, imported, but the explorer's: they ask one machine, by its name."""
    names = [
        info.name
        for info in pkgutil.walk_packages(kport.__path__, "kport.")
        if not info.name.endswith("__main__") and not info.name.startswith("kport.explore")
    ]
    return [importlib.import_module(name) for name in names]


@pytest.fixture
def scratch():
    """A loaded module of its own for tests to fill."""
    module = ModuleType("kport_link_scratch")
    sys.modules[module.__name__] = module
    yield module
    del sys.modules[module.__name__]


@pytest.fixture(autouse=True)
def relink():
    """Whatever a test links, the machine's own code is linked again after it."""
    yield
    link.link({**link.instructions(threads_asm), **link.defaults()})


def test_the_instruction_set_is_declared_in_full():
    declared = {
        name
        for name, value in vars(asm).items()
        if callable(value) and getattr(value, "__module__", "") == asm.__name__
    }
    declared |= {name for name in INSTRUCTIONS if hasattr(asm, name)}
    assert declared - {"_unlinked"} == set(INSTRUCTIONS)
    assert len(INSTRUCTIONS) == len(set(INSTRUCTIONS))


def test_a_machine_must_define_every_instruction(scratch):
    assert set(link.instructions(threads_asm)) == set(INSTRUCTIONS)
    for name in INSTRUCTIONS:
        setattr(scratch, name, getattr(threads_asm, name))
    del scratch.spin_trylock
    scratch.xchg = 5
    with pytest.raises(TypeError, match=r"kport_link_scratch lacks .*spin_trylock.*xchg"):
        link.instructions(scratch)


def test_every_name_of_an_instruction_in_kport_is_known_to_the_linker(boot):
    """A module-level alias that is not in ALIASES would keep the code of another machine."""
    with boot():
        modules = kport_modules()
        # bool and the like are instructions here and ordinary callables elsewhere: give every
        # instruction code of its own and see where the old code is still reached.
        old = link.instructions(threads_asm)
        fresh = {name: (lambda name=name: name) for name in INSTRUCTIONS}
        ours = {id(code) for code in old.values() if getattr(code, "__module__", "") != "builtins"}
        link.link(fresh)
        try:
            stale = [
                f"{module.__name__}.{name}"
                for module in modules
                if not module.__name__.endswith("_asm")
                for name, value in vars(module).items()
                if id(value) in ours
                and (value.__module__, value.__name__) != (module.__name__, name)  # defined there
            ]
            unbound = [
                f"{module.__name__}.{name}"
                for module in modules
                if not module.__name__.endswith("_asm")
                for name in INSTRUCTIONS
                if name in vars(module) and vars(module)[name] is not fresh[name]
            ]
        finally:
            link.link(old)
    assert stale == []
    assert unbound == []


def test_every_alias_exists_and_is_bound_with_its_instruction(boot):
    with boot():
        modules = [m for m in kport_modules() if not m.__name__.endswith("_asm")]
        found = {
            alias: [vars(module)[alias] for module in modules if alias in vars(module)]
            for alias in ALIASES
        }
        wanted = link.instructions(threads_asm)
    assert [alias for alias, values in found.items() if not values] == []
    for alias, values in found.items():
        name = ALIASES[alias]
        if name != "lockdep_assert_held":  # bound to its debug variant
            assert all(value is wanted[name] for value in values), alias


def test_linking_relocates_instructions_and_aliases_in_loaded_modules(scratch):
    scratch.smp_wmb = asm.smp_wmb
    scratch.wmb = asm.smp_wmb
    scratch.mine = asm.smp_wmb
    before = asm.smp_wmb

    def replacement() -> None:
        """Another machine's barrier."""

    link.link({"smp_wmb": replacement})
    assert scratch.smp_wmb is replacement
    assert scratch.wmb is replacement
    assert scratch.mine is before, "a name of one's own is not an alias"
    assert asm.smp_wmb is replacement


def test_a_module_loaded_later_binds_the_right_code(scratch):
    def replacement() -> None:
        """Another machine's barrier."""

    link.link({"smp_rmb": replacement})
    exec("from kport.arch.asm import smp_rmb", vars(scratch))
    assert scratch.smp_rmb is replacement


def test_a_global_that_only_has_the_name_of_an_instruction_is_left_alone(scratch):
    def current() -> str:
        """Not the kernel's."""
        return "mine"

    scratch.current = current
    link.link({"current": lambda: None})
    assert scratch.current is current


def test_linking_an_unknown_name_is_refused():
    with pytest.raises(KeyError):
        link.link({"no_such_instruction": print})


def test_a_linkable_function_has_variants_and_a_default(scratch):
    def _kport_test_linkable() -> str:
        return "default"

    if "_kport_test_linkable" not in link.defaults():
        link.linkable(_kport_test_linkable)
    default = link.defaults()["_kport_test_linkable"]
    scratch._kport_test_linkable = default
    link.link({"_kport_test_linkable": lambda: "variant"})
    assert scratch._kport_test_linkable() == "variant"
    link.link(link.defaults())
    assert scratch._kport_test_linkable() == "default"
    with pytest.raises(ValueError, match="linkable already"):
        link.linkable(_kport_test_linkable)


def add(a: int, b: int = 1) -> int:
    return a + b + offset


def add_more(a: int, b: int = 10) -> int:
    return a + b + 2 * offset


offset = 100


def test_patched_exchanges_the_code_for_every_caller():
    kept_elsewhere = [add]
    assert kept_elsewhere[0](1) == 102
    with link.patched(add, add_more):
        assert add(1) == kept_elsewhere[0](1) == 211
    assert kept_elsewhere[0](1) == 102


def test_patched_puts_the_code_back_when_the_body_fails():
    with pytest.raises(LookupError), link.patched(add, add_more):
        raise LookupError
    assert add(1) == 102


def test_patched_takes_plain_functions_without_closures_only():
    captured = 1

    def closure() -> int:
        return captured

    with pytest.raises(TypeError, match="plain functions"), link.patched(len, add):
        pass
    with pytest.raises(TypeError, match="closures"), link.patched(add, closure):
        pass
