// The connection to one run: it gets updates, sends commands, and shows errors.

import { leaveQueue, sendCommand, serverUrl } from "./api.js";
import { isVisible, watchVisibility } from "./dom.js";
import { Poller } from "./poller.js";

/** @import { Notice } from "./notice.js" */
/** @import { RunHandle, RunState } from "./types.d.ts" */

/**
 * Follows one run after another.
 * @template {{ seq: number | string, state: RunState }} Update
 */
export class RunClient {
  /**
   * @param {object} options
   * @param {string} options.path the part of the run's address that is polled: status, lab or rounds
   * @param {HTMLElement} [options.host] shows the updates; when it becomes visible, they are requested
   * @param {(update: Update) => void} options.onUpdate
   * @param {() => void} options.onGone called if called if the server does not know the run
   * @param {Notice} [options.notice] shows sentences
   * @param {string} [options.subject] the subject of the sentence about a lost connection
   * @param {() => boolean} [options.isShown] whether the updates are visible, if there is no `host`
   * @param {() => boolean} [options.isQueued] whether the run is queued; it leaves the queue when the page closes
   */
  constructor({ path, host, onUpdate, onGone, notice, subject = "The run continues", isShown, isQueued }) {
    this.path = path;
    this.onUpdate = onUpdate;
    this.onGone = onGone;
    this.notice = notice;
    this.subject = subject;
    this.isShown = isShown ?? (() => !host || isVisible(host));
    /** @type {RunHandle} */
    this.handle = {};
    /** @type {Poller<Update> | null} */
    this.poller = null;
    if (host) watchVisibility(host, (visible) => visible && this.pollNow());
    if (isQueued) addEventListener("pagehide", () => isQueued() && leaveQueue(this.handle));
  }

  /** The id of the run; empty if there is none. */
  get run() {
    return this.handle.run;
  }

  /** Whether the run belongs to another visitor, so that it can be watched but not controlled. */
  get watching() {
    return this.run !== undefined && this.handle.token === undefined;
  }

  /** The address of the run's pictures and updates. */
  get address() {
    return serverUrl(`live/${this.handle.run}`);
  }

  /**
   * Follows a run from its start.
   * @param {RunHandle} handle
   */
  follow(handle) {
    this.close();
    this.handle = handle;
    this.poller = new Poller({
      address: this.address,
      path: this.path,
      onUpdate: this.onUpdate,
      onGone: this.onGone,
      isVisible: this.isShown,
      onConnection: (lost) => this.notice?.show(lost ? `Reconnecting… ${this.subject}.` : "", "quiet"),
    });
  }

  /** Asks for updates now. */
  pollNow() {
    this.poller?.pollNow();
  }

  /** Stops following the run. */
  forget() {
    this.close();
    this.handle = {};
  }

  /** Ends the updates. */
  close() {
    this.poller?.close();
    this.poller = null;
  }

  /**
   * The server's answer to a command for the run. Throws an Error with the server's sentence.
   * @template Answer
   * @param {string} name
   * @param {...unknown} values
   * @returns {Promise<Answer>}
   */
  ask(name, ...values) {
    return sendCommand(name, this.handle.run, this.handle.token, ...values);
  }

  /**
   * Sends a command to the run and asks for updates. Returns the run's state, or null after it has shown an error.
   * @param {string} name
   * @param {...unknown} values
   * @returns {Promise<RunState | null>}
   */
  async command(name, ...values) {
    try {
      /** @type {{ state: RunState }} */
      const { state } = await this.ask(name, ...values);
      return state;
    } catch (error) {
      this.notice?.show(errorSentence(error));
      return null;
    } finally {
      this.pollNow();
    }
  }
}

/**
 * The sentence of an error.
 * @param {unknown} error
 */
export function errorSentence(error) {
  return error instanceof Error ? error.message : String(error);
}
