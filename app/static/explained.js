// The `?` buttons: what a curve, a panel or a control means, its symbol, and the lines of code that do it.

import { h, put } from "./dom.js";
import { at } from "./server.js";

const table = () => (table.asked ??= fetch(at("explained")).then((answer) => answer.json()));

/** A button that explains `keys` (one or several of the table's) beside what is called `name`. */
export function about(keys, name) {
  const card = h("div", { class: "about-card nayer", popover: "auto", role: "note" });
  const button = h(
    "button",
    { type: "button", class: "about", "aria-label": `What is this: ${name}`, "aria-expanded": "false" },
    "?",
  );
  button.popoverTargetElement = card;
  card.addEventListener("beforetoggle", ({ newState }) => newState === "open" && fill(card, [keys].flat(), button));
  card.addEventListener("toggle", ({ newState }) => {
    put(button, "aria-expanded", String(newState === "open"));
    if (newState === "open") place(card, button);
  });
  return h("span", { class: "about-place" }, button, card);
}

/** A heading with its `?`. */
export function titled(heading, keys) {
  return h("div", { class: "titled" }, heading, about(keys, heading.textContent));
}

async function fill(card, keys, button) {
  if (card.childElementCount) return;
  try {
    const known = await table();
    card.replaceChildren(...keys.flatMap((key) => told(known[key], keys.length > 1 ? key.split("/")[1] : "")));
  } catch {
    table.asked = null;
    card.replaceChildren(h("p", {}, "The explanation did not arrive; close this and try again."));
    card.addEventListener("toggle", () => card.replaceChildren(), { once: true });
  }
  place(card, button);
}

function told([says, symbol, link, name], which) {
  return [
    h("p", {}, which ? h("b", {}, `${which.replaceAll("_", " ")}: `) : "", says),
    h(
      "p",
      { class: "note" },
      symbol ? h("span", { class: "symbol" }, ...lowered(symbol)) : "",
      symbol ? " · " : "",
      h("a", { href: at(link), target: "_blank", rel: "noopener" }, name),
    ),
  ];
}

/** α_ce with its index lowered. */
const lowered = (symbol) =>
  symbol.split(/(_\w+)/).map((part) => (part.startsWith("_") ? h("sub", {}, part.slice(1)) : part));

/** Below the button, and within the window. */
function place(card, button) {
  const { left, bottom, top } = button.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = card;
  card.style.left = `${Math.max(8, Math.min(left, innerWidth - width - 8))}px`;
  card.style.top = `${bottom + 6 + height < innerHeight ? bottom + 6 : Math.max(8, top - height - 6)}px`;
}
