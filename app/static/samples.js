// The invented images: a column a class, the newest row on top, and above it the row that is being made.

import { classColour, h, percent, put, say, unseen } from "./dom.js";
import { titled } from "./explained.js";

export class Samples {
  /** `focus(index | null)` tells the other panels which class is looked at. */
  constructor({ focus }) {
    this.focus = focus;
    this.rows = new Map();
    this.classes = [];
    this.heads = h("div", { class: "heads", role: "row" });
    this.body = h("div", { class: "rows", role: "rowgroup" });
    this.grid = h(
      "div",
      {
        class: "grid",
        role: "grid",
        "aria-label": "Invented images, a column a class, newest round first",
        onkeydown: (event) => this.move(event),
      },
      h("div", { role: "rowgroup", class: "heads-group" }, this.heads),
      this.body,
    );
    this.summary = h("p", { class: "note summary" });
    this.tip = h("div", { class: "tip", hidden: true, role: "presentation" });
    this.count = h("span", { class: "aside" });
    this.legend = h(
      "span",
      { class: "aside legend-dots" },
      h("span", {}, h("i", { class: "dot teacher-no" }), "teacher sees another class"),
      h("span", {}, h("i", { class: "dot student-no" }), "student sees another class"),
    );
    this.element = h(
      "section",
      { class: "card samples", "aria-label": "Samples" },
      h("div", { class: "card-head" }, titled(h("h3", {}, "Images invented so far"), "panel/samples"), this.legend),
      this.summary,
      h("div", { class: "scroll-box" }, this.grid),
      this.tip,
    );
    this.grid.addEventListener("pointerover", (event) => this.hover(event.target.closest(".cell, .head")));
    this.grid.addEventListener("pointerleave", () => this.hover(null));
    this.grid.addEventListener("focusin", (event) => this.hover(event.target.closest(".cell")));
    this.grid.addEventListener("focusout", () => this.hover(null));
  }

  introduce(classes) {
    if (this.classes.join("\n") === classes.join("\n")) return;
    this.classes = classes;
    this.grid.style.setProperty("--classes", classes.length);
    this.grid.classList.toggle("many", classes.length > 12);
    this.heads.replaceChildren(
      h("span", { class: "gutter", role: "columnheader" }, unseen("round")),
      ...classes.map((name, i) =>
        h(
          "span",
          { class: "head", role: "columnheader", "data-class": i, title: name },
          h("i", { style: `background:${classColour(i, classes.length)}` }),
          h("span", {}, name),
        ),
      ),
      h("span", { class: "gutter", role: "columnheader" }, unseen("share of the batch that the teacher recognises")),
    );
    this.clear();
  }

  clear() {
    this.rows.clear();
    this.body.replaceChildren(this.easel());
    this.making = null;
    say(this.summary, "");
  }

  easel() {
    this.live = h(
      "div",
      { class: "row live idle", role: "row" },
      h("span", { class: "gutter", role: "gridcell" }, ""),
      ...this.classes.map((_, i) => h("span", { class: "cell blank", role: "gridcell", "data-class": i })),
      h("span", { class: "gutter hit" }),
    );
    return this.live;
  }

  update(model, address) {
    const known = new Set(model.rows.map((row) => row.round));
    for (const [round, { element }] of this.rows)
      if (!known.has(round)) {
        element.remove();
        this.rows.delete(round);
      }
    for (const row of model.rows) {
      const old = this.rows.get(row.round);
      if (old?.row.frame === row.frame) continue;
      old?.element.remove();
      const element = this.row(row, `${address}/frame/${row.frame}.jpg`);
      const after = [...this.rows.values()].filter((other) => other.row.round > row.round).pop();
      (after?.element ?? this.live).after(element);
      this.rows.set(row.round, { row, element });
      this.rows = new Map([...this.rows].sort((a, b) => b[0] - a[0]));
    }
    this.easelShows(model, address);
    this.summarise(model);
  }

  row(row, url) {
    new Image().src = url; // fetched now, also if its tab is left before the next frame is drawn
    const total = this.classes.length;
    const cells = row.labels.map((label, i) => {
      const [seen, sure] = row.teacher[i];
      const [guess, share] = row.student[i];
      const told = `${this.classes[label]}, round ${row.round + 1}: the teacher sees ${this.classes[seen]}, ${percent(sure)}; the student ${this.classes[guess]}, ${percent(share)}.`;
      const cell = h("span", {
        class: "cell",
        role: "gridcell",
        tabindex: -1,
        "data-class": label,
        "data-round": row.round,
        "data-at": i,
        "aria-label": told,
      });
      this.paint(cell, url, i, row.labels.length);
      if (seen !== label) cell.append(h("i", { class: "dot teacher-no" }));
      if (guess !== label) cell.append(h("i", { class: "dot student-no" }));
      return cell;
    });
    const element = h(
      "div",
      { class: "row", role: "row" },
      h("span", { class: "gutter", role: "rowheader" }, String(row.round + 1)),
      ...cells,
      h(
        "span",
        { class: "gutter hit", title: "share of the batch that the teacher recognises" },
        percent(row.label_hit),
      ),
    );
    element.classList.toggle("unpooled", !row.pooled);
    if (total && !this.rows.size) cells[0]?.setAttribute("tabindex", "0");
    return element;
  }

  paint(cell, url, at, count) {
    cell.style.backgroundImage = `url("${url}")`;
    cell.style.backgroundSize = `${count * 100}% 100%`;
    cell.style.backgroundPosition = count > 1 ? `${(at / (count - 1)) * 100}% 0` : "0 0";
  }

  async easelShows(model, address) {
    const making = model.making;
    this.live.classList.toggle("idle", !making);
    const [name, ...rest] = this.live.children;
    const hit = rest.at(-1);
    if (!making) {
      const waits = model.state === "running" && model.phase === "student";
      say(name, waits ? "…" : "");
      say(hit, "");
      if (!model.rows.length && model.state !== "running" && model.state !== "paused")
        for (const cell of this.live.querySelectorAll(".cell")) cell.style.backgroundImage = "";
      return;
    }
    if (this.making === making.frame) return;
    this.making = making.frame;
    const url = `${address}/frame/${making.frame}.jpg`;
    const picture = new Image();
    picture.src = url;
    try {
      await picture.decode();
    } catch {
      return; // the frame is gone already; a newer one is on its way
    }
    if (this.making !== making.frame || !this.live.getClientRects().length) return; // out of sight it would be fetched when it is gone
    say(name, `${making.round + 1}`);
    say(hit, percent(making.label_hit));
    put(this.live, "aria-label", `Being made in round ${making.round + 1}, step ${making.step + 1} of ${making.steps}`);
    this.live.querySelectorAll(".cell").forEach((cell, i) => {
      cell.classList.toggle("blank", i >= making.count);
      if (i < making.count) this.paint(cell, url, i, making.count);
    });
    this.pictured?.(url, making.count);
  }

  summarise(model) {
    const newest = model.rows.at(-1);
    if (!newest)
      return say(
        this.summary,
        model.making ? `Round 1, step ${model.making.step + 1} of ${model.making.steps}: out of noise.` : "",
      );
    const agree = newest.labels.filter((label, i) => newest.teacher[i][0] === label).length;
    say(
      this.summary,
      `Newest row, round ${newest.round + 1}: the teacher recognises ${agree} of these ${newest.labels.length}, and ${percent(newest.label_hit)} of the whole batch${newest.pooled ? "." : "; too early to keep."}`,
    );
  }

  hover(target) {
    const index = target ? Number(target.dataset.class) : null;
    this.focus(index);
    const round = target?.dataset.round;
    if (round === undefined) return put(this.tip, "hidden", true);
    const { row } = this.rows.get(Number(round));
    const at = Number(target.dataset.at);
    const label = row.labels[at];
    const big = h("span", { class: "big" });
    big.style.backgroundImage = target.style.backgroundImage;
    big.style.backgroundSize = target.style.backgroundSize;
    big.style.backgroundPosition = target.style.backgroundPosition;
    const line = (who, [seen, sure], kind) =>
      h(
        "div",
        { class: `verdict ${kind}` },
        h("span", {}, who),
        h("b", {}, this.classes[seen]),
        h("span", { class: "figure" }, percent(sure)),
        h("span", { class: "meter" }, h("i", { style: `width:${100 * sure}%` })),
      );
    this.tip.replaceChildren(
      big,
      h(
        "div",
        {},
        h("strong", {}, this.classes[label]),
        h("small", {}, `made in round ${row.round + 1}`),
        line("teacher", row.teacher[at], "by-teacher"),
        line("student", row.student[at], "by-student"),
      ),
    );
    put(this.tip, "hidden", false);
    const box = this.element.getBoundingClientRect();
    const cell = target.getBoundingClientRect();
    const width = Math.min(290, box.width);
    this.tip.style.width = `${width}px`;
    const left = Math.max(0, Math.min(box.width - width, cell.left - box.left + cell.width / 2 - width / 2));
    const below = cell.bottom - box.top + 8;
    const above = cell.top - box.top - this.tip.offsetHeight - 8;
    this.tip.style.left = `${left}px`;
    this.tip.style.top = `${below + this.tip.offsetHeight > box.height && above > 0 ? above : below}px`;
  }

  highlight(index) {
    for (const head of this.heads.querySelectorAll(".head"))
      head.classList.toggle("dim", index !== null && Number(head.dataset.class) !== index);
    this.grid.classList.toggle("focussed", index !== null);
    this.grid.style.setProperty("--focus", index ?? -1);
    for (const cell of this.body.querySelectorAll(".cell"))
      cell.classList.toggle("dim", index !== null && Number(cell.dataset.class) !== index);
  }

  move(event) {
    const cell = event.target.closest(".cell");
    const steps = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] };
    if (!cell || !steps[event.key]) return;
    const rows = [...this.body.querySelectorAll(".row:not(.live)")].map((row) => [...row.querySelectorAll(".cell")]);
    const y = rows.findIndex((row) => row.includes(cell));
    const [down, right] = steps[event.key];
    const next = rows[y + down]?.[rows[y].indexOf(cell) + right];
    if (!next) return;
    event.preventDefault();
    cell.setAttribute("tabindex", "-1");
    next.setAttribute("tabindex", "0");
    next.focus();
  }
}
