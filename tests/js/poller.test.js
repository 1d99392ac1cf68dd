import assert from "node:assert/strict";
import { test } from "node:test";
import { Poller } from "../../app/static/core/poller.js";

/** @import { RunState } from "../../app/static/core/types.d.ts" */
/** @typedef {{ seq: number, state: RunState }} Update */
/** @typedef {{ status: number, update?: Update, again?: string } | "no connection"} Answer */

/** A browser whose answers and clock the test holds. */
class FakeBrowser {
  /** @param {Answer[]} answers the last one is given again and again */
  constructor(answers) {
    this.answers = answers;
    /** @type {string[]} */
    this.asked = [];
    /** @type {(() => void) | null} */
    this.timer = null;
    this.wait = -1; // ms until the timer
    this.hidden = false;
    /** @type {Set<() => void>} */
    this.listeners = new Set();
  }

  /** @param {string} address */
  async fetch(address) {
    this.asked.push(address);
    const answer = this.answers.length > 1 ? this.answers.shift() : this.answers[0];
    if (!answer || answer === "no connection") throw new TypeError("fetch failed");
    const { status, update, again } = answer;
    return new Response(update ? JSON.stringify(update) : null, {
      status,
      headers: again ? { "Ask-Again": again } : {},
    });
  }

  /**
   * @param {() => void} then
   * @param {number} ms
   */
  setTimeout(then, ms) {
    this.timer = then;
    this.wait = ms;
    return 1;
  }

  clearTimeout() {
    this.timer = null;
  }

  isHidden() {
    return this.hidden;
  }

  /** @param {() => void} listener */
  onTabChange(listener) {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Lets what is under way come to its end. */
  async settle() {
    await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
  }

  /** Lets the time pass until the timer. */
  async pass() {
    const then = this.timer;
    this.timer = null;
    then?.();
    await this.settle();
  }
}

/**
 * A poller in a fake browser, and what it says.
 * @param {Answer[]} answers
 */
async function polling(answers) {
  const browser = new FakeBrowser(answers);
  /** @type {unknown[]} */
  const said = [];
  const page = { visible: true };
  /** @type {Poller<Update>} */
  const poller = new Poller({
    address: "live/x",
    path: "status",
    onUpdate: ({ seq }) => said.push(seq),
    onGone: () => said.push("gone"),
    onConnection: (lost) => said.push(lost ? "lost" : "back"),
    isVisible: () => page.visible,
    browser,
  });
  await browser.settle();
  return { browser, poller, said, page };
}

test("it asks for what is new since the last update, when the server says so", async () => {
  const { browser, said } = await polling([
    { status: 200, update: { seq: 7, state: "running" }, again: "2.5" },
    { status: 204, again: "0.5" },
  ]);
  assert.deepEqual(said, [7]);
  assert.equal(browser.wait, 2500);
  await browser.pass();
  assert.deepEqual(browser.asked, ["live/x/status?since=0", "live/x/status?since=7"]);
  assert.equal(browser.wait, 500);
});

test("it asks rarely while nobody looks, and takes no update then", async () => {
  const { browser, page, said } = await polling([{ status: 204, again: "1" }]);
  page.visible = false;
  browser.answers = [{ status: 200, update: { seq: 3, state: "running" }, again: "1" }];
  await browser.pass();
  assert.deepEqual(said, []);
  assert.equal(browser.wait, 30000);
  page.visible = true;
  await browser.pass();
  assert.deepEqual(said, [3]);
  browser.hidden = true;
  await browser.pass();
  assert.equal(browser.wait, 30000);
});

test("it asks at once when the browser's tab comes on show", async () => {
  const { browser } = await polling([{ status: 204 }]);
  for (const listener of browser.listeners) listener();
  await browser.settle();
  assert.equal(browser.asked.length, 2);
});

test("it ends with the run, and with a run that the server does not know", async () => {
  const ended = await polling([{ status: 200, update: { seq: 1, state: "finished" } }]);
  assert.equal(ended.browser.timer, null);
  assert.equal(ended.browser.listeners.size, 0);
  const gone = await polling([{ status: 404 }]);
  assert.deepEqual(gone.said, ["gone"]);
  assert.equal(gone.browser.timer, null);
});

test("it waits longer with each failure, says once that the connection is lost, and once that it is back", async () => {
  const { browser, said } = await polling(["no connection"]);
  const waits = [browser.wait];
  for (let i = 0; i < 4; i++) {
    await browser.pass();
    waits.push(browser.wait);
  }
  assert.deepEqual(waits, [2000, 4000, 8000, 10000, 10000]);
  assert.deepEqual(said, ["lost"]);
  browser.answers = [{ status: 204, again: "1" }];
  await browser.pass();
  await browser.pass();
  assert.deepEqual(said, ["lost", "back"]);
  assert.equal(browser.wait, 1000);
});

test("it leaves a server in peace that has too much to do", async () => {
  const { browser, said } = await polling([{ status: 429 }]);
  assert.equal(browser.wait, 12000);
  browser.answers = [{ status: 500 }];
  await browser.pass();
  assert.equal(browser.wait, 2000);
  assert.deepEqual(said, []);
});

test("two questions are never under way, and nobody who asks meanwhile waits for the timer", async () => {
  const { browser, poller } = await polling([{ status: 204, again: "9" }]);
  poller.pollNow();
  poller.pollNow();
  poller.pollNow();
  assert.equal(browser.asked.length, 2);
  await browser.settle();
  assert.equal(browser.wait, 0);
});

test("a closed poller says nothing more", async () => {
  const { browser, poller, said } = await polling([{ status: 204 }]);
  browser.answers = [{ status: 200, update: { seq: 1, state: "running" } }];
  poller.pollNow();
  poller.close();
  await browser.settle();
  assert.deepEqual(said, []);
  assert.equal(browser.timer, null);
});
