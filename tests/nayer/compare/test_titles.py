"""Arms and runs are counted before one is made, and each title can be the name of a file."""

from __future__ import annotations

import pytest

from nayer.cli.main import main
from nayer.compare.experiments import of_presets
from nayer.compare.study import read_study
from nayer.compare.sweep import read_sweep, written_sweep
from nayer.compare.titles import MOST_IN_A_NAME, check_titles, slug
from nayer.errors import ConfigError

NUMBERS = ", ".join(map(str, range(1, 901)))
STUDY = "methods: {A: {preset: nayer}}\nteachers: [digits]\nbudgets: {rounds: [1]}\nseeds: [0]\n"


def refused(read, folder, text):
    path = folder / "file.yaml"
    path.write_text(text, "utf-8")
    with pytest.raises(ConfigError) as told:
        read(path)
    sentence = str(told.value)
    assert len(sentence) < 700
    assert sentence.isprintable()
    return sentence


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"vary: {{generator_steps: [{NUMBERS}], student_steps: [{NUMBERS}], synthesis_batch: [8, 9]}}", "810,000"),
        (f"budgets: {{rounds: [{NUMBERS}]}}\nvary: {{student_steps: [1, 2]}}", "1,800"),
        ("teachers: [" + ", ".join(f"t{number}" for number in range(9000)) + "]", "9,000"),
        ("methods: {" + ", ".join(f"m{number}: " for number in range(5000)) + "}", "5,000"),
    ],
    ids=["vary", "budgets", "teachers", "methods"],
)
def test_what_multiplies_beyond_a_thousand_arms_is_counted_and_not_made(text, said, tmp_path, monkeypatch):
    monkeypatch.setattr("nayer.compare.study.arms_of", lambda *given: pytest.fail("an arm was made"))
    names = [line.partition(":")[0] for line in text.splitlines()]
    rest = "\n".join(line for line in STUDY.splitlines() if line.partition(":")[0] not in names)
    assert f"at most 1,000 arms; {said} were given." in refused(read_study, tmp_path, f"{rest}\n{text}\n")


@pytest.mark.parametrize("read", [read_study, read_sweep])
def test_runs_are_counted_before_one_is_made(read, tmp_path):
    seeds = ", ".join(map(str, range(5001)))
    text = (
        "methods: {A: , B: }\nteachers: [digits]\nbudgets: {rounds: [1]}\n"
        if read is read_study
        else "arms: {A: , B: }\n"
    )
    assert "at most 10,000 runs; 10,002 were given." in refused(read, tmp_path, f"{text}seeds: [{seeds}]\n")


@pytest.mark.parametrize("flag", ["--vary", "--presets", "--seeds"])
def test_flags_are_counted_too(flag, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    more = {
        "--vary": ["--vary", f"generator_steps={NUMBERS.replace(' ', '')}", "--vary", "student_steps=1,2"],
        "--presets": ["--presets", ",".join(["nayer", "dfq"] * 900)],
        "--seeds": ["--seeds", ",".join(map(str, range(9_000))), "--presets", "nayer,dfq"],
    }[flag]
    assert main(["compare", "--teacher", "digits", "--out", "o", "--presets", "nayer", *more]) == 2
    (told,) = capsys.readouterr().err.splitlines()
    assert "must have at most" in told or "is given twice" in told
    assert not list(tmp_path.iterdir())


def test_new_students_are_counted(tmp_path):
    seeds = ", ".join(map(str, range(101)))
    said = refused(read_study, tmp_path, f"{STUDY}fresh_students: {{seeds: [{seeds}], phases: 1}}\n")
    assert "seeds must be at most 100 numbers; 101 were given." in said


@pytest.mark.parametrize("name", ['""', '"∗"', '".."', '"a\\nb"', '"a\\e[31m"', '"a\\u202Eb"', '"a\\uD800"', "x" * 201])
@pytest.mark.parametrize("read", [read_study, read_sweep])
def test_a_name_that_cannot_be_a_title_is_refused_before_hours_of_runs(read, name, tmp_path):
    key, rest = ("arms", "") if read is read_sweep else ("methods", STUDY.partition("\n")[2])
    assert ": a name must have letters from a to z or digits" in refused(
        read, tmp_path, f"{key}:\n  ? {name}\n  :\n{rest}"
    )


def test_no_title_gives_a_file_a_name_that_is_too_long():
    check_titles(["x" * MOST_IN_A_NAME], "name it once")
    for titles in (["x" * (MOST_IN_A_NAME + 1)], ["A b", "a-B"]):
        with pytest.raises(ConfigError, match=r"too many for the name of a file|is given twice; name it once\."):
            check_titles(titles, "name it once")


def test_a_varied_text_is_short_and_on_one_line_in_a_title(tmp_path):
    text = 'presets: [nayer]\nvary: {prompt: ["a\\n{}", "' + "y" * 190 + ' {}"]}\n'
    (tmp_path / "s.yaml").write_text(text, "utf-8")
    sweep = read_sweep(tmp_path / "s.yaml")
    titles = [one.title for one in sweep.variations]
    assert all(title.isprintable() and len(title) < 80 for title in titles)
    assert sweep.variations[0].changes == {"prompt": "a\n{}"}  # the value is whole
    (tmp_path / "again.yaml").write_text(written_sweep(sweep), "utf-8")
    assert [one.title for one in read_sweep(tmp_path / "again.yaml").variations] == titles


@pytest.mark.parametrize("name", ["seed", "seconds", "teacher", "rounds", "work"])
def test_what_a_study_gives_each_run_is_no_setting_of_a_method(name, tmp_path):
    value = "digits" if name == "teacher" else "1"
    for text in (STUDY.replace("preset: nayer", f"{name}: {value}"), f"{STUDY}vary: {{{name}: [{value}]}}\n"):
        assert f"{name} cannot be a setting of a method; use " in refused(read_study, tmp_path, text)


@pytest.mark.parametrize("name", ["seed", "seconds"])
def test_what_a_comparison_gives_each_run_is_no_setting_of_an_arm(name, tmp_path, capsys):
    for text in (f"arms: {{A: {{{name}: 1}}}}\n", f"presets: [nayer]\nvary: {{{name}: [1, 2]}}\n"):
        assert f"{name} cannot be a setting of an arm; use " in refused(read_sweep, tmp_path, text)
    words = ["compare", "--presets", "nayer", "--vary", f"{name}=1,2", "--out", str(tmp_path / "o")]
    assert main(words) == 2
    assert f"{name} cannot be a setting of an arm" in capsys.readouterr().err


def test_each_preset_is_a_title():
    check_titles([one.title for one in of_presets(["nayer", "nayer-paper"])], "")
    assert slug("NAYER · digits · 10 G") == "nayer-digits-10-g"
