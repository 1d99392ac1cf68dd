// The architecture's rules: which room may import which, and what every function says of itself.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const STATIC = fileURLToPath(new URL("../../app/static", import.meta.url));
/** What each room may import besides itself. The pages do not know each other. */
const ROOMS = {
  core: [],
  charts: ["core"],
  panels: ["core", "charts"],
  live: ["core", "charts", "panels"],
  lab: ["core", "charts", "panels"],
  lessons: ["core", "charts", "panels"],
  embeddings: ["core", "charts"],
  runs: ["core", "charts"],
  status: ["core"],
  run_page: ["core", "charts", "panels", "live"], // the page of one run, which is a file of its own
};
const scripts = Object.keys(ROOMS).flatMap((room) =>
  readdirSync(join(STATIC, room))
    .filter((name) => name.endsWith(".js"))
    .map((name) => `${room}/${name}`),
);

/** @param {string} script */
const read = (script) => readFileSync(join(STATIC, script), "utf-8");

/**
 * The scripts that a script imports when it runs; types are no imports.
 * @param {string} script
 */
function imports(script) {
  const statements = read(script).matchAll(/^(?:import|export)\b[^;]*?from "([^"]+)";$/gms);
  return [...statements].map(([, path]) => normalize(join(dirname(script), path)));
}

test("the rooms are the folders", () => {
  assert.deepEqual(readdirSync(STATIC).sort(), Object.keys(ROOMS).sort());
});

for (const [room, allowed] of Object.entries(ROOMS))
  test(`${room} imports itself${allowed.map((name) => `, ${name}`).join("")} and nothing else`, () => {
    for (const script of scripts.filter((name) => dirname(name) === room))
      for (const imported of imports(script)) {
        assert.ok([room, ...allowed].includes(dirname(imported)), `${script} imports ${imported}`);
        assert.ok(scripts.includes(imported), `${script} imports ${imported}, which does not exist`);
      }
  });

test("imports go one way", () => {
  /**
   * @param {string} script
   * @param {string[]} path that led to it
   */
  const follow = (script, path) => {
    assert.ok(!path.includes(script), [...path, script].join(" → "));
    for (const imported of imports(script)) follow(imported, [...path, script]);
  };
  for (const script of scripts) follow(script, []);
});

test("only the guarded storage touches the browser's", () => {
  const touching = scripts.filter((script) => /\b(?:localStorage|sessionStorage)\b/.test(read(script)));
  assert.deepEqual(touching, ["core/storage.js"]);
});

test("only the poller asks for a run's updates", () => {
  const asking = scripts.filter((script) => read(script).includes("?since="));
  assert.deepEqual(asking, ["core/poller.js"]);
});

test("every script begins with what it is for", () => {
  for (const script of scripts) assert.match(read(script), /^\/\/ [A-Z`].*\.$/m, script);
});

test("every class and function says what it does or what it takes", () => {
  const definition =
    /^(?:(?:export )?(?:async )?(?:function|class) \w+|(?:export )?const \w+ = (?:async )?\(.*=>| {2}(?!if|for|while|switch|constructor)(?:async |get |set |static )*\w+\(.*\) \{$)/;
  for (const script of scripts) {
    const lines = read(script).split("\n");
    for (const [i, line] of lines.entries())
      if (definition.test(line)) assert.match(lines[i - 1], /\*\/$/, `${script}:${i + 1} ${line}`);
  }
});
