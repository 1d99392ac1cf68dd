// Asks before a run that is still going on is replaced by another.

import { serverUrl } from "./api.js";
import { isGoing } from "./model.js";
import { readVisitor } from "./storage.js";

const QUESTION = "Your live run is still in progress. Starting this ends it. Its results stay. Start anyway?";

/** Whether nothing is lost, or the visitor agrees to it. */
export async function mayReplaceLiveRun() {
  const { run } = readVisitor();
  if (!run || !isGoing(await stateOf(run))) return true;
  return confirm(QUESTION);
}

/**
 * How a run stands; empty where the server does not say.
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
