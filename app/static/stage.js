// The stage: puts the panels together, keeps the visitor's run, turns keys and buttons into commands.

import { arrive } from "./arrival.js";
import { Bar } from "./bar.js";
import { Accuracy, Losses } from "./curves.js";
import { Diagram } from "./diagram.js";
import { Diversity } from "./diversity.js";
import { calm, h, put, say, unseen } from "./dom.js";
import { Drill } from "./drill.js";
import { Feed } from "./feed.js";
import { keep, remembered } from "./kept.js";
import { LabelMap } from "./map.js";
import { ENDED, emptyModel, told } from "./model.js";
import { offer, whenOffered } from "./offered.js";
import { Replay } from "./replay.js";
import { Samples } from "./samples.js";
import { at, command, leave } from "./server.js";
import { Sharing, address } from "./sharing.js";
import { Strip } from "./strip.js";

const SLOW = 2.6; // seconds an event in slow motion

export function mount({ element, props, trigger, watch }) {
  const bar = document.getElementById("nayer-bar");
  const host = element.querySelector("#nayer-stage");
  if (host.childElementCount) return;
  new Stage({ bar, host, props, trigger, watch });
  arrive();
}

class Stage {
  constructor({ bar, host, props, trigger, watch }) {
    this.props = props;
    this.trigger = trigger;
    this.host = host;
    this.model = emptyModel();
    this.chosen = props.teachers.find((teacher) => teacher.name === props.first) ?? props.teachers[0];
    this.asked = 0;
    this.stepKind = "generator";
    const { watch: watched, words } = address();
    this.watching = Boolean(watched);
    this.kept = watched ? { run: watched } : remembered();
    this.build(bar, host);
    if (watched) this.onlyWatch();
    watch("value", () => this.begun(props.value));
    window.nayerChooses = (name) => this.choose(name);
    whenOffered((teacher) => this.bring(teacher));
    document.addEventListener("keydown", (event) => this.key(event));
    addEventListener("pagehide", () => !this.watching && this.model.state === "queued" && leave(this.kept));
    this.shown = true;
    new ResizeObserver(() => this.appear()).observe(host);
    if (words && !watched) trigger("submit", { words });
    if (this.kept.run) {
      this.follow();
      if (!watched && !words) trigger("select", this.kept);
    } else if (props.greets) this.playBack("recording", "greeting");
    this.draw();
  }

  build(bar, host) {
    const focus = (index) => {
      this.samples.highlight(index);
      this.map.highlight(index);
    };
    this.bar = new Bar(
      {
        toggle: () => this.toggle(),
        step: (kind) => this.step((this.stepKind = kind)),
        slow: () => this.slow(),
        apply: () => this.apply(),
        revive: () => this.revive(),
        burst: () => this.command("burst"),
        stop: () => this.command("stop"),
      },
      this.props.lends,
    );
    this.diagram = new Diagram(this.props.parts);
    this.samples = new Samples({ focus });
    this.samples.pictured = (url, count) => this.diagram.picture(url, count);
    this.accuracy = new Accuracy();
    this.losses = new Losses();
    this.drill = new Drill({ host: this.host });
    this.strip = new Strip({
      ask: (label, count) => command("redraws", this.kept.run, this.kept.token, label, count, 0),
    });
    this.diversity = new Diversity({
      pick: (round) => this.drill.show({ address: this.address, round, classes: this.model.facts?.classes ?? [] }),
    });
    this.map = new LabelMap({ focus, umap: () => this.umap() });
    this.notice = h("div", { class: "notice", hidden: true, role: "alert" });
    const [title, text] = this.props.empty;
    this.empty = h(
      "div",
      { class: "empty" },
      h("h3", {}, title),
      h("p", {}, text),
      h("button", { type: "button", class: "primary", onclick: () => this.toggle() }, "▶ Play"),
    );
    this.samples.element.querySelector(".scroll-box").append(this.empty);
    this.player = h("div", { class: "player-slot" });
    this.again = h(
      "button",
      { type: "button", hidden: true, onclick: () => this.playBack(this.kept.run, "again") },
      "Play this run back",
    );
    this.sharing = new Sharing();
    this.sheet = h("a", { download: "nayer-run.png", hidden: "" }, "Save this run as one picture");
    this.keeping = h("span", { class: "keeping" });
    this.foot = h("p", { class: "note foot" }, this.props.grace, " ", this.keeping, " ", this.again, " ", this.sheet);
    bar.replaceChildren(this.bar.element);
    host.replaceChildren(
      unseen("The run", "h2"),
      this.notice,
      this.player,
      h(
        "div",
        { class: "stage-grid" },
        h(
          "div",
          { class: "main" },
          this.diagram.element,
          this.samples.element,
          this.strip.element,
          this.sharing.element,
        ),
        h(
          "div",
          { class: "side" },
          this.accuracy.element,
          this.diversity.element,
          this.map.element,
          this.losses.element,
        ),
      ),
      this.foot,
    );
  }

  /** Somebody else's run: all of it is shown, and nothing can be told to it. */
  onlyWatch() {
    document.body.classList.add("watching");
    this.complain(this.props.watching, "quiet");
  }

  // --- commands ---------------------------------------------------------------------------------------------------

  get active() {
    return ["queued", "starting", "running", "paused"].includes(this.model.state);
  }

  toggle() {
    if (this.model.state === "running") this.command("pause");
    else if (this.model.state === "paused") this.command("resume");
    else if (!this.active) this.start(false);
  }

  start(paused, then = null) {
    this.asked += 1;
    this.then = then;
    this.feed?.close();
    this.model = { ...emptyModel(), state: "starting" };
    this.leaveReplay();
    this.complain("");
    this.draw();
    this.trigger("play", { token: remembered().token ?? "", paused, asked: `${Date.now()}-${this.asked}` });
  }

  /** Goes on with what the form holds, from the next round on. */
  apply() {
    this.asked += 1;
    this.complain("");
    this.trigger("apply", { run: this.kept.run, token: this.kept.token, asked: `${Date.now()}-${this.asked}` });
  }

  /** Goes on with a run that the end of the server cut off. */
  async revive() {
    await this.command("revive");
    this.follow();
  }

  begun(value) {
    if (!value) return;
    if (value.chosen) return this.choose(value.chosen);
    if (value.said) return this.complain(value.said, value.refused ? "loud" : "quiet");
    if (value.error) {
      this.model = emptyModel();
      this.complain(value.error);
      return this.draw();
    }
    if (!value.run || value.run === this.kept.run) return;
    this.kept = { run: value.run, token: value.token };
    keep(this.kept);
    this.follow();
    if (this.then) this.command("step", this.then);
    this.then = null;
  }

  step(kind) {
    if (this.active) this.command("step", kind);
    else this.start(true, kind);
  }

  slow() {
    const pace = this.model.pace > 0 ? 0 : SLOW;
    this.model = { ...this.model, pace };
    if (this.active) this.command("pace", pace);
    else this.start(false);
    this.wantsSlow = pace;
    this.draw();
  }

  async command(name, ...rest) {
    if (!this.kept.run || this.watching) return;
    const guess = { pause: "paused", resume: "running", step: "running" }[name];
    if (guess && this.active && this.model.state !== "queued") this.model = { ...this.model, state: guess };
    this.draw();
    try {
      await command(name, this.kept.run, this.kept.token, ...rest);
    } catch (error) {
      this.complain(error.message);
    }
    this.feed?.soon();
  }

  // --- news -------------------------------------------------------------------------------------------------------

  get address() {
    return this.replay?.run ?? at(`live/${this.kept.run}`);
  }

  /** The run that is on show: a recording while one plays, else the visitor's own. */
  get scene() {
    return this.replay?.model ?? this.model;
  }

  /** Plays a recording in the panels; `why` names the sentence that says what it is. */
  async playBack(run, why) {
    this.leaveReplay();
    const leave = why === "greeting" || why === "waiting" ? null : () => this.leaveReplay();
    const replay = new Replay({
      address: at(`live/${run}`),
      about: this.props.recorded[why],
      calm: calm(),
      changed: () => this.replay === replay && this.draw(),
      close: leave,
    });
    replay.why = why;
    this.replay = replay;
    this.player.replaceChildren(replay.element);
    if (!(await replay.load()) && this.replay === replay) {
      this.leaveReplay();
      if (why === "again") this.complain("This run is no longer kept and cannot be played back.", "quiet");
    }
  }

  leaveReplay() {
    this.replay?.close();
    this.replay = null;
    this.samples.clear();
    this.draw();
  }

  follow() {
    this.feed?.close();
    this.feed = new Feed({
      address: at(`live/${this.kept.run}`),
      heard: (news) => this.hear(news),
      gone: () => this.forget(),
      seen: () => this.seen,
      trouble: (down) => this.complain(down ? "Reconnecting… the run goes on meanwhile." : "", "quiet"),
    });
  }

  /** Whether the tab that holds the stage is the one on show. */
  get seen() {
    return this.host.getClientRects().length > 0;
  }

  /** Catches up at once when its tab comes back on show. */
  appear() {
    if (this.seen && !this.shown) this.feed?.soon();
    this.shown = this.seen;
  }

  hear(news) {
    this.model = told(this.model, news);
    if (this.wantsSlow && this.model.state === "running") {
      this.command("pace", this.wantsSlow);
      this.wantsSlow = 0;
    }
    if (news.state === "failed") this.complain(news.error);
    if (news.state === "queued" && this.props.greets && !this.replay) this.playBack("recording", "waiting");
    else if (news.state !== "queued" && this.replay?.why === "waiting") this.leaveReplay();
    this.draw();
  }

  forget() {
    if (this.watching) return this.complain(this.props.gone, "quiet");
    this.kept = { token: this.kept.token };
    keep(this.kept);
    if (this.model.facts) this.complain("This run is over and no longer kept. Press Play for a new one.", "quiet");
    this.model = { ...this.model, state: this.model.facts ? "stopped" : "empty" };
    this.draw();
  }

  async umap() {
    try {
      const answer = await fetch(`${this.address}/umap`);
      return answer.ok ? await answer.json() : null;
    } catch {
      return null;
    }
  }

  // --- drawing ----------------------------------------------------------------------------------------------------

  choose(name) {
    const known = this.props.teachers.find((teacher) => teacher.name === name);
    if (!known) return offer({ name, title: name, classes: [], accuracy: null, sketch: null, anchors: null }); // a folder that was typed
    this.chosen = known;
    this.draw();
  }

  /** A teacher that is not shipped, whose card is shown as those of the others are. */
  bring(teacher) {
    this.props.teachers = [...this.props.teachers.filter(({ name }) => name !== teacher.name), teacher];
    this.choose(teacher.name);
  }

  draw() {
    const model = this.scene;
    const classes = model.facts?.classes ?? this.chosen?.classes ?? [];
    this.bar.update(this.model, this.chosen);
    this.introduce(classes);
    this.diagram.update(model, this.fallback());
    put(this.empty, "hidden", model.state !== "empty");
    if (this.replay || this.kept.run) {
      this.samples.update(model, this.replay?.address ?? this.address);
      put(this.sheet, "href", `${this.address}/sheet.png`);
    }
    put(this.sheet, "hidden", !model.facts);
    const finished = !this.replay && ENDED.has(this.model.state) && Boolean(this.model.facts);
    put(this.again, "hidden", !finished);
    this.sharing.update(this.replay ? emptyModel() : this.model, this.kept.run);
    say(this.keeping, this.model.kept);
    this.accuracy.update(model);
    this.losses.update(model);
    this.diversity.update(model);
    this.strip.introduce(classes);
    this.strip.enable(Boolean(this.model.facts) && !this.replay && !this.watching);
    this.map.update(model, this.chosen);
  }

  introduce(classes) {
    this.samples.introduce(classes);
    const sketch = this.scene.facts?.sketch ?? this.chosen?.sketch ?? [[0]];
    if (this.introduced === classes && this.sketched === sketch) return;
    this.introduced = classes;
    this.sketched = sketch;
    this.diagram.introduce(classes, sketch);
  }

  fallback() {
    const model = this.scene;
    if (model.state === "empty") return "Point at a part, or tab to it, to read what it does.";
    if (model.state === "queued") return "All places are taken; your run begins as soon as one falls free.";
    if (model.state === "starting") return "The teacher is being loaded.";
    if (ENDED.has(model.state))
      return (
        {
          "rounds done": "All rounds are done.",
          "time is up": "The time is up.",
          stopped: "The run was stopped; what it has shown stays.",
        }[model.reason] ??
        (model.state === "interrupted"
          ? "The server ended while this run was going on; press Go on, and it does from its last checkpoint."
          : "")
      );
    const doing = {
      redraw: "Noise is re-drawn.",
      generator: "The generator learns to paint what the teacher recognises.",
      pool: "The best batch goes into the pool.",
      student: "The student imitates the teacher on the pool.",
      measure: "The student is measured.",
    };
    return doing[model.phase] ?? "";
  }

  complain(sentence, kind = "loud") {
    this.notice.className = `notice ${kind}`;
    say(this.notice, sentence);
    put(this.notice, "hidden", !sentence);
  }

  key(event) {
    const target = event.target;
    const typing = target.closest?.("input, textarea, select, [contenteditable], [role=listbox], [role=option]");
    if (!this.seen || this.watching || typing || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    if (event.key === " " && !target.closest?.("button, summary, a, [role=button], label")) this.toggle();
    else if (event.key === ".") this.step(this.stepKind);
    else if (event.key.toLowerCase() === "r") this.step("redraw");
    else return;
    event.preventDefault();
  }
}
