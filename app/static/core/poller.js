// Asks the server for updates: often while the page is visible, rarely while it is hidden or the server is busy.

import { hasEnded } from "./model.js";

/** @import { RunState } from "./types.d.ts" */

const FIRST_WAIT = 1000; // ms, until the server has sent its own interval
const HIDDEN_WAIT = 30000; // ms; it only tells the server that the tab is open
const BUSY_WAIT = 12000; // ms after a 429
const LONGEST_WAIT = 10000; // ms between two tries while there is no answer

/**
 * The functions of the browser that a poller uses.
 * @typedef {object} Browser
 * @property {(address: string, options: RequestInit) => Promise<Response>} fetch
 * @property {(then: () => void, ms: number) => number} setTimeout
 * @property {(timer: number | undefined) => void} clearTimeout
 * @property {() => boolean} isHidden whether the browser's tab is hidden
 * @property {(listener: () => void) => () => void} onTabChange reports changes; returns a function that ends this
 */

/** @type {Browser} */
const BROWSER = {
  fetch: (address, options) => fetch(address, options),
  setTimeout: (then, ms) => window.setTimeout(then, ms),
  clearTimeout: (timer) => window.clearTimeout(timer),
  isHidden: () => document.hidden,
  onTabChange: (listener) => {
    document.addEventListener("visibilitychange", listener);
    return () => document.removeEventListener("visibilitychange", listener);
  },
};

/**
 * Polls one path of a run until the run ends.
 * @template {{ seq: number | string, state: RunState }} Update
 */
export class Poller {
  /**
   * @param {object} options
   * @param {string} options.address of the run
   * @param {string} options.path under it
   * @param {(update: Update) => void} options.onUpdate
   * @param {() => void} options.onGone called if called if the server does not know the run
   * @param {(lost: boolean) => void} options.onConnection called when the connection is lost or restored
   * @param {() => boolean} options.isVisible whether the panel with the updates is visible
   * @param {Browser} [options.browser]
   */
  constructor({ address, path, onUpdate, onGone, onConnection, isVisible, browser = BROWSER }) {
    this.address = address;
    this.path = path;
    this.onUpdate = onUpdate;
    this.onGone = onGone;
    this.onConnection = onConnection;
    this.isVisible = isVisible;
    this.browser = browser;
    /** @type {number | string} */
    this.seq = 0;
    this.failures = 0;
    this.closed = false;
    this.busy = false;
    this.again = false;
    /** @type {number | undefined} */
    this.timer = undefined;
    this.unwatch = browser.onTabChange(() => this.pollNow());
    this.pollNow();
  }

  /** Asks now; if a request is in progress, right after its answer. */
  pollNow() {
    if (this.closed) return;
    this.browser.clearTimeout(this.timer);
    if (this.busy) this.again = true;
    else this.poll();
  }

  /** Ends the polling. */
  close() {
    this.closed = true;
    this.browser.clearTimeout(this.timer);
    this.unwatch();
  }

  /** Asks once, and sets the timer for the next request. */
  async poll() {
    this.busy = true;
    const wait = await this.ask();
    this.busy = false;
    if (this.closed) return;
    this.timer = this.browser.setTimeout(() => this.poll(), this.again ? 0 : wait);
    this.again = false;
  }

  /**
   * Asks once. Returns the ms until the next request.
   * @returns {Promise<number>}
   */
  async ask() {
    try {
      const answer = await this.browser.fetch(`${this.address}/${this.path}?since=${this.seq}`, { cache: "no-store" });
      if (this.closed) return 0;
      if (answer.status === 404) {
        this.close();
        this.onGone();
        return 0;
      }
      if (!answer.ok && answer.status !== 429) throw new Error(String(answer.status));
      // A hidden page ignores updates. It gets them later again, when their pictures still exist on the server.
      if (answer.status === 200 && this.isVisible()) this.take(await answer.json());
      if (this.failures > 1) this.onConnection(false);
      this.failures = 0;
      if (answer.status === 429) return BUSY_WAIT;
      if (this.browser.isHidden() || !this.isVisible()) return HIDDEN_WAIT;
      return 1000 * Number(answer.headers.get("Ask-Again")) || FIRST_WAIT;
    } catch {
      if (this.closed) return 0;
      this.failures += 1;
      if (this.failures === 2) this.onConnection(true);
      return Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** this.failures);
    }
  }

  /** @param {Update} update */
  take(update) {
    this.seq = update.seq;
    this.onUpdate(update);
    if (hasEnded(update.state)) this.close();
  }
}
