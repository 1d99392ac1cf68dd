// The tab Embeddings: the server's answer about the typed names, and the samples of the visitor's own run.

import { EmbeddingMap } from "../charts/embedding_map.js";
import { HeatmapPair } from "../charts/heatmap_pair.js";
import { callEndpoint } from "../core/api.js";
import { find, h, hiddenText, setAttribute, setText } from "../core/dom.js";
import { EmbeddingQuery } from "../core/embedding_query.js";
import { Notice } from "../core/notice.js";
import { errorSentence } from "../core/run_client.js";
import { watchVisitor } from "../core/storage.js";
import { SampleRounds } from "./sample_rounds.js";

/** @import { EmbeddingAnswer, GradioMount, UmapAnswer } from "../core/types.d.ts" */

/** @param {GradioMount<object>} mounted */
export function mount({ element, trigger }) {
  const host = find(element, "#nayer-explorer", HTMLElement);
  if (!host.childElementCount) new EmbeddingsPage(host, trigger);
}

/** The page of names and their embeddings. */
class EmbeddingsPage {
  /**
   * @param {HTMLElement} host
   * @param {GradioMount<object>["trigger"]} trigger
   */
  constructor(host, trigger) {
    this.host = host;
    /** @type {EmbeddingAnswer | null} */
    this.answer = null;
    const notice = new Notice();
    this.query = new EmbeddingQuery({
      notice,
      button: "Show",
      onAnswer: (answer) => this.show(answer),
      onKept: () => this.describe("Still shown: "),
      onTable: (latent) => trigger("play", { latent }),
    });
    this.facts = h("p", { class: "note facts", role: "status" });
    this.map = new EmbeddingMap({
      umap: () => this.fetchUmap(),
      title: "Map of the names",
      legend: [["round", "embedding of a name"]],
      notes: {
        pca: "A 2-D projection (PCA) of the embeddings. Points that are close here may be far apart in the full space.",
        umap: "UMAP keeps neighbors together. Distances between far groups mean little.",
      },
    });
    this.rounds = new SampleRounds(host);
    this.heatmaps = new HeatmapPair({ focus: (pair) => this.map.highlight(pair) });
    host.replaceChildren(
      hiddenText("Class names and their embeddings", "h2"),
      notice.element,
      this.facts,
      h("div", { class: "explorer-grid" }, this.map.element, this.rounds.element, this.heatmaps.element),
    );
    watchVisitor(({ run }) => this.rounds.follow(run));
    window.nayerEmbed = (form) => this.query.ask(form);
    trigger("select", {}); // Gradio answers with the present values of the form
  }

  /** @param {EmbeddingAnswer} answer */
  show(answer) {
    this.answer = answer;
    const { names, latent } = answer.asked;
    this.describe();
    this.map.update({ facts: { classes: names, anchors: answer.anchors }, outputs: [], samples: [] });
    this.heatmaps.show(answer);
    setAttribute(this.host, "data-latent", latent);
  }

  /**
   * Shows which names the panels have.
   * @param {string} [label] a text before it, for an answer that is not the newest
   */
  describe(label = "") {
    if (!this.answer) return;
    const { names } = this.answer.asked;
    const which = label && `${names.slice(0, 3).join(", ")}${names.length > 3 ? "…" : ""}: `;
    setText(
      this.facts,
      `${label}${which}${names.length} names, ${this.answer.width} numbers each. ${this.answer.source}`,
    );
  }

  /** @returns {Promise<UmapAnswer | null>} */
  async fetchUmap() {
    if (!this.answer) return null;
    const { names, prompt, latent, seed, encoder } = this.answer.asked;
    try {
      return await callEndpoint("embeddings_umap", names, prompt, latent, seed, encoder);
    } catch (error) {
      return { state: "failed", sentence: errorSentence(error) };
    }
  }
}
