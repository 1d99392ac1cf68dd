import assert from "node:assert/strict";
import { test } from "node:test";
import {
  comparedRuns,
  compareUrl,
  isClassCode,
  labAddressError,
  labUrl,
  lessonNumber,
  lessonUrl,
  namesNoRun,
  readAddress,
  readLabAddress,
  runUrl,
  settingsUrl,
  shownUrl,
  tabName,
  tabUrl,
  watchUrl,
} from "../../app/static/core/router.js";

const PAGE = "http://127.0.0.1/page/";

test("a lesson is a whole number from 1 to the last", () => {
  for (const [search, number] of /** @type {[string, number | null][]} */ ([
    ["?lesson=3", 3],
    ["?lesson=99", 8],
    ["?lesson=0", null],
    ["?lesson=-1", null],
    ["?lesson=1.5", null],
    ["?lesson=one", null],
    ["?seed=3", null],
    ["", null],
  ]))
    assert.equal(lessonNumber(PAGE + search, 8), number, search);
});

test("the address of a lesson keeps all else, and without one nothing of it is left", () => {
  const address = lessonUrl(`${PAGE}?seed=7`, 4);
  assert.equal(address, `${PAGE}?seed=7&lesson=4`);
  assert.equal(lessonUrl(address, null), `${PAGE}?seed=7`);
  const followed = `${PAGE}?lesson=4&lab=abc&join=X`;
  assert.equal(lessonUrl(followed, 4), followed);
  assert.equal(lessonUrl(followed, 5), `${PAGE}?lesson=5&join=X`);
});

test("the address that sets a run up says what it says when it is read", () => {
  const settings = { preset: "nayer", seed: "3", latent: "one-hot" };
  const address = settingsUrl(`${PAGE}?watch=old&lesson=2`, settings, ["field-seed", "all-settings"]);
  assert.deepEqual(readAddress(address), {
    watch: null,
    run: null,
    settings,
    hidden: ["field-seed", "all-settings"],
  });
});

test("the link to a run names that run and nothing else", () => {
  const address = watchUrl(`${PAGE}?preset=nayer`, "aB-3_");
  assert.deepEqual(readAddress(address), { watch: "aB-3_", run: null, settings: null, hidden: [] });
});

test("what is no id, no setting and no field is ignored", () => {
  const address = `${PAGE}?watch=../x&Seed=1&teacher=digits&__proto__=1&hide=body+toString+field-seed`;
  assert.deepEqual(readAddress(address), {
    watch: null,
    run: null,
    settings: { teacher: "digits" },
    hidden: ["field-seed"],
  });
});

test("settings without a preset or a teacher set no run up", () => {
  assert.equal(readAddress(`${PAGE}?seed=7`).settings, null);
});

test("a tab is in the address, and a lesson opens its own tab", () => {
  for (const [search, name] of /** @type {[string, string][]} */ ([
    ["", "live"],
    ["?tab=lab", "lab"],
    ["?tab=embeddings", "embeddings"],
    ["?lesson=3", "learn"],
    ["?tab=toString", "live"],
  ]))
    assert.equal(tabName(PAGE + search), name, search);
  assert.equal(tabUrl(`${PAGE}?seed=7&lesson=3`, "lab"), `${PAGE}?seed=7&tab=lab`);
  assert.equal(tabUrl(`${PAGE}?seed=7&tab=lab`, "live"), `${PAGE}?seed=7`);
  assert.equal(lessonUrl(`${PAGE}?tab=lab`, 2), `${PAGE}?lesson=2`);
  assert.deepEqual(readAddress(`${PAGE}?tab=lab&preset=nayer`).settings, { preset: "nayer" });
});

test("the run on show is in the address beside all else, on every tab", () => {
  const address = runUrl(`${PAGE}?preset=nayer&tab=lab`, "aB-3_");
  assert.deepEqual(readAddress(address), {
    watch: null,
    run: "aB-3_",
    settings: { preset: "nayer" },
    hidden: [],
  });
  assert.equal(tabName(address), "lab");
  assert.equal(readAddress(tabUrl(address, "live")).run, "aB-3_");
  assert.equal(runUrl(address, null), `${PAGE}?preset=nayer&tab=lab`);
  assert.equal(readAddress(`${PAGE}?run=../x`).run, null);
});

test("runs that are compared are in the address of their tab, each once, and leave with it", () => {
  const address = compareUrl(`${PAGE}?run=c&lesson=3`, ["a", "b"]);
  assert.equal(tabName(address), "runs");
  assert.deepEqual(comparedRuns(address), ["a", "b"]);
  assert.deepEqual(comparedRuns(`${PAGE}?compare=a+b+a+../x`), ["a", "b"]);
  assert.deepEqual(comparedRuns(tabUrl(address, "lab")), []);
  assert.equal(readAddress(address).run, "c");
  assert.equal(readAddress(address).settings, null);
});

test("a lab is found again by its link, and so is the form by the link of its plan", () => {
  const link = labUrl(PAGE, { lab: "abc-DEF_123" });
  assert.equal(tabName(link), "lab");
  assert.deepEqual(readLabAddress(link), { lab: "abc-DEF_123", plan: null });
  assert.equal(readAddress(link).settings, null);
  const plan = {
    experiment: "",
    teacher: "digits",
    seed: 7,
    work: 12.5,
    repeats: 3,
    arms: [{ title: "a&b = 1?", preset: "dfq", settings: { routing: "single", noisy_layer: false, bn_weight: 0.5 } }],
  };
  const filled = labUrl(PAGE, { plan });
  assert.deepEqual(readLabAddress(filled), { lab: null, plan });
  assert.equal(readAddress(filled).settings, null);
});

test("what is no lab and no plan is left out", () => {
  for (const search of ["?lab=../x", "?plan=", "?plan=3", "?plan=null", "?plan={", "?plan=[]&lab=a b"]) {
    const { lab, plan } = readLabAddress(PAGE + search);
    assert.equal(lab, null, search);
    assert.ok(plan === null || plan.arms.length === 0, search);
  }
});

test("a class sees a run where its teacher shows it, and gives no settings", () => {
  const run = "abc-DEF_123";
  const places = /** @type {[string, string][]} */ ([
    ["live", "live"],
    ["lab", "lab"],
    ["lesson-4", "learn"],
  ]);
  for (const [place, tab] of places) {
    const href = shownUrl(PAGE, { run, place }, "ABCDEF");
    const { watch, settings } = readAddress(href);
    assert.equal(tabName(href), tab);
    assert.equal(watch ?? readLabAddress(href).lab, run);
    assert.equal(lessonNumber(href), tab === "learn" ? 4 : null);
    assert.equal(new URL(href).searchParams.get("join"), "ABCDEF");
    assert.equal(settings, null);
  }
  assert.equal(shownUrl(`${PAGE}?lesson=2`, null, ""), `${PAGE}?join=`);
  assert.equal(shownUrl(`${PAGE}?join=X`, null, null), PAGE);
});

test("a link whose run, lab or plan can be none is told so, and one that names none is not", () => {
  for (const word of ["../x", "<img src=x>", "a b", "x".repeat(65), "\ufffd%A"]) {
    const named = encodeURIComponent(word);
    assert.equal(namesNoRun(`${PAGE}?watch=${named}`, "watch"), true, word);
    assert.match(labAddressError(`${PAGE}?tab=lab&lab=${named}`), /does not exist/);
  }
  for (const search of ["", "?watch=", "?watch=aB-3_", "?run=../x"])
    assert.equal(namesNoRun(PAGE + search, "watch"), false, search);
  for (const plan of ["{", "", "null", "[".repeat(2000)])
    assert.match(labAddressError(`${PAGE}?tab=lab&plan=${plan}`), /cannot be read/);
  assert.equal(labAddressError(`${PAGE}?tab=lab&plan={}`), "");
  assert.equal(labAddressError(`${PAGE}?tab=lab&lab=aB-3_`), "");
});

test("a code of a class has letters and digits, typed in any way", () => {
  for (const code of ["ABCDEF", "abc def", "ab-cd-ef", "0"]) assert.equal(isClassCode(code), true, code);
  for (const code of ["", "..", ".", "a/b", "../health", "<b>", "x".repeat(13), "#", "%00"])
    assert.equal(isClassCode(code), false, code);
});
