// The upload of an own teacher: two files, and optional names and test images, in one request.

import { serverUrl } from "../core/api.js";
import { find, h, setAttribute } from "../core/dom.js";
import { tableButtons } from "../core/embedding_query.js";
import { helpButton } from "../core/help.js";
import { readVisitor, storeVisitor } from "../core/storage.js";
import { addTeacher } from "../core/teachers.js";

/** @import { GradioMount, TeacherCard } from "../core/types.d.ts" */

/**
 * The properties of the panel, from Python.
 * @typedef {object} UploadProps
 * @property {number} most bytes that can be sent
 * @property {string} info
 * @property {string} names
 * @property {string} tests
 * @property {string} judge
 */

/** @typedef {{ teacher: string, card: TeacherCard, token: string, said: string[], table: string }} UploadedTeacher */

/** @param {GradioMount<UploadProps>} mounted */
export function mount({ element, props, trigger }) {
  const host = find(element, "#nayer-upload", HTMLElement);
  if (!host.childElementCount) new TeacherUpload(host, props, trigger);
}

/** The form that uploads a teacher. */
class TeacherUpload {
  /**
   * @param {HTMLElement} host
   * @param {UploadProps} props
   * @param {GradioMount<UploadProps>["trigger"]} trigger
   */
  constructor(host, props, trigger) {
    this.limit = props.most;
    this.trigger = trigger;
    this.config = fileInput("upload-config", ".json,application/json");
    this.weights = fileInput("upload-weights", ".safetensors");
    this.tests = fileInput("upload-tests", ".zip,.parquet");
    this.judge = fileInput("upload-judge", ".json,.safetensors", true);
    this.names = h("textarea", { id: "upload-names", rows: 3 });
    this.send = h("button", { type: "submit", class: "primary" }, "Check and use");
    this.answer = h("div", { class: "notice quiet", role: "status", hidden: true });
    const about = helpButton(["control/own_teacher", "control/names", "setting/test_data"], "your own teacher");
    const form = h(
      "form",
      { class: "upload-form" },
      h("p", { class: "note" }, props.info, " ", about),
      field("config.json", this.config),
      field("model.safetensors", this.weights),
      field("Class names", this.names, props.names),
      field("Test images", this.tests, props.tests),
      field("Judge", this.judge, props.judge),
      this.send,
      this.answer,
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.upload();
    });
    host.replaceChildren(form);
  }

  /** Sends the chosen files and shows the result. */
  async upload() {
    const [config, weights, tests] = [this.config, this.weights, this.tests].map((input) => input.files?.[0]);
    if (!config || !weights) {
      this.show(["Choose config.json and model.safetensors first."], "alert");
      return;
    }
    const second = [...(this.judge.files ?? [])];
    const judge_config = second.find(({ name }) => name.endsWith(".json"));
    const judge_weights = second.find(({ name }) => name.endsWith(".safetensors"));
    const size = [config, weights, tests, judge_config, judge_weights].reduce(
      (sum, file) => sum + (file?.size ?? 0),
      0,
    );
    if (size > this.limit) {
      const limit = `the limit is ${megabytes(this.limit)} MB`;
      this.show([`The files are ${megabytes(size)} MB; ${limit}.`], "alert");
      return;
    }
    setAttribute(this.send, "disabled", true);
    this.show(["Checking the files…"]);
    const token = readVisitor().token ?? "";
    const answer = await postFiles({
      ...{ config, weights, tests, judge_config, judge_weights },
      ...{ classes: this.names.value, token },
    });
    setAttribute(this.send, "disabled", false);
    if ("error" in answer) this.show([answer.error], "alert");
    else this.use(answer);
  }

  /**
   * Adds the teacher to every tab and chooses it.
   * @param {UploadedTeacher} uploaded
   */
  use({ teacher, card, token, said, table }) {
    storeVisitor({ ...readVisitor(), token });
    addTeacher(card);
    this.trigger("select", { teacher, title: card.title });
    this.show([`“${card.title}” is selected, with ${card.classes.length} classes.`, ...said]);
    if (table !== "unsure") return;
    const buttons = tableButtons((latent) => this.trigger("play", { latent }));
    this.answer.append(h("div", { class: "choices" }, ...buttons));
  }

  /**
   * @param {string[]} sentences
   * @param {"alert" | "quiet"} [kind]
   */
  show(sentences, kind = "quiet") {
    this.answer.className = kind === "quiet" ? "notice quiet" : "notice";
    setAttribute(this.answer, "hidden", false);
    this.answer.replaceChildren(...sentences.map((sentence) => h("p", {}, sentence)));
    this.answer.scrollIntoView({ block: "nearest" }); // the side bar has its own scroll position
  }
}

/**
 * @param {Record<string, File | string | undefined>} parts
 * @returns {Promise<UploadedTeacher | { error: string }>}
 */
async function postFiles(parts) {
  const body = new FormData();
  for (const [name, part] of Object.entries(parts)) if (part) body.append(name, part);
  try {
    const answer = await fetch(serverUrl("bring"), { method: "POST", body });
    return answer.status === 413 ? { error: "The files are too large." } : await answer.json();
  } catch {
    return { error: "The server did not receive the files. Try again." };
  }
}

/** @param {number} bytes */
const megabytes = (bytes) => (bytes / 2 ** 20).toFixed(1);

/**
 * @param {string} id
 * @param {string} accept
 * @param {boolean} [multiple] whether several files are chosen at once
 */
const fileInput = (id, accept, multiple = false) => h("input", { id, type: "file", accept, multiple });

/**
 * @param {string} title
 * @param {HTMLElement} input
 * @param {string} [info]
 */
function field(title, input, info = "") {
  return h("label", { for: input.id }, h("b", {}, title), input, info ? h("span", { class: "info" }, info) : null);
}
