// Changes of settings, chosen from lists: a setting, then its value.

import { h, setAttribute } from "../core/dom.js";

/** @import { SettingFacts, Settings } from "../core/types.d.ts" */

/** Any number of changes, one in each row. */
export class SettingPicker {
  /**
   * @param {SettingFacts[]} settings
   * @param {string} whose a text after each name, for screen readers
   */
  constructor(settings, whose) {
    this.settings = settings;
    this.whose = whose;
    /** @type {{ element: HTMLElement, name: HTMLSelectElement, read: () => string | number | boolean }[]} */
    this.rows = [];
    this.list = h("div", { class: "setting-rows" });
    const add = h("button", { type: "button", class: "add-setting", onclick: () => this.add() }, "+ Add a setting");
    setAttribute(add, "aria-label", `Add a setting ${whose}`);
    this.element = h("div", { class: "setting-picker" }, this.list, add);
  }

  /**
   * Adds a row for a setting. Without a name it is the first setting that has no row.
   * @param {string} [name]
   * @param {string | number | boolean} [value]
   */
  add(name, value) {
    const taken = this.rows.map((row) => row.name.value);
    const first = name ?? this.settings.find((one) => !taken.includes(one.name))?.name ?? "";
    const groups = [...new Set(this.settings.map(({ group }) => group))];
    const choice = h(
      "select",
      { "aria-label": `Setting ${this.whose}` },
      ...groups.map((group) =>
        h(
          "optgroup",
          { label: group },
          ...this.settings
            .filter((one) => one.group === group)
            .map((one) => h("option", { value: one.name, selected: one.name === first }, one.label)),
        ),
      ),
    );
    const place = h("span", { class: "setting-value" });
    const help = h("p", { class: "note" });
    const remove = h("button", { type: "button", "aria-label": `Remove this setting ${this.whose}` }, "✕");
    const element = h("div", { class: "setting-row" }, choice, place, remove, help);
    const row = { element, name: choice, read: () => /** @type {string | number | boolean} */ ("") };
    /** @param {string | number | boolean} [given] */
    const fill = (given) => {
      const facts = this.settings.find((one) => one.name === choice.value);
      if (!facts) return;
      const [input, read] = valueInput(facts, given ?? facts.value, `Value of ${facts.label} ${this.whose}`);
      row.read = read;
      place.replaceChildren(input);
      help.textContent = facts.help;
    };
    choice.addEventListener("change", () => fill());
    remove.addEventListener("click", () => {
      this.rows.splice(this.rows.indexOf(row), 1);
      element.remove();
    });
    this.rows.push(row);
    this.list.append(element);
    fill(value);
  }

  /**
   * Replaces all rows by these changes. Names that are not settings are ignored.
   * @param {Settings} values
   */
  set(values) {
    this.rows = [];
    this.list.replaceChildren();
    for (const [name, value] of Object.entries(values))
      if (this.settings.some((one) => one.name === name)) this.add(name, value);
  }

  /**
   * The changes by name.
   * @returns {Settings}
   */
  values() {
    return Object.fromEntries(this.rows.map(({ name, read }) => [name.value, read()]));
  }
}

/**
 * The input of a value, and the function that reads it.
 * @param {SettingFacts} facts
 * @param {string | number | boolean} value
 * @param {string} label
 * @returns {[input: HTMLElement, read: () => string | number | boolean]}
 */
function valueInput({ kind, choices, low, high }, value, label) {
  if (kind === "flag" || choices.length) {
    const options = kind === "flag" ? ["true", "false"] : choices;
    const select = h(
      "select",
      { "aria-label": label },
      ...options.map((one) => h("option", { value: one, selected: one === String(value) }, named(one))),
    );
    return [select, () => (kind === "flag" ? select.value === "true" : select.value)];
  }
  if (kind === "text") {
    const input = h("input", { type: "text", value: String(value), "aria-label": label });
    return [input, () => input.value];
  }
  const input = h("input", {
    type: "number",
    step: kind === "whole" ? 1 : "any",
    min: low,
    max: high,
    value: String(value),
    "aria-label": label,
  });
  return [input, () => (input.value === "" ? "" : Number(input.value))];
}

/** @param {string} value */
const named = (value) => ({ true: "yes", false: "no" })[value] ?? value;
