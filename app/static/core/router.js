// What the page's address asks for: a lesson, a run to watch, settings for a new run, and fields to hide.

import { RUN_ID } from "./constants.js";

const LESSON_TAB = "Learn"; // as app/gradio_ui/page.py names it
const RESERVED = ["watch", "hide", "lesson"]; // parameters that are no settings

/**
 * The fields that an address can hide: the id of each, and what people call it.
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
 * The address with lesson `number`, or with none for null; all else in it stays.
 * @param {string} href
 * @param {number | null} number
 */
export function lessonUrl(href, number) {
  const address = new URL(href);
  if (number === null) address.searchParams.delete("lesson");
  else address.searchParams.set("lesson", String(number));
  return address.href;
}

/**
 * What an address asks for: the run to watch, the settings of a new run (null where there are none), fields to hide.
 * @param {string} href
 * @returns {{ watch: string | null, settings: Record<string, string> | null, hidden: string[] }}
 */
export function readAddress(href) {
  const words = Object.fromEntries(new URL(href).searchParams);
  const named = Object.entries(words).filter(([name]) => !RESERVED.includes(name) && /^[a-z][a-z0-9_]*$/.test(name));
  const settings = Object.fromEntries(named);
  return {
    watch: new RegExp(RUN_ID).test(words.watch ?? "") ? (words.watch ?? null) : null,
    settings: "preset" in settings || "teacher" in settings ? settings : null,
    hidden: (words.hide ?? "").split(" ").filter((id) => Object.hasOwn(HIDEABLE_FIELDS, id)),
  };
}

/**
 * The address that sets a run up.
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
 * The address under which others follow a run.
 * @param {string} base the page's address
 * @param {string} run
 */
export function watchUrl(base, run) {
  const address = new URL(base);
  address.search = new URLSearchParams({ watch: run }).toString();
  return address.href;
}

/** Opens the tab with the lessons if the address names one, now and whenever a link to one is followed. */
export function followLessonLinks() {
  if (lessonNumber(location.href)) openLessonTab();
  document.addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest("a[data-lesson]") : null;
    if (!(link instanceof HTMLElement) || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    history.pushState(null, "", lessonUrl(location.href, Number(link.dataset.lesson)));
    dispatchEvent(new PopStateEvent("popstate"));
  });
  addEventListener("popstate", () => lessonNumber(location.href) && openLessonTab());
}

/** Clicks on the tab once Gradio has drawn it. */
function openLessonTab() {
  const tabs = [...document.querySelectorAll('#tabs [role="tab"]')];
  const tab = tabs.find((one) => one.textContent?.trim() === LESSON_TAB);
  if (tab instanceof HTMLElement) tab.click();
  else requestAnimationFrame(openLessonTab);
}
