# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Which suites and cases a glob means, as kunit.filter_glob does (lib/kunit/executor.c).

`suite` or `suite.case`, each a glob of lib/glob.c: `*`, `?`, `[a-z]`, `[!a-z]`, `\\` before a
character that shall mean itself. A `[` with no `]` means itself. The whole name must match.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from kport.kunit.test import kunit_suite


class NothingMatches(Exception):
    """A glob that means nothing: the glob, and the nearest names."""

    def __init__(self, glob: str, nearest: list[str]) -> None:
        super().__init__(glob, nearest)
        self.glob = glob
        self.nearest = nearest


def glob_match(pattern: str, text: str) -> bool:
    """True if the pattern matches the whole text."""
    return re.fullmatch(_translate(pattern), text, re.DOTALL) is not None


def filter_suites(suites: Sequence[kunit_suite], globs: Iterable[str]) -> list[kunit_suite]:
    """Copies of the suites with the cases that a glob means, in their order; no globs, all.

    Raises NothingMatches for a glob that means no case.
    """
    wanted = [(glob, *_split(glob)) for glob in globs] or [("*", "*", "*")]
    hit: set[str] = set()
    found = []
    for suite in suites:
        mine = [(glob, case) for glob, name, case in wanted if glob_match(name, suite.name)]
        cases = []
        for test_case in suite.test_cases:
            by = [glob for glob, case in mine if glob_match(case, test_case.name)]
            hit.update(by)
            if by:
                cases.append(test_case)
        if cases:
            suite = copy.copy(suite)
            suite.test_cases = cases
            found.append(suite)
    for glob, _, _ in wanted:
        if glob not in hit:
            raise NothingMatches(glob, _nearest(suites, glob))
    return found


def _split(glob: str) -> tuple[str, str]:
    """The globs of the suite and of the case."""
    name, _, case = glob.partition(".")
    return name, case if "." in glob else "*"


def _nearest(suites: Sequence[kunit_suite], glob: str) -> list[str]:
    """Up to three names that resemble the glob: of suites, and of cases if it asks for one."""
    suite, dot, _ = glob.partition(".")
    names = [s.name for s in suites]
    if dot:
        same = [s for s in suites if glob_match(suite, s.name)] or suites
        names = [f"{s.name}.{case.name}" for s in same for case in s.test_cases]
    plain = re.sub(r"[*?\[\]!\\]", "", glob)
    close = get_close_matches(plain, names, n=3, cutoff=0.4)
    return close or [name for name in names if plain and plain in name][:3]


def _translate(pattern: str) -> str:
    """The pattern as a regular expression."""
    out, at = "", 0
    while at < len(pattern):
        char = pattern[at]
        at += 1
        if char == "*":
            out += ".*"
        elif char == "?":
            out += "."
        elif char == "[" and (end := _class_end(pattern, at)):
            out += _class(pattern[at:end])
            at = end + 1
        else:
            if char == "\\" and at < len(pattern):
                char = pattern[at]
                at += 1
            out += re.escape(char)
    return out


def _class_end(pattern: str, at: int) -> int:
    """Where the `]` of the class that begins at `at` is, 0 if there is none.

    The first character never ends a class, and a range takes its second one with it.
    """
    at += pattern[at : at + 1] == "!"
    end = pattern.find("]", at + 1)
    return max(end, 0)


def _class(body: str) -> str:
    """A character class; spans `a-b` and single characters."""
    inverted, spans = body.startswith("!"), ""
    at = int(inverted)
    while at < len(body):
        first = last = body[at]
        if at + 2 < len(body) and body[at + 1] == "-":
            last = body[at + 2]
            at += 2
        at += 1
        if first <= last:
            spans += f"{re.escape(first)}-{re.escape(last)}"
    if not spans:
        return "." if inverted else r"(?!)"
    return f"[{'^' if inverted else ''}{spans}]"
