"""A YAML file means what a person sees in it, and what it may not contain is one sentence with its line."""

import os

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from nayer.common.yaml_file import MAX_DEPTH, MAX_YAML_BYTES, bare, read_yaml
from nayer.errors import ConfigError
from nayer.text_rules import forbidden


def reads(path, text):
    path.write_text(text, "utf-8")
    return read_yaml(path, "config", instead="write `a: 1`")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("4e-3", 0.004),  # a text to YAML 1.1
        ("no", "no"),  # false to YAML 1.1
        ("010", 10),  # eight to YAML 1.1
        ("1_000", "1_000"),
        ("12:30", "12:30"),
        ("2026-01-02", "2026-01-02"),
        ("true", True),
        ("True", "True"),
        ("", None),
        ("'4'", "4"),
        ('"\\u00e9"', "é"),
        (".nan", ".nan"),
        ("-7", -7),
        ("[1, 2.5, a b]", [1, 2.5, "a b"]),
        ("{b: {c: d}}", {"b": {"c": "d"}}),
    ],
)
def test_a_value_is_what_yaml_1_2_says(text, value, tmp_path):
    assert reads(tmp_path / "a.yaml", f"a: {text}\n") == {"a": value}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\na: 2", "has a a second time in line 2"),
        ("a: &x 1\nb: *x", "has an anchor or alias in line 1"),
        ("a: !!python/object:os.system {}", "has the tag tag:yaml.org,2002:python/object:os.system in line 1"),
        ("a: 1\n---\nb: 2", "has a second document in line 2"),
        ("a: [1", "is not YAML"),
        ("a: \x01", "is not YAML"),
        ("[1]: 2", "has a key that is no name in line 1"),
        ("- 1", "contains no settings in the form `name: value`"),
        ("", "contains no settings in the form `name: value`"),
        ("a: " + "[" * (MAX_DEPTH + 2) + "]" * (MAX_DEPTH + 2), f"more than {MAX_DEPTH} values within each other"),
        ("a: " + "[" * 50_000, "has more than"),
        ("a: " + "x" * MAX_YAML_BYTES, "cannot be read"),
    ],
)
def test_what_a_file_may_not_contain_is_one_sentence(text, said, tmp_path):
    with pytest.raises(ConfigError, match=r"^config='.*a\.yaml' ") as told:
        reads(tmp_path / "a.yaml", text)
    assert said in str(told.value)
    assert str(told.value).endswith("; write `a: 1`.")


def test_what_is_no_file_is_one_sentence(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "bytes").write_bytes(b"a: \xff\xfe")
    for name, said in (("fifo", "not a regular file"), ("missing", "No such file"), ("bytes", "not a text in UTF-8")):
        with pytest.raises(ConfigError, match=said):
            read_yaml(tmp_path / name, "config", instead="write one")


VALUES = (
    st.booleans()
    | st.integers(-(10**12), 10**12)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=12).filter(lambda text: not forbidden(text) and "\ufeff" not in text)
    | st.sampled_from(["no", "On", "null", "1e3", "a photo of a {}", "-x", "# a", "a: b", "runs/mine"])
)


@given(VALUES | st.lists(VALUES, max_size=3))
def test_what_is_written_is_read_again_also_by_readers_of_yaml_1_1(tmp_path_factory, value):
    text = f"a: {bare(value)}\n"
    found = reads(tmp_path_factory.getbasetemp() / "again.yaml", text)["a"]
    assert (found, type(found)) == (value, type(value))
    assert yaml.safe_load(text) == {"a": value}
