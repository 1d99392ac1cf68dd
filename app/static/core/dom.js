// Creates and changes elements.

/** @typedef {string | number | boolean | null | undefined | (() => unknown)} AttributeValue */
/** @typedef {Node | string | null | undefined} Child */

const SVG = "http://www.w3.org/2000/svg";

/**
 * An HTML element with attributes and children; `on…` attributes are listeners.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, AttributeValue>} [attributes] null, undefined and false leave an attribute out
 * @param {...Child} children null and undefined are left out
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function h(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/**
 * The same for SVG.
 * @template {keyof SVGElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, AttributeValue>} [attributes]
 * @param {...Child} children
 * @returns {SVGElementTagNameMap[Tag]}
 */
export function s(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

/**
 * @template {Element} E
 * @param {E} element
 * @param {Record<string, AttributeValue>} attributes
 * @param {Child[]} children
 * @returns {E}
 */
function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else setAttribute(element, name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/**
 * Sets an attribute only when it differs, so that nothing flickers; null, undefined and false remove it.
 * @param {Element} element
 * @param {string} name
 * @param {string | number | boolean | null | undefined} value
 */
export function setAttribute(element, name, value) {
  if (value === null || value === undefined || value === false) element.removeAttribute(name);
  else if (value === true) element.setAttribute(name, "");
  else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, String(value));
}

/**
 * Sets an element's text only when it differs.
 * @param {Element} element
 * @param {string} text
 */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * Text for screen readers only.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {string} text
 * @param {Tag} [tag] `span` if none is given
 */
export function hiddenText(text, tag) {
  return h(tag ?? "span", { class: "visually-hidden" }, text);
}

/**
 * A label above its input.
 * @param {string} label
 * @param {HTMLElement} input
 */
export function labeled(label, input) {
  return h("label", { class: "field" }, h("span", {}, label), input);
}

/**
 * The first element that matches. Throws an Error if there is none, because the scripts need it.
 * @template {Element} E
 * @param {ParentNode} parent
 * @param {string} selector
 * @param {new () => E} type what it has to be
 * @returns {E}
 */
export function find(parent, selector, type) {
  const found = parent.querySelector(selector);
  if (!(found instanceof type)) throw new Error(`The page has no ${type.name} that matches ${selector}.`);
  return found;
}

/** Whether the visitor prefers reduced motion. */
export function prefersReducedMotion() {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}

/**
 * Whether an element is visible, which means that its tab is open.
 * @param {Element} element
 */
export function isVisible(element) {
  return element.getClientRects().length > 0;
}

/**
 * Calls `onChange` when an element becomes visible or hidden.
 * @param {Element} element
 * @param {(visible: boolean) => void} onChange
 */
export function watchVisibility(element, onChange) {
  let before = isVisible(element);
  new ResizeObserver(() => {
    const now = isVisible(element);
    if (now !== before) onChange(now);
    before = now;
  }).observe(element);
}

/**
 * Shows one image of a strip as the background of an element. The strip has `count` images side by side.
 * @param {HTMLElement} element
 * @param {string} url
 * @param {number} index
 * @param {number} count
 */
export function showImage(element, url, index, count) {
  element.style.backgroundImage = `url("${url}")`;
  element.style.backgroundSize = `${count * 100}% 100%`;
  element.style.backgroundPosition = count > 1 ? `${(index / (count - 1)) * 100}% 0` : "0 0";
}

/**
 * Fetches a picture, so that it can be shown without flicker; false if there is none.
 * @param {string} url
 */
export async function loadImage(url) {
  const image = new Image();
  image.src = url;
  try {
    await image.decode();
    return true;
  } catch {
    return false;
  }
}
