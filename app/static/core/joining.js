// A class: with the teacher's code, the pupils see the run that the teacher shows.

import { sendCommand, serverUrl } from "./api.js";
import { h, setAttribute, setText } from "./dom.js";
import { inSameSize, isClassCode, shownUrl } from "./router.js";
import { errorSentence } from "./run_client.js";
import { isTeaching, readVisitor, storeTeaching, watchVisitor } from "./storage.js";

/** @import { RunHandle } from "./types.d.ts" */

/** @typedef {{ code: string, qr: string }} ClassCode a code, and the address with it as a picture */

const FOLLOW_MS = 4000; // between two requests for the run that the teacher shows

/** Follows the class in the address. If the address has no code, a form asks for it. */
export function followClass() {
  const code = new URL(location.href).searchParams.get("join");
  if (code === null) return;
  const status = h("span", { role: "status" });
  const input = h("input", { type: "text", maxlength: 12, autocomplete: "off", "aria-label": "Code of the class" });
  const form = h("form", {}, "Code of the class ", input, h("button", { type: "submit", class: "primary" }, "Join"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    location.assign(inSameSize(shownUrl(document.baseURI, null, input.value.trim())));
  });
  setAttribute(form, "hidden", code !== "");
  const leaveLink = h("a", { href: shownUrl(document.baseURI, null, null) }, code ? "Leave the class" : "Cancel");
  document.querySelector("#masthead")?.after(h("div", { class: "nayer class-strip" }, status, form, leaveLink));
  const teaches = "You teach? Start a run, a lesson or a lab, and press Class code beside it.";
  if (!code) form.after(h("span", { class: "note" }, teaches));
  if (!code) input.focus();
  else if (isClassCode(code)) follow(code, runOf(location.href), status, form);
  else {
    setText(status, `code='${code.slice(0, 12)}' belongs to no class now; ask for the code again.`);
    setAttribute(form, "hidden", false);
  }
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
 * Opens the run that the teacher shows. A pupil on another tab stays there until the teacher shows another run.
 * @param {string} code
 * @param {string | null} here the run that the page was opened with
 * @param {HTMLElement} status
 * @param {HTMLElement} form shown if no class has this code
 */
async function follow(code, here, status, form) {
  try {
    const answer = await fetch(serverUrl(`join/${encodeURIComponent(code)}`), { cache: "no-store" });
    const shown = await answer.json();
    if ("run" in shown) {
      if (shown.run !== here) return location.replace(inSameSize(shownUrl(document.baseURI, shown, code)));
      setText(status, `Class ${code.toUpperCase()}: you see what your teacher shows.`);
    } else {
      setText(status, shown.error);
      setAttribute(form, "hidden", false);
      if (answer.ok) return;
    }
  } catch {
    setText(status, "Reconnecting… The class continues.");
  }
  setTimeout(() => follow(code, here, status, form), FOLLOW_MS);
}

/**
 * Shows a run to the class, and every later run of this page. Throws an Error with a sentence.
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
 * Shows a new run of this page to the class, if there is a class.
 * @param {RunHandle} handle
 * @param {string} place
 */
export function bringClass(handle, place) {
  if (isTeaching()) showToClass(handle, place).catch((error) => console.warn(errorSentence(error)));
}

/** Shows every live run to the class. */
export function bringClassToLive() {
  let before = readVisitor().run;
  watchVisitor(({ run, token }) => {
    if (run && run !== before) bringClass({ run, token }, "live");
    before = run;
  });
}

/**
 * Removes the code of the class.
 * @param {RunHandle} handle
 */
export async function endClass({ run, token }) {
  storeTeaching(false);
  await sendCommand("end_class", run, token);
}
