# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The command `kport` itself: its map, its version, its errors."""

from __future__ import annotations

import subprocess
import sys

import pytest

from kport import __version__
from kport.cli import main
from kport.cli.commands import COMMANDS


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"], ["help"]])
def test_help_is_the_map_of_commands(arguments, capsys):
    assert main(arguments) == 0
    out = capsys.readouterr().out
    for name in COMMANDS:
        assert f"  {name} " in out
    assert all(len(line) <= 80 for line in out.splitlines())


def test_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"kport {__version__} (drm_sched of Linux 7.2.13)\n"


def test_an_unknown_command_is_one_line_and_exit_code_2(capsys):
    assert main(["rnu"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "kport: there is no command 'rnu'; commands: run\n"


def test_every_command_has_help_of_80_columns(capsys):
    for name in COMMANDS:
        with pytest.raises(SystemExit) as leave:
            main([name, "--help"])
        assert leave.value.code == 0
        assert all(len(line) <= 80 for line in capsys.readouterr().out.splitlines())


def test_as_a_module_and_in_a_pipe_that_breaks():
    command = [sys.executable, "-m", "kport", "run", "-w", "1.RCS.100.0.1"]
    shell = f'"{sys.executable}" -m kport run -w 1.RCS.100.0.1 | true'
    assert subprocess.run(command, capture_output=True, timeout=30, check=False).returncode == 0
    broken = subprocess.run(shell, shell=True, capture_output=True, timeout=30, check=False)
    assert broken.stderr == b""


def test_help_loads_no_kernel():
    code = (
        "import sys; from kport.cli import main; main(['--help']); "
        "sys.exit(any(name.startswith(('kport.linux', 'kport.drm')) for name in sys.modules))"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
