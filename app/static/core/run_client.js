// The connection to one run: follows its updates, sends its commands, and says what goes wrong.

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
   * @param {string} options.path what is polled under the run's address: status, lab or rounds
   * @param {HTMLElement} [options.host] where the updates are shown; the client catches up when it comes on show
   * @param {(update: Update) => void} options.onUpdate
   * @param {() => void} options.onGone the server does not know the run
   * @param {Notice} [options.notice] where sentences go
   * @param {string} [options.subject] what goes on while the connection is lost
   * @param {() => boolean} [options.isShown] whether the updates are on show, where there is no `host`
   * @param {() => boolean} [options.isQueued] whether the run waits for a place, which a page that closes gives up
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

  /** The id of the run, or nothing. */
  get run() {
    return this.handle.run;
  }

  /** Whether the run is somebody else's: it can be seen and not commanded. */
  get watching() {
    return this.run !== undefined && this.handle.token === undefined;
  }

  /** The address under which the run's pictures and updates lie. */
  get address() {
    return serverUrl(`live/${this.handle.run}`);
  }

  /**
   * Follows a run from its beginning.
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

  /** Asks for updates at once. */
  pollNow() {
    this.poller?.pollNow();
  }

  /** Follows no run. */
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
   * What the server answers to a command to the run; throws an Error with its sentence.
   * @template Answer
   * @param {string} name
   * @param {...unknown} values
   * @returns {Promise<Answer>}
   */
  ask(name, ...values) {
    return sendCommand(name, this.handle.run, this.handle.token, ...values);
  }

  /**
   * Sends a command to the run and asks for updates; gives the run's state, or null after showing what is wrong.
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
 * The sentence of something that was thrown.
 * @param {unknown} error
 */
export function errorSentence(error) {
  return error instanceof Error ? error.message : String(error);
}
