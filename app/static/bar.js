// The controls and the line that says how things stand.

import { duration, h, percent, put, s, say } from "./dom.js";
import { about } from "./explained.js";
import { ENDED } from "./model.js";

const ICONS = {
  play: "M7 4.5v15l12-7.5z",
  pause: "M7 5h3.6v14H7zM13.4 5H17v14h-3.6z",
  stop: "M6.5 6.5h11v11h-11z",
  slow: "M12 4a8 8 0 1 0 8 8h-2.2A5.8 5.8 0 1 1 12 6.2zM11 7.5h2v5l3 1.8-1 1.7-4-2.4z",
};
const icon = (name) =>
  s("svg", { viewBox: "0 0 24 24", class: "icon", "aria-hidden": "true" }, s("path", { d: ICONS[name] }));

export const STEPS = [
  ["redraw", "re-draw", "Go on until the noisy layer is re-drawn (R)"],
  ["generator", "generator", "One step of the generator"],
  ["student", "student", "One step of the student"],
  ["round", "round", "Go on to the end of the round"],
];

export class Bar {
  /** actions: { toggle(), step(kind), slow(), apply(), revive(), burst(), stop() }; `lends`: whether there is a GPU for a moment. */
  constructor(actions, lends) {
    this.lends = lends;
    this.playName = h("span", {}, "Play");
    this.playIcon = h("span", { class: "icon-slot" }, icon("play"));
    this.play = h(
      "button",
      { type: "button", class: "primary play", onclick: () => actions.toggle() },
      this.playIcon,
      this.playName,
    );
    this.steps = STEPS.map(([kind, name, about]) =>
      h(
        "button",
        {
          type: "button",
          "data-step": kind,
          title: about,
          "aria-label": `Step: ${about}`,
          onclick: () => actions.step(kind),
        },
        name,
      ),
    );
    this.slow = h(
      "button",
      {
        type: "button",
        class: "slow",
        "aria-pressed": "false",
        title: "A few seconds for every step, with its numbers",
        onclick: () => actions.slow(),
      },
      icon("slow"),
      h("span", {}, "Slow motion"),
    );
    this.apply = h(
      "button",
      {
        type: "button",
        class: "apply",
        title: "Go on with the settings as the form holds them now, from the next round on",
        onclick: () => actions.apply(),
      },
      "Apply settings",
    );
    this.revive = h(
      "button",
      {
        type: "button",
        class: "primary revive",
        hidden: true,
        title: "The server was interrupted; go on from the last checkpoint",
        onclick: () => actions.revive(),
      },
      "Go on",
    );
    this.burst = h(
      "button",
      {
        type: "button",
        class: "burst",
        hidden: true,
        title: "The next rounds on a GPU that this Space lends you for a moment; then the run goes on here",
        onclick: () => actions.burst(),
      },
      "GPU burst",
    );
    this.stop = h(
      "button",
      { type: "button", class: "stop", title: "End this run; what it has shown stays", onclick: () => actions.stop() },
      icon("stop"),
      h("span", {}, "Stop"),
    );
    this.line = h("p", { class: "standing" });
    this.keys = h(
      "p",
      { class: "keys", "aria-hidden": "true" },
      h("kbd", {}, "Space"),
      " play ",
      h("kbd", {}, "."),
      " step ",
      h("kbd", {}, "R"),
      " re-draw",
    );
    this.status = h("p", { class: "unseen", role: "status" });
    this.progress = h("i", { class: "progress" });
    this.element = h(
      "div",
      { class: "bar", role: "toolbar", "aria-label": "Run" },
      h(
        "div",
        { class: "buttons" },
        this.play,
        h(
          "div",
          { class: "segmented steps", role: "group", "aria-label": "Step" },
          h("span", { class: "group-name", "aria-hidden": "true" }, "Step"),
          ...this.steps,
        ),
        this.slow,
        this.apply,
        this.revive,
        this.burst,
        this.stop,
        about(
          [
            "control/play",
            "control/step",
            "control/slow",
            "control/apply",
            ...(lends ? ["control/burst"] : []),
            "control/stop",
          ],
          "the buttons of a run",
        ),
      ),
      h("div", { class: "told" }, this.line, this.keys),
      this.status,
      this.progress,
    );
  }

  update(model, chosen) {
    const running = model.state === "running";
    const waiting = model.state === "queued" || model.state === "starting";
    const name = running
      ? "Pause"
      : model.state === "paused"
        ? "Resume"
        : waiting
          ? "Waiting"
          : ENDED.has(model.state)
            ? "Play again"
            : "Play";
    say(this.playName, name);
    if (this.shown !== running) this.playIcon.replaceChildren(icon(running ? "pause" : "play"));
    this.shown = running;
    put(this.play, "disabled", waiting);
    for (const button of this.steps) put(button, "disabled", waiting);
    put(this.stop, "disabled", !(running || model.state === "paused" || model.state === "queued"));
    put(this.apply, "hidden", !(running || model.state === "paused"));
    put(this.revive, "hidden", model.state !== "interrupted");
    put(this.burst, "hidden", !(this.lends && (running || model.state === "paused")));
    put(this.slow, "aria-pressed", String(model.pace > 0));
    this.element.dataset.state = model.state;
    this.progress.style.width = model.facts ? `${(100 * model.rounds_done) / model.facts.rounds}%` : "0";
    const parts = standing(model, chosen);
    if (this.parts !== parts.join("|")) {
      this.parts = parts.join("|");
      this.line.replaceChildren(...parts.map((part, i) => h("span", { class: i ? "" : "first" }, part)));
    }
    this.announce(model);
  }

  announce(model) {
    const spoken = {
      starting: "Starting.",
      queued: "Waiting for a place.",
      running: "Running.",
      paused: "Paused.",
      finished: "The run is finished.",
      stopped: "Stopped.",
      failed: `The run failed. ${model.error}`,
      interrupted: "The run was interrupted; it can go on.",
    };
    if (this.spoken !== model.state) say(this.status, spoken[model.state] ?? "");
    this.spoken = model.state;
  }
}

/** How things stand, in a few short parts. */
function standing(model, chosen) {
  const facts = model.facts;
  if (model.state === "queued")
    return [
      model.ahead === 1 ? "1 run ahead of you" : `${model.ahead} runs ahead of you`,
      model.wait === null ? "" : `about ${duration(model.wait)} to wait`,
      "yours starts by itself",
    ].filter(Boolean);
  if (model.state === "starting" || (!facts && model.state === "running")) return ["Starting", "loading the teacher"];
  if (!facts && model.state === "interrupted") return ["Interrupted", "before its first round"];
  if (!facts)
    return [
      `Ready`,
      chosen
        ? `teacher ${chosen.title}${chosen.accuracy === null ? "" : `, right for ${percent(chosen.accuracy, 1)} of its test images`}`
        : "",
    ].filter(Boolean);
  const state =
    {
      running: "",
      paused: "Paused",
      finished: "Finished",
      stopped: "Stopped",
      failed: "Failed",
      interrupted: "Interrupted",
    }[model.state] ?? "";
  const round = ENDED.has(model.state) ? model.rounds_done : Math.min(model.round + 1, facts.rounds);
  const time =
    duration(model.seconds) + (model.left !== null && !ENDED.has(model.state) ? `, ${duration(model.left)} left` : "");
  const accuracy = model.measures.at(-1)?.[1] ?? null;
  const agreement = model.measures.at(-1)?.[2] ?? null;
  const learnt =
    accuracy !== null
      ? `student ${percent(accuracy, 1)}`
      : agreement !== null
        ? `agrees ${percent(agreement, 1)}`
        : null;
  const teacher =
    model.teacher_accuracy !== null
      ? `teacher ${facts.teacher} ${percent(model.teacher_accuracy, 1)}`
      : `teacher ${facts.teacher}`;
  return [state, `round ${round} of ${facts.rounds}`, time, `seed ${facts.config.seed}`, learnt, teacher].filter(
    Boolean,
  );
}
