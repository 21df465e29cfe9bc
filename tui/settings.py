# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""What the monitor remembers from one time to the next.

A JSON file, `$XDG_CONFIG_HOME/kport/monitor.json` (`~/.config` without the variable). A file that
cannot be read, or values that cannot be meant, are left out and the defaults used; a file that
cannot be written costs a message and nothing else.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from tui.view import SCREENS, SPAN_MAX, SPAN_MIN, View


def path() -> Path:
    """Where the settings are."""
    base = os.environ.get("XDG_CONFIG_HOME") or os.path.join(os.path.expanduser("~"), ".config")
    return Path(base) / "kport" / "monitor.json"


def load(view: View) -> str:
    """Put what was saved into the view; returns what is wrong with the file, or ""."""
    try:
        saved = json.loads(path().read_text(encoding="utf-8"))
    except FileNotFoundError:
        return ""
    except (OSError, ValueError) as error:
        return f"settings not read: {path()}: {error}"
    if not isinstance(saved, dict):
        return f"settings not read: {path()}: no JSON object"
    _take(view, saved)
    return ""


def _take(view: View, saved: dict[str, Any]) -> None:
    if saved.get("theme") in ("dark", "light"):
        view.theme = saved["theme"]
    if saved.get("convention") in ("run", "head"):
        view.convention = saved["convention"]
    if saved.get("colours") in ("", "client", "entity"):
        view.colours = saved["colours"]
    if saved.get("screen") in SCREENS:
        view.screen = saved["screen"]
    span = saved.get("span")
    if type(span) is int and SPAN_MIN <= span <= SPAN_MAX:
        view.span = span
    view.maximised = saved.get("maximised") is True
    sorts = saved.get("sorts")
    if isinstance(sorts, dict):
        for name, order in sorts.items():
            if name in SCREENS and isinstance(order, list) and len(order) == 2:
                view.sorts[name] = str(order[0]), bool(order[1])
    filters = saved.get("filters")
    if isinstance(filters, dict):
        view.filters |= {n: f for n, f in filters.items() if n in SCREENS and isinstance(f, str)}


def save(view: View, *, span: bool = True) -> str:
    """Write the view's lasting choices; returns why that failed, or "".

    The window of a recording is as long as the recording: that is no choice (`span` False).
    """
    chosen = {
        "theme": view.theme,
        "convention": view.convention,
        "colours": view.colours,
        "screen": view.screen,
        "span": view.span if span else None,
        "maximised": view.maximised,
        "sorts": view.sorts,
        "filters": view.filters,
    }
    target = path()
    part = target.with_name(f"{target.name}.{os.getpid()}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(json.dumps(chosen, indent=2) + "\n", encoding="utf-8")
        part.replace(target)
    except OSError as error:
        return f"settings not saved: {error}"
    return ""
