# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Random litmus tests: a few threads, a few accesses, every value stored once."""

from __future__ import annotations

import random

from kport.explore.litmus.program import Program, program


class _Maker:
    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.variables = ["x", "y", "z"][: self.random.choice([2, 2, 3])]
        self.stored = dict.fromkeys(self.variables, 0)
        self.registers: list[str] = []

    def value(self, name: str) -> int:
        self.stored[name] += 1
        return self.stored[name]

    def register(self, number: int) -> str:
        self.registers.append(f"r{number}")
        return f"r{number}"

    def store(self, name: str) -> str:
        pick = self.random
        mode = pick.choice(["", "", "", "release"])
        if self.registers and pick.random() < 0.35:
            source = pick.choice(self.registers)
            if pick.random() < 0.5:
                return f"if {source} == {source} {{ {name} ={mode} {self.value(name)} }}"
            return f"{name} ={mode} {self.value(name)} + ({source} ^ {source})"
        return f"{name} ={mode} {self.value(name)}"

    def statement(self, number: int) -> str:
        pick, name = self.random, self.random.choice(self.variables)
        kind = pick.random()
        if kind < 0.30:
            return f"{self.register(number)} :={pick.choice(['', '', '', 'acquire'])} {name}"
        if kind < 0.60:
            return self.store(name)
        if kind < 0.80:
            return pick.choice(["mb", "rmb", "wmb", "wmb", "rmb"])
        if kind < 0.86:
            mode = pick.choice(["", ".relaxed", ".acquire", ".release"])
            return f"{self.register(number)} :=xchg{mode} {name} {self.value(name)}"
        if kind < 0.90:
            mode, old = pick.choice(["", ".relaxed"]), pick.choice([0, 1])
            return f"{self.register(number)} :=cmpxchg{mode} {name} {old} {self.value(name)}"
        if pick.random() < 0.5:
            return f"lock s; {name} = {self.value(name)}; unlock s"
        return f"lock s; {self.register(number)} := {name}; unlock s"


def made(seed: int) -> Program:
    """The test of a seed; its question asks for every register and variable."""
    maker = _Maker(seed)
    count = maker.random.choice([2, 2, 3])
    threads, asked = [], []
    for thread in range(count):
        maker.registers = []
        length = maker.random.choice([2, 3, 3, 4] if count == 2 else [1, 2, 3])
        threads.append("; ".join(maker.statement(number) for number in range(length)))
        asked += [f"{thread}:{register}=99" for register in maker.registers]
    asked += [f"{name}=99" for name in maker.variables]
    return program(f"random {seed}", threads, " & ".join(asked))
