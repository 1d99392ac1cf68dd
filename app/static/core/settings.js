// Settings as people write them: `name=value`, with spaces between.

/** @import { Settings } from "./types.d.ts" */

/**
 * `a=1 b=x c=true` as { a: 1, b: "x", c: true }; what is no number stays a text, for the server to judge.
 * @param {string} text
 * @returns {Settings}
 */
export function parseSettings(text) {
  return Object.fromEntries(
    text
      .split(/\s+/)
      .filter(Boolean)
      .map((part) => {
        const [name = "", ...rest] = part.split("=");
        return [name, parseValue(rest.join("="))];
      }),
  );
}

/**
 * @param {string} text
 * @returns {string | number | boolean}
 */
function parseValue(text) {
  if (text === "true" || text === "false") return text === "true";
  return text !== "" && Number.isFinite(Number(text)) ? Number(text) : text;
}
