"""A later command continues a run that was cut off from its checkpoint, with the numbers of an unbroken one."""

import pytest

from nayer.cluster.jobs import LocalExecutor, PartMade
from nayer.compare.experiments import Arm
from nayer.compare.outcome_folder import OutcomeFolder
from nayer.compare.run_jobs import Finished, RunOptions, run_all
from nayer.compare.run_parts import RoundPart
from nayer.config import Config
from nayer.events import RoundFinished
from tests.support.tiny import QUICK

ARM = Arm("tried", Config.parse({"rounds": 5, "generator_width": 4, "test_images": 50}, QUICK))
RUNS = [(ARM, 0), (ARM, 1)]
OPTIONS = RunOptions("wall", 1, keep_every=0.0)  # a checkpoint after each round, as on a cluster


def told(files, stops_after=None):
    """The ends of the runs, and the rounds that were made of each; stops after so many rounds of the last run."""
    ends, rounds = {}, {number: [] for number in range(len(RUNS))}
    news = run_all(RUNS, OPTIONS, LocalExecutor(), files)
    for one in news:
        if isinstance(one, Finished):
            ends[one.number] = one
        elif isinstance(one, PartMade) and isinstance(one.part.content, RoundPart):
            made = [event.round for event, _ in one.part.content.events if isinstance(event, RoundFinished)]
            rounds[one.number] += made
        if stops_after is not None and len(rounds[1]) == stops_after:
            news.close()
            break
    return ends, rounds


def numbers(end):
    outcome = end.outcome
    names = ("arm", "seed", "config", "rounds", "generator_steps", "agreement", "by_step", "second_opinion", "classes")
    rows = [{name: value for name, value in row.items() if name != "seconds"} for row in end.record.rows]
    for row in rows:  # these diversities start empty after a checkpoint
        for name in [name for name in row if name.startswith(("across_", "over_pool"))]:
            del row[name]
    return [getattr(outcome, name) for name in names], [accuracy for _, accuracy in outcome.curve], rows


@pytest.fixture(scope="module")
def unbroken():
    ends, rounds = told(())
    assert rounds == {0: [0, 1, 2, 3, 4], 1: [0, 1, 2, 3, 4]}
    return ends


def files_in(folder):
    return [OutcomeFolder(folder, "wall", 1).interrupted(*run) for run in RUNS]


def test_it_continues_after_its_latest_checkpoint_and_has_the_numbers_of_an_unbroken_one(tmp_path, unbroken):
    ends, _ = told(files_in(tmp_path), stops_after=3)
    assert list(ends) == [0]
    files_in(tmp_path)[0].remove()  # as when its outcome is stored
    again, rounds = told(files_in(tmp_path))
    assert rounds == {0: [0, 1, 2, 3, 4], 1: [3, 4]}
    for number in unbroken:
        assert numbers(again[number]) == numbers(unbroken[number])
        assert again[number].outcome.gigaflops > 0
    for files in files_in(tmp_path):
        files.remove()
    assert not list((tmp_path / "runs").iterdir())


def test_a_second_break_continues_too_and_what_came_after_the_state_is_left_out(tmp_path, unbroken):
    told(files_in(tmp_path), stops_after=2)
    parts = next((tmp_path / "runs").glob("*-1.parts"))
    with parts.open("ab") as file:  # a process that was killed while it wrote
        file.write(b"half of a par")
    _, rounds = told([None, files_in(tmp_path)[1]], stops_after=1)
    assert rounds[1] == [2]
    again, rounds = told([None, files_in(tmp_path)[1]])
    assert rounds[1] == [3, 4]
    assert numbers(again[1]) == numbers(unbroken[1])


@pytest.mark.parametrize("damage", ["state", "parts", "settings", "threads"])
def test_what_does_not_fit_is_left_out_and_the_run_starts_from_its_beginning(tmp_path, unbroken, damage):
    told(files_in(tmp_path), stops_after=2)
    files = files_in(tmp_path)
    if damage in ("state", "parts"):
        path = next((tmp_path / "runs").glob(f"*-1.{damage}"))
        path.write_bytes(path.read_bytes()[:-5])
    elif damage == "settings":
        other = Arm("tried", Config.parse({"student_steps": 3}, ARM.config))
        assert OutcomeFolder(tmp_path, "wall", 1).interrupted(other, 1).read() is None
        return
    else:
        assert OutcomeFolder(tmp_path, "wall", 2).interrupted(ARM, 1).read() is None
        return
    assert files[1].read() is None
    again, rounds = told([None, files[1]])
    assert rounds[1] == [0, 1, 2, 3, 4]
    assert numbers(again[1]) == numbers(unbroken[1])
