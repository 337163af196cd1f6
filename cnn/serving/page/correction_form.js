/** A field for the right answer. */

import { element } from "./dom.js";

/**
 * Makes a form that takes the right answer of a row or character.
 *
 * @param {object} options
 * @param {string} options.label what is asked for.
 * @param {string} [options.context] which picture is meant, for screen readers.
 * @param {string[] | null} options.classes those of the model. For others, the form asks
 *   again. Null takes any text.
 * @param {(text: string) => void} options.save
 * @returns {HTMLFormElement}
 */
export function correctionForm({ label, context = "", classes, save }) {
  const hint = element("span", { class: "form-hint", role: "status" });
  const input = element("input", {
    name: "answer", autocomplete: "off", autocapitalize: "off", spellcheck: "false",
    size: classes ? 3 : 8, "aria-label": `${label} ${context}`.trim(),
  });
  const submit = (event) => {
    event.preventDefault();
    const question = questionAbout(input.value.trim(), classes, hint.dataset.asked);
    hint.textContent = question;
    if (question) hint.dataset.asked = input.value.trim();
    else save(input.value.trim());
  };
  return element("form", { class: "correction", submit },
    label ? element("span", { "aria-hidden": "true" }, label) : null, input,
    element("button", {}, "Save"), hint);
}

/** Returns what to ask before a text is taken, or nothing. */
function questionAbout(text, classes, asked) {
  if (!text) return "Type the right answer.";
  if (!classes || classes.includes(text) || asked === text) return "";
  return `The model has no class “${text}”. Save again to add it as a new one.`;
}
