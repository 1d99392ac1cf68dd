// Sends class names to the server, and sends them again until the text encoder is done.

import { serverUrl } from "./api.js";
import { h } from "./dom.js";

/** @import { EmbeddingAnswer, EmbeddingDelay, EmbeddingForm } from "./types.d.ts" */
/** @import { Notice } from "./notice.js" */

const RETRY_WAIT = 1000; // ms
const ENCODER_FREE_TABLES = { "one-hot": "Use one-hot rows", random: "Use random numbers" };

/** Has one request at a time: only the answer to the latest one counts. */
export class EmbeddingQuery {
  /**
   * @param {object} options
   * @param {Notice} options.notice shows what the server waits for or refuses
   * @param {string} options.button the name of the button that asks again
   * @param {(answer: EmbeddingAnswer) => void} options.onAnswer
   * @param {() => void} [options.onKept] called if there is no new answer, so that the previous one stays
   * @param {(table: string) => void} [options.onTable] called when the visitor chooses a table that needs no encoder
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
      const content = await answer.json();
      // 429: other visitors come first; any other refusal has a sentence
      return answer.ok || answer.status === 429 ? content : { state: "refused", sentence: content.error };
    } catch {
      // the sentence below reports it
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
