// The data that stays after a reload. If the browser denies storage, the data stays until the page is closed.

/** @import { RunHandle, Visitor } from "./types.d.ts" */

/** Values by name in the browser's storage, or in memory if the storage refuses them. */
export class Store {
  /** @param {() => Pick<Storage, "getItem" | "setItem" | "removeItem">} open may throw an Error */
  constructor(open) {
    this.open = open;
    /** @type {Map<string, object | null>} */
    this.refused = new Map(); // values that the storage refused
  }

  /**
   * The value; an empty object if there is none or if it cannot be read.
   * @param {string} name
   * @returns {object}
   */
  read(name) {
    if (this.refused.has(name)) return this.refused.get(name) ?? {};
    try {
      const value = JSON.parse(this.open().getItem(name) ?? "{}");
      return typeof value === "object" && value !== null ? value : {};
    } catch {
      return {};
    }
  }

  /**
   * Stores a value; null removes it.
   * @param {string} name
   * @param {object | null} value
   */
  write(name, value) {
    try {
      if (value === null) this.open().removeItem(name);
      else this.open().setItem(name, JSON.stringify(value));
      this.refused.delete(name);
    } catch {
      this.refused.set(name, value);
    }
  }
}

const VISITOR = "nayer-run"; // also the name of the event that reports a change on this page
const LAB = "nayer-lab";
const FOLDS = "nayer-folds";
const store = new Store(() => localStorage);

/**
 * The visitor's token, live run and lesson.
 * @returns {Visitor}
 */
export function readVisitor() {
  return store.read(VISITOR);
}

/** @param {Visitor} visitor */
export function storeVisitor(visitor) {
  store.write(VISITOR, visitor);
  dispatchEvent(new CustomEvent(VISITOR));
}

/**
 * Calls `onChange` now and whenever the visitor's run changes on this page.
 * @param {(visitor: Visitor) => void} onChange
 */
export function watchVisitor(onChange) {
  addEventListener(VISITOR, () => onChange(readVisitor()));
  onChange(readVisitor());
}

/**
 * The run of the reset lab.
 * @returns {RunHandle}
 */
export function readLab() {
  return store.read(LAB);
}

/** @param {RunHandle | null} lab null removes it */
export function storeLab(lab) {
  store.write(LAB, lab);
}

const TEACHING = "nayer-class";
const session = new Store(() => sessionStorage);

/** Whether this page shows its runs to a class. */
export const isTeaching = () => "on" in session.read(TEACHING);

/** @param {boolean} on */
export function storeTeaching(on) {
  session.write(TEACHING, on ? { on } : null);
}

/**
 * Which folds are open, by name.
 * @returns {Record<string, boolean>}
 */
export function readFolds() {
  return { ...store.read(FOLDS) };
}

/** @param {Record<string, boolean>} folds */
export function storeFolds(folds) {
  store.write(FOLDS, folds);
}
