# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Random workload files that are valid, for hypothesis: every step and every kind of dependency.

The steps are made one after the other, and each choice keeps the file valid: offsets reach a step
of the right kind, endless batches get a T step, and a client that holds something back (a fence, an
endless batch) does not wait until it has let go of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import strategies as st

ENGINES = ("DEFAULT", "RCS", "BCS", "VCS", "VCS1", "VCS2", "VECS", "CCS")
MAPS = ("VCS", "VCS1", "VCS2|VCS1", "RCS|VECS", "RCS|BCS|CCS")
SIZES = ("4k", "2n4k/8k", "3n4096-16k", "1m/1-4m/2n1k")
OBJECTS = {"4k": 1, "2n4k/8k": 3, "3n4096-16k": 3, "1m/1-4m/2n1k": 4}


@dataclass
class File:
    """A file that is being made."""

    steps: list[str] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)
    fences: list[int] = field(default_factory=list)
    unsignalled: list[int] = field(default_factory=list)
    endless: list[int] = field(default_factory=list)
    sets: dict[int, int] = field(default_factory=dict)
    maps: dict[int, str] = field(default_factory=dict)
    balanced: set[int] = field(default_factory=set)
    throttled: bool = False

    def holds(self) -> bool:
        """True while a wait might be one for ever."""
        return bool(self.unsignalled or self.endless)

    def offset(self, index: int) -> str:
        """The offset from the next step to one of the steps so far."""
        return str(index - len(self.steps))


@st.composite
def wsim_text(draw: st.DrawFn, max_steps: int = 14) -> str:
    """The text of a valid workload."""
    file = File()
    _settings(draw, file)
    for _ in range(draw(st.integers(1, max_steps))):
        kinds = ["batch"] * 6 + ["d", "p", "P", "X", "f", "endless"]
        if file.batches and not file.holds():
            kinds += ["s", "s"]
        kinds += ["a"] * 2 * len(file.unsignalled) + ["T"] * 2 * len(file.endless)
        _step(draw, file, draw(st.sampled_from(kinds)))
    while file.endless:
        _step(draw, file, "T")
    comment = draw(st.sampled_from(("", "# a comment, with a comma\n", "\n")))
    return comment + "\n".join(file.steps) + draw(st.sampled_from(("", "\n", "\n\n")))


def _settings(draw: st.DrawFn, file: File) -> None:
    """Working sets, maps, bonds and throttles at the beginning."""
    for number in range(draw(st.integers(0, 2))):
        sizes = draw(st.sampled_from(SIZES))
        file.steps.append(f"{draw(st.sampled_from('wW'))}.{number}.{sizes}")
        file.sets[number] = OBJECTS[sizes]
    for context in (1, 2):
        if draw(st.booleans()):
            file.maps[context] = draw(st.sampled_from(MAPS))
            file.steps.append(f"M.{context}.{file.maps[context]}")
            if draw(st.booleans()):
                file.balanced.add(context)
                file.steps.append(f"B.{context}")
    if 2 in file.balanced and file.maps[2] == "VCS":
        file.steps += ["b.2.VCS2.VCS1", "b.2.VCS1.VCS2"]
    if draw(st.integers(0, 3)) == 0:
        file.throttled = True
        file.steps.append(f"{draw(st.sampled_from('tq'))}.{draw(st.integers(0, 5))}")


def _step(draw: st.DrawFn, file: File, kind: str) -> None:
    steps, here = file.steps, len(file.steps)
    if kind in ("f", "endless") and file.throttled:
        kind = "batch"  # a throttle might wait for what this would hold back
    match kind:
        case "batch" | "endless":
            steps.append(_batch(draw, file, kind == "endless"))
            file.batches.append(here)
            if kind == "endless":
                file.endless.append(here)
        case "d":
            steps.append(f"d.{draw(st.integers(1, 300))}")
        case "p":
            steps.append(f"p.{draw(st.integers(1, 3000))}")
        case "P":
            steps.append(f"P.{draw(st.integers(1, 4))}.{draw(st.integers(-1, 1))}")
        case "X":
            steps.append(draw(st.sampled_from(("X.1.0", "S.1.-1", "V.1", "v.1.2"))))
        case "f":
            steps.append("f")
            file.fences.append(here)
            file.unsignalled.append(here)
        case "s":
            steps.append(f"s.{file.offset(draw(st.sampled_from(file.batches)))}")
        case "a":
            target = draw(st.sampled_from(file.unsignalled))
            steps.append(f"a.{file.offset(target)}")
            file.unsignalled.remove(target)
        case "T":
            target = draw(st.sampled_from(file.endless))
            steps.append(f"T.{file.offset(target)}")
            file.endless.remove(target)


def _batch(draw: st.DrawFn, file: File, endless: bool) -> str:
    context = draw(st.integers(1, 4))
    engine = draw(st.sampled_from(_engines(file, context)))
    duration = "*"
    if not endless:
        low = draw(st.integers(1, 300))
        high = draw(st.integers(0, 200))
        duration = f"{low}-{low + high}" if high else str(low)
    deps = [_dep(draw, file) for _ in range(draw(st.sampled_from((0, 0, 1, 1, 2, 3))))]
    wait = "0" if endless or file.holds() else draw(st.sampled_from("0001"))
    return f"{context}.{engine}.{duration}.{'/'.join(filter(None, deps)) or '0'}.{wait}"


def _engines(file: File, context: int) -> tuple[str, ...]:
    """The engines a batch of a context may name."""
    engines = file.maps.get(context)
    if engines is None or context in file.balanced:
        return ENGINES
    return ("DEFAULT", *engines.split("|"))


def _dep(draw: st.DrawFn, file: File) -> str:
    """One dependency, "" if there is nothing to depend on."""
    kind = draw(st.sampled_from("-fsrw"))
    if kind in "rw":
        if not file.sets:
            return ""
        number = draw(st.sampled_from(sorted(file.sets)))
        first = draw(st.integers(0, file.sets[number] - 1))
        last = draw(st.integers(first, file.sets[number] - 1))
        return f"{kind}{number}-{first}" + (f"-{last}" if last > first else "")
    targets = file.batches + (file.fences if kind == "f" else [])
    if not targets:
        return ""
    offset = file.offset(draw(st.sampled_from(targets)))
    return offset if kind == "-" else kind + offset
