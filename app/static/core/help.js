// The `?` buttons: they explain a curve, a panel or a control, with its symbol and a link to its code.

import { serverUrl } from "./api.js";
import { h, setAttribute } from "./dom.js";

/** @import { Explanation } from "./types.d.ts" */

/** @type {Promise<Record<string, Explanation>> | null} */
let explanations = null;

/** The table of explanations, fetched once. */
function loadExplanations() {
  explanations ??= fetch(serverUrl("explained")).then((answer) => answer.json());
  return explanations;
}

/**
 * Uses this table instead of the server's.
 * @param {Record<string, Explanation>} table
 */
export function provideExplanations(table) {
  explanations = Promise.resolve(table);
}

/**
 * A button that explains the thing with this name.
 * @param {string | string[]} keys one or several of the table of explanations
 * @param {string} name
 */
export function helpButton(keys, name) {
  const card = h("div", { class: "help-card nayer", popover: "auto", role: "note" });
  const button = h(
    "button",
    { type: "button", class: "help", "aria-label": `Help: ${name}`, "aria-expanded": "false" },
    "?",
  );
  button.popoverTargetElement = card;
  card.addEventListener("beforetoggle", ({ newState }) => {
    if (newState === "open") fill(card, [keys].flat(), button);
  });
  card.addEventListener("toggle", ({ newState }) => {
    setAttribute(button, "aria-expanded", String(newState === "open"));
    if (newState === "open") place(card, button);
  });
  return h("span", { class: "help-place" }, button, card);
}

/**
 * A heading with its `?`.
 * @param {HTMLElement} heading
 * @param {string | string[]} keys
 */
export function withHelp(heading, keys) {
  return h("div", { class: "titled" }, heading, helpButton(keys, heading.textContent ?? ""));
}

/**
 * @param {HTMLElement} card
 * @param {string[]} keys
 * @param {HTMLElement} button
 */
async function fill(card, keys, button) {
  if (card.childElementCount) return;
  try {
    const known = await loadExplanations();
    card.replaceChildren(...keys.flatMap((key) => paragraphs(known[key], keys.length > 1 ? key.split("/")[1] : "")));
  } catch {
    explanations = null;
    card.replaceChildren(h("p", {}, "The help text could not be loaded. Close this and try again."));
    card.addEventListener("toggle", () => card.replaceChildren(), { once: true });
  }
  place(card, button);
}

/**
 * @param {Explanation | undefined} explanation
 * @param {string} [name] said before the sentence if there are several
 */
function paragraphs(explanation, name = "") {
  if (!explanation) throw new Error("There is no help text for this.");
  const [sentence, symbol, link, place] = explanation;
  return [
    h("p", {}, name ? h("b", {}, `${name.replaceAll("_", " ")}: `) : "", sentence),
    h(
      "p",
      { class: "note" },
      symbol ? h("span", { class: "symbol" }, ...withSubscripts(symbol)) : "",
      symbol && link ? " · " : "",
      link ? h("a", { href: serverUrl(link), target: "_blank", rel: "noopener" }, place) : "",
    ),
  ];
}

/**
 * A symbol with its index lowered, as in α_ce.
 * @param {string} symbol
 */
function withSubscripts(symbol) {
  return symbol.split(/(_\w+)/).map((part) => (part.startsWith("_") ? h("sub", {}, part.slice(1)) : part));
}

/**
 * Places the card below its button, inside the window.
 * @param {HTMLElement} card
 * @param {HTMLElement} button
 */
function place(card, button) {
  const { left, bottom, top } = button.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = card;
  card.style.left = `${Math.max(8, Math.min(left, innerWidth - width - 8))}px`;
  card.style.top = `${bottom + 6 + height < innerHeight ? bottom + 6 : Math.max(8, top - height - 6)}px`;
}
