// What the server says of itself, asked for while the panel is open.

import { duration, h } from "./dom.js";
import { at } from "./server.js";

const EVERY = 10_000; // ms

export function mount({ element, props }) {
  const host = element.querySelector("#nayer-status");
  if (host.childElementCount) return;
  const list = h("dl", {});
  const panel = h("details", {}, h("summary", {}, props.title), h("p", {}, props.intro), list);
  host.append(panel);
  const ask = async () => {
    if (!panel.open || document.hidden) return;
    list.replaceChildren(...(await rows(props.rows)));
  };
  panel.addEventListener("toggle", ask);
  document.addEventListener("visibilitychange", ask);
  setInterval(ask, EVERY);
}

async function rows(names) {
  try {
    const facts = await (await fetch(at("health"), { cache: "no-store" })).json();
    return names
      .map(([path, label]) => [label, told(path, facts)])
      .filter(([, value]) => value !== "")
      .flatMap(([label, value]) => [h("dt", {}, label), h("dd", {}, value)]);
  } catch {
    return [h("dt", {}, "state"), h("dd", {}, "The server does not answer.")];
  }
}

function told(path, facts) {
  const value = path.split(".").reduce((inner, name) => inner?.[name], facts);
  switch (path) {
    case "running":
      return `${value} of ${facts.capacity}`;
    case "lost":
      return value ? String(value) : "";
    case "storage":
      return value.of ? `${value.runs} runs, ${value.megabytes.toFixed(1)} of ${value.of} MB` : "nothing";
    case "runs":
    case "refused":
      return (
        Object.entries(value)
          .map(([what, count]) => `${count} ${what}`)
          .join(", ") || "none"
      );
    case "versions":
      return Object.entries(value)
        .map(([what, number]) => `${what} ${number}`)
        .join(", ");
    case "up_seconds":
    case "waits.now":
    case "waits.usual":
    case "waits.longest":
      return value === null ? "not known yet" : value === 0 ? "none" : duration(value);
    default:
      return String(value);
  }
}
