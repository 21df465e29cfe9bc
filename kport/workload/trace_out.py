# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Writing the trace of a run, for whoever plays something.

A file that cannot be opened is an error before the run. One that cannot be written when the run is
over (the disk is full) must not take the run's figures with it: it is kept in `error`, for the
result to carry.
"""

from __future__ import annotations

from contextlib import ExitStack
from types import TracebackType
from typing import Self

from kport.trace.recorder import recording_to
from kport.workload.errors import InputError


class TraceOut:
    """While the block runs, record trace events for the file `path`; None records nothing.

    Entering raises InputError. `error` is set after the block if writing failed.
    """

    def __init__(self, path: str | None) -> None:
        self.error: InputError | None = None
        self._path = path
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        if self._path is not None:
            try:
                self._stack.enter_context(recording_to(self._path))
            except OSError as error:
                raise self._failed(error) from None
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._stack.close()
        except OSError as failure:
            self.error = self._failed(failure)

    def _failed(self, error: OSError) -> InputError:
        return InputError(
            self._path or "",
            f"the trace cannot be written ({error.strerror or error})",
            "give --trace-out another file",
        )
