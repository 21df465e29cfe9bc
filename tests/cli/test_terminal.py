# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Colour and the progress bar: on a terminal, and nowhere else."""

from __future__ import annotations

import io

import pytest

from kport.cli.terminal import Bar, Style, width


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")


def test_colour_on_a_terminal_only():
    assert Style(Terminal())("x", "red") == "\x1b[31mx\x1b[0m"
    assert Style(Terminal())("x", "bold", "red") == "\x1b[1;31mx\x1b[0m"
    assert Style(io.StringIO())("x", "red") == "x"


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_colour_can_be_refused(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    assert Style(Terminal())("x", "red") == "x"


def test_an_empty_text_or_no_colour_stays_as_it_is():
    assert Style(Terminal())("", "red") == ""
    assert Style(Terminal())("x") == "x"


def test_a_pipe_is_80_columns_wide_and_a_terminal_at_most(monkeypatch):
    assert width(io.StringIO()) == 80
    for columns, wide in (("200", 80), ("60", 60), ("20", 40)):
        monkeypatch.setenv("COLUMNS", columns)
        assert width(Terminal()) == wide


def test_the_bar_draws_on_a_terminal_and_wipes_itself_away():
    stream = Terminal()
    with Bar(stream) as bar:
        bar.PERIOD = 0
        bar(1, 4)
        bar.count(12345)
        bar(4, 4)
    drawn = stream.getvalue().split("\r")
    assert drawn[1].startswith("[##########" + "." * 30 + "]  25%")
    assert drawn[2].startswith("reading, 12,345 lines")
    assert drawn[3].startswith("[" + "#" * 40 + "] 100%")
    assert drawn[4].strip() == ""


def test_the_bar_is_not_drawn_too_often():
    stream = Terminal()
    with Bar(stream) as bar:
        for done in range(1000):
            bar(done, 1000)
    assert stream.getvalue().count("[") <= 3


def test_nothing_is_drawn_in_a_pipe():
    stream = io.StringIO()
    with Bar(stream) as bar:
        bar.PERIOD = 0
        bar(1, 2)
        bar.count(5)
    assert stream.getvalue() == ""
