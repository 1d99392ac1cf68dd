// What the page keeps over reloads. Where the browser denies storage it is kept until the page is left.

/** @import { RunHandle, Visitor } from "./types.d.ts" */

/** Values by name in a browser's storage, and in memory where that refuses. */
export class Store {
  /** @param {() => Pick<Storage, "getItem" | "setItem" | "removeItem">} open gives the storage, or throws where it is denied */
  constructor(open) {
    this.open = open;
    /** @type {Map<string, object | null>} */
    this.refused = new Map(); // what the storage did not take
  }

  /**
   * The value, or an empty object where there is none or what is there cannot be read.
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
   * Keeps a value; null forgets it.
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

const VISITOR = "nayer-run"; // also the event that says so on this page
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

/** @param {RunHandle | null} lab null forgets it */
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
