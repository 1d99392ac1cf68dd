// Small helpers: elements, numbers with units, and the colours of classes.

const SVG = "http://www.w3.org/2000/svg";

/** An HTML element with attributes and children; `on…` attributes are listeners. */
export function h(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** The same for SVG. */
export function s(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** Text for screen readers only. */
export const unseen = (text, tag = "span") => h(tag, { class: "unseen" }, text);

/** Sets an attribute only when it differs, so that nothing flickers. */
export function put(element, name, value) {
  if (value === null || value === undefined || value === false) element.removeAttribute(name);
  else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value === true ? "" : value);
}

export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export const percent = (share, digits = 0) =>
  share === null || share === undefined ? "–" : `${(100 * share).toFixed(digits)} %`;

export function figure(value) {
  if (value === null || value === undefined) return "–";
  const size = Math.abs(value);
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2).replace("-", "−");
}

export const whole = (value) => value.toLocaleString("en-GB");

export const many = (count, noun) => `${whole(count)} ${noun}${count === 1 ? "" : "s"}`;

export function duration(seconds) {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}

// Okabe and Ito's colours, and three more that keep their distance from them to any kind of colour vision (tested).
const TEN = [
  "#E69F00",
  "#56B4E9",
  "#009E73",
  "#F0E442",
  "#0072B2",
  "#D55E00",
  "#CC79A7",
  "#A0C878",
  "#783CF0",
  "#DC003C",
];

/** A class's colour, the same in every panel. */
export function classColour(index, count) {
  if (count <= TEN.length) return TEN[index];
  return `hsl(${(index * 137.508) % 360} ${55 + 15 * (index % 3)}% ${45 + 8 * (index % 2)}%)`;
}

export const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
