"""The page's scripts and styles as browsers get them: the same programs, and small."""

from __future__ import annotations

import json
import shutil
import subprocess

from app.api.static_files import sent, static_files

BYTES = 350_000  # of all scripts and styles, uncompressed
# Reads pairs of programs, and writes for each whether node's own parser finds the same words in both.
COMPARE = """
const { tokenizer } = require("internal/deps/acorn/acorn/dist/acorn");
const words = (code) =>
  JSON.stringify([...tokenizer(code, { ecmaVersion: "latest", sourceType: "module" })].map(({ value, type }) => [
    String(value), type.label]));
const pairs = JSON.parse(require("node:fs").readFileSync(0, "utf-8"));
process.stdout.write(JSON.stringify(pairs.map(([before, after]) => words(before) === words(after))));
"""


def test_a_script_without_its_comments_is_the_same_program() -> None:
    scripts = {name: path for name, path in static_files().items() if name.endswith(".js")}
    pairs = [[path.read_text("utf-8"), sent(path).decode()] for path in scripts.values()]
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


def test_all_scripts_and_styles_together_are_small() -> None:
    sizes = {name: len(sent(path)) for name, path in static_files().items() if not name.endswith(".svg")}
    assert sum(sizes.values()) <= BYTES, sorted(sizes.items(), key=lambda one: -one[1])[:10]
