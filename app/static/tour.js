// The lessons: a step each, with its text, its live control and the runs it starts; by keys, by clicks, by address.

import { addressOf, asked } from "./arrival.js";
import { h, put, say } from "./dom.js";
import { remembered } from "./kept.js";
import { NamesLesson } from "./nameslesson.js";
import { RunLesson } from "./runlesson.js";

export function mount({ element, props }) {
  const host = element.querySelector("#nayer-tour");
  if (host.childElementCount) return;
  new Tour({ host, props });
}

class Tour {
  constructor({ host, props }) {
    Object.assign(this, { host, props, steps: [] });
    this.build();
    document.addEventListener("keydown", (event) => this.key(event));
    addEventListener("popstate", () => this.show(asked(props.lessons.length) ?? this.number));
    this.wasSeen = this.seen;
    new ResizeObserver(() => this.appear()).observe(host);
    this.show(asked(props.lessons.length) ?? 1);
  }

  build() {
    const { lessons } = this.props;
    this.links = lessons.map(({ title }, i) =>
      h(
        "a",
        { href: addressOf(i + 1), "data-lesson": i + 1 },
        h("b", { "aria-hidden": "true" }, String(i + 1)),
        h("span", {}, title),
      ),
    );
    this.heading = h("h2", { tabindex: -1 });
    this.place = h("p", { class: "note" });
    this.text = h("p", { class: "lesson-text" });
    this.notice = h("p", { class: "lesson-notice" });
    this.controls = h("div", { class: "lesson-controls" });
    this.panel = h("div", { class: "lesson-panel" });
    this.back = h("button", { type: "button", onclick: () => this.go(this.number - 1) }, "← Back");
    this.next = h("button", { type: "button", class: "primary", onclick: () => this.go(this.number + 1) }, "Next →");
    const keys = h(
      "p",
      { class: "note keys" },
      h("kbd", {}, "←"),
      " ",
      h("kbd", {}, "→"),
      " steps ",
      h("kbd", {}, "Space"),
      " runs",
    );
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
          h("h3", {}, "What to notice"),
          this.notice,
          h("div", { class: "choices lesson-ways" }, this.back, this.next, keys),
        ),
        this.panel,
      ),
    );
  }

  get seen() {
    return this.host.getClientRects().length > 0;
  }

  appear() {
    if (this.seen && !this.wasSeen) {
      this.step.appear();
      this.name();
    } else if (!this.seen && this.wasSeen) this.unname();
    this.wasSeen = this.seen;
  }

  /** The address says what is on show, so that it can be passed on; on another tab it says nothing of lessons. */
  name() {
    if (asked() !== this.number) history.replaceState(history.state, "", addressOf(this.number));
  }

  unname() {
    const address = new URL(location.href);
    address.searchParams.delete("lesson");
    history.replaceState(history.state, "", address.href);
  }

  go(number) {
    if (number < 1 || number > this.props.lessons.length) return;
    history.pushState(null, "", addressOf(number));
    this.show(number);
    this.heading.focus({ preventScroll: true });
    this.host.scrollIntoView({ block: "nearest" });
  }

  show(number) {
    const lesson = this.props.lessons[number - 1];
    this.number = number;
    this.step = this.steps[number] ??= this.made(lesson, number);
    this.links.forEach((link, i) => put(link, "aria-current", i + 1 === number ? "step" : null));
    say(this.place, `Lesson ${number} of ${this.props.lessons.length}`);
    say(this.heading, lesson.title);
    say(this.text, lesson.text);
    say(this.notice, lesson.notice);
    put(this.back, "disabled", number === 1);
    put(this.next, "disabled", number === this.props.lessons.length);
    this.controls.replaceChildren(this.step.controls);
    this.panel.replaceChildren(this.step.element);
    this.step.appear();
  }

  made(lesson, number) {
    const seen = () => this.seen && this.number === number;
    if (lesson.names.length) return new NamesLesson({ lesson, seen });
    const kept = remembered().lesson;
    return new RunLesson({ lesson, number, seen, kept: kept?.number === number ? kept : null });
  }

  key(event) {
    const { target } = event;
    if (
      !this.seen ||
      event.ctrlKey ||
      event.metaKey ||
      event.altKey ||
      event.shiftKey ||
      event.repeat ||
      event.defaultPrevented
    )
      return;
    if (
      target.closest?.("input, textarea, select, [contenteditable], [role=tab], [role=listbox], svg, dialog, summary")
    )
      return;
    if (event.key === "ArrowRight") this.go(this.number + 1);
    else if (event.key === "ArrowLeft") this.go(this.number - 1);
    else if (event.key === " " && !target.closest?.("button, a, label")) this.step.press();
    else return;
    event.preventDefault();
  }
}
