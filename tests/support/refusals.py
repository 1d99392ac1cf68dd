"""What a command says when it refuses its arguments or fails: one sentence."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from nayer.cli.main import main


def told(words: Sequence[str], capsys: pytest.CaptureFixture[str], codes: Sequence[int] = (1, 2)) -> str:
    """The only line on the stream of errors of `python -m nayer` with these words."""
    assert main(list(words)) in codes
    (line,) = capsys.readouterr().err.splitlines()
    assert "bug in the program" not in line
    assert len(line) < 700
    return line
