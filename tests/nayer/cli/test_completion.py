"""The completion of a shell knows every command, every flag, and the words that a flag takes."""

import subprocess

import pytest

from nayer.cli.main import COMMANDS, main
from nayer.cli.options import flag_of
from nayer.config import settings
from nayer.presets import PRESETS


@pytest.fixture(scope="module")
def script(tmp_path_factory):
    folder = tmp_path_factory.mktemp("completion")
    with pytest.MonkeyPatch.context() as patch:
        written = []
        patch.setattr("sys.stdout.write", written.append)
        assert main(["completion", "bash"]) == 0
    path = folder / "nayer.bash"
    path.write_text("".join(written), "utf-8")
    return path


def completed(script, *words):
    """What bash offers for the last of the words."""
    typed = " ".join(f"{word!r}" for word in ("nayer", *words))
    lines = f"source {script}; COMP_WORDS=({typed}); COMP_CWORD={len(words)}; _shtab_nayer; echo ${{COMPREPLY[@]}}"
    done = subprocess.run(["bash", "-c", lines], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_bash_completes_commands_flags_and_words(script):
    assert completed(script, "") >= set(COMMANDS)
    assert completed(script, "di") == {"distill"}
    flags = completed(script, "distill", "--")
    assert flags >= {flag_of(one.name) for one in settings()} | {"--out", "--config", "--no-flip"}
    assert completed(script, "distill", "--latent", "") == {"lte", "one-hot", "random", "shuffled", "none"}
    assert completed(script, "distill", "--preset", "") == set(PRESETS)
    assert completed(script, "list", "t") == {"teachers"}


def test_another_shell_is_one_sentence(capsys):
    assert main(["completion", "fish"]) == 2
    assert capsys.readouterr().err == "shell must be one of bash, zsh; 'fish' was given.\n"
    assert main(["completion", "zsh"]) == 0
    assert "#compdef nayer" in capsys.readouterr().out
