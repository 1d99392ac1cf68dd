// The requests of the page to the server, except for updates: commands, public endpoints, and class names.

/** @import { RunHandle } from "./types.d.ts" */

/**
 * The full address of a path of the server.
 * @param {string} path
 */
export function serverUrl(path) {
  return new URL(path, document.baseURI).href;
}

/**
 * The answer to a command. Throws an Error with the server's sentence.
 * @template Answer
 * @param {string} name
 * @param {...unknown} values
 * @returns {Promise<Answer>}
 */
export async function sendCommand(name, ...values) {
  const answer = await postJson(`command/${name}`, values);
  if ("told" in answer) return answer.told;
  throw new Error(answer.error);
}

/**
 * The answer of a public endpoint. Throws an Error with the server's sentence.
 * @template Answer
 * @param {string} endpoint
 * @param {...unknown} data
 * @returns {Promise<Answer>}
 */
export async function callEndpoint(endpoint, ...data) {
  const answer = await postJson(`gradio_api/run/${endpoint}`, { data });
  if ("data" in answer) return answer.data[0];
  throw new Error(answer.error);
}

/**
 * The estimated seconds of a run with the values of the form; null if the server has no estimate.
 * @param {{ preset: string, settings: Record<string, unknown>, token: string }} form
 * @returns {Promise<number | null>}
 */
export async function askDuration(form) {
  return (await postJson("duration", form)).seconds ?? null;
}

/**
 * Tells the server that the page of a queued run closes, so that the run leaves the queue.
 * @param {RunHandle} handle
 */
export function leaveQueue({ run, token }) {
  navigator.sendBeacon(
    serverUrl("command/leave"),
    new Blob([JSON.stringify([run, token])], { type: "application/json" }),
  );
}

/**
 * The JSON answer to a POST request, or { error } if there is none.
 * @param {string} path
 * @param {unknown} body
 */
async function postJson(path, body) {
  try {
    const answer = await fetch(serverUrl(path), {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    return await answer.json();
  } catch {
    return { error: "The server did not receive the command. Try again." };
  }
}
