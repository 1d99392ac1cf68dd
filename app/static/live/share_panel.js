// The ways to share and save a run: its address, a link to watch it, the command, and files.

import { h, setAttribute } from "../core/dom.js";
import { helpButton } from "../core/help.js";
import { hasEnded } from "../core/model.js";
import { HIDEABLE_FIELDS, settingsUrl, watchUrl } from "../core/router.js";
import { CopyField } from "../panels/copy_field.js";
import { fileLinks } from "../panels/file_links.js";

/** @import { RunModel } from "../core/types.d.ts" */

const FILES = [
  ["samples.gif", "samples as an animation (GIF)"],
  ["samples.png", "samples (PNG)"],
  ["metrics.csv", "metrics (CSV)"],
  ["events.jsonl", "events (JSON lines)"],
  ["student.safetensors", "student (safetensors)"],
  ["student.py", "Python code that loads the student"],
  ["student.onnx", "student (ONNX)"],
  ["run.yaml", "settings (YAML)"],
  ["run.nayer", "Save as a recording"],
  ["run.html", "Save as a web page"],
  ["nayer-run.zip", "everything (zip)"],
];

/** A section with lines to copy and links to files. */
export class SharePanel {
  constructor() {
    this.run = "";
    this.filesOf = ""; // the run whose files are listed
    /** @type {Record<string, string>} */
    this.settings = {};
    this.command = new CopyField("Command that repeats this run");
    this.link = new CopyField("Link with the settings of this run");
    this.watch = new CopyField("Link to watch this run live, without control");
    this.boxes = Object.keys(HIDEABLE_FIELDS).map((id) =>
      h("input", { type: "checkbox", value: id, onchange: () => this.showLinks() }),
    );
    const names = Object.values(HIDEABLE_FIELDS);
    this.files = h("p", { class: "files", hidden: true });
    this.element = h(
      "details",
      { class: "card sharing", hidden: true },
      h("summary", {}, "Share and keep"),
      h(
        "p",
        { class: "titled" },
        "Repeat this run, let others watch it, or save its results.",
        helpButton("control/share", "sharing"),
      ),
      h("div", { class: "fields" }, this.link.element, this.watch.element, this.command.element),
      h(
        "fieldset",
        {},
        h("legend", {}, "Hide from people who open the link:"),
        ...this.boxes.map((box, i) => h("label", {}, box, ` ${names[i]}`)),
      ),
      this.files,
    );
  }

  /**
   * @param {RunModel} model
   * @param {string | undefined} run its id
   */
  update({ facts, state }, run) {
    setAttribute(this.element, "hidden", !facts || !run);
    if (!facts || !run) return;
    this.settings = facts.repeat.words;
    this.run = run;
    const ended = hasEnded(state);
    setAttribute(this.files, "hidden", !ended);
    if (ended && this.filesOf !== run) {
      this.filesOf = run;
      const { onnx } = facts.repeat; // one sentence where there can be no such file
      const files = FILES.filter(([name]) => !onnx || name !== "student.onnx");
      this.files.replaceChildren(...fileLinks(run, files), onnx ? ` · ${onnx}` : "");
    }
    this.command.show(facts.repeat.command);
    this.showLinks();
  }

  /** Writes both addresses. The first one hides the checked fields from people who open it. */
  showLinks() {
    const hidden = this.boxes.filter((box) => box.checked).map((box) => box.value);
    this.link.show(settingsUrl(document.baseURI, this.settings, hidden));
    this.watch.show(watchUrl(document.baseURI, this.run));
  }
}
