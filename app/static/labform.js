// What to hold side by side: a ready-made experiment, or arms of one's own.

import { h, put, say } from "./dom.js";
import { about } from "./explained.js";
import { whenOffered } from "./offered.js";

const OWN = "own";

export class LabForm {
  /** `start({experiment, teacher, seed, seconds, repeats, arms})`. */
  constructor({ props, start }) {
    this.props = props;
    this.start = start;
    this.experiment = Object.keys(props.experiments)[0];
    const card = (name, title, question) =>
      h(
        "button",
        {
          type: "button",
          class: "experiment",
          "aria-pressed": "false",
          "data-name": name,
          onclick: () => this.choose(name),
        },
        h("b", {}, title),
        h("span", {}, question),
      );
    this.cards = [
      ...Object.entries(props.experiments).map(([name, [title, question]]) => card(name, title, question)),
      card(OWN, "Arms of your own", "Any preset, any settings, two to four of them."),
    ];
    this.teacher = h(
      "select",
      { id: "lab-teacher" },
      ...props.teachers.map(([name, title]) => h("option", { value: name, selected: name === props.first }, title)),
    );
    this.seconds = h("input", { id: "lab-seconds", type: "number", min: 2, max: 300, step: 1, value: 30 });
    this.repeats = h(
      "select",
      { id: "lab-repeats" },
      h("option", { value: 1 }, "1 seed"),
      h("option", { value: 3 }, "3 seeds"),
    );
    this.seed = h("input", { id: "lab-seed", type: "number", min: 0, step: 1, value: 0 });
    this.go = h(
      "button",
      { type: "button", class: "primary", onclick: () => this.start(this.plan()) },
      "▶ Run side by side",
    );
    this.own = h(
      "div",
      { class: "own-arms", hidden: true },
      ...["first", "second", "third", "fourth"].map((which, i) => this.ownRow(which, i)),
      h(
        "p",
        { class: "note" },
        "Changes are written name=value with spaces between, such as noisy_reset_every=0 routing=single; leave a row's preset empty to leave it out.",
      ),
    );
    const field = (label, input) => h("label", { class: "field" }, h("span", {}, label), input);
    this.element = h(
      "section",
      { class: "card lab-form", "aria-label": "What to hold side by side" },
      h("div", { class: "experiments", role: "group", "aria-label": "Experiment" }, ...this.cards),
      this.own,
      h(
        "div",
        { class: "fields" },
        field("Teacher", this.teacher),
        field("Seconds an arm", this.seconds),
        field("Repeats", this.repeats),
        field("First seed", this.seed),
        this.go,
        about(
          [
            "panel/arms",
            "control/experiment",
            "setting/teacher",
            "control/lab_seconds",
            "control/lab_seeds",
            "setting/seed",
          ],
          "the fields of the lab",
        ),
      ),
      h(
        "p",
        { class: "note" },
        "All arms get the same seed and the same seconds of work, in turns on one thread. A lab takes the place of your live run.",
      ),
    );
    this.choose(this.experiment);
    whenOffered((card) => this.offer(card));
  }

  /** A teacher that is not shipped joins the list, and is chosen, as it is for the live run. */
  offer({ name, title }) {
    if (![...this.teacher.options].some((option) => option.value === name))
      this.teacher.append(h("option", { value: name }, title));
    this.teacher.value = name;
  }

  ownRow(which, i) {
    const options = [
      h("option", { value: "" }, "–"),
      ...this.props.presets.map(([name, title]) =>
        h("option", { value: name, selected: i < 2 && name === "nayer" }, title),
      ),
    ];
    return h(
      "div",
      { class: "own-arm" },
      h("input", {
        type: "text",
        maxlength: 40,
        placeholder: `name of the ${which} arm`,
        "aria-label": `Name of the ${which} arm`,
      }),
      h("select", { "aria-label": `Preset of the ${which} arm` }, ...options),
      h("input", {
        type: "text",
        placeholder: i === 1 ? "noisy_reset_every=0" : "changes",
        "aria-label": `Changes of the ${which} arm`,
      }),
    );
  }

  choose(name) {
    this.experiment = name;
    for (const card of this.cards) put(card, "aria-pressed", String(card.dataset.name === name));
    put(this.own, "hidden", name !== OWN);
  }

  running(active) {
    say(this.go, active ? "▶ Start anew" : "▶ Run side by side");
  }

  /** While the server is asked: no second click. */
  busy(is) {
    put(this.go, "disabled", is);
  }

  plan() {
    const arms = [...this.own.querySelectorAll(".own-arm")]
      .map((row) => [...row.children].map((input) => input.value.trim()))
      .filter(([, preset]) => preset)
      .map(([title, preset, changes]) => ({ title, preset, settings: settingsOf(changes) }));
    const own = this.experiment === OWN;
    return {
      experiment: own ? "" : this.experiment,
      teacher: this.teacher.value,
      seed: Number(this.seed.value),
      seconds: Number(this.seconds.value),
      repeats: Number(this.repeats.value),
      arms: own ? arms : [],
    };
  }
}

/** `a=1 b=x c=true` as { a: 1, b: "x", c: true }; what is no number stays a text, for the server to judge. */
export function settingsOf(text) {
  return Object.fromEntries(
    text
      .split(/\s+/)
      .filter(Boolean)
      .map((part) => {
        const [name, ...rest] = part.split("=");
        const value = rest.join("=");
        if (value === "true" || value === "false") return [name, value === "true"];
        return [name, value !== "" && Number.isFinite(Number(value)) ? Number(value) : value];
      }),
  );
}
