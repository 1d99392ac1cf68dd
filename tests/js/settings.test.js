import assert from "node:assert/strict";
import { test } from "node:test";
import { parseSettings } from "../../app/static/core/settings.js";

test("settings are numbers, truth values, or texts for the server to judge", () => {
  assert.deepEqual(parseSettings("  a=1 b=x\tc=true\nd=false e=-0.5 f=1e3 "), {
    a: 1,
    b: "x",
    c: true,
    d: false,
    e: -0.5,
    f: 1000,
  });
});

test("what is half written arrives as it is written", () => {
  assert.deepEqual(parseSettings("a= b c=d=e f=NaN"), { a: "", b: "", c: "d=e", f: "NaN" });
  assert.deepEqual(parseSettings(" "), {});
});
