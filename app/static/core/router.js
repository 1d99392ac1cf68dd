// The address of the page: it names a lesson, a run to watch, settings for a new run, and fields to hide.

import { MAX_ARMS, RUN_ID } from "./constants.js";

/** @import { LabPlan } from "./types.d.ts" */

/** @type {Record<string, string>} the tabs by their name in an address, as app/gradio_ui/page.py titles them */
const TABS = { live: "Live", lab: "Reset lab", embeddings: "Embeddings", learn: "Learn", runs: "My runs" };
const TAB_BUTTONS = '#tabs [role="tab"], #tabs .overflow-dropdown button'; // tabs that do not fit are in a menu
const RESERVED = ["watch", "hide", "lesson", "tab", "run", "compare", "lab", "plan", "join", "size"]; // parameters that are not settings

/**
 * The fields that an address can hide: the id and the label of each.
 * @type {Record<string, string>}
 */
export const HIDEABLE_FIELDS = {
  "field-teacher": "teacher",
  "field-preset": "preset",
  "field-latent": "latent",
  "field-rounds": "rounds",
  "field-seed": "seed",
  "reset-policy": "main settings",
  "all-settings": "all settings",
};

/**
 * The number of the lesson in an address, from 1 to `count`, or null.
 * @param {string} href
 * @param {number} [count]
 */
export function lessonNumber(href, count = Number.POSITIVE_INFINITY) {
  const number = Number(new URL(href).searchParams.get("lesson"));
  return Number.isInteger(number) && number >= 1 ? Math.min(number, count) : null;
}

/**
 * The address with lesson `number`, or with no lesson for null. The rest stays, except for runs of another lesson.
 * @param {string} href
 * @param {number | null} number
 */
export function lessonUrl(href, number) {
  const address = new URL(href);
  if (number === null) address.searchParams.delete("lesson");
  else {
    if (address.searchParams.get("lesson") !== String(number)) address.searchParams.delete("lab"); // of another lesson
    address.searchParams.delete("tab");
    address.searchParams.set("lesson", String(number));
  }
  return address.href;
}

/**
 * The name of the tab that an address opens: the first tab if it names none.
 * @param {string} href
 */
export function tabName(href) {
  const name = new URL(href).searchParams.get("tab") ?? "";
  if (lessonNumber(href)) return "learn";
  return Object.hasOwn(TABS, name) ? name : "live";
}

/**
 * The address with this tab and without a lesson. The rest stays.
 * @param {string} href
 * @param {string} name
 */
export function tabUrl(href, name) {
  const address = new URL(lessonUrl(href, null));
  if (name !== "runs") address.searchParams.delete("compare");
  if (name === "live") address.searchParams.delete("tab");
  else address.searchParams.set("tab", name);
  return address.href;
}

/**
 * The contents of an address: the run to watch or to open, the settings of a new run (null if there are none), fields
 * to hide.
 * @param {string} href
 * @returns {{ watch: string | null, run: string | null, settings: Record<string, string> | null, hidden: string[] }}
 */
export function readAddress(href) {
  const words = Object.fromEntries(new URL(href).searchParams);
  const named = Object.entries(words).filter(([name]) => !RESERVED.includes(name) && /^[a-z][a-z0-9_]*$/.test(name));
  const settings = Object.fromEntries(named);
  return {
    watch: runId(words.watch),
    run: runId(words.run),
    settings: "preset" in settings || "teacher" in settings ? settings : null,
    hidden: (words.hide ?? "").split(" ").filter((id) => Object.hasOwn(HIDEABLE_FIELDS, id)),
  };
}

/**
 * The word if it is the id of a run, else null.
 * @param {string | undefined} word
 */
const runId = (word) => (new RegExp(RUN_ID).test(word ?? "") ? (word ?? null) : null);

/**
 * Whether an address names a run by a word that is the id of none, as a link that was cut off or mistyped does.
 * @param {string} href
 * @param {"watch" | "run" | "lab"} name the parameter
 */
export function namesNoRun(href, name) {
  const word = new URL(href).searchParams.get(name);
  return Boolean(word) && !runId(word ?? "");
}

/**
 * The address with this run, or with no run for null. The rest stays.
 * @param {string} href
 * @param {string | null} run
 */
export function runUrl(href, run) {
  const address = new URL(href);
  if (run === null) address.searchParams.delete("run");
  else address.searchParams.set("run", run);
  return address.href;
}

/**
 * The address that compares runs of a visitor.
 * @param {string} base the page's address
 * @param {string[]} runs
 */
export function compareUrl(base, runs) {
  const address = new URL(tabUrl(base, "runs"));
  address.searchParams.set("compare", runs.join(" "));
  return address.href;
}

/**
 * The runs that an address compares.
 * @param {string} href
 */
export function comparedRuns(href) {
  const words = (new URL(href).searchParams.get("compare") ?? "").split(" ");
  return [...new Set(words)].filter((word) => runId(word));
}

/**
 * Goes to an address of this page, in the size shown; every tab hears of it.
 * @param {string} href
 */
export function visit(href) {
  history.pushState(null, "", inSameSize(href));
  dispatchEvent(new PopStateEvent("popstate"));
}

/**
 * The address that fills in the form for a run.
 * @param {string} base the page's address
 * @param {Record<string, string>} settings
 * @param {string[]} hidden ids of fields
 */
export function settingsUrl(base, settings, hidden) {
  const address = new URL(base);
  address.search = new URLSearchParams(settings).toString();
  if (hidden.length) address.searchParams.set("hide", hidden.join(" "));
  return address.href;
}

/**
 * The address with which other people watch a run.
 * @param {string} base the page's address
 * @param {string} run
 */
export function watchUrl(base, run) {
  const address = new URL(base);
  address.search = new URLSearchParams({ watch: run }).toString();
  return address.href;
}

/**
 * Whether the address asks for the size for a projector.
 * @param {string} href
 */
export function isLarge(href) {
  return new URL(href).searchParams.get("size") === "large";
}

/**
 * The address with that size or without it. The rest stays.
 * @param {string} href
 * @param {boolean} large
 */
export function sizeUrl(href, large) {
  const address = new URL(href);
  if (large) address.searchParams.set("size", "large");
  else address.searchParams.delete("size");
  return address.href;
}

/**
 * The address in the size that the page has now.
 * @param {string} href
 */
export function inSameSize(href) {
  return sizeUrl(href, isLarge(location.href));
}

/**
 * The address with which other people see a lab, or fill in its form.
 * @param {string} base the page's address
 * @param {{ lab: string } | { plan: LabPlan }} what
 */
export function labUrl(base, what) {
  const address = new URL(base);
  const words = "plan" in what ? { plan: JSON.stringify(what.plan) } : what;
  address.search = new URLSearchParams({ tab: "lab", ...words }).toString();
  return address.href;
}

/**
 * The lab that an address names, and the plan in it; null for what it does not have or what cannot be read.
 * @param {string} href
 * @returns {{ lab: string | null, plan: LabPlan | null }}
 */
export function readLabAddress(href) {
  const { lab = "", plan = "" } = Object.fromEntries(new URL(href).searchParams);
  return { lab: new RegExp(RUN_ID).test(lab) ? lab : null, plan: readPlan(plan) };
}

/**
 * @param {string} text
 * @returns {LabPlan | null}
 */
function readPlan(text) {
  try {
    const { experiment, teacher, seed, work, repeats, arms } = JSON.parse(text);
    const plain = Array.isArray(arms) ? arms.filter((arm) => arm && typeof arm === "object").slice(0, MAX_ARMS) : [];
    return {
      experiment: String(experiment ?? ""),
      teacher: String(teacher ?? ""),
      seed: Number(seed) || 0,
      work: Number(work) || 1,
      repeats: Number(repeats) || 1,
      arms: plain.map(({ title, preset, settings }) => ({
        title: String(title ?? ""),
        preset: String(preset ?? "nayer"),
        settings: settings && typeof settings === "object" ? settings : {},
      })),
    };
  } catch {
    return null;
  }
}

/**
 * One sentence on what is wrong with the lab or the plan in an address; empty if nothing is.
 * @param {string} href
 */
export function labAddressError(href) {
  if (namesNoRun(href, "lab")) return "The lab of this link does not exist. Ask for a new link.";
  const hasPlan = new URL(href).searchParams.has("plan");
  return hasPlan && !readLabAddress(href).plan ? "The plan in this link cannot be read. Ask for a new link." : "";
}

/**
 * Whether a word can be the code of a class. People type it in groups and in small letters.
 * @param {string} word
 */
export function isClassCode(word) {
  return /^[a-z0-9]{1,12}$/i.test(word.replace(/[\s-]/g, ""));
}

/**
 * The address with which a class sees the run of its teacher.
 * @param {string} base the page's address
 * @param {{ run: string, place: string } | null} shown place: live, lab or lesson-N
 * @param {string | null} code of the class; if it is empty, the page asks for it
 */
export function shownUrl(base, shown, code) {
  const address = new URL(base);
  const { run, place } = shown ?? { run: "", place: "" };
  const lesson = place.match(/^lesson-(\d)$/)?.[1];
  /** @type {Record<string, string>} */
  const words = lesson ? { lesson, lab: run } : place === "lab" ? { tab: "lab", lab: run } : { watch: run };
  address.search = new URLSearchParams({ ...(run ? words : {}), ...(code === null ? {} : { join: code }) }).toString();
  return address.href;
}

/** Opens the tab in the address, now and after each change, and puts a chosen tab into the address. */
export function followTabs() {
  if (tabName(location.href) !== "live") openTab(tabName(location.href));
  document.addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target : null;
    const name = nameOf(target?.closest(TAB_BUTTONS) ?? null);
    if (name && name !== tabName(location.href)) history.pushState(null, "", tabUrl(location.href, name));
    const link = target?.closest("a[data-lesson], a[data-here]");
    if (!(link instanceof HTMLAnchorElement) || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const { lesson } = link.dataset;
    visit(lesson ? lessonUrl(location.href, Number(lesson)) : link.href);
  });
  addEventListener("popstate", () => openTab(tabName(location.href)));
}

/**
 * The name of a tab.
 * @param {Element | null} tab
 */
function nameOf(tab) {
  const title = tab?.textContent?.trim();
  return Object.keys(TABS).find((name) => TABS[name] === title);
}

/**
 * Clicks on a tab as soon as Gradio has drawn it, unless it is open.
 * @param {string} name
 */
function openTab(name) {
  const tabs = [...document.querySelectorAll(TAB_BUTTONS)];
  const tab = tabs.find((one) => nameOf(one) === name);
  if (!(tab instanceof HTMLElement)) requestAnimationFrame(() => openTab(name));
  else if (tab.getAttribute("aria-selected") !== "true") tab.click();
}
