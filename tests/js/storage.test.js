import assert from "node:assert/strict";
import { test } from "node:test";
import { Store } from "../../app/static/core/storage.js";

/** A browser's storage in memory. */
class FakeStorage {
  constructor() {
    /** @type {Map<string, string>} */
    this.values = new Map();
  }

  /** @param {string} name */
  getItem(name) {
    return this.values.get(name) ?? null;
  }

  /**
   * @param {string} name
   * @param {string} value
   */
  setItem(name, value) {
    this.values.set(name, value);
  }

  /** @param {string} name */
  removeItem(name) {
    this.values.delete(name);
  }
}

test("what is kept is read again, also by another page of the browser", () => {
  const storage = new FakeStorage();
  const [one, other] = [new Store(() => storage), new Store(() => storage)];
  one.write("run", { run: "x" });
  assert.deepEqual(other.read("run"), { run: "x" });
  other.write("run", null);
  assert.deepEqual(one.read("run"), {});
});

test("where storage is denied the page keeps it in memory", () => {
  const store = new Store(() => {
    throw new DOMException("Access is denied.", "SecurityError");
  });
  assert.deepEqual(store.read("run"), {});
  store.write("run", { token: "t" });
  assert.deepEqual(store.read("run"), { token: "t" });
  store.write("run", null);
  assert.deepEqual(store.read("run"), {});
});

test("a full storage costs nothing of what is written", () => {
  const storage = new FakeStorage();
  const store = new Store(() => storage);
  store.write("run", { run: "old" });
  storage.setItem = () => {
    throw new DOMException("It is full.", "QuotaExceededError");
  };
  store.write("run", { run: "new" });
  assert.deepEqual(store.read("run"), { run: "new" });
});

test("what cannot be read is as if it were not there", () => {
  for (const text of ["{", "null", "3", '"x"']) {
    const storage = new FakeStorage();
    storage.setItem("run", text);
    assert.deepEqual(new Store(() => storage).read("run"), {}, text);
  }
});
