// The embedding explorer: what the server says of the typed names, drawn; and where the visitor's own samples fall.

import { h, put, say, unseen } from "./dom.js";
import { whenKept } from "./kept.js";
import { LabelMap } from "./map.js";
import { Matrices } from "./matrices.js";
import { Rounds } from "./rounds.js";
import { at, call } from "./server.js";

const PATIENCE = 1000; // ms between two questions whether the text encoder is done
const CONTROLS = [["one-hot", "Use one-hot rows"], ["random", "Use random numbers"]];
const LEGEND = [["round", "a name's embedding"]];
const USUAL = { pca: "A flat shadow (PCA) of the embeddings, the same each time: near here need not be near in all dimensions.", umap: "UMAP keeps neighbours together; distances between far groups mean little.", idle: "" };

export function mount({ element, props, trigger }) {
  const host = element.querySelector("#nayer-explorer");
  if (host.childElementCount) return;
  new Explorer({ host, props, trigger });
}

class Explorer {
  constructor({ host, props, trigger }) {
    Object.assign(this, { host, props, trigger });
    this.build(host);
    whenKept(({ run }) => this.rounds.follow(run));
    new ResizeObserver(() => this.appear()).observe(host);
    this.asked = 0;
    window.nayerExplores = (form) => this.ask(form);
    trigger("select", {}); // the form is asked of once, as it stands
  }

  build(host) {
    this.notice = h("div", { class: "notice", hidden: true, role: "alert" });
    this.facts = h("p", { class: "note facts", role: "status" });
    this.map = new LabelMap({ focus: (index) => this.map.highlight(index), umap: () => this.umap(), title: "Where the names lie", legend: LEGEND, usual: USUAL });
    this.rounds = new Rounds({ seen: () => this.seen });
    this.matrices = new Matrices({ focus: (pair) => this.map.highlight(pair) });
    this.answered = h("div", { class: "explorer-grid" }, this.map.element, this.rounds.element, this.matrices.element);
    host.replaceChildren(unseen("Class names and their embeddings", "h2"), this.notice, this.facts, this.answered);
  }

  get seen() {
    return this.host.getClientRects().length > 0;
  }

  appear() {
    if (this.seen && !this.shown) this.rounds.feed?.soon();
    this.shown = this.seen;
  }

  /** Asks for { typed, prompt, latent, encoder }, and again until the text encoder is done; only the last question counts. */
  async ask(form) {
    clearTimeout(this.again);
    this.asked += 1;
    const turn = this.asked;
    const value = await this.answerTo(form);
    if (turn !== this.asked) return;
    this.complain(value);
    if (value.state === "loading") this.again = setTimeout(() => this.ask(form), PATIENCE);
    if (value.state === "ready") this.show(value);
  }

  async answerTo(form) {
    try {
      const answer = await fetch(at("explore"), { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(form) });
      const value = await answer.json();
      return answer.ok ? value : { state: "refused", sentence: value.error };
    } catch {
      // said below
    }
    return { state: "refused", sentence: "The question did not arrive; press Show again." };
  }

  show(value) {
    this.answer = value;
    const { names, latent } = value.asked;
    say(this.facts, `${names.length} names, ${value.width} numbers each. ${value.source}`);
    this.map.update({ facts: { classes: names, anchors: value.anchors }, outputs: [], samples: [] });
    this.matrices.show(value);
    put(this.host, "data-latent", latent);
  }

  complain({ state, sentence, controls }) {
    put(this.notice, "hidden", state === "ready");
    this.notice.className = state === "loading" ? "notice quiet" : "notice";
    if (state === "ready") return this.notice.replaceChildren();
    const buttons = controls ? CONTROLS.map(([latent, name]) => h("button", { type: "button", onclick: () => this.trigger("play", { latent }) }, name)) : [];
    this.notice.replaceChildren(h("span", {}, sentence), ...(buttons.length ? [h("div", { class: "choices" }, ...buttons)] : []));
  }

  async umap() {
    const { names, prompt, latent, seed, encoder } = this.answer.asked;
    try {
      return { outputs: [], samples: [], ...(await call("embeddings_umap", names, prompt, latent, seed, encoder)) };
    } catch (error) {
      return { state: "failed", sentence: error.message };
    }
  }
}
