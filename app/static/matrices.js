// The card with both matrices, before and after BatchNorm: one scale, one order, one pointer for both.

import { h, put, say } from "./dom.js";
import { titled } from "./explained.js";
import { Matrix, cosine, scaleKey } from "./matrix.js";

const LISTED = 300; // pairs in the table
const ORDERS = [
  ["typed", "as typed"],
  ["alike", "alike together"],
];

export class Matrices {
  /** `focus([class, class] or null)` hears which pair is pointed at. */
  constructor({ focus }) {
    this.focus = focus;
    this.order = "typed";
    this.before = new Matrix({ title: "Before BatchNorm", point: (pair) => this.point(pair) });
    this.after = new Matrix({ title: "After BatchNorm", point: (pair) => this.point(pair) });
    this.buttons = ORDERS.map(([order, name]) =>
      h(
        "button",
        { type: "button", "aria-pressed": String(order === this.order), onclick: () => this.arrange(order) },
        name,
      ),
    );
    this.explained = h("p", { class: "explained" });
    this.readout = h("p", { class: "readout", "aria-live": "polite" });
    this.caption = h("caption");
    this.table = h("tbody");
    this.details = h(
      "details",
      { class: "numbers", ontoggle: () => this.fillTable() },
      h("summary", {}, "Numbers, pair by pair"),
      h(
        "div",
        { class: "scroll", tabindex: 0, role: "group", "aria-label": "Numbers" },
        h(
          "table",
          {},
          this.caption,
          h(
            "thead",
            {},
            h("tr", {}, ...["name", "name", "before", "after"].map((name) => h("th", { scope: "col" }, name))),
          ),
          this.table,
        ),
      ),
    );
    this.element = h(
      "section",
      { class: "card matrices", "aria-label": "Cosines between the names" },
      h(
        "div",
        { class: "card-head" },
        titled(h("h3", {}, "How alike are the names to the generator?"), "panel/cosines"),
        h("div", { class: "segmented small", role: "group", "aria-label": "Order of the names" }, ...this.buttons),
      ),
      this.explained,
      this.readout,
      h("div", { class: "pair-of-matrices" }, this.before.element, this.after.element),
      scaleKey(),
      this.details,
    );
    this.tell(null);
  }

  /** answer: what the server said of the names, see app/explorer.py. */
  show(answer) {
    this.answer = answer;
    const k = answer.asked.names.length;
    const digits = k > 20 ? 3 : 2; // the bound −1/(k − 1) must not read as 0
    this.cosines = { before: square(answer.before.cosines, k), after: square(answer.after.cosines, k) };
    const { before, after } = answer;
    this.explained.replaceChildren(
      `In front of the noisy layer a BatchNorm brings each of the ${answer.width} dimensions to mean 0 and variance 1 over the ${k} classes: what all names share goes, what tells them apart is stretched. `,
      `Here two different names have a mean cosine of `,
      h("b", {}, cosine(before.mean, digits)),
      " before and ",
      h("b", {}, cosine(after.mean, digits)),
      ` after it; ${k} directions cannot average below ${cosine(answer.lowest_mean, digits)}.`,
    );
    for (const side of ["before", "after"]) this[side].said.replaceChildren(...this.closest(answer[side], side));
    this.draw();
    this.fillTable();
  }

  closest({ closest, lowest, highest }, side) {
    if (highest - lowest < 0.0005) return [`Every pair has ${cosine(highest)}.`];
    const pairs = closest.map(([i, j]) =>
      h("li", {}, this.name(i), " and ", this.name(j), ` ${cosine(this.cosines[side](i, j))}`),
    );
    return [`From ${cosine(lowest)} to ${cosine(highest)}. Closest:`, h("ol", {}, ...pairs)];
  }

  arrange(order) {
    this.order = order;
    this.buttons.forEach((button, i) => put(button, "aria-pressed", String(ORDERS[i][0] === order)));
    if (this.answer) this.draw();
  }

  draw() {
    const { names } = this.answer.asked;
    const order = this.order === "typed" ? names.map((_, i) => i) : this.answer.order;
    for (const side of ["before", "after"]) {
      const { mean, lowest, highest } = this.answer[side];
      const summary = `cosines between ${names.length} names, mean ${cosine(mean)}, from ${cosine(lowest)} to ${cosine(highest)}. Arrow keys go from pair to pair.`;
      this[side].show({ names, order, value: this.cosines[side] }, summary);
    }
    this.point(null);
  }

  point(pair) {
    if (!this.answer) return;
    this.before.mark(pair);
    this.after.mark(pair);
    this.tell(pair);
    this.focus(pair);
  }

  tell(pair) {
    if (!pair) return say(this.readout, "Point at a square, or tab to a matrix and use the arrow keys.");
    const [i, j] = pair;
    const said =
      i === j
        ? [this.name(i), ": a name and itself, cosine 1."]
        : [
            this.name(i),
            " and ",
            this.name(j),
            ": cosine ",
            h("b", {}, cosine(this.cosines.before(i, j))),
            " before, ",
            h("b", {}, cosine(this.cosines.after(i, j))),
            " after BatchNorm.",
          ];
    this.readout.replaceChildren(...said);
  }

  name(index) {
    return h("bdi", {}, this.answer.asked.names[index]);
  }

  fillTable() {
    if (!this.details.open || !this.answer) return;
    const { before, after } = this.cosines;
    const pairs = this.answer.asked.names.flatMap((_, i) => Array.from({ length: i }, (_, j) => [j, i]));
    pairs.sort(([a, b], [c, d]) => before(c, d) - before(a, b) || a - c || b - d);
    say(
      this.caption,
      pairs.length > LISTED
        ? `The ${LISTED} closest of ${pairs.length.toLocaleString("en-GB")} pairs`
        : `All ${pairs.length} pairs, the closest first`,
    );
    this.table.replaceChildren(
      ...pairs
        .slice(0, LISTED)
        .map(([i, j]) =>
          h(
            "tr",
            {},
            h("th", { scope: "row" }, this.name(i)),
            h("th", { scope: "row" }, this.name(j)),
            h("td", {}, cosine(before(i, j), 3)),
            h("td", {}, cosine(after(i, j), 3)),
          ),
        ),
    );
  }
}

/** The upper triangle, row by row and in thousandths, as a function of row and column. */
function square(triangle, k) {
  return (i, j) => {
    if (i === j) return 1;
    const [row, column] = i < j ? [i, j] : [j, i];
    return triangle[row * (k - 1) - (row * (row - 1)) / 2 + column - row - 1] / 1000;
  };
}
