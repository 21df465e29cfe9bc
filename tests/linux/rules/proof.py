# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Break a rule in a copy of the port, and see its tests fail there.

The copy is a workplace of its own: the package, the tests of the primitives and what they need, so
that nothing of the project is touched and several may run at once. A Python process in it runs the
named tests, and only these. What counts is a test that failed: one that could not be collected or
set up shows that the mutation broke something else than the rule, and a process that did not end
shows a test without a bound.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.linux.rules.table import ROOT, TESTS, Mutation

ARCHES = ("virt", "threads")  # first where a deadlock is a report and not a wait
TEST_SECONDS = 20  # of one test, by pytest-timeout
RUN_SECONDS = 120  # of the process


@dataclass(frozen=True)
class Outcome:
    """How a run ended. `failures`: (test, what it said), of the tests that failed."""

    failures: tuple[tuple[str, str], ...]
    passed: int
    broken: str

    @property
    def caught(self) -> bool:
        """True if a test failed, and nothing but tests."""
        return bool(self.failures) and not self.broken


class Workplace:
    """A copy of the port and of the tests of its primitives."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.proofs = 0
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / "kport", path / "kport", ignore=ignored)
        shutil.copytree(ROOT / TESTS, path / TESTS, ignore=ignored)
        for name in ("pyproject.toml", "tests/conftest.py", "tests/support.py"):
            shutil.copy(ROOT / name, path / name)

    def prove(self, mutation: Mutation) -> Outcome:
        """Run the tests of the mutation's rule with the mutation in place.

        Byte code is kept between the runs and holds for a source of a certain time: each broken
        one gets a time that no other had, the original its own again.
        """
        self.proofs += 1
        file = self.path / mutation.file
        source, times = file.read_text(), file.stat()
        file.write_text(mutation.apply(source))
        os.utime(file, (times.st_atime, times.st_mtime + 100 * self.proofs))
        try:
            for arch in ARCHES:
                outcome = self.run(mutation.rule.tests, f"--arch={arch}", "-x")
                if outcome.failures or outcome.broken:
                    break
            return outcome
        finally:
            file.write_text(source)
            os.utime(file, (times.st_atime, times.st_mtime))

    def run(self, tests: Sequence[str], *options: str, seconds: int = RUN_SECONDS) -> Outcome:
        """Run tests here, in a process of their own."""
        report = self.path / "report.xml"
        report.unlink(missing_ok=True)
        env = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
        env.pop("PYTHONDONTWRITEBYTECODE", None)
        env["PYTHONPYCACHEPREFIX"] = str(self.path / "pycache")
        options = (*options, "-q", "--tb=line", "-pno:cacheprovider", f"--timeout={TEST_SECONDS}")
        try:
            done = subprocess.run(
                [sys.executable, "-m", "pytest", *options, f"--junit-xml={report}", *tests],
                cwd=self.path,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=seconds,
            )
        except subprocess.TimeoutExpired:
            return Outcome((), 0, f"the process did not end within {seconds} s")
        if done.returncode not in (0, 1):
            return Outcome((), 0, f"pytest: exit code {done.returncode}\n{done.stdout[-2000:]}")
        return read(report)


def read(report: Path) -> Outcome:
    """What a JUnit report says."""
    failures: list[tuple[str, str]] = []
    passed, broken = 0, ""
    for case in ET.parse(report).getroot().iter("testcase"):
        test = f"{case.get('classname')}::{case.get('name')}"
        said = [(child.tag, child.get("message") or "") for child in case]
        for tag, message in said:
            if tag == "failure" or (tag == "error" and message.startswith("failed on teardown")):
                failures.append((test, message))
            elif tag == "error":
                broken = f"{test}: {message}"
        passed += not said
    return Outcome(tuple(failures), passed, broken)
