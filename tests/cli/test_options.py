# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Option values."""

from __future__ import annotations

import argparse

import pytest

from kport.cli.options import Parser, UsageError, real, whole


@pytest.mark.parametrize(("text", "value"), [("3", 3), ("0x10", 16), ("-2", -2)])
def test_whole_numbers(text, value):
    assert whole(-5, 20)(text) == value


@pytest.mark.parametrize("text", ["", "x", "1.5", "21", "-6", "1e3", "nan", "9" * 5000])
def test_what_is_no_whole_number_in_the_range(text):
    with pytest.raises(argparse.ArgumentTypeError, match="is not a whole number from -5 to 20"):
        whole(-5, 20)(text)


@pytest.mark.parametrize(("text", "value"), [("3", 3.0), ("0.5", 0.5), ("1e2", 100.0)])
def test_real_numbers(text, value):
    assert real(0, 1000)(text) == value


@pytest.mark.parametrize("text", ["", "x", "0", "-1", "1001", "inf", "nan"])
def test_what_is_no_number_in_the_range(text):
    with pytest.raises(argparse.ArgumentTypeError, match="is not a number above 0 and up to 1000"):
        real(0, 1000)(text)


@pytest.mark.parametrize("arguments", [["--unknown"], ["--numb", "3"], ["--number"], ["more"]])
def test_errors_are_one_line_that_names_the_help(arguments):
    parser = Parser(prog="kport x")
    parser.add_argument("--number", type=whole(0))
    with pytest.raises(UsageError, match=r"see kport x --help$") as error:
        parser.parse_args(arguments)
    assert "\n" not in str(error.value)
