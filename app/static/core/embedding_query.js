// Asks the server about typed class names, and again until the text encoder is done.

import { serverUrl } from "./api.js";
import { h } from "./dom.js";

/** @import { EmbeddingAnswer, EmbeddingDelay, EmbeddingForm } from "./types.d.ts" */
/** @import { Notice } from "./notice.js" */

const RETRY_WAIT = 1000; // ms
const ENCODER_FREE_TABLES = { "one-hot": "Use one-hot rows", random: "Use random numbers" };

/** One question at a time: only the answer to the last one counts. */
export class EmbeddingQuery {
  /**
   * @param {object} options
   * @param {Notice} options.notice says what the server waits for or refuses
   * @param {string} options.button the name of the button that asks again
   * @param {(answer: EmbeddingAnswer) => void} options.onAnswer
   * @param {() => void} [options.onKept] there is no new answer: what is on show belongs to the one before
   * @param {(table: string) => void} [options.onTable] the visitor picks a table that needs no encoder
   */
  constructor({ notice, button, onAnswer, onKept, onTable }) {
    this.notice = notice;
    this.button = button;
    this.onAnswer = onAnswer;
    this.onKept = onKept;
    this.onTable = onTable;
    this.count = 0;
    /** @type {number | undefined} */
    this.timer = undefined;
  }

  /** @param {EmbeddingForm} form */
  async ask(form) {
    clearTimeout(this.timer);
    this.count += 1;
    const count = this.count;
    const answer = await this.fetch(form);
    if (count !== this.count) return;
    if (answer.state === "ready") {
      this.notice.show("");
      this.onAnswer(answer);
      return;
    }
    this.onKept?.();
    const buttons = answer.controls && this.onTable ? tableButtons(this.onTable) : [];
    this.notice.show(answer.sentence, answer.state === "loading" ? "quiet" : "alert", buttons);
    if (answer.state === "loading") this.timer = window.setTimeout(() => this.ask(form), RETRY_WAIT);
  }

  /**
   * @param {EmbeddingForm} form
   * @returns {Promise<EmbeddingAnswer | EmbeddingDelay>}
   */
  async fetch(form) {
    try {
      const answer = await fetch(serverUrl("explore"), {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(form),
      });
      const said = await answer.json();
      // 429 says that others come first; any other refusal is a sentence
      return answer.ok || answer.status === 429 ? said : { state: "refused", sentence: said.error };
    } catch {
      // the sentence below says so
    }
    return { state: "refused", sentence: `The server did not receive the request. Press ${this.button} again.` };
  }
}

/**
 * Buttons for the tables that need no text encoder.
 * @param {(table: string) => void} onTable
 */
export function tableButtons(onTable) {
  return Object.entries(ENCODER_FREE_TABLES).map(([table, title]) =>
    h("button", { type: "button", onclick: () => onTable(table) }, title),
  );
}
