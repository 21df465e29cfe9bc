# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Random scenarios: operations that are legal at their moment, and a teardown that ends all."""

from __future__ import annotations

import random
from typing import Any

Op = list[Any]
MODES = ["normal"] * 8 + ["instant", "null", "fail", "dont_reset"]


class Author:
    """Writes one scenario. `self.ops` is what there is of it."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.ops: list[Op] = []
        self.scheds: list[str] = []
        self.entities: dict[str, bool] = {}  # name: has a guilty flag
        self.pushed: list[str] = []
        self.held: list[str] = []
        self.fences: list[str] = []
        self.unsignaled: list[str] = []
        self.jobs = 0
        self.immediate = False

    def write(self, length: int) -> list[Op]:
        """The whole scenario."""
        choose = self.random
        self.immediate = choose.random() < 0.1
        for number in range(choose.randint(1, 3)):
            self.scheds.append(f"S{number}")
            mode = choose.choice(["mock", "mock", "stop_start", "enodev"])
            timeout = choose.choice([None, 500, 100_000])
            self.do("sched_new", f"S{number}", choose.randint(1, 5), timeout, mode)
        for number in range(choose.randint(1, 4)):
            guilty = choose.random() < 0.5
            self.entities[f"E{number}"] = guilty
            self.do("entity_new", f"E{number}", choose.randint(0, 3), int(guilty), self.some())
        steps = [self.job] * 10 + [self.advance] * 6 + [self.tick] * 4 + [self.misc] * 5
        for _ in range(length):
            choose.choice(steps)()
        return self.finish()

    def do(self, name: str, *args: Any) -> None:
        """Write an operation."""
        self.ops.append([name, *args])

    def some(self) -> list[str]:
        """Some schedulers."""
        return self.random.sample(self.scheds, self.random.randint(1, len(self.scheds)))

    def job(self) -> None:
        """A job with dependencies, pushed most of the time."""
        choose = self.random
        if not self.entities:
            return
        name = f"J{self.jobs}"
        self.jobs += 1
        mode = choose.choice(MODES)
        if self.immediate and mode == "dont_reset":
            mode = "normal"  # would time out again and again, without end
        error = choose.choice([-22, -5]) if mode == "fail" or choose.random() < 0.1 else 0
        self.do("job_new", name, choose.choice([*self.entities]), choose.randint(1, 3), mode, error)
        for other in choose.sample(self.held, min(len(self.held), choose.choice([0, 0, 1, 2]))):
            self.do("dep_job", name, other, choose.choice(["finished", "scheduled"]))
        for fence in choose.sample(self.fences, min(len(self.fences), choose.choice([0, 0, 1]))):
            self.do("dep_ext", name, fence)
        if choose.random() < 0.05:
            self.do("job_cleanup", name)
            return
        self.do("push", name)
        self.pushed.append(name)
        self.held.append(name)

    def advance(self) -> None:
        """The hardware goes on."""
        self.do("advance", self.random.choice(self.scheds), self.random.choice([0, 1, 1, 1, 2, 3]))

    def tick(self) -> None:
        """Time passes."""
        self.do("tick", self.random.choice([1, 1000, 50_000, 1_000_000, 3_000_000_000]))

    def misc(self) -> None:
        """One of everything else."""
        choose = self.random
        sched = choose.choice(self.scheds)
        entity = choose.choice([*self.entities]) if self.entities else None
        what = choose.choice(
            ["snapshot", "batch", "stop", "start", "start", "expire_tdr", "expire_tdr", "fault"]
            + ["ext_new", "ext_signal", "fence_put", "set_ready"]
            + (["wait_tdr"] if len(self.scheds) == 1 else [])
            + (["tdr_queue_imm"] if self.immediate else [])
            + (["set_priority", "modify_sched", "set_guilty", "leave"] if entity else [])
        )
        if what == "snapshot":
            self.do("snapshot")
        elif what == "batch":
            self.do("batch", choose.randint(1, 6))
        elif what in ("stop", "start", "expire_tdr", "fault", "tdr_queue_imm", "wait_tdr"):
            self.do(what, sched)
        elif what == "ext_new":
            self.fences.append(f"X{len(self.fences)}")
            self.unsignaled.append(self.fences[-1])
            self.do("ext_new", self.fences[-1], choose.randint(0, 2))
        elif what == "ext_signal" and self.unsignaled:
            at = choose.randrange(len(self.unsignaled))
            self.do("ext_signal", self.unsignaled.pop(at), choose.choice([0, 0, -5]))
        elif what == "fence_put" and self.held:
            self.do("fence_put", self.held.pop(choose.randrange(len(self.held))))
        elif what == "set_ready" and sched != self.scheds[0]:
            self.do("set_ready", sched, choose.randint(0, 1))
        elif what == "set_priority":
            self.do("set_priority", entity, choose.randint(0, 3))
        elif what == "modify_sched" and self.scheds[0] not in (names := self.some()):
            self.do("modify_sched", entity, [self.scheds[0], *names])
        elif what == "set_guilty" and self.entities[str(entity)]:
            self.do("set_guilty", entity, choose.randint(0, 1))
        elif what == "leave" and choose.random() < 0.4:
            del self.entities[str(entity)]
            if choose.random() < 0.5:
                self.do("entity_kill", entity)
                self.do("snapshot")
                self.advance()
            self.do("entity_destroy", entity)

    def finish(self) -> list[Op]:
        """The final state, and the end of everything."""
        self.do("batch", 1)
        self.do("final")
        for fence in self.unsignaled:
            self.do("ext_signal", fence, 0)
        for sched in self.scheds:
            self.do("start", sched)
        for _ in range(self.random.choice([0, 3, 3])):
            for sched in self.scheds:
                self.do("tick", 100_000)
                self.do("advance", sched, 100)
        for entity in self.entities:
            self.do("entity_destroy", entity)
        for sched in self.scheds:
            if self.random.random() < 0.7:
                self.do("advance", sched, 1000)
        for sched in self.scheds:
            self.do("sched_fini", sched)
        return self.ops


def random_record(seed: int, policy: str, length: int = 40) -> dict[str, Any]:
    """A record with these operations, and events and states still to be filled in."""
    ops = Author(seed).write(length)
    snapshots = {str(i): {} for i, op in enumerate(ops) if op[0] == "snapshot"}
    return {
        "id": f"random-{seed}",
        "seed": seed,
        "policy": policy,
        "doc": "",
        "tags": [],
        "ops": ops,
        "events": [[] for _ in ops],
        "snapshots": snapshots,
        "final": {},
    }
