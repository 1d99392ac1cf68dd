"""`python -m app.examples`: what it cannot do is one sentence, and nothing is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.examples import main


@pytest.mark.parametrize("place", ["file", "file/x", "loop", "/proc/x"])
def test_a_cache_that_cannot_be_written_is_one_sentence(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(SystemExit) as left:
        main(["--cache", place, "lab"])
    assert left.value.code == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith(".")
    assert place in line
    assert {path.name for path in tmp_path.iterdir()} == {"file", "loop"}


def test_a_damaged_run_in_the_cache_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("app.examples.key", lambda config: "same")
    (tmp_path / "same.nayer").write_bytes(b"no run")
    with pytest.raises(SystemExit) as left:
        main(["--cache", str(tmp_path), "lab"])
    assert left.value.code == 1
    assert capsys.readouterr().err.startswith("recording is not a recorded run of this version")
