# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""What opens above the panels: lines to read, and a list to choose from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option


class Lines(ModalScreen[None]):
    """Lines to read: help, notes. Any of the keys that open or close things closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        ("escape,q,question_mark,enter,N", "dismiss", "close"),
    ]
    DEFAULT_CSS = """
    Lines { align: center middle; }
    Lines VerticalScroll {
        width: 90%; max-width: 100; height: 90%; max-height: 64;
        border: round $primary; padding: 0 1;
    }
    Lines Static { width: 100%; height: auto; }
    """

    def __init__(self, title: str, lines: Sequence[str]) -> None:
        super().__init__()
        self._title = title
        self._lines = lines

    def compose(self) -> ComposeResult:
        """The lines in a frame that scrolls."""
        with VerticalScroll() as frame:
            frame.border_title = self._title
            yield Static(Content("\n".join(self._lines)))


class Choice(ModalScreen[int | None]):
    """A list to choose from; its result is the number of the line, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape,q", "dismiss", "close")]
    DEFAULT_CSS = """
    Choice { align: center middle; }
    Choice OptionList {
        width: 70; max-width: 90%; height: auto; max-height: 80%; border: round $primary;
    }
    """

    def __init__(self, title: str, lines: Sequence[str]) -> None:
        super().__init__()
        self._title = title
        self._lines = lines

    def compose(self) -> ComposeResult:
        """The list."""
        choices = OptionList(*(Option(Content(line)) for line in self._lines))
        choices.border_title = self._title
        yield choices

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """That one."""
        self.dismiss(event.option_index)
