"""What is read: regular files of a bounded size. What is written: in a folder that one process holds."""

import os
import socket
import subprocess
import sys

import pytest

from nayer.common.files import LOCK, check_target, claimed, open_file, path_to_write, read_file, write_together
from nayer.errors import ConfigError, StorageError

HOLD = (
    "import sys; from nayer.common.files import claimed; from pathlib import Path\n"
    "with claimed(Path(sys.argv[1])): input()"
)


def device(path):
    path.symlink_to("/dev/zero")


def listening(path):
    with socket.socket(socket.AF_UNIX) as listener:
        here = os.open(path.parent, os.O_RDONLY)  # an address has 108 bytes at most
        listener.bind(f"/proc/self/fd/{here}/{path.name}")
        os.close(here)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (os.mkfifo, "not a regular file"),
        (device, "not a regular file"),
        (listening, "No such device or address"),
        (os.mkdir, "not a regular file"),
        (lambda path: path.write_bytes(bytes(2049)), "larger than 2 KB"),
        (lambda path: path.symlink_to("nowhere"), "No such file or directory"),
        (lambda path: path.symlink_to(path.name), "Too many levels of symbolic links"),
    ],
    ids=["FIFO", "device", "socket", "folder", "too large", "dangling link", "loop"],
)
def test_only_a_regular_file_of_a_bounded_size_is_read(tmp_path, make, reason):
    make(tmp_path / "x")
    with pytest.raises(OSError, match=reason) as raised:
        read_file(tmp_path / "x", 2048)
    assert raised.value.strerror == reason


def test_a_name_that_no_file_can_have_is_told_as_one(tmp_path):
    with pytest.raises(OSError, match="not a file name"):
        read_file(tmp_path / "a\0b", 10)


def test_a_file_that_grows_after_it_was_opened_is_not_read_beyond_its_bound(tmp_path, monkeypatch):
    path = tmp_path / "x"
    path.write_bytes(b"1234")

    def grown(path, limit):
        file = open_file(path, limit)
        path.write_bytes(b"12345678")
        return file

    monkeypatch.setattr("nayer.common.files.open_file", grown)
    with pytest.raises(OSError, match="larger than"):
        read_file(path, 4)


def test_a_second_process_in_a_folder_is_refused_and_nothing_stays_behind(tmp_path):
    folder = tmp_path / "runs" / "one"
    command = [sys.executable, "-c", HOLD, str(folder)]
    with claimed(folder):
        done = subprocess.run(command, capture_output=True, text=True, check=False, input="\n")
        assert "is in use by another process" in done.stderr
        assert [path.name for path in folder.iterdir()] == [LOCK]
        (folder / "student").touch()
    assert [path.name for path in folder.iterdir()] == ["student"]
    with claimed(folder):
        pass


def test_a_folder_that_was_made_and_stays_empty_goes_again(tmp_path):
    with pytest.raises(ZeroDivisionError), claimed(tmp_path / "runs" / "one"):
        raise ZeroDivisionError
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_written_leaves_no_folder_that_was_made_for_it(tmp_path):
    (tmp_path / "mine").mkdir()
    contents = {tmp_path / "mine" / "new" / "inner" / "1": b"1", tmp_path / "mine" / ("x" * 300): b"2"}
    with pytest.raises(StorageError, match="could not be written"):
        write_together(contents)
    assert [path.name for path in tmp_path.rglob("*")] == ["mine"]
    write_together({path: content for path, content in contents.items() if content == b"1"})
    assert (tmp_path / "mine" / "new" / "inner" / "1").read_bytes() == b"1"


def test_a_folder_that_vanishes_meanwhile_is_borne(tmp_path):
    with claimed(tmp_path / "one"):
        (tmp_path / "one" / LOCK).unlink()
        (tmp_path / "one").rmdir()


@pytest.mark.parametrize("text", ["", " ", "a\0b", "a\nb", "\x1b[31m", "a\udcffb"])
def test_a_place_to_write_has_a_name_that_can_be_shown(text):
    with pytest.raises(ConfigError, match=r"^out") as raised:
        path_to_write("out", text)
    assert str(raised.value).isprintable()


@pytest.mark.parametrize("name", ["folder", "x" * 5000, "fifo"])
def test_a_target_that_cannot_become_a_file_is_told_before_the_work(tmp_path, name):
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(StorageError, match=r"\.$"):
        check_target(tmp_path / name)
