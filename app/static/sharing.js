// What a run leaves and how it is handed on: its address, a link to follow it, the command line, files.

import { h, put, say } from "./dom.js";
import { about as explained } from "./explained.js";
import { ENDED } from "./model.js";
import { at } from "./server.js";

const FILES = [
  ["samples.gif", "samples as an animation (GIF)"],
  ["samples.png", "samples (PNG)"],
  ["metrics.csv", "metrics (CSV)"],
  ["events.jsonl", "events (JSON lines)"],
  ["student.safetensors", "student (safetensors)"],
  ["student.py", "the Python lines that load it"],
  ["run.nayer", "Save it as a recording"],
  ["nayer-run.zip", "everything (zip)"],
];
const HIDEABLE = {
  "field-teacher": "teacher",
  "field-preset": "preset",
  "field-latent": "latent",
  "field-rounds": "rounds",
  "field-seed": "seed",
  "reset-policy": "reset policy",
  "all-settings": "all settings",
};
const OURS = ["watch", "hide", "lesson"]; // words of an address that are no settings

export class Sharing {
  constructor() {
    this.command = copied("Command line that repeats this run");
    this.link = copied("Address that sets this run up");
    this.watch = copied("Link to follow this run live; it commands nothing");
    this.hidden = Object.entries(HIDEABLE).map(([id, name]) =>
      h("label", {}, h("input", { type: "checkbox", value: id, onchange: () => this.tell() }), ` ${name}`),
    );
    this.files = h("p", { class: "files", hidden: true });
    this.element = h(
      "details",
      { class: "card sharing", hidden: true },
      h("summary", {}, "Share and keep"),
      h(
        "p",
        { class: "titled" },
        "The same run again, the run as it goes on, and what it leaves.",
        explained("control/share", "sharing"),
      ),
      h("div", { class: "fields" }, this.link.element, this.watch.element, this.command.element),
      h("fieldset", {}, h("legend", {}, "Hide from who follows the address:"), ...this.hidden),
      this.files,
    );
  }

  update(model, run) {
    put(this.element, "hidden", !model.facts || !run);
    if (!model.facts || !run) return;
    this.words = model.facts.repeat.words;
    this.run = run;
    const over = ENDED.has(model.state);
    put(this.files, "hidden", !over);
    if (over && this.filed !== run) {
      this.filed = run;
      this.files.replaceChildren(
        "Files: ",
        ...FILES.flatMap(([name, about], i) => [
          i ? " · " : "",
          h("a", { href: at(`live/${run}/export/${name}`), download: name }, about),
        ]),
      );
    }
    this.command.say(model.facts.repeat.command);
    this.tell();
  }

  tell() {
    const address = new URL(document.baseURI);
    address.search = new URLSearchParams(this.words);
    const hide = this.hidden
      .map((label) => label.firstChild)
      .filter((box) => box.checked)
      .map((box) => box.value);
    if (hide.length) address.searchParams.set("hide", hide.join(" "));
    this.link.say(address.href);
    const watch = new URL(document.baseURI);
    watch.search = new URLSearchParams({ watch: this.run });
    this.watch.say(watch.href);
  }
}

/** What the address asks for: the run to watch, and the words that set one up; it hides what it says. */
export function address() {
  const words = Object.fromEntries(new URLSearchParams(location.search));
  hide((words.hide ?? "").split(" ").filter((id) => id in HIDEABLE));
  const watch = /^[\w-]{1,64}$/.test(words.watch ?? "") ? words.watch : null;
  const settings = Object.fromEntries(
    Object.entries(words).filter(([name]) => !OURS.includes(name) && /^[a-z][a-z0-9_]*$/.test(name)),
  );
  return { watch, words: "preset" in settings || "teacher" in settings ? settings : null };
}

function hide(ids) {
  if (ids.length)
    document.head.append(h("style", {}, `${ids.map((id) => `#${id}`).join(", ")} { display: none !important; }`));
}

/** A line to be copied, with its button. */
function copied(label) {
  const text = h("input", { readonly: "", "aria-label": label, onfocus: () => text.select() });
  const button = h("button", { type: "button", "aria-label": `Copy: ${label}`, onclick: () => copy() }, "Copy");
  const copy = async () => {
    text.select();
    try {
      await navigator.clipboard.writeText(text.value);
    } catch {
      document.execCommand("copy"); // where the page stands in a frame
    }
    say(button, "Copied");
    setTimeout(() => say(button, "Copy"), 1500);
  };
  return {
    element: h("div", { class: "copied" }, h("span", {}, label), text, button),
    say: (value) => text.value === value || (text.value = value),
  };
}
