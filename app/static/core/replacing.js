// Asks the visitor before a new run replaces one that is still running.

import { serverUrl } from "./api.js";
import { isGoing } from "./model.js";
import { readVisitor } from "./storage.js";

const QUESTION = "Your live run is still in progress. Starting this ends it. Its results stay. Start anyway?";

/** Whether no run is lost, or the visitor agrees that it ends. */
export async function mayReplaceLiveRun() {
  const { run } = readVisitor();
  if (!run || !isGoing(await stateOf(run))) return true;
  return confirm(QUESTION);
}

/**
 * The state of a run; empty if the server does not know it.
 * @param {string} run
 * @returns {Promise<string>}
 */
async function stateOf(run) {
  try {
    const answer = await fetch(serverUrl(`live/${run}/status`), { cache: "no-store" });
    return answer.status === 200 ? (await answer.json()).state : "";
  } catch {
    return "";
  }
}
