"""The terminal shows texts from outside as they are."""

from __future__ import annotations

import io

import pytest
from rich.table import Table

from nayer.cli.console import Terminal


@pytest.mark.parametrize("text", ["runs/[/mine]", "[red]cat[/red]", "a :dog: b", r"\\[bold]"])
def test_a_text_in_brackets_is_no_style_and_no_error(text: str) -> None:
    told = io.StringIO()
    terminal = Terminal(file=told, width=200)
    terminal.print(f"It is saved in {text}.", soft_wrap=True)
    table = Table("arm")
    table.add_row(text)
    terminal.print(table)
    assert f"It is saved in {text}.\n" in told.getvalue()
    assert f" {text} " in told.getvalue()
