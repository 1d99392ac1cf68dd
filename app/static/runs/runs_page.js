// The tab of a visitor's own runs, in which they can be opened, named, compared and deleted.

import { sendCommand } from "../core/api.js";
import { find, h, hiddenText, isVisible, labeled, setAttribute, setText, watchVisibility } from "../core/dom.js";
import { formatCount, formatPercent } from "../core/format.js";
import { withHelp } from "../core/help.js";
import { hasEnded } from "../core/model.js";
import { Notice } from "../core/notice.js";
import { comparedRuns, compareUrl, labUrl, runUrl, tabUrl, visit } from "../core/router.js";
import { errorSentence } from "../core/run_client.js";
import { readVisitor, storeLab } from "../core/storage.js";
import { Comparison } from "./comparison.js";

/** @import { GradioMount, OwnRun } from "../core/types.d.ts" */

const MAX_COMPARED = 5; // runs in a comparison
const ORDER = ", the newest first. Choose two to five to compare them.";
const RELOAD_MS = 5000; // ms between two requests for the list while a run is active

/** @param {GradioMount<object>} mounted */
export function mount({ element }) {
  const host = find(element, "#nayer-runs", HTMLElement);
  if (!host.childElementCount) new RunsPage(host);
}

/** The list, and the comparison under it. */
class RunsPage {
  /** @param {HTMLElement} host */
  constructor(host) {
    this.host = host;
    /** @type {Map<string, RunRow>} */
    this.rows = new Map();
    /** @type {number | undefined} */
    this.timer = undefined;
    this.notice = new Notice();
    this.about = h("p", { class: "note", role: "status" });
    this.compare = h("button", { type: "button", class: "primary", onclick: () => this.goCompare() }, "Compare");
    this.list = h("ul", { class: "run-list" });
    this.comparison = new Comparison((sentence) => this.notice.show(sentence));
    host.replaceChildren(
      hiddenText("Your runs", "h2"),
      this.notice.element,
      h(
        "section",
        { class: "card", "aria-label": "My runs" },
        withHelp(h("h3", {}, "My runs"), "panel/runs"),
        this.about,
        this.list,
        h("div", { class: "choices" }, this.compare),
      ),
      this.comparison.element,
    );
    watchVisibility(host, (visible) => visible && this.load());
    addEventListener("popstate", () => this.showCompared());
    if (isVisible(host)) this.load();
    this.draw();
  }

  /** Fetches the list, and fetches it again while one of its runs is active. */
  async load() {
    clearTimeout(this.timer);
    const { token } = readVisitor();
    try {
      /** @type {OwnRun[]} */
      const runs = token ? await sendCommand("runs", token) : [];
      this.show(runs);
      const isActive = runs.some(({ state }) => !hasEnded(state));
      if (isActive) this.timer = window.setTimeout(() => isVisible(this.host) && this.load(), RELOAD_MS);
    } catch (error) {
      this.notice.show(errorSentence(error));
    }
  }

  /** @param {OwnRun[]} runs */
  show(runs) {
    const known = this.rows;
    this.rows = new Map(runs.map((run) => [run.run, known.get(run.run) ?? new RunRow(this, run.run)]));
    for (const run of runs) this.rows.get(run.run)?.update(run);
    const items = [...this.rows.values()].map(({ element }) => element);
    if (items.length !== this.list.children.length || items.some((item, i) => this.list.children[i] !== item))
      this.list.replaceChildren(...items);
    setText(
      this.about,
      runs.length
        ? `${formatCount(runs.length, "run")}${runs.length > 1 ? ORDER : "."}`
        : "You have no runs here yet. Press Play on the tab Live; every run that you start is listed here.",
    );
    this.showCompared();
  }

  /** The ids of the runs that are chosen. */
  get chosen() {
    return [...this.rows.values()].filter(({ box }) => box.checked).map(({ id }) => id);
  }

  /** Limits the choice to the number of runs that can be compared. */
  draw() {
    const { chosen } = this;
    setAttribute(this.compare, "disabled", chosen.length < 2);
    setText(this.compare, chosen.length < 2 ? "Compare" : `Compare ${chosen.length} runs`);
    for (const { box, isLab } of this.rows.values())
      setAttribute(box, "disabled", isLab || (chosen.length >= MAX_COMPARED && !box.checked));
    setAttribute(this.compare, "hidden", this.rows.size < 2);
  }

  /** Compares the chosen runs and puts them into the address. */
  goCompare() {
    history.pushState(null, "", compareUrl(location.href, this.chosen));
    this.showCompared();
    this.comparison.element.scrollIntoView({ block: "start" });
  }

  /** Shows the comparison that the address names. */
  showCompared() {
    const wanted = comparedRuns(location.href).slice(0, MAX_COMPARED);
    if (wanted.length) for (const { box, id } of this.rows.values()) box.checked = wanted.includes(id);
    /** @type {(id: string) => string} */
    const title = (id) => this.rows.get(id)?.title ?? id;
    this.comparison.show(wanted.map((id) => ({ id, title: title(id) })));
    this.draw();
  }

  /**
   * Sends a command about a run and fetches the list again. Returns false if the command was refused.
   * @param {string} name
   * @param {string} run
   * @param {...unknown} values
   */
  async send(name, run, ...values) {
    this.notice.show("");
    try {
      await sendCommand(name, run, readVisitor().token ?? "", ...values);
      await this.load();
      return true;
    } catch (error) {
      this.notice.show(errorSentence(error));
      return false;
    }
  }
}

/** A run in the list. */
class RunRow {
  /**
   * @param {RunsPage} page
   * @param {string} id
   */
  constructor(page, id) {
    this.page = page;
    this.id = id;
    this.isLab = false;
    this.title = "";
    this.box = h("input", { type: "checkbox", onchange: () => page.draw() });
    this.heading = h("h4", {});
    this.facts = h("p", { class: "note" });
    this.notesText = h("p", { class: "run-notes" });
    this.name = h("input", { maxlength: 80 });
    this.notes = h("textarea", { maxlength: 2000, rows: 3 });
    this.open = h("button", { type: "button", onclick: () => this.visit() }, "Open");
    this.remove = h("button", { type: "button", onclick: () => this.confirmDelete() }, "Delete");
    const save = h("button", { type: "button", onclick: () => this.save() }, "Save");
    this.fold = h(
      "details",
      {},
      h("summary", {}, "Name and notes"),
      h("div", { class: "run-form" }, labeled("Name", this.name), labeled("Notes", this.notes), save),
    );
    this.element = h(
      "li",
      {},
      h("label", {}, this.box),
      h("div", { class: "run-about" }, this.heading, this.facts, this.notesText, this.fold),
      h("div", { class: "choices" }, this.open, this.remove),
    );
  }

  /** @param {OwnRun} run */
  update(run) {
    this.isLab = run.arms.length > 0;
    this.title = run.name || (this.isLab ? run.title || "Lab" : `${run.teacher}, ${run.preset}, seed ${run.seed}`);
    setText(this.heading, this.title);
    setText(this.facts, describe(run));
    setText(this.notesText, run.notes);
    setAttribute(this.box, "aria-label", `Compare ${this.title}`);
    setAttribute(this.open, "aria-label", `Open ${this.title}`);
    setAttribute(this.remove, "aria-label", `Delete ${this.title}`);
    setAttribute(this.box, "title", this.isLab ? "A lab is a comparison already" : null);
    if (this.fold.open) return; // the visitor may be typing
    this.name.value = run.name;
    this.notes.value = run.notes;
  }

  /** Opens the run on the tab Live, or the lab on its tab. */
  visit() {
    if (this.isLab) storeLab({ run: this.id, token: readVisitor().token });
    visit(this.isLab ? labUrl(document.baseURI, { lab: this.id }) : runUrl(tabUrl(document.baseURI, "live"), this.id));
  }

  /** Stores the name and the notes. */
  async save() {
    if (await this.page.send("describe", this.id, this.name.value, this.notes.value)) this.fold.open = false;
  }

  /** Deletes the run after the visitor has confirmed it. */
  confirmDelete() {
    if (confirm(`Delete “${this.title}” and all that is kept of it? This cannot be undone.`))
      this.page.send("delete", this.id);
  }
}

/** @param {OwnRun} run */
function describe({ name, teacher, preset, seed, state, rounds_done, rounds, arms, began, ...measured }) {
  const { accuracy, agreement, teacher_accuracy } = measured;
  const share = accuracy ?? agreement;
  const what = accuracy === null ? "agreement with the teacher" : "student";
  const against = teacher_accuracy === null ? "" : `, teacher ${formatPercent(teacher_accuracy, 1)}`;
  const parts = [
    arms.length ? `${arms.join(", ")}; teacher ${teacher}` : name ? `${teacher}, ${preset}, seed ${seed}` : "",
    state,
    arms.length ? "" : `${rounds_done} of ${formatCount(rounds, "round")}`,
    share === null || arms.length ? "" : `${what} ${formatPercent(share, 1)}${against}`,
    began ? new Date(1000 * began).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" }) : "",
  ];
  return parts.filter(Boolean).join(" · ");
}
