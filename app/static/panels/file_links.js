// The files that a run leaves, as a line of links.

import { serverUrl } from "../core/api.js";
import { h } from "../core/dom.js";

/**
 * The links, each with what its file is called.
 * @param {string} run
 * @param {string[][]} files pairs of a file's name and its title
 */
export function fileLinks(run, files) {
  return files.flatMap(([file, title], i) => [
    i ? " · " : "Files: ",
    h("a", { href: serverUrl(`live/${run}/export/${file}`), download: file }, title),
  ]);
}
