// The state of the server, fetched while the panel is open.

import { serverUrl } from "../core/api.js";
import { find, h } from "../core/dom.js";
import { formatCount, formatDuration } from "../core/format.js";

/** @import { GradioMount } from "../core/types.d.ts" */

/**
 * The properties of the panel, from Python.
 * @typedef {object} StatusProps
 * @property {string} title
 * @property {string} intro
 * @property {[path: string, label: string][]} rows places in the answer of /health, and their labels
 */

/** @typedef {{ capacity: number } & Record<string, unknown>} Health the answer of /health */

const INTERVAL = 10_000; // ms

/** @param {GradioMount<StatusProps>} mounted */
export function mount({ element, props }) {
  const host = find(element, "#nayer-status", HTMLElement);
  if (host.childElementCount) return;
  const list = h("dl", {});
  const panel = h("details", {}, h("summary", {}, props.title), h("p", {}, props.intro), list);
  host.append(panel);
  const update = async () => {
    if (panel.open && !document.hidden) list.replaceChildren(...(await makeRows(props.rows)));
  };
  panel.addEventListener("toggle", update);
  document.addEventListener("visibilitychange", update);
  setInterval(update, INTERVAL);
}

/** @param {[path: string, label: string][]} places */
async function makeRows(places) {
  try {
    const answer = await fetch(serverUrl("health"), { cache: "no-store" });
    const health = await answer.json();
    return places
      .map(([path, label]) => [label, describeHealth(path, health)])
      .filter(([, value]) => value !== "")
      .flatMap(([label, value]) => [h("dt", {}, label), h("dd", {}, value)]);
  } catch {
    return [h("dt", {}, "state"), h("dd", {}, "The server does not answer.")];
  }
}

/**
 * A value of /health in words; empty if there is none.
 * @param {string} path with dots, as in `waits.now`
 * @param {Health} health
 */
export function describeHealth(path, health) {
  /** @type {unknown} */
  let value = health;
  for (const name of path.split(".")) value = isRecord(value) ? value[name] : undefined;
  if (path === "running") return `${value} of ${health.capacity}`;
  if (path === "lost") return value ? String(value) : "";
  if (path === "up_seconds" || path.startsWith("waits.")) return describeSeconds(value);
  if (path === "storage") return describeStorage(value);
  if (path === "versions") return isRecord(value) ? entries(value, (name, number) => `${name} ${number}`) : "";
  if (isRecord(value)) return entries(value, (name, count) => `${count} ${name}`) || "none";
  return String(value);
}

/**
 * @param {unknown} value
 * @returns {value is Record<string, unknown>}
 */
const isRecord = (value) => typeof value === "object" && value !== null;

/**
 * @param {Record<string, unknown>} record
 * @param {(name: string, value: unknown) => string} format
 */
function entries(record, format) {
  return Object.entries(record)
    .map(([name, value]) => format(name, value))
    .join(", ");
}

/** @param {unknown} seconds null if it is unknown */
function describeSeconds(seconds) {
  if (typeof seconds !== "number") return "unknown";
  return seconds === 0 ? "none" : formatDuration(seconds);
}

/** @param {unknown} storage */
function describeStorage(storage) {
  if (!isRecord(storage) || !storage.of) return "nothing";
  return `${formatCount(Number(storage.runs), "run")}, ${Number(storage.megabytes).toFixed(1)} of ${storage.of} MB`;
}
