"""A comparison as a file: it gives the arms that the flags give, comes back as it was, and is read strictly."""

import pytest

from nayer.cli.main import main
from nayer.common import extras
from nayer.compare.experiments import EXPERIMENTS, Variation, experiment, grid, of_presets
from nayer.compare.file_keys import SEEDS
from nayer.compare.sweep import Sweep, read_sweep, written_sweep
from nayer.errors import ConfigError
from tests.nayer.compare.test_outcome import QUICK

WHOLE = """
seeds: [3, 1]
calibrate: 0.5
clock: cpu
threads: 1
shared: {teacher: digits}
arms:
  NAYER:
  one-hot: {latent: one-hot}
  "DFQ, slow": {preset: dfq, student_lr: 2e-2}
vary: {bn_weight: [1.0, 2]}
"""


def reads(folder, text):
    path = folder / "sweep.yaml"
    path.write_text(text, "utf-8")
    return read_sweep(path)


def test_a_file_names_arms_seeds_and_what_they_share(tmp_path):
    arms = (
        Variation("NAYER", "nayer"),
        Variation("one-hot", "nayer", {"latent": "one-hot"}),
        Variation("DFQ, slow", "dfq", {"student_lr": 0.02}),
    )
    wanted = Sweep(grid(arms, "bn_weight", [1.0, 2]), {"teacher": "digits"}, (3, 1), 0.5, "cpu", 1)
    assert reads(tmp_path, WHOLE) == wanted


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_what_is_written_is_read_again(name, tmp_path):
    for sweep in (
        Sweep(experiment(name).variations, {"teacher": "it's: #1", "work": 1e-5}),
        Sweep(grid(of_presets(["nayer", "fast"]), "student_lr", [0.1, 1e-6]), {}, (7,), 2.0, "cpu", 1),
    ):
        assert reads(tmp_path, written_sweep(sweep)) == sweep


def test_presets_and_experiments_are_arms_too(tmp_path):
    assert reads(tmp_path, "presets: [nayer, dfq]") == Sweep(of_presets(["nayer", "dfq"]), {}, SEEDS)
    assert reads(tmp_path, "experiment: routing").variations == experiment("routing").variations


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("arm: {}", "'arm' is not a key of a comparison; the nearest is arms."),
        ("seeds: [1]", "arms, presets or experiment must name the arms; the file has none of them."),
        ("presets: [nayer]\nexperiment: reset", "the file has both presets and experiment."),
        ("presets: nayer", "presets must be a list such as [a, b]; 'nayer' was given."),
        ("presets: [gan]", "preset must be one of"),
        ("experiment: resets", "experiment must be one of reset, table, before, since, routing; 'resets' was given."),
        ("arms: {}", "arms is empty"),
        ("arms: [nayer]", "arms must be a mapping of the form `name: value`; ['nayer'] was given."),
        ("arms: {A: {latnt: none}}", ", arm 'A': 'latnt' is not a setting; the nearest is latent."),
        ("arms: {A: {rounds: 0}}", "rounds must be a whole number from 1 to 100,000; 0 was given."),
        ("arms: {A: {rounds: 1}}\nshared: {rounds: 2}", "rounds=2 cannot be shared"),
        ("shared: {preset: dfq}\narms: {A: }", ", shared: preset='dfq' belongs to an arm; use arms or presets."),
        (
            "presets: [nayer]\nvary: {student_rl: [1]}",
            ", vary: 'student_rl' is not a setting; the nearest is student_lr",
        ),
        ("presets: [nayer]\nvary: {student_lr: 1}", ", vary: student_lr must be a list such as [a, b]; 1 was given."),
        ("presets: [nayer]\nseeds: [1, 1]", "seeds=[1, 1] contains a seed twice; use each seed once."),
        ("presets: [nayer]\nseeds: [a]", "seeds must be whole numbers from 0 to 2,147,483,647"),
        ("presets: [nayer]\nseeds: [true]", "such as [0, 1, 2]; True was given."),
        ("presets: [nayer]\nclock: sun", "clock must be one of wall, cpu; 'sun' was given."),
        ("presets: [nayer]\nthreads: 1.5", "threads must be a whole number from 0 to 256; 1.5 was given."),
        ("presets: [nayer]\ncalibrate: -1", "calibrate must be a number from 0 to 864,000; -1 was given."),
    ],
)
def test_a_wrong_line_is_one_sentence_with_the_file_and_what_works(text, said, tmp_path):
    with pytest.raises(ConfigError, match=r"^config='[^']*sweep\.yaml'[:,] ") as told:
        reads(tmp_path, text + "\n")
    assert said in str(told.value)
    assert str(told.value).count("config=") == 1


def test_without_the_extra_nothing_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(extras, "find_spec", lambda name: None)
    assert main(["compare", "--presets", "nayer", "--out", str(tmp_path / "a"), *QUICK]) == 2
    sentence = "compare needs the package scipy, which is not installed; pip install 'nayer[compare]'.\n"
    assert capsys.readouterr().err == sentence
    assert not (tmp_path / "a").exists()


def test_compare_runs_the_file_and_leaves_one_that_repeats_it(tmp_path, capsys):
    (tmp_path / "mine.yaml").write_text("presets: [nayer, dfq]\nseeds: [0]\nshared: {teacher: fashion}\n")
    words = ["compare", "--config", str(tmp_path / "mine.yaml"), "--out", str(tmp_path / "a")]
    assert main([*words, *QUICK]) == 0  # flags override what the arms share
    first = capsys.readouterr().out
    assert read_sweep(tmp_path / "a" / "sweep.yaml").shared["teacher"] == "digits"
    assert main(["compare", "--config", str(tmp_path / "a" / "sweep.yaml"), "--out", str(tmp_path / "a")]) == 0
    assert capsys.readouterr().out == first  # nothing had to run again
    assert main([*words, "--seeds", "1"]) == 2
    assert "seeds='1' cannot be used with --config; write seeds into the file." in capsys.readouterr().err
