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
    names = ", ".join(COMMANDS)
    assert captured.err == f"kport: there is no command 'rnu'; commands: {names}\n"


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


@pytest.mark.parametrize("streams", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-", "2>/dev/full"])
@pytest.mark.parametrize("what", ["-", "-w 1.RCS.100.0.1", "none"])
def test_streams_that_are_closed_or_full_are_no_traceback(streams, what):
    shell = f'"{sys.executable}" -m kport run {what} {streams}'
    done = subprocess.run(
        shell, shell=True, stdin=subprocess.DEVNULL, capture_output=True, timeout=30, check=False
    )
    played = what.startswith("-w") and ">&-" not in streams.replace("2>&-", "")
    assert done.returncode == (0 if played else 2)
    assert done.stderr.count(b"\n") == (0 if played or "2>" in streams else 1)
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("arguments", ["run -w 1.RCS.100.0.1", "--version", "--help"])
def test_output_that_cannot_be_written_is_one_line_and_exit_code_2(arguments):
    shell = f'"{sys.executable}" -m kport {arguments} >/dev/full'
    done = subprocess.run(shell, shell=True, capture_output=True, timeout=30, check=False)
    assert done.returncode == 2
    assert done.stderr == b"kport: the output cannot be written (No space left on device)\n"


def test_the_development_mode_finds_nothing():
    command = [sys.executable, "-X", "dev", "-W", "error", "-m", "kport", "run", "-r", "2"]
    done = subprocess.run(
        [*command, "-f", "0.05", "-F", "0.05"], capture_output=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_help_loads_no_kernel():
    code = (
        "import sys; from kport.cli import main; main(['--help']); "
        "sys.exit(any(name.startswith(('kport.linux', 'kport.drm')) for name in sys.modules))"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
