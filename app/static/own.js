// A teacher of the visitor's own: two files, perhaps names and test images, sent at once and answered in sentences.

import { h, put } from "./dom.js";
import { about } from "./explained.js";
import { keep, remembered } from "./kept.js";
import { offer } from "./offered.js";
import { at } from "./server.js";

const CONTROLS = [["one-hot", "Use one-hot rows"], ["random", "Use random numbers"]];

export function mount({ element, props, trigger }) {
  const host = element.querySelector("#nayer-own");
  if (host.childElementCount) return;
  new OwnTeacher({ host, props, trigger });
}

class OwnTeacher {
  constructor({ host, props, trigger }) {
    Object.assign(this, { props, trigger });
    this.config = chooser("own-config", ".json,application/json");
    this.weights = chooser("own-weights", ".safetensors");
    this.tests = chooser("own-tests", ".zip,.parquet");
    this.names = h("textarea", { id: "own-names", rows: 3 });
    this.send = h("button", { type: "submit", class: "primary" }, "Check and use it");
    this.answer = h("div", { class: "notice quiet", role: "status", hidden: true });
    const form = h("form", { class: "own" }, h("p", { class: "note" }, props.info, " ", about(["control/own_teacher", "control/names", "setting/test_data"], "your own teacher")), field("config.json", this.config), field("model.safetensors", this.weights), field("Class names", this.names, props.names), field("Test images", this.tests, props.tests), this.send, this.answer);
    form.addEventListener("submit", (event) => this.bring(event));
    host.replaceChildren(form);
  }

  async bring(event) {
    event.preventDefault();
    const [config, weights, tests] = [this.config, this.weights, this.tests].map((input) => input.files[0]);
    if (!config || !weights) return this.tell(["Choose config.json and model.safetensors first."], true);
    const size = [config, weights, tests].reduce((sum, file) => sum + (file?.size ?? 0), 0);
    if (size > this.props.most) return this.tell([`The files are ${megabytes(size)} MB; at most ${megabytes(this.props.most)} MB can be sent.`], true);
    put(this.send, "disabled", true);
    this.tell(["The files are being checked…"]);
    const value = await this.sent({ config, weights, tests, classes: this.names.value, token: remembered().token ?? "" });
    put(this.send, "disabled", false);
    if (value.error) return this.tell([value.error], true);
    keep({ ...remembered(), token: value.token });
    offer(value.card);
    this.trigger("select", { teacher: value.teacher, title: value.card.title });
    this.tell([`“${value.card.title}” is chosen, with ${value.card.classes.length} classes.`, ...value.said]);
    if (value.table === "unsure") this.answer.append(h("div", { class: "choices" }, ...CONTROLS.map(([latent, name]) => h("button", { type: "button", onclick: () => this.trigger("play", { latent }) }, name))));
  }

  async sent(parts) {
    const body = new FormData();
    for (const [name, part] of Object.entries(parts)) if (part) body.append(name, part);
    try {
      const answer = await fetch(at("bring"), { method: "POST", body });
      return answer.status === 413 ? { error: "The files are larger than can be sent." } : await answer.json();
    } catch {
      return { error: "The files did not arrive; try again." };
    }
  }

  tell(sentences, refused = false) {
    this.answer.className = refused ? "notice" : "notice quiet";
    put(this.answer, "hidden", false);
    this.answer.replaceChildren(...sentences.map((sentence) => h("p", {}, sentence)));
  }
}

const megabytes = (bytes) => (bytes / 2 ** 20).toFixed(1);

const chooser = (id, accept) => h("input", { id, type: "file", accept });

function field(title, input, info = "") {
  return h("label", { for: input.id }, h("b", {}, title), input, info ? h("span", { class: "info" }, info) : null);
}
