# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""`--serve SOCKET`: let viewers follow what runs in this process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from kport.workload.errors import InputError


@contextmanager
def served(path: str | None, wait: float = 0.0) -> Iterator[None]:
    """Serve the kernels of the block at `path`; None serves nothing. Raises InputError.

    The block begins when a viewer has come, but after `wait` s at the latest.
    """
    if path is None:
        yield
        return
    from kport import __version__
    from kport.drivers.observe import PortObserver
    from kport.trace.server import ServeError, Server

    server = Server(path, PortObserver(), f"kport {__version__}")
    try:
        server.open()
    except ServeError as error:
        raise InputError(f"--serve {path or repr(path)}", error.what, error.remedy) from None
    with server:
        server.await_viewer(wait)
        yield
