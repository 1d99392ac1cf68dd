// The tab of the lessons. Each has a text, a control and runs. Keys, clicks and the address choose the lesson.

import { find, h, isVisible, setAttribute, setText, watchVisibility } from "../core/dom.js";
import { lessonNumber, lessonUrl, readLabAddress } from "../core/router.js";
import { readVisitor } from "../core/storage.js";
import { PresenterButton } from "../panels/presenter.js";
import { NamesLesson } from "./names_lesson.js";
import { RunLesson } from "./run_lesson.js";

/** @import { GradioMount, Lesson, RunHandle } from "../core/types.d.ts" */

/** @typedef {{ lessons: Lesson[], examples: string[] }} LessonsProps the properties of the tab, from Python */

const KEYS_OF_OTHERS = "input, textarea, select, [contenteditable], [role=tab], [role=listbox], svg, dialog, summary";
const PRESSED_BY_SPACE = "button, a, label";

/** @param {GradioMount<LessonsProps>} mounted */
export function mount({ element, props }) {
  const host = find(element, "#nayer-lessons", HTMLElement);
  if (!host.childElementCount) new LessonsPage(host, props);
}

/** The page of all lessons; it shows one of them. */
class LessonsPage {
  /**
   * @param {HTMLElement} host
   * @param {LessonsProps} props
   */
  constructor(host, { lessons, examples }) {
    this.host = host;
    this.lessons = lessons;
    this.examples = examples;
    /** @type {Map<number, NamesLesson | RunLesson>} */
    this.steps = new Map(); // by the number of the lesson
    this.number = 1;
    this.links = lessons.map(({ title }, i) =>
      h(
        "a",
        { href: lessonUrl(location.href, i + 1), "data-lesson": i + 1 },
        h("b", { "aria-hidden": "true" }, String(i + 1)),
        h("span", {}, title),
      ),
    );
    this.heading = h("h2", { tabindex: -1 });
    this.place = h("p", { class: "note" });
    this.text = h("p", { class: "lesson-text" });
    this.concluded = h("div");
    this.controls = h("div", { class: "lesson-controls" });
    this.panel = h("div", { class: "lesson-panel" });
    this.back = h("button", { type: "button", onclick: () => this.go(this.number - 1) }, "← Back");
    this.next = h("button", { type: "button", class: "primary", onclick: () => this.go(this.number + 1) }, "Next →");
    this.arrange();
    document.addEventListener("keydown", (event) => this.handleKey(event));
    addEventListener("popstate", () => this.show(this.askedNumber() ?? this.number));
    watchVisibility(host, (visible) => this.handleVisibility(visible));
    this.show(this.askedNumber() ?? 1);
  }

  /** Arranges the parts. */
  arrange() {
    /** @param {string} name */
    const key = (name) => h("kbd", {}, name);
    const keys = h("p", { class: "note keys" }, key("←"), " ", key("→"), " steps ", key("Space"), " runs");
    this.host.replaceChildren(
      h(
        "nav",
        { class: "lesson-steps", "aria-label": "Lessons" },
        h("ol", {}, ...this.links.map((link) => h("li", {}, link))),
      ),
      h(
        "div",
        { class: "lesson" },
        h(
          "section",
          { class: "card lesson-card", "aria-label": "Lesson" },
          this.place,
          this.heading,
          this.text,
          this.controls,
          this.concluded,
          h("div", { class: "choices lesson-ways" }, this.back, this.next, new PresenterButton().element, keys),
        ),
        this.panel,
      ),
    );
  }

  /** The lesson in the address. */
  askedNumber() {
    return lessonNumber(location.href, this.lessons.length);
  }

  /**
   * Puts the number of the shown lesson into the address, so that it can be shared; on another tab, removes it.
   * @param {boolean} visible
   */
  handleVisibility(visible) {
    if (visible) this.step(this.number).appear();
    const number = visible ? this.number : null;
    if (this.askedNumber() !== number) history.replaceState(history.state, "", lessonUrl(location.href, number));
  }

  /** @param {number} number of the lesson to open */
  go(number) {
    if (number < 1 || number > this.lessons.length) return;
    history.pushState(null, "", lessonUrl(location.href, number));
    this.show(number);
    this.heading.focus({ preventScroll: true });
    this.host.scrollIntoView({ block: "nearest" });
  }

  /** @param {number} number */
  show(number) {
    const lesson = this.lessons[number - 1];
    this.number = number;
    for (const [i, link] of this.links.entries()) setAttribute(link, "aria-current", i + 1 === number ? "step" : null);
    setText(this.place, `Lesson ${number} of ${this.lessons.length}`);
    setText(this.heading, lesson.title);
    setText(this.text, lesson.text);
    setAttribute(this.back, "disabled", number === 1);
    setAttribute(this.next, "disabled", number === this.lessons.length);
    const step = this.step(number);
    this.controls.replaceChildren(step.controls);
    this.concluded.replaceChildren(step.concluded);
    this.panel.replaceChildren(step.element);
    step.appear();
  }

  /**
   * The lesson's controls and panels; the first call makes them.
   * @param {number} number
   */
  step(number) {
    const step = this.steps.get(number) ?? this.makeStep(number);
    this.steps.set(number, step);
    return step;
  }

  /** @param {number} number */
  makeStep(number) {
    const lesson = this.lessons[number - 1];
    const isShown = () => isVisible(this.host) && this.number === number;
    if (lesson.names.length) return new NamesLesson({ lesson, number, isShown });
    const kept = readVisitor().lesson;
    const { lab } = readLabAddress(location.href);
    /** @type {RunHandle} */
    const own = kept?.number === number ? kept : {};
    const handle = lab && this.askedNumber() === number && lab !== own.run ? { run: lab } : own;
    return new RunLesson({ lesson, number, isShown, handle, recorded: this.examples.includes(`lesson-${number}`) });
  }

  /** @param {KeyboardEvent} event */
  handleKey(event) {
    const target = event.target instanceof Element ? event.target : null;
    const modified = event.ctrlKey || event.metaKey || event.altKey || event.shiftKey || event.repeat;
    if (!isVisible(this.host) || modified || event.defaultPrevented || target?.closest(KEYS_OF_OTHERS)) return;
    if (event.key === "ArrowRight") this.go(this.number + 1);
    else if (event.key === "ArrowLeft") this.go(this.number - 1);
    else if (event.key === " " && !target?.closest(PRESSED_BY_SPACE)) this.step(this.number).press();
    else return;
    event.preventDefault();
  }
}
