"""What a browser gets of the page's scripts and styles: no more than they need, and the lines where they are."""

from __future__ import annotations

import json
import re
import shutil
import subprocess

from app.api.static_files import served, static_files
from app.web_page.one_script import modules

LARGEST = 350_000  # bytes of all scripts and styles together, uncompressed
# Reads pairs of programs, and writes for each whether node's own parser finds the same words in both.
COMPARE = """
const { tokenizer } = require("internal/deps/acorn/acorn/dist/acorn");
const words = (code) =>
  JSON.stringify([...tokenizer(code, { ecmaVersion: "latest", sourceType: "module" })].map(({ value, type }) => [
    String(value), type.label]));
const pairs = JSON.parse(require("node:fs").readFileSync(0, "utf-8"));
process.stdout.write(JSON.stringify(pairs.map(([before, after]) => words(before) === words(after))));
"""


def test_scripts_and_styles_are_small() -> None:
    assert sum(len(served(path)) for path in static_files().values()) <= LARGEST


def test_only_comments_are_left_out_and_every_line_keeps_its_number() -> None:
    for name, path in static_files().items():
        before, after = path.read_text("utf-8").split("\n"), served(path).decode().split("\n")
        assert len(before) == len(after), name
        left_out = [line for line, kept in zip(before, after, strict=True) if line.lstrip() != kept]
        assert not [line for line in left_out if not re.match(r"\s*(/\*|\*)|[^;{}]*(\*/)?$", line)], name
        assert all(kept in (line.lstrip(), "") for line, kept in zip(before, after, strict=True)), name


def test_a_scripts_imports_are_found_each_once_and_all_are_served() -> None:
    found = modules("live/live_page.js")
    assert len(found) == len(set(found))
    assert set(found) <= set(static_files())
    assert {"core/dom.js", "live/overview.js", "charts/line_chart.js"} <= set(found)
    assert "lab/lab_page.js" not in found


def test_a_script_without_its_comments_is_the_same_program() -> None:
    scripts = {name: path for name, path in static_files().items() if name.endswith(".js")}
    pairs = [[path.read_text("utf-8"), served(path).decode()] for path in scripts.values()]
    pairs.append(["const a = 1;\n", "const b = 1;\n"])
    node = shutil.which("node")
    assert node, "node is not installed; apt-get install nodejs"
    told = subprocess.run(
        [node, "--expose-internals", "-e", COMPARE],
        input=json.dumps(pairs),
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    *same, other = json.loads(told)
    assert [name for name, kept in zip(scripts, same, strict=True) if not kept] == []
    assert not other
    assert sum(len(after) for _, after in pairs) < 0.9 * sum(len(before) for before, _ in pairs)
