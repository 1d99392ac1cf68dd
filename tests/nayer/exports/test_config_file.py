"""A run as a file comes back as it was, says what each setting is, and is read strictly."""

import re
import shutil

import pytest
import yaml
from hypothesis import given, settings

from nayer.config import Config
from nayer.config import settings as fields
from nayer.errors import ConfigError
from nayer.exports.config_file import read_config, written
from nayer.presets import PRESETS, get
from tests.nayer.exports.test_reproduce import configs


def reads(folder, text):
    path = folder / "run.yaml"
    path.write_text(text, "utf-8")
    return read_config(path)


@settings(max_examples=40, deadline=None)
@given(configs())
def test_a_written_file_is_the_whole_config_for_us_and_for_every_reader(tmp_path_factory, config):
    text = written(config)
    assert reads(tmp_path_factory.getbasetemp(), text) == config
    assert yaml.safe_load(text) == config.model_dump()


def test_every_setting_has_its_help_unit_and_bounds_above_it():
    text = re.sub(r"(?<=[^\n])\n# ", " ", written(Config()))
    for one in fields():
        (above,) = re.findall(rf"# ([^\n]*)\n{one.name}: ", text)
        assert one.help in above
        assert one.high is None or f"{one.high:,g}"[:5] in above or f"{int(one.high):,}" in above


def test_what_is_left_out_comes_from_the_preset(tmp_path):
    assert reads(tmp_path, "preset: dfq\nteacher: digits\n") == Config.parse({"teacher": "digits"}, get("dfq").config)
    assert reads(tmp_path, "student_lr: 4e-3\n") == Config(student_lr=0.004)
    assert reads(tmp_path, "seconds: 20\n").seconds == 20.0
    assert reads(tmp_path, "z_scale: 1.0\n") == Config()  # of an earlier version


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nois_layer: true", "'nois_layer' is not a setting; the nearest is noisy_layer."),
        ("zzz: true", "'zzz' is not a setting; `python -m nayer list settings` shows all."),
        ("rounds: 0", "rounds must be a whole number from 1 to 100,000; 0 was given."),
        ("rounds: 1e3", "rounds must be a whole number from 1 to 100,000; 1000.0 was given."),
        ("rounds: '5'", "rounds must be a whole number from 1 to 100,000; '5' was given."),
        ("flip: yes", "flip must be true or false; 'yes' was given."),
        ("latent: word2vec", "latent must be one of lte, one-hot, random, shuffled, none; 'word2vec' was given."),
        ("seed:", "seed must be a whole number from 0 to 2,147,483,647; None was given."),
        ("preset: nayr", f"preset must be one of {', '.join(PRESETS)}; 'nayr' was given."),
        ("preset: [nayer]", f"preset must be one of {', '.join(PRESETS)}; ['nayer'] was given."),
        ("z_scale: 2.0", "z_scale=2.0 is gone"),
    ],
)
def test_a_wrong_line_is_one_sentence_with_the_file_the_name_and_what_works(text, said, tmp_path):
    with pytest.raises(ConfigError, match=r"^config='.*run\.yaml': ") as told:
        reads(tmp_path, text + "\n")
    assert said in str(told.value)


def test_a_run_folder_has_the_file_that_repeats_its_run(teacher_folder, tmp_path, capsys):
    from nayer.cli.main import main

    few = "--rounds 2 --warmup-rounds 1 --generator-steps 2 --student-steps 2 --latent one-hot --noisy-width 16"
    few += " --generator-width 2 --synthesis-batch 9 --student-batch 4 --device cpu"
    assert main(["distill", "--teacher", str(teacher_folder), *few.split(), "--out", str(tmp_path / "a")]) == 0
    shutil.copy(tmp_path / "a" / "run.yaml", tmp_path / "mine.yaml")
    assert main(["distill", "--config", str(tmp_path / "mine.yaml"), "--out", str(tmp_path / "b")]) == 0
    first, second = ((tmp_path / name / "student.safetensors").read_bytes() for name in "ab")
    assert first == second
    assert main(["config", "--config", str(tmp_path / "mine.yaml"), "--seed", "5", "--out", str(tmp_path / "c")]) == 0
    assert read_config(tmp_path / "c") == Config.parse({"seed": 5}, read_config(tmp_path / "mine.yaml"))
    for more, said in (
        (["--preset", "dfq"], "preset='dfq' cannot be used with --config; write `preset: dfq` into the file."),
        (["--resume", str(tmp_path / "a")], "cannot be used with --config; leave one of them out."),
    ):
        capsys.readouterr()
        assert main(["distill", "--config", str(tmp_path / "mine.yaml"), *more]) == 2
        assert said in capsys.readouterr().err
