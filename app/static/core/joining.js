// A class: pupils follow what the teacher with a code shows, and a teacher's code names what they show now.

import { sendCommand, serverUrl } from "./api.js";
import { h, setAttribute, setText } from "./dom.js";
import { inSameSize, shownUrl } from "./router.js";
import { errorSentence } from "./run_client.js";
import { isTeaching, readVisitor, storeTeaching, watchVisitor } from "./storage.js";

/** @import { RunHandle } from "./types.d.ts" */

/** @typedef {{ code: string, qr: string }} ClassCode a code, and the address with it as a picture */

const FOLLOW_MS = 4000; // between two looks at what the teacher shows

/** Follows the class in the address, and asks for the code where it is empty. */
export function followClass() {
  const code = new URL(location.href).searchParams.get("join");
  if (code === null) return;
  const said = h("span", { role: "status" });
  const input = h("input", { type: "text", maxlength: 12, autocomplete: "off", "aria-label": "Code of the class" });
  const form = h("form", {}, "Code of the class ", input, h("button", { type: "submit", class: "primary" }, "Join"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    location.assign(inSameSize(shownUrl(document.baseURI, null, input.value.trim())));
  });
  setAttribute(form, "hidden", code !== "");
  const leave = h("a", { href: shownUrl(document.baseURI, null, null) }, code ? "Leave the class" : "Cancel");
  document.querySelector("#masthead")?.after(h("div", { class: "nayer class-strip" }, said, form, leave));
  const teaches = "You teach? Start a run, a lesson or a lab, and press Class code beside it.";
  if (!code) form.after(h("span", { class: "note" }, teaches));
  if (!code) input.focus();
  else look(code, runOf(location.href), said, form);
}

/**
 * The run that an address shows.
 * @param {string} href
 */
function runOf(href) {
  const { searchParams } = new URL(href);
  return searchParams.get("watch") ?? searchParams.get("lab");
}

/**
 * Goes where the teacher is, again and again; who looks at another tab stays there until the teacher goes on.
 * @param {string} code
 * @param {string | null} here the run that the page was opened with
 * @param {HTMLElement} said
 * @param {HTMLElement} form shown where the code belongs to no class
 */
async function look(code, here, said, form) {
  try {
    const answer = await fetch(serverUrl(`join/${encodeURIComponent(code)}`), { cache: "no-store" });
    const told = await answer.json();
    if ("run" in told) {
      if (told.run !== here) return location.replace(inSameSize(shownUrl(document.baseURI, told, code)));
      setText(said, `Class ${code.toUpperCase()}: you see what your teacher shows.`);
    } else {
      setText(said, told.error);
      setAttribute(form, "hidden", false);
      if (answer.ok) return;
    }
  } catch {
    setText(said, "Reconnecting… The class continues.");
  }
  setTimeout(() => look(code, here, said, form), FOLLOW_MS);
}

/**
 * Shows a run to the class, and every later one that this page begins; throws an Error with a sentence.
 * @param {RunHandle} handle
 * @param {string} place live, lab or lesson-N
 * @returns {Promise<ClassCode>}
 */
export async function showToClass({ run, token }, place) {
  /** @type {ClassCode} */
  const answer = await sendCommand("class_code", run, token, place, document.baseURI);
  storeTeaching(true);
  return answer;
}

/**
 * A run has begun here: the class goes with it, if there is one.
 * @param {RunHandle} handle
 * @param {string} place
 */
export function bringClass(handle, place) {
  if (isTeaching()) showToClass(handle, place).catch((error) => console.warn(errorSentence(error)));
}

/** Brings the class along to every live run. */
export function bringClassToLive() {
  let before = readVisitor().run;
  watchVisitor(({ run, token }) => {
    if (run && run !== before) bringClass({ run, token }, "live");
    before = run;
  });
}

/**
 * Ends the class.
 * @param {RunHandle} handle
 */
export async function endClass({ run, token }) {
  storeTeaching(false);
  await sendCommand("end_class", run, token);
}
